/**
 * `npm run demo [-- --keep]`: the main job in under a minute. Starts the shop with four workers under load, kills a
 * worker, reloads, kills the daemon, and prints what the clients saw at each step. Everything lives in a temporary
 * home and is gone afterwards; `--keep` leaves it running.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { openDrover, type Drover } from '../test/support/drover.ts';
import { eventually } from '../test/support/eventually.ts';
import { type LoadReport, type RunningLoad, startLoad } from '../test/support/load/index.ts';
import { freePort } from '../test/support/temporary.ts';

const WORKERS = 4;
const APP = 'shop';
/** Shorter than the defaults (2 s and 3 s), so that the demo is short; said on the screen as well. */
const SHORT = { ready: { stableFor: '300ms' }, drain: { idleGrace: '1s', websocket: { code: 1012, spread: '1s' } } };

interface Step {
  readonly what: string;
  readonly tookMs: number;
  readonly answered: number;
  readonly lost: number;
  readonly note: string;
}

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
process.exitCode = await runDemo(values.keep);

async function runDemo(keep: boolean): Promise<number> {
  const drover = await openDrover();
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
  });
  // Only awaited together with the demo itself.
  interrupted.catch(() => {});
  let keeps = false;
  try {
    const port = await freePort();
    const isClean = await Promise.race([play(drover, port), interrupted]);
    keeps = keep;
    if (keep) sayHowToGoOn(drover, port);
    return isClean ? 0 : 1;
  } finally {
    if (!keeps) await drover[Symbol.asyncDispose]();
  }
}

async function play(drover: Drover, port: number): Promise<boolean> {
  say(`An ordinary Express and WebSocket shop on port ${port}, ${WORKERS} workers, with readiness and idle grace`);
  say(`shortened (stableFor ${SHORT.ready.stableFor}, idleGrace ${SHORT.drain.idleGrace}) to keep this short.\n`);
  const steps: Step[] = [];
  const startedAt = performance.now();
  await startShop(drover, port);
  say(`  started in ${seconds(performance.now() - startedAt)}`);

  const loads = await startLoads(port);
  const step = async (what: string, act: () => Promise<string>): Promise<void> => {
    say(`  ${what} …`);
    steps.push(await watch(loads, what, act));
  };
  await step('under load', async () => {
    await Promise.all(loads.map(async (load) => load.untilAnswered(300)));
    return '20 kept-alive, 10 one-request, 10 WebSocket clients';
  });
  await step('a worker is killed (SIGKILL)', async () => killWorker(drover));
  await step('reload', async () => {
    const { outcome, requests, latencyMs } = await drover.reload(APP);
    return `${outcome}; receipt: ${requests.served} served, ${requests.lost} lost, p99 ${latencyMs.during.p99?.toFixed(1) ?? '–'} ms`;
  });
  await step('the daemon is killed (SIGKILL)', async () => killDaemon(drover));
  await step('afterwards', async () => {
    await Promise.all(loads.map(async (load) => load.untilAnswered(300)));
    return '';
  });
  const reports = await Promise.all(loads.map(async (load) => load.stop()));
  printTable(steps);
  return judge(steps, reports);
}

async function startShop(drover: Drover, port: number): Promise<void> {
  const script = join(import.meta.dirname, 'shop', 'server.js');
  const shop = { script, instances: WORKERS, env: { PORT: String(port) }, ...SHORT };
  const file = join(drover.home, 'drover.config.json');
  writeFileSync(file, JSON.stringify({ apps: { [APP]: shop } }));
  await drover.start([file]);
  await drover.untilReady(APP, WORKERS);
}

async function startLoads(port: number): Promise<RunningLoad[]> {
  const common = { port, seconds: 120 };
  return Promise.all([
    startLoad({ ...common, mode: 'kept', path: '/products', connections: 20, pauseMs: [5, 30] }),
    startLoad({ ...common, mode: 'new', path: '/products/3', connections: 10, pauseMs: [5, 30] }),
    startLoad({ ...common, mode: 'websocket', path: '/stock', connections: 10 }),
  ]);
}

async function killWorker(drover: Drover): Promise<string> {
  const victim = (await drover.app(APP)).workers[0];
  if (victim === undefined || victim.pid === null) throw new Error('there is no worker to kill');
  process.kill(victim.pid, 'SIGKILL');
  await eventually('another worker took its place', async () => {
    const { workers } = await drover.app(APP);
    const place = workers.find(({ id }) => id === victim.id);
    return place?.status === 'ready' && place.pid !== victim.pid;
  });
  return `${victim.id} is back with another process`;
}

async function killDaemon(drover: Drover): Promise<string> {
  const before = await drover.pids(APP);
  const { pid } = await drover.killDaemon();
  await drover.untilReady(APP, WORKERS);
  const kept = (await drover.pids(APP)).filter((worker) => before.includes(worker)).length;
  return `back as ${pid}, the same ${kept} of ${WORKERS} workers`;
}

/** What the clients saw while something was done. */
async function watch(loads: readonly RunningLoad[], what: string, act: () => Promise<string>): Promise<Step> {
  const count = (of: 'answered' | 'lost'): number => loads.reduce((sum, load) => sum + load[of], 0);
  const [answered, lost] = [count('answered'), count('lost')];
  const startedAt = performance.now();
  const note = await act();
  const tookMs = performance.now() - startedAt;
  // What happened at the very end of a step belongs to it: wait until every client was answered again.
  await Promise.all(loads.map(async (load) => load.untilAnswered(20)));
  return { what, tookMs, answered: count('answered') - answered, lost: count('lost') - lost, note };
}

function printTable(steps: readonly Step[]): void {
  const table = new Table({ head: ['step', 'took', 'answered', 'lost', ''], style: { head: [], border: [] } });
  for (const { what, tookMs, answered, lost, note } of steps) table.push([what, seconds(tookMs), answered, lost, note]);
  say(`\n${table.toString()}`);
}

/** Only requests in flight on the killed worker may be lost. */
function judge(steps: readonly Step[], reports: readonly LoadReport[]): boolean {
  const elsewhere = steps.filter(({ what }) => !what.startsWith('a worker')).reduce((sum, { lost }) => sum + lost, 0);
  const closes = JSON.stringify(reports.at(-1)?.streams.endings ?? {});
  say(
    `WebSockets closed by the server, by code: ${closes} (1006: the killed worker's, 1012: the reload's, once each).`,
  );
  if (elsewhere === 0) {
    say('Lost: nothing but what was in flight on the process that was killed.');
    return true;
  }
  say(`Lost beyond the killed worker: ${elsewhere}`);
  for (const { mode, lostByReason } of reports) say(`  ${mode}: ${JSON.stringify(lostByReason)}`);
  return false;
}

function sayHowToGoOn(drover: Drover, port: number): void {
  say(`\nLeft running: http://127.0.0.1:${port}/, with DROVER_HOME=${drover.home}`);
  say(`Look at it:   DROVER_HOME=${drover.home} npm run drover -- ls`);
  say(`End it:       DROVER_HOME=${drover.home} npm run drover -- daemon stop`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
