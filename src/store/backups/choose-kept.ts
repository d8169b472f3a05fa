/**
 * Which generations of backups stay: the newest few, an older one of each age, so that damage that is noticed late can
 * still be gone back behind; and always the newest that has apps, so that an empty state never pushes out a full one.
 */
import { byExtent, type BackupName } from './backup-name.ts';

const NEWEST = 4;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** One of about each of these ages stays. */
const AGES_MS = [HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS];

export function chooseKept(backups: readonly BackupName[], nowMs: number): ReadonlySet<string> {
  const sorted = backups.toSorted(byExtent);
  const kept = new Set(sorted.slice(0, NEWEST).map(({ name }) => name));
  const full = sorted.find(({ apps }) => apps > 0);
  if (full !== undefined) kept.add(full.name);
  // What an upgrade started from: who goes back to the version before needs it.
  const newestSchema = Math.max(0, ...sorted.map(({ schema }) => schema));
  const before = sorted.find(({ schema }) => schema < newestSchema);
  if (before !== undefined) kept.add(before.name);
  for (const ageMs of AGES_MS) {
    // The youngest that is old enough, or else the oldest, which will become it.
    const ripe = sorted.find(({ atMs }) => nowMs - atMs >= ageMs) ?? sorted.at(-1);
    if (ripe !== undefined) kept.add(ripe.name);
  }
  return kept;
}
