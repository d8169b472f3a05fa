// Has secrets wherever a program can have them, all made at run time; writes snapshots of itself, each with more of them.
import { writeHeapSnapshot } from 'node:v8';

const files = process.argv.slice(2);
const secret = (kind, number = 0) => ['SECRET', kind, String(number).padStart(6, '0')].join('');

class CustomerStore {
  constructor() {
    this.sessionsByToken = {};
    this.notes = [];
    this.byEmail = new Map();
    this.weak = new WeakMap();
  }
  add(number) {
    const token = secret('key', number);
    this.sessionsByToken[token] = { owner: secret('value', number), payload: 'x'.repeat(100) + secret('long', number) };
    this.notes.push({ [`user:${secret('template', number)}`]: number });
    this.byEmail.set(`${secret('map', number)}@example.org`, this.notes.at(-1));
    this.weak.set(this.notes.at(-1), secret('weak', number));
  }
}

globalThis.customerStore = new CustomerStore();
globalThis.customerStore.pattern = new RegExp(secret('pattern'));
globalThis.customerStore.symbol = { [Symbol(secret('symbol', 123456))]: 1 };
// Plain objects of one shape are a class that is called by their keys.
globalThis.customerStore.shapes = Array.from({ length: 40 }, () => ({
  [secret('shape', 1)]: {},
  [secret('shape', 2)]: 1,
}));
// Flat copies, so that their texts are in the snapshot and not only the parts they are made of.
globalThis.flat = Array.from({ length: 50 }, (_, number) => Buffer.from(secret('flat', number)).toString());
globalThis.names = Object.fromEntries(globalThis.flat.map((name) => [name, Buffer.from(name).toString('latin1')]));
for (const [round, file] of files.entries()) {
  for (let number = 0; number < 200; number++) globalThis.customerStore.add(round * 200 + number);
  writeHeapSnapshot(file);
}
