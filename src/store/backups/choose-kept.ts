/**
 * Which generations of backups stay: the newest few; one of each span of age, so that damage that is noticed late can
 * still be gone back behind; and always the newest that has apps, so that an empty state never pushes out a full one.
 */
import { byExtent, type BackupName } from './backup-name.ts';

const NEWEST = 4;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Where one span of age ends and the next begins. */
const SPANS_MS = [HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS];

export function chooseKept(backups: readonly BackupName[], nowMs: number): ReadonlySet<string> {
  const sorted = backups.toSorted(byExtent);
  const kept = new Set(sorted.slice(0, NEWEST).map(({ name }) => name));
  const full = sorted.find(({ apps }) => apps > 0);
  if (full !== undefined) kept.add(full.name);
  // What an upgrade started from: who goes back to the version before needs it.
  const newestSchema = Math.max(0, ...sorted.map(({ schema }) => schema));
  const before = sorted.find(({ schema }) => schema < newestSchema);
  if (before !== undefined) kept.add(before.name);
  const spans = new Map<number, BackupName>();
  for (const backup of sorted) {
    const span = SPANS_MS.filter((from) => nowMs - backup.atMs >= from).length;
    // The oldest of its span, which grows into the next one; of the last span the youngest.
    if (span < SPANS_MS.length || !spans.has(span)) spans.set(span, backup);
  }
  for (const { name } of spans.values()) kept.add(name);
  return kept;
}
