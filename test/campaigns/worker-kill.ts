/**
 * A worker killed with SIGKILL every 300 ms, 40 times: only what was in flight on the killed process may fail. The app
 * notes each request accepted and finished; every failure of a client must match a request that a killed worker accepted
 * and did not finish, or one that it could not read any more on a connection that it had accepted: the kernel is asked
 * for those in the moment of the kill, because the app may die between accepting and noting.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Campaign, fixed } from '../../bench/campaign.ts';
import { type Drover, openDrover } from '../support/drover.ts';
import { type LoadReport, type LostRequest, startLoad } from '../support/load/index.ts';
import { killAndListClients } from '../support/processes.ts';
import { freePort } from '../support/temporary.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'plain.mjs');
const WORKERS = 4;
const KILL_EVERY_MS = 300;
const P99_BOUND_MS = 150;

interface KillResult {
  readonly kills: number;
  readonly answered: number;
  readonly lost: number;
  /** Of the lost: sent on a connection of a killed worker that died before it read the request. */
  readonly unread: number;
  /** Failures that no killed worker can answer for: there may be none. */
  readonly unexplained: readonly { readonly id: string; readonly reason: string }[];
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

export const workerKill: Campaign = {
  name: 'worker-kill',
  shows: 'a worker killed every 300 ms: only requests in flight on it fail',
  run: async (run) => {
    const kills = run.isSmall ? 15 : 40;
    const result = await run.row(`${kills} kills`, async () => measure(kills));
    const { answered, lost, unread, unexplained, p99Ms, maxMs } = result;
    run.table(
      ['kills', 'answered', 'failed in flight', 'of them unread', 'unexplained', 'p99 ms', 'max ms'],
      [[result.kills, answered, lost - unexplained.length, unread, unexplained.length, fixed(p99Ms), fixed(maxMs)]],
    );
    run.check(
      'every failure was in flight on a killed worker',
      unexplained.length === 0,
      JSON.stringify(unexplained.slice(0, 5)),
    );
    run.check('requests were answered all the time', answered > kills * 50, String(answered));
    run.bound(`p99 under ${P99_BOUND_MS} ms`, (p99Ms ?? Infinity) < P99_BOUND_MS, `${fixed(p99Ms)} ms`);
  },
};

async function measure(kills: number): Promise<KillResult> {
  await using drover = await openDrover();
  const port = await freePort();
  const journal = join(drover.home, 'journal');
  mkdirSync(journal);
  const env = { APP_PORT: String(port), JOURNAL: journal };
  await drover.start([SCRIPT, '--name', 'app', '--instances', String(WORKERS)], { env });
  await drover.untilReady('app', WORKERS);
  const common = { port, path: '/slow', sendsIds: true, seconds: 300 };
  const loads = [
    await startLoad({ ...common, mode: 'kept', connections: 25, pauseMs: [0, 20] }),
    await startLoad({ ...common, mode: 'new', connections: 15, pauseMs: [0, 20] }),
  ];
  await Promise.all(loads.map(async (load) => load.untilAnswered(50)));
  const killed = await killWorkers(drover, kills);
  // The last victim's replacement serves again before the books are closed.
  await Promise.all(loads.map(async (load) => load.untilAnswered(200)));
  const reports = await Promise.all(loads.map(async (load) => load.stop()));
  const work = readKilledWork(journal, killed);
  const lost = reports.flatMap(({ lostRequests }) => lostRequests);
  const unexplained = lost
    .filter((one) => fateOf(one, work) === 'unexplained')
    .map(({ id, reason }) => ({ id, reason }));
  // A report names its first thousand only; what it does not name cannot be explained.
  const unnamed = sum(reports, (report) => report.lost - report.lostRequests.length);
  return {
    kills: killed.size,
    answered: sum(reports, ({ answered }) => answered),
    lost: sum(reports, ({ lost }) => lost),
    unread: lost.filter((one) => fateOf(one, work) === 'unread').length,
    unexplained: unnamed > 0 ? [...unexplained, { id: `${unnamed} more`, reason: 'not named' }] : unexplained,
    p99Ms: Math.max(...reports.map(({ latencyMs }) => latencyMs.p99 ?? 0)),
    maxMs: Math.max(...reports.map(({ latencyMs }) => latencyMs.max ?? 0)),
  };
}

/** Kills a worker every 300 ms, in turn over whoever is there; returns for each pid the ports of its clients then. */
async function killWorkers(drover: Drover, kills: number): Promise<Map<number, ReadonlySet<number>>> {
  const killed = new Map<number, ReadonlySet<number>>();
  const startedAt = performance.now();
  let alive: number[] = [];
  while (killed.size < kills) {
    const due = startedAt + killed.size * KILL_EVERY_MS;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    alive = alive.filter((pid) => !killed.has(pid));
    if (alive.length === 0) alive = (await drover.pids('app')).filter((pid) => !killed.has(pid));
    const victim = alive.shift();
    if (victim === undefined) continue;
    try {
      killed.set(victim, killAndListClients(victim));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
  return killed;
}

interface KilledWork {
  /** Ids that a killed worker accepted and never finished, and those that any killed worker finished. */
  readonly unfinished: ReadonlySet<string>;
  readonly finished: ReadonlySet<string>;
  /** Ports of the clients that were connected to killed workers when they were killed. */
  readonly clients: ReadonlySet<number>;
}

function readKilledWork(journal: string, killed: ReadonlyMap<number, ReadonlySet<number>>): KilledWork {
  const unfinished = new Set<string>();
  const finished = new Set<string>();
  const clients = new Set([...killed.values()].flatMap((ports) => [...ports]));
  for (const file of readdirSync(journal)) {
    if (!killed.has(Number.parseInt(file, 10))) continue;
    for (const line of readFileSync(join(journal, file), 'utf8').split('\n')) {
      const word = line.slice(1);
      if (line.startsWith('+')) unfinished.add(word);
      if (line.startsWith('-')) {
        unfinished.delete(word);
        finished.add(word);
      }
    }
  }
  return { unfinished, finished, clients };
}

type Fate = 'accepted' | 'unread' | 'unexplained';

function fateOf({ id, localPort }: LostRequest, { unfinished, finished, clients }: KilledWork): Fate {
  if (unfinished.has(id)) return 'accepted';
  return localPort !== null && clients.has(localPort) && !finished.has(id) ? 'unread' : 'unexplained';
}

const sum = (reports: readonly LoadReport[], of: (report: LoadReport) => number): number =>
  reports.reduce((total, report) => total + of(report), 0);
