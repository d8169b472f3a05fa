/**
 * Ids of operations: ten characters, in the order they were given even when the wall clock goes back. Eight of them
 * count milliseconds, two are random so that two homes rarely agree; unique within a store because each is greater
 * than the one before.
 */

/** Crockford's: no i, l, o, u, so that an id can be read aloud. In ascending order of ASCII. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const EPOCH_MS = Date.UTC(2025, 0, 1);
const LENGTH = 10;
const RANDOM_BITS = 10n;
/** Eight characters count to 2059. A clock beyond that stays below the greatest number, so that ids can still ascend. */
const LAST_MS = 2 ** 40 - 2 ** 20;

export interface OperationIdInput {
  readonly wallMs: number;
  /** The greatest id given so far, or null. */
  readonly previous: string | null;
  /** At least 0 and below 1. */
  readonly random: number;
}

export function nextOperationId({ wallMs, previous, random }: OperationIdInput): string {
  const sinceEpoch = BigInt(Math.min(LAST_MS, Math.max(0, Math.floor(wallMs - EPOCH_MS))));
  const fresh = (sinceEpoch << RANDOM_BITS) | BigInt(Math.floor(random * 2 ** Number(RANDOM_BITS)));
  const last = previous === null ? -1n : decode(previous);
  return encode(fresh > last ? fresh : last + 1n);
}

function encode(value: bigint): string {
  let text = '';
  for (let rest = value; text.length < LENGTH; rest >>= 5n) text = (ALPHABET[Number(rest & 31n)] ?? '0') + text;
  return text;
}

function decode(id: string): bigint {
  let value = 0n;
  for (const character of id) value = (value << 5n) | BigInt(Math.max(0, ALPHABET.indexOf(character)));
  return value;
}
