/** From weights to what the kernel is given: how long a schedule is, and who owns which sticky bucket. Pure. */
import { schedule } from '../core/index.ts';
import { SCHEDULE_ENTRIES, STICKY_BUCKETS } from '../os/index.ts';

/**
 * Turns over the indices of `weights`, as exact as they can be: where some length up to the longest gives every weight a
 * whole number of turns (four equal ones: 4; 95 to 5: 20), the shortest such.
 */
export function turnsOf(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= 0) return [];
  return schedule(weights, findLength(weights, total));
}

function findLength(weights: readonly number[], total: number): number {
  for (let length = 1; length < SCHEDULE_ENTRIES; length++) {
    if (weights.every((weight) => isWhole((weight / total) * length))) return length;
  }
  return SCHEDULE_ENTRIES;
}

const isWhole = (value: number): boolean => Math.abs(value - Math.round(value)) < 1e-6;

export interface StickyShard {
  /** Stays the same for as long as the shard exists, also over restarts of the daemon. */
  readonly id: string;
  readonly weight: number;
}

/**
 * The owner of each bucket of clients, as indices of `shards`: by weighted rendezvous, so that a shard that comes or
 * goes moves only its own share of the clients.
 */
export function stickyTable(shards: readonly StickyShard[]): readonly number[] {
  const candidates = shards.map((shard, index) => ({ ...shard, index })).filter(({ weight }) => weight > 0);
  if (candidates.length === 0) return [];
  return Array.from({ length: STICKY_BUCKETS }, (_, bucket) => {
    const scores = candidates.map(({ id, weight }) => -weight / Math.log(draw(`${bucket} ${id}`)));
    return candidates[scores.indexOf(Math.max(...scores))]?.index ?? 0;
  });
}

/** A number between 0 and 1, exclusive, that only depends on the text (FNV-1a, then mixed). */
function draw(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}

/** Shares of the whole in percent, to one decimal. */
export function percentages(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total > 0 ? Math.round((weight / total) * 1000) / 10 : 0));
}
