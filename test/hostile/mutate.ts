/**
 * Damages that any file may have, whatever its format: bits, bytes, pieces, numbers, ends. Seeded, so that a case that
 * fails can be made again from its number.
 */
import type { Random } from '../simulation/random.ts';

export interface Mutated {
  /** What was done, in words. */
  readonly what: string;
  readonly bytes: Uint8Array;
}

export interface Original {
  /** How messages name it. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where sections of the format begin or end, in bytes: damage is likeliest to matter there. */
  readonly borders: readonly number[];
}

type Damage = (random: Random, original: Original) => Mutated;

/** One damage of the general kinds. */
export function mutate(random: Random, original: Original): Mutated {
  return random.pick(DAMAGES)(random, original);
}

const place = (random: Random, { bytes, borders }: Original): number => {
  if (borders.length === 0 || random.next() < 0.7) return random.between(0, bytes.length - 1);
  return Math.min(bytes.length - 1, Math.max(0, random.pick(borders) + random.between(-3, 3)));
};

const splice = (bytes: Uint8Array, from: number, to: number, inserted: Uint8Array | string): Uint8Array =>
  Buffer.concat([
    bytes.subarray(0, from),
    typeof inserted === 'string' ? Buffer.from(inserted, 'latin1') : inserted,
    bytes.subarray(to),
  ]);

/** What a format's words and brackets turn into. */
const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\\u12',
  '\\ud800',
  'null',
  'true',
  '-',
  '.',
  'e9',
  '\0',
  '\n',
  ' ',
  '\xff',
];

/** Numbers that arithmetic trips over. */
const NUMBERS = [
  '0',
  '-1',
  '1',
  '4294967295',
  '4294967296',
  '9007199254740993',
  '1e400',
  '-1e400',
  '0.5',
  '1e-400',
  '99999999999999999999999999',
  'NaN',
  '""',
];

const DAMAGES: readonly Damage[] = [
  (random, original) => {
    const bytes = Uint8Array.from(original.bytes);
    const count = random.between(1, 4);
    for (let flip = 0; flip < count; flip += 1) {
      const at = place(random, original);
      bytes[at] = (bytes[at] as number) ^ (1 << random.between(0, 7));
    }
    return { what: `${count} bits flipped`, bytes };
  },
  (random, original) => {
    const at = place(random, original);
    return { what: `cut off at byte ${at}`, bytes: original.bytes.subarray(0, at) };
  },
  (random, original) => {
    const at = place(random, original);
    const length = random.between(1, random.next() < 0.5 ? 8 : 4096);
    return { what: `${length} bytes missing at ${at}`, bytes: splice(original.bytes, at, at + length, '') };
  },
  (random, original) => {
    const at = place(random, original);
    const from = place(random, original);
    const piece = original.bytes.subarray(from, from + random.between(1, 4096));
    return { what: `a piece of byte ${from} once more at ${at}`, bytes: splice(original.bytes, at, at, piece) };
  },
  (random, original) => {
    const at = place(random, original);
    const token = random.pick(TOKENS);
    const isReplacing = random.next() < 0.5;
    const bytes = splice(original.bytes, at, isReplacing ? at + 1 : at, token);
    return { what: `${JSON.stringify(token)} at byte ${at}`, bytes };
  },
  (random, original) => {
    const digits = findDigits(original.bytes, place(random, original));
    const number = random.pick(NUMBERS);
    const bytes = splice(original.bytes, digits.from, digits.to, number);
    return { what: `the number at byte ${digits.from} is ${number}`, bytes };
  },
  (random, original) => {
    const at = place(random, original);
    const bytes = Uint8Array.from(original.bytes);
    const length = random.between(1, 512);
    for (let index = at; index < Math.min(bytes.length, at + length); index += 1) bytes[index] = random.between(0, 255);
    return { what: `${length} bytes of noise at ${at}`, bytes };
  },
];

/** The next run of digits from a place on; the place itself where none follows. */
function findDigits(bytes: Uint8Array, at: number): { readonly from: number; readonly to: number } {
  const isDigit = (index: number): boolean => (bytes[index] ?? 0) >= 0x30 && (bytes[index] ?? 0) <= 0x39;
  let from = at;
  while (from < bytes.length && !isDigit(from)) from += 1;
  if (from >= bytes.length) return { from: at, to: at };
  while (isDigit(from - 1)) from -= 1;
  let to = from;
  while (isDigit(to)) to += 1;
  return { from, to };
}
