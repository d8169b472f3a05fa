/**
 * What health is for, by the clock: how soon a blocked event loop is told and named, how soon workers that fail or are slow
 * are off rotation and what their users saw until then, and what an outage of a dependency does to an app. Real daemons,
 * four workers, default settings.
 */
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { type Campaign, type CampaignRun, fixed } from '../../bench/campaign.ts';
import { openDrover, type Drover } from '../support/drover.ts';
import { Illness, illService, readHealth, workerOf } from '../support/health.ts';
import { type LoadReport, startLoad } from '../support/load/index.ts';
import { pidsOf, readApp, readEvents, startApp } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

const WORKERS = 4;
const BLOCK_MS = 5000;
const KINDS = ['spins', 'matches', 'waits'] as const;
const POLL_MS = 20;
const TOLD_WITHIN_MS = 1000;
const EJECTED_WITHIN_MS = 10_000;
const CHECK_MS = 5000;

export const health: Campaign = {
  name: 'health',
  shows:
    'blocked event loops, workers that fail or are slow, a dependency that is down: what is told and done, and when',
  run: async (run) => {
    for (const kind of KINDS) judgeBlock(run, kind, await run.row(`blocked: ${kind}`, async () => measureBlock(kind)));
    judgeOutliers(run, await run.row('outliers', async () => measureOutliers()));
    const downMs = run.isSmall ? 20_000 : 60_000;
    judgeDependency(run, await run.row(`dependency, ${downMs} ms`, async () => measureDependency(downMs)));
  },
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Milliseconds until it holds; null: not within the time. */
const timeUntil = async (withinMs: number, holds: () => Promise<boolean>): Promise<number | null> => {
  const began = performance.now();
  while (performance.now() - began < withinMs) {
    if (await holds()) return performance.now() - began;
    await sleep(POLL_MS);
  }
  return null;
};

const failedIn = ({ statuses }: LoadReport): number =>
  Object.entries(statuses).reduce((sum, [status, count]) => sum + (Number(status) >= 500 ? count : 0), 0);

interface Place {
  readonly drover: Drover;
  readonly port: number;
  readonly illness: Illness;
}

const open = async (drover: Drover, env: Readonly<Record<string, string>> = {}): Promise<Place> => {
  const port = await freePort();
  const illness = new Illness(drover);
  await startApp(drover, 'shop', illService(port, illness, { instances: WORKERS, env }));
  return { drover, port, illness };
};

interface BlockResult {
  readonly toldMs: number | null;
  readonly offRotationMs: number | null;
  readonly backMs: number | null;
  readonly named: string | null;
  readonly answered: number;
  readonly lost: number;
  readonly maxMs: number | null;
}

async function measureBlock(kind: (typeof KINDS)[number]): Promise<BlockResult> {
  await using drover = await openDrover();
  const { port, illness } = await open(drover);
  const load = await startLoad({ mode: 'new', port, connections: 8, pauseMs: [5, 20], seconds: 60 });
  await load.untilAnswered(200);
  // The profile that names blocks begins a second after the worker was ready, so that it costs no start.
  await sleep(5000);
  illness.tellOnce(1, `${kind} ${BLOCK_MS}`);
  let offRotationMs: number | null = null;
  const began = performance.now();
  const toldMs = await timeUntil(BLOCK_MS, async () => {
    const worker = workerOf(await readHealth(drover, 'shop'), 1);
    if (worker.weight === 0) offRotationMs ??= performance.now() - began;
    return worker.eventLoop.isBlocked;
  });
  await timeUntil(BLOCK_MS, async () => {
    if (workerOf(await readHealth(drover, 'shop'), 1).weight !== 0) return false;
    offRotationMs ??= performance.now() - began;
    return true;
  });
  await timeUntil(4 * BLOCK_MS, async () => {
    const worker = workerOf(await readHealth(drover, 'shop'), 1);
    return !worker.eventLoop.isBlocked && worker.weight > 0;
  });
  const backMs = performance.now() - began;
  await timeUntil(BLOCK_MS, async () => (await readEvents(drover, 'shop', 'worker-unblocked')).length > 0);
  const report = await load.stop();
  const [event] = await readEvents(drover, 'shop', 'worker-unblocked');
  return {
    toldMs,
    offRotationMs,
    backMs,
    // Without the folder, which is the machine's.
    named: event?.reason?.replaceAll(/\S*\/fixtures\//g, '') ?? null,
    answered: report.answered,
    lost: report.lost,
    maxMs: report.latencyMs.max,
  };
}

function judgeBlock(run: CampaignRun, kind: string, result: BlockResult): void {
  const { toldMs, offRotationMs, backMs, named, answered, lost, maxMs } = result;
  run.table(
    [`blocked: ${kind}`, 'told ms', 'off rotation ms', 'back ms', 'answered', 'lost', 'longest ms', 'named'],
    [['', fixed(toldMs), fixed(offRotationMs), fixed(backMs), answered, lost, fixed(maxMs), named ?? '']],
  );
  run.bound(`${kind}: told within 1 s`, (toldMs ?? Infinity) <= TOLD_WITHIN_MS, `${fixed(toldMs)} ms`);
  run.check(`${kind}: off rotation meanwhile`, offRotationMs !== null, `${fixed(offRotationMs)} ms`);
  run.check(`${kind}: the function and line are named`, named?.includes('ill-when-told.cjs:') === true, named ?? '');
  run.check(`${kind}: nothing is lost`, lost === 0, String(lost));
}

interface OutlierResult {
  readonly failingMs: number | null;
  readonly slowMs: number | null;
  readonly errors: number;
  readonly answered: number;
  readonly mostOut: number;
}

async function measureOutliers(): Promise<OutlierResult> {
  await using drover = await openDrover();
  const { port, illness } = await open(drover);
  const load = await startLoad({ mode: 'new', port, connections: 8, pauseMs: [5, 20], seconds: 120 });
  await load.untilAnswered(300);
  // The first seconds of a program are slow: nobody is compared in them.
  await sleep(10_000);
  illness.tell(1, 'fails');
  illness.tell(2, 'slow');
  const began = performance.now();
  const at = new Map<number, number>();
  await timeUntil(4 * EJECTED_WITHIN_MS, async () => {
    const found = await readHealth(drover, 'shop');
    for (const slot of [1, 2])
      if (workerOf(found, slot).ejectedUntil !== null && !at.has(slot)) at.set(slot, performance.now() - began);
    return at.size === 2;
  });
  const both = await load.stop();
  illness.heal(1);
  illness.heal(2);
  illness.tell('all', 'fails');
  const all = await startLoad({ mode: 'new', port, connections: 8, pauseMs: [5, 20], seconds: 60 });
  let mostOut = 0;
  await timeUntil(20_000, async () => {
    const { workers } = await readHealth(drover, 'shop');
    mostOut = Math.max(mostOut, workers.filter(({ ejectedUntil }) => ejectedUntil !== null).length);
    return false;
  });
  await all.stop();
  return {
    failingMs: at.get(1) ?? null,
    slowMs: at.get(2) ?? null,
    errors: failedIn(both),
    answered: both.answered,
    mostOut,
  };
}

function judgeOutliers(run: CampaignRun, { failingMs, slowMs, errors, answered, mostOut }: OutlierResult): void {
  run.table(
    [
      'one of four fails, one is 20 times slower',
      'failing out after s',
      'slow out after s',
      'errors',
      'of',
      'all bad: out',
    ],
    [['', fixed((failingMs ?? NaN) / 1000), fixed((slowMs ?? NaN) / 1000), errors, answered, mostOut]],
  );
  run.bound(
    'the failing one is ejected within 10 s',
    (failingMs ?? Infinity) <= EJECTED_WITHIN_MS,
    `${fixed(failingMs)} ms`,
  );
  run.bound('the slow one is ejected within 10 s', (slowMs ?? Infinity) <= EJECTED_WITHIN_MS, `${fixed(slowMs)} ms`);
  run.check('never more than half are out', mostOut <= WORKERS / 2, String(mostOut));
}

interface DependencyResult {
  readonly degradedMs: number | null;
  readonly healthyMs: number | null;
  readonly samePids: boolean;
  readonly restarts: number;
  readonly answered: number;
  readonly lost: number;
  readonly failed: number;
}

const listening = async (port: number): Promise<Server> => {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

async function measureDependency(downMs: number): Promise<DependencyResult> {
  await using drover = await openDrover();
  const database = await freePort();
  let server = await listening(database);
  const env = { DATABASE: String(database), CHECK_MS: String(CHECK_MS) };
  const { port } = await open(drover, env);
  const load = await startLoad({ mode: 'new', port, connections: 8, pauseMs: [5, 20], seconds: 200 });
  await load.untilAnswered(200);
  await timeUntil(10_000, async () => (await readHealth(drover, 'shop')).status === 'healthy');
  const before = pidsOf(await readApp(drover, 'shop'));
  server.close();
  const degradedMs = await timeUntil(downMs, async () => (await readHealth(drover, 'shop')).status === 'degraded');
  await sleep(downMs - (degradedMs ?? downMs));
  server = await listening(database);
  const healthyMs = await timeUntil(60_000, async () => (await readHealth(drover, 'shop')).status === 'healthy');
  const report = await load.stop();
  const app = await readApp(drover, 'shop');
  server.close();
  return {
    degradedMs,
    healthyMs,
    samePids: JSON.stringify(pidsOf(app)) === JSON.stringify(before),
    restarts: app.workers.reduce((sum, { restarts }) => sum + restarts, 0),
    answered: report.answered,
    lost: report.lost,
    failed: failedIn(report),
  };
}

function judgeDependency(run: CampaignRun, result: DependencyResult): void {
  const { degradedMs, healthyMs, samePids, restarts, answered, lost, failed } = result;
  run.table(
    ['a dependency is down', 'degraded after ms', 'healthy after ms', 'restarts', 'answered', 'lost', 'failed'],
    [['', fixed(degradedMs), fixed(healthyMs), restarts, answered, lost, failed]],
  );
  run.check('no worker is restarted or replaced', samePids && restarts === 0, String(restarts));
  run.bound(
    'degraded within 2 periods of the check',
    (degradedMs ?? Infinity) <= 2 * CHECK_MS,
    `${fixed(degradedMs)} ms, period ${CHECK_MS} ms`,
  );
  run.check('healthy again without help', healthyMs !== null, `${fixed(healthyMs)} ms`);
  run.check(
    'requests that need no dependency are answered',
    lost === 0 && failed === 0,
    `${lost} lost, ${failed} failed`,
  );
}
