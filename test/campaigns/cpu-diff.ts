/**
 * The comparison of CPU profiles, judged on what was recorded (test/support/cpu-windows): a shop whose `priceOf` does 10 %
 * more work is found by name, and two sets of the same version are found equal. A set is ten windows of 30 s. No launch is
 * on both sides of a comparison: versions never share one. The folder of windows is `CPU_WINDOWS`, .cache/cpu-windows
 * unless told; what is missing there is recorded first, which takes an hour.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Campaign, type CampaignRun, fixed } from '../../bench/campaign.ts';
import { compareProfiles } from '../../src/cpu/index.ts';
import { drawSets, type PooledWindow, readPool } from '../support/cpu-windows/pool.ts';
import {
  FULL_PLAN,
  listWindows,
  type Plan,
  recordWindows,
  SHORT_PLAN,
  type Side,
} from '../support/cpu-windows/record.ts';
import { wilson } from '../support/cpu-windows/wilson.ts';
import { seeded } from '../support/random.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SEED = 20_261;
const REGRESSED = 'priceOf';
const LEAST_FOUND = 0.9;
const MOST_FALSE = 0.05;

interface Trials {
  readonly trials: number;
  readonly count: number;
  readonly perLaunch: number;
}

interface Found extends Trials {
  readonly found: number;
  /** Comparisons that report another function as well, or another instead. */
  readonly withOthers: number;
  readonly meanEffect: number;
  readonly meanSelfShare: readonly [number, number];
}

interface False extends Trials {
  readonly false: number;
  readonly names: Readonly<Record<string, number>>;
  readonly tested: number;
}

export const cpuDiff: Campaign = {
  name: 'cpu-diff',
  shows:
    'a tenth more work in one function is found among ten recorded windows a side, and nothing where nothing changed',
  run: async (run) => {
    const folder = run.isSmall ? mkdtempSync(join(tmpdir(), 'cpu-windows-')) : recordedFolder();
    try {
      await record(run, folder);
      const pool = await readPool(folder);
      describePool(run, pool);
      for (const trials of run.isSmall ? SMALL : FULL) await judge(run, pool, trials);
    } finally {
      if (run.isSmall) rmSync(folder, { recursive: true });
    }
  },
};

/** Ten workers with a window each, and five with two. */
const FULL = [
  { name: 'ten launches', count: 10, perLaunch: 1 },
  { name: 'five launches', count: 10, perLaunch: 2 },
];
const SMALL = [{ name: 'two launches', count: 4, perLaunch: 2 }];

const NAMED = process.env['CPU_WINDOWS'];
const recordedFolder = (): string => NAMED ?? join(ROOT, '.cache', 'cpu-windows');

async function record(run: CampaignRun, folder: string): Promise<void> {
  if (!run.isSmall && NAMED !== undefined) return;
  const plan: Plan = { ...(run.isSmall ? SHORT_PLAN : FULL_PLAN), folder };
  const wanted = run.isSmall ? { a: 8, b: 4 } : { a: 60, b: 30 };
  const known = listWindows(folder);
  const count = (side: Side): number => known.filter((window) => window.side === side).length;
  run.say(`${count('a')} and ${count('b')} windows are there; at least ${wanted.a} and ${wanted.b} are wanted`);
  await recordWindows(plan, wanted, { signal: new AbortController().signal, say: (line) => run.say(line) });
}

function describePool(run: CampaignRun, pool: readonly PooledWindow[]): void {
  const rows = (['a', 'b'] as const).map((side) => {
    const own = pool.filter(({ record }) => record.side === side);
    const mean = (valueOf: (window: PooledWindow) => number): number =>
      own.reduce((sum, window) => sum + valueOf(window), 0) / own.length;
    return [
      side,
      own.length,
      new Set(own.map(({ record }) => record.launch)).size,
      fixed(mean(({ record }) => record.cpuMs) / 1000, 1),
      fixed(
        mean(({ window }) => window.onCpuTicks),
        0,
      ),
      fixed(
        mean(({ record: { load } }) => (load[0] + load[1]) / 2),
        1,
      ),
    ];
  });
  run.table(['side', 'windows', 'launches', 'CPU s a window', 'samples on CPU', 'load average'], rows);
}

async function judge(
  run: CampaignRun,
  pool: readonly PooledWindow[],
  { name, count, perLaunch }: { readonly name: string; readonly count: number; readonly perLaunch: number },
): Promise<void> {
  const size = run.isSmall ? { regressed: 3, equal: 3 } : { regressed: 50, equal: 200 };
  const found = await run.row(`${name}: found`, async () =>
    findRegression(pool, { trials: size.regressed, count, perLaunch }),
  );
  const equal = await run.row(`${name}: equal`, async () =>
    compareEqual(pool, { trials: size.equal, count, perLaunch }),
  );
  const rate = (hits: number, of: number): string => {
    const [low, high] = wilson(hits, of);
    return `${hits} of ${of} (${fixed((100 * hits) / of)} %; 95 % CI ${fixed(100 * low)} to ${fixed(100 * high)})`;
  };
  const { meanEffect, meanSelfShare, withOthers } = found;
  run.say(
    `${name}: ${REGRESSED} takes ${fixed(100 * meanSelfShare[0])} → ${fixed(100 * meanSelfShare[1])} %, estimated as ${fixed(100 * meanEffect)} % more; other functions in ${withOthers} of ${found.trials}; ${fixed(equal.tested)} functions tested; false: ${JSON.stringify(equal.names)}`,
  );
  if (run.isSmall) run.check(`${name}: it takes more in the mean`, meanEffect > 0.3, `${fixed(100 * meanEffect)} %`);
  run.bound(
    `${name}: found in at least ${100 * LEAST_FOUND} %`,
    found.found >= LEAST_FOUND * found.trials,
    rate(found.found, found.trials),
  );
  run.bound(
    `${name}: false in at most ${100 * MOST_FALSE} %`,
    equal.false <= MOST_FALSE * equal.trials,
    rate(equal.false, equal.trials),
  );
}

/** Baseline against the version with more work. Found: that function is reported, as taking more. */
async function findRegression(pool: readonly PooledWindow[], trials: Trials): Promise<Found> {
  const random = seeded(SEED);
  let [found, withOthers, effects, before, after] = [0, 0, 0, 0, 0];
  for (let trial = 0; trial < trials.trials; trial++) {
    const [a, b] = drawSets(pool, ['a', 'b'], trials, random);
    const { changed, functions } = compareProfiles(a, b);
    const regressed = functions.find(({ name }) => name === REGRESSED);
    if (regressed?.isChanged === true && (regressed.effect ?? 0) > 0) found += 1;
    if (changed.some(({ name }) => name !== REGRESSED)) withOthers += 1;
    effects += regressed?.effect ?? 0;
    before += regressed?.selfShare[0] ?? 0;
    after += regressed?.selfShare[1] ?? 0;
  }
  const mean = (sum: number): number => sum / trials.trials;
  return { ...trials, found, withOthers, meanEffect: mean(effects), meanSelfShare: [mean(before), mean(after)] };
}

/** Baseline against itself. False: anything is reported. */
async function compareEqual(pool: readonly PooledWindow[], trials: Trials): Promise<False> {
  const random = seeded(SEED + 1);
  const names: Record<string, number> = {};
  let [wrong, tested] = [0, 0];
  for (let trial = 0; trial < trials.trials; trial++) {
    const [a, b] = drawSets(pool, ['a', 'a'], trials, random);
    const comparison = compareProfiles(a, b);
    if (comparison.changed.length > 0) wrong += 1;
    tested += comparison.tested;
    for (const { name } of comparison.changed) names[name] = (names[name] ?? 0) + 1;
  }
  return { ...trials, false: wrong, names, tested: tested / trials.trials };
}
