/**
 * Labels and annotations in the form that every receiver takes: names as Prometheus allows them, values bounded and well-formed,
 * nothing empty. The same labels, in any order, are the same alert.
 */
import type { ToldAlert } from '../protocol/index.ts';

/** An Alertmanager 0.25 refuses other names (prometheus/common, `LabelNameRE`). */
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const MOST_LABELS = 32;
const MOST_NAME_CHARACTERS = 128;
const MOST_VALUE_CHARACTERS = 1_024;
const MOST_TEXT_CHARACTERS = 4_096;

type Words = Readonly<Record<string, string>>;

/** An alert as it is told; its labels beyond the bounds are left out, the first of two names that come to the same wins. */
export const toTold = (alert: ToldAlert): ToldAlert => ({
  labels: bounded(alert.labels, MOST_VALUE_CHARACTERS),
  annotations: bounded(alert.annotations, MOST_TEXT_CHARACTERS),
  startsAt: alert.startsAt,
  endsAt: alert.endsAt,
});

function bounded(words: Words, mostCharacters: number): Words {
  const result: Record<string, string> = {};
  let count = 0;
  for (const [name, value] of Object.entries(words)) {
    const key = toLabelName(name);
    const text = cut(value, mostCharacters);
    if (text === '' || Object.hasOwn(result, key)) continue;
    if (count === MOST_LABELS) break;
    // Not by assignment: `__proto__` is a name that a label may have.
    Object.defineProperty(result, key, { value: text, enumerable: true, configurable: true, writable: true });
    count += 1;
  }
  return result;
}

/** Every other character becomes `_`; a name that begins with a digit, or is empty, gets one in front. */
export const toLabelName = (name: string): string => {
  if (NAME.test(name) && name.length <= MOST_NAME_CHARACTERS) return name;
  const replaced = name.slice(0, MOST_NAME_CHARACTERS - 1).replaceAll(/[^a-zA-Z0-9_]/g, '_');
  return /^[a-zA-Z_]/.test(replaced) ? replaced : `_${replaced}`;
};

/** Without half of a character at its end, and without what text that people read has no use for. */
const cut = (value: string, most: number): string =>
  (value.length <= most ? value : `${value.slice(0, most - 1)}…`).replaceAll(/[^\t\n\P{Cc}]/gu, ' ').toWellFormed();

/** Sixteen hexadecimal digits of FNV-1a, as Alertmanager computes them of a label set (prometheus/common, `signature.go`). */
export const fingerprintOf = (labels: Words): string => {
  let hash = OFFSET;
  const add = (bytes: Uint8Array): void => {
    for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
    hash = ((hash ^ SEPARATOR) * PRIME) & MASK;
  };
  for (const name of Object.keys(labels).sort()) {
    add(Buffer.from(name));
    add(Buffer.from(labels[name] ?? ''));
  }
  return hash.toString(16).padStart(16, '0');
};

/** Of FNV-1a with 64 bits: draft-eastlake-fnv, section 5. */
const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;
const SEPARATOR = 0xffn;

/** What all of them have, with the same value. */
export const commonOf = (all: readonly Words[]): Words => {
  const [first = {}, ...others] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) =>
      others.every((each) => Object.hasOwn(each, name) && each[name] === value),
    ),
  );
};
