/**
 * Keeps a processor busy in the ways of Node programs (recursion, closures, JSON, regular expressions, crypto, garbage,
 * timers, modules), for `busy.mjs SECONDS` of processor time, however long that takes on a busy machine: a real profile is
 * recorded meanwhile.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

const wantedUs = Number(process.argv[2]) * 1e6;
const isDone = () => {
  const { user, system } = process.cpuUsage();
  return user + system >= wantedUs;
};

const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
const isEven = (n) => (n === 0 ? true : isOdd(n - 1));
const isOdd = (n) => (n === 0 ? false : isEven(n - 1));
const parse = (text) => JSON.parse(text).items.map(({ id }) => id);
const match = (text) => text.replace(/(\w+)-(\d+)/g, '$2 $1').match(/\d+ a/g);
const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
class Shelf {
  items = [];
  fill(count) {
    for (let at = 0; at < count; at += 1) this.items.push({ at, name: `item ${at}`, next: { at: at + 1 } });
    return this;
  }
}

const text = JSON.stringify({ items: Array.from({ length: 2000 }, (_, id) => ({ id, name: `name-${id}` })) });
for (let round = 0; !isDone(); round += 1) {
  fibonacci(20 + (round % 4));
  for (let at = 0; at < 50; at += 1) isEven(500 + at);
  parse(text);
  match(text);
  hash(Buffer.from(text));
  gzipSync(text);
  readFileSync(import.meta.filename);
  new Shelf().fill(20_000).items.sort((a, b) => b.at - a.at);
  await setTimeout(round % 5);
  await import(`data:text/javascript,export default ${round}`);
}
