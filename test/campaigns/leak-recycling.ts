/**
 * Workers that leak under load, with a limit: whether they are replaced before they reach it, and what that costs the
 * clients; the same app, load and limit under pm2 in cluster mode with `max_memory_restart`. The app has no signal
 * handlers under Drover; under pm2 it closes its server on SIGINT, as pm2 advises. Memory is read from /proc here.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Campaign, type CampaignRun, fixed } from '../../bench/campaign.ts';
import { installPackage } from '../provisions.ts';
import { type LoadReport, type LoadSpec, startLoad } from '../support/load/index.ts';
import { freePort, temporaryFolder } from '../support/temporary.ts';
import { type Account, droverKeeper, type Keeper, type KeeperWish, pm2Keeper } from './leak-recycling/keepers.ts';
import { MemoryLog, type ProcessMemory } from '../support/memory-log.ts';

const MB = 1024 * 1024;
const LIMIT_MB = 256;

/** Some 110 requests a second; a fifth of them take 200 ms to 1 s. */
const LOADS: readonly (Partial<LoadSpec> & Pick<LoadSpec, 'mode'>)[] = [
  { mode: 'kept', connections: 12, pauseMs: [100, 300] },
  { mode: 'open', rate: 30 },
  { mode: 'kept', path: '/slow', connections: 10, pauseMs: [0, 200] },
  { mode: 'new', path: '/slow', connections: 6, pauseMs: [0, 200] },
];

interface Case {
  readonly name: string;
  readonly keepers: readonly Keeper[];
  readonly workers: number;
  readonly leak: 'heap' | 'buffers';
  readonly limitOf: KeeperWish['limitOf'];
  readonly perMinuteMB: number;
  readonly ballastMB: number;
  readonly seconds: number;
  /** Fewer recyclings than this show nothing. */
  readonly leastRecyclings: number;
}

const FULL: readonly Case[] = [
  {
    name: '2 workers, objects, resident memory',
    keepers: [droverKeeper, pm2Keeper],
    workers: 2,
    leak: 'heap',
    limitOf: 'rss',
    perMinuteMB: 20,
    ballastMB: 50,
    seconds: 600,
    leastRecyclings: 4,
  },
  {
    name: '1 worker, objects, heap limit',
    keepers: [droverKeeper],
    workers: 1,
    leak: 'heap',
    limitOf: 'heap',
    perMinuteMB: 20,
    ballastMB: 130,
    seconds: 330,
    leastRecyclings: 1,
  },
  {
    name: '2 workers, buffers, resident memory, thrice as fast',
    keepers: [droverKeeper],
    workers: 2,
    leak: 'buffers',
    limitOf: 'rss',
    perMinuteMB: 60,
    ballastMB: 60,
    seconds: 210,
    leastRecyclings: 4,
  },
];

/** Too fast for a trend to be seen: by what the last half minute shows. All at once, as it is not about time. */
const SMALL: readonly Case[] = [
  {
    name: '2 workers, buffers, resident memory',
    keepers: [droverKeeper, pm2Keeper],
    workers: 2,
    leak: 'buffers',
    limitOf: 'rss',
    perMinuteMB: 100,
    ballastMB: 110,
    seconds: 50,
    leastRecyclings: 2,
  },
  {
    name: '1 worker, objects, heap limit',
    keepers: [droverKeeper],
    workers: 1,
    leak: 'heap',
    limitOf: 'heap',
    perMinuteMB: 100,
    ballastMB: 130,
    seconds: 50,
    leastRecyclings: 1,
  },
];

export const leakRecycling: Campaign = {
  name: 'leak-recycling',
  shows: 'workers that leak are replaced before their limit without losing a request, beside pm2’s max_memory_restart',
  run: async (run) => {
    installPackage(join(import.meta.dirname, '../../bench'), 'bench', (line) => run.say(line));
    const runs = (run.isSmall ? SMALL : FULL).flatMap((one) => one.keepers.map((keeper) => ({ one, keeper })));
    if (run.isSmall) await Promise.all(runs.map(async ({ one, keeper }) => show(run, keeper, one)));
    else for (const { one, keeper } of runs) await show(run, keeper, one);
  },
};

async function show(run: CampaignRun, keeper: Keeper, one: Case): Promise<void> {
  const key = `${keeper.name}: ${one.name}`;
  try {
    judge(run, key, keeper, one, await run.row(key, async () => measure(keeper, one)));
  } catch (error) {
    run.broken(key, error);
  }
}

interface Result extends Account {
  readonly answered: number;
  readonly lost: number;
  readonly lostByReason: Readonly<Record<string, number>>;
  readonly p99Ms: readonly (number | null)[];
  readonly processes: readonly ProcessMemory[];
}

async function measure(keeper: Keeper, one: Case): Promise<Result> {
  const { workers, leak, limitOf, perMinuteMB, ballastMB, seconds } = one;
  await using notes = await temporaryFolder('leaks');
  const port = await freePort();
  const env = {
    LEAK: leak,
    LEAK_MB_PER_MINUTE: String(perMinuteMB),
    BALLAST_MB: String(ballastMB),
    NOTES: notes.path,
  };
  // `LEAK_RECYCLING=off` shows what the checks are worth: the ladder is switched off, and they fail.
  const recycles = process.env['LEAK_RECYCLING'] !== 'off';
  await using kept = await keeper.start({ workers, port, env, limitMB: LIMIT_MB, limitOf, recycles });
  using memory = new MemoryLog(notes.path);
  const loads = await Promise.all(LOADS.map(async (load) => startLoad({ ...load, port, seconds: seconds + 30 })));
  await wait(seconds * 1000);
  const reports = await Promise.all(loads.map(async (load) => load.stop()));
  return { ...(await kept.account()), ...sumOf(reports), processes: memory.processes };
}

function sumOf(reports: readonly LoadReport[]): Pick<Result, 'answered' | 'lost' | 'lostByReason' | 'p99Ms'> {
  const lostByReason: Record<string, number> = {};
  for (const report of reports)
    for (const [reason, count] of Object.entries(report.lostByReason))
      lostByReason[reason] = (lostByReason[reason] ?? 0) + count;
  return {
    answered: reports.reduce((sum, { answered }) => sum + answered, 0),
    lost: reports.reduce((sum, { lost }) => sum + lost, 0),
    lostByReason,
    p99Ms: reports.map(({ latencyMs }) => latencyMs.p99),
  };
}

const peakOf = ({ peakRssBytes, peakHeapBytes }: ProcessMemory, limitOf: Case['limitOf']): number =>
  (limitOf === 'rss' ? peakRssBytes : peakHeapBytes) / MB;

function judge(run: CampaignRun, key: string, keeper: Keeper, one: Case, result: Result): void {
  const { answered, lost, lostByReason, recyclings, otherEnds, remarks, processes } = result;
  const peaks = processes.map((each) => peakOf(each, one.limitOf));
  const beyond = peaks.filter((peak) => peak > LIMIT_MB);
  const gone = processes.filter(({ goneAtMs }) => goneAtMs !== null);
  run.table(
    [
      key,
      'answered',
      'lost',
      'recycled',
      'ended otherwise',
      'workers',
      'beyond the limit',
      'highest MB',
      'at their end MB',
    ],
    [
      [
        '',
        answered,
        lost,
        recyclings.length,
        otherEnds.length,
        processes.length,
        beyond.length,
        fixed(Math.max(...peaks)),
        gone.map((each) => fixed(peakOf(each, one.limitOf), 0)).join(' '),
      ],
    ],
  );
  for (const line of [...recyclings, ...otherEnds, ...remarks]) run.say(`  ${line}`);
  // pm2 is there to be seen beside it: what it does is no check of Drover.
  if (keeper !== droverKeeper) return;
  run.check(
    `${key}: nothing is lost`,
    lost === 0 && answered > 0,
    `${lost} of ${answered} ${JSON.stringify(lostByReason)}`,
  );
  run.check(
    `${key}: nobody is ever beyond ${LIMIT_MB} MB`,
    beyond.length === 0 && peaks.length > 0,
    `${fixed(Math.max(...peaks))} MB at most`,
  );
  run.check(`${key}: nobody ends otherwise`, otherEnds.length === 0, otherEnds.join('; '));
  run.check(`${key}: workers are recycled`, recyclings.length >= one.leastRecyclings, String(recyclings.length));
}
