import { Mutex } from 'async-mutex';

const guard = new Mutex();
let balance = 0;

const book = (amount) =>
  guard.runExclusive(async () => {
    const before = balance;
    await null;
    balance = before + amount;
    return balance;
  });

export async function batch(n) {
  const results = await Promise.all(Array.from({ length: 25 }, (_, i) => book(i - 12)));
  return results.at(-1) + n;
}
