const free: Uint8Array[] = [];

const take = (): Uint8Array => free.pop() ?? new Uint8Array(4096);
const give = (bytes: Uint8Array): void => {
  bytes.fill(0);
  free.push(bytes);
};

export async function encode(n: number): Promise<number> {
  const taken = Array.from({ length: n < 5 ? 2 : 1 + ((n * 7) % 24) }, take);
  for (const [i, bytes] of taken.entries()) new TextEncoder().encodeInto(`chunk ${i} of ${n}`, bytes);
  await Promise.resolve();
  taken.forEach(give);
  return free.length;
}
