/** The recorded windows, and draws of two sets of them for trials: seeded, so that a trial can be run again. */
import { join } from 'node:path';
import { measureWindow, type ProfileWindow, readCpuProfile } from '../../../src/cpu/index.ts';
import { listWindows, type Side, type WindowRecord } from './record.ts';

export interface PooledWindow {
  readonly record: WindowRecord;
  readonly window: ProfileWindow;
}

/** All windows of a recording, read and reduced. */
export async function readPool(folder: string): Promise<PooledWindow[]> {
  const pool: PooledWindow[] = [];
  for (const record of listWindows(folder)) {
    const profile = await readCpuProfile(join(folder, record.file));
    pool.push({ record, window: measureWindow(profile, `${record.side}-${record.launch}`) });
  }
  return pool;
}

export type Draw = readonly [readonly ProfileWindow[], readonly ProfileWindow[]];

/**
 * `count` windows of each side, all different, and no launch on both sides: a version that is compared with another one was
 * started anew. Each side has `perLaunch` windows of each of its launches, as far as they go.
 */
export function drawSets(
  pool: readonly PooledWindow[],
  sides: readonly [Side, Side],
  { count, perLaunch }: { readonly count: number; readonly perLaunch: number },
  random: () => number,
): Draw {
  const taken = new Set<number>();
  const draw = (side: Side): ProfileWindow[] => {
    const launches = [...new Set(pool.filter(({ record }) => record.side === side).map(({ record }) => record.launch))];
    const windows: ProfileWindow[] = [];
    for (const launch of shuffle(launches, random)) {
      if (taken.has(launch) || windows.length === count) continue;
      taken.add(launch);
      const own = shuffle(
        pool.filter(({ record }) => record.launch === launch),
        random,
      );
      windows.push(...own.slice(0, Math.min(perLaunch, count - windows.length)).map(({ window }) => window));
    }
    if (windows.length < count)
      throw new Error(`too few launches of ${side} for ${count} windows, ${perLaunch} of each`);
    return windows;
  };
  return [draw(sides[0]), draw(sides[1])];
}

/** Fisher and Yates. */
function shuffle<Item>(items: readonly Item[], random: () => number): Item[] {
  const shuffled = [...items];
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [shuffled[at], shuffled[other]] = [shuffled[other] as Item, shuffled[at] as Item];
  }
  return shuffled;
}
