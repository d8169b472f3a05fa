/**
 * Real programs, as their authors would write them, with ports that nobody declared: each is started with four workers,
 * loaded, reloaded, loses a worker to SIGKILL, and is deleted. Nothing may be lost but what was connected to the worker
 * that was killed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { isInPath } from '../provisions.ts';
import { type Drover, openDrover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { type LoadReport, type LoadSpec, type RunningLoad, startLoad } from '../support/load/index.ts';
import { isAlive, killAndListClients, listTree } from '../support/processes.ts';
import { freePort } from '../support/temporary.ts';
import { startSocketIoLoad } from './socket-io-load.ts';

const APPS = join(import.meta.dirname, 'apps');
const NEXT = join(APPS, 'next');
const NEXT_COMMAND = join(import.meta.dirname, 'node_modules', 'next', 'dist', 'bin', 'next');

interface Program {
  readonly name: string;
  /** Words after `drover start --name … --instances 4`. */
  readonly start: (port: number) => readonly string[];
  readonly cwd?: string;
  readonly loads: readonly (Partial<LoadSpec> & Pick<LoadSpec, 'mode'>)[];
}

const script =
  (path: string): Program['start'] =>
  () => [join(APPS, path)];
const KEPT = { mode: 'kept', connections: 20, pauseMs: [2, 25], slowPauseMs: [0, 4000] } as const;
const NEW = { mode: 'new', connections: 10, pauseMs: [2, 25] } as const;
const HTTP = [KEPT, NEW];
/** A page of Next takes milliseconds of CPU: fewer clients, or the machine is what is tested. */
const PAGES = [
  { ...KEPT, connections: 10, pauseMs: [20, 80] },
  { ...NEW, connections: 4, path: '/api/hello', pauseMs: [20, 80] },
] as const;

const PROGRAMS: readonly Program[] = [
  { name: 'Express', start: script('express/server.cjs'), loads: HTTP },
  { name: 'Fastify', start: script('fastify/server.cjs'), loads: HTTP },
  { name: 'Koa', start: script('koa/server.mjs'), loads: HTTP },
  { name: 'Hono', start: script('hono/server.mjs'), loads: HTTP },
  { name: 'NestJS', start: script('nest/server.mjs'), loads: HTTP },
  { name: 'ws', start: script('ws/server.mjs'), loads: [{ mode: 'websocket', connections: 20 }] },
  { name: 'a TypeScript entry', start: script('typescript/server.ts'), loads: HTTP },
  { name: 'a plain net server', start: script('net/server.mjs'), loads: [NEW] },
  { name: 'next start', start: (port) => [NEXT_COMMAND, '--', 'start', '-p', String(port)], cwd: NEXT, loads: PAGES },
  { name: 'Next.js through npm start', start: () => ['npm', '--', 'start'], cwd: NEXT, loads: PAGES },
];

describe('real programs with four workers', () => {
  before(buildNext);

  for (const program of PROGRAMS) {
    it(`${program.name} loses nothing when it is reloaded, and only what was in flight when a worker is killed`, async () => {
      await using drover = await openDrover();
      const port = await freePort();
      const env = { APP_PORT: String(port), NEXT_TELEMETRY_DISABLED: '1' };
      const [first = '', ...rest] = program.start(port);
      const words = [first, '--name', 'app', '--instances', '4', ...rest];
      const options = { env, ...(program.cwd === undefined ? {} : { cwd: program.cwd }) };
      await drover.start(words, options);
      await drover.untilReady('app', 4);
      const loads = await Promise.all(program.loads.map(async (load) => startLoad({ ...load, port, seconds: 120 })));
      const more = async (): Promise<unknown> => Promise.all(loads.map(async (load) => load.untilAnswered(100)));
      await more();
      await assertNothingLost(loads, 'before anything happened');
      const receipt = await drover.reload('app', { env });
      assert.equal(receipt.outcome, 'completed', receipt.reason ?? '');
      await more();
      await assertNothingLost(loads, 'in the reload');
      const clients = await killWorker(drover);
      await more();
      await drover.untilReady('app', 4);
      const reports = await Promise.all(loads.map(async (load) => load.stop()));
      for (const report of reports) assertOnlyLostOn(clients, report);
      assertWebSocketsClosedOnce(reports);
      await deleteApp(drover, port);
    });
  }
});

describe('Socket.IO with four workers', () => {
  it('keeps its clients on one worker, and has every message acknowledged across a reload and a kill', async () => {
    await using drover = await openDrover();
    const port = await freePort();
    const file = join(drover.home, 'drover.config.json');
    const app = {
      script: join(APPS, 'socket-io', 'server.mjs'),
      instances: 4,
      sticky: true,
      env: { APP_PORT: String(port) },
      drain: { websocket: { spread: '1s' } },
    };
    writeFileSync(file, JSON.stringify({ apps: { app } }));
    await drover.start([file]);
    await drover.untilReady('app', 4);
    await using load = await startSocketIoLoad(port);
    await load.untilAcknowledged(200);
    assert.equal(load.counts.refused, 0, 'long polling that is spread over workers would be refused');
    const receipt = await drover.reload('app');
    assert.equal(receipt.outcome, 'completed', receipt.reason ?? '');
    await load.untilAcknowledged(200);
    await killWorker(drover);
    await drover.untilReady('app', 4);
    await load.untilAcknowledged(200);
    const counts = await load.stop();
    assert.equal(counts.wrong, 0);
    assert.equal(counts.open, 0, 'messages without an answer');
    await deleteApp(drover, port);
  });
});

describe('a Python http server', () => {
  const reason = isInPath('python3') ? false : 'python3 is not installed';

  it('runs as a single worker, comes back when it is killed, and is gone when deleted', { skip: reason }, async () => {
    await using drover = await openDrover();
    const port = await freePort();
    await drover.start(['python3', '--name', 'app', '--', join(APPS, 'python', 'server.py')], {
      env: { APP_PORT: String(port) },
    });
    await drover.untilReady('app', 1);
    const load = await startLoad({ mode: 'new', port, connections: 2, pauseMs: [5, 20], seconds: 60 });
    await load.untilAnswered(50);
    assert.equal(load.lost, 0);
    const [pid = 0] = await drover.pids('app');
    process.kill(pid, 'SIGKILL');
    await eventually('another worker runs', async () => (await drover.pids('app')).some((one) => one !== pid));
    await load.untilAnswered(50);
    await load.stop();
    await deleteApp(drover, port);
  });

  it('is refused a second worker on its port, with advice', { skip: reason }, async () => {
    await using drover = await openDrover();
    await drover.start(['python3', '--name', 'app', '--', join(APPS, 'python', 'server.py')], {
      env: { APP_PORT: String(await freePort()) },
    });
    const error = await drover.refusal(2, ['scale', 'app', '2']);
    assert.equal(error.code, 'DROVER_INSTANCES_REFUSED');
    assert.match(error.hint ?? '', /LISTEN_FDS/);
    assert.equal((await drover.pids('app')).length, 1);
  });
});

/** Kills one worker and whatever it started, and returns the ports of its clients. */
async function killWorker(drover: Drover): Promise<ReadonlySet<number>> {
  const [pid] = await drover.pids('app');
  assert.ok(pid !== undefined, 'there is a worker to kill');
  return killAndListClients(pid);
}

/** Looks while the loads go on, and ends them only to say why something was lost. */
async function assertNothingLost(loads: readonly RunningLoad[], when: string): Promise<void> {
  if (loads.every(({ lost }) => lost === 0)) return;
  const reports = await Promise.all(loads.map(async (load) => load.stop()));
  assert.fail(`lost ${when}: ${JSON.stringify(reports.map(({ mode, lostByReason }) => ({ mode, lostByReason })))}`);
}

function assertOnlyLostOn(clients: ReadonlySet<number>, { mode, lostRequests, lost }: LoadReport): void {
  const unexplained = lostRequests.filter(({ localPort }) => localPort === null || !clients.has(localPort));
  assert.deepEqual(unexplained, [], `${mode}: ${lost} lost, these not on the killed worker`);
}

/** One reload closes a socket at most once, with 1012; the kill ends some with 1006, and nothing else ends one. */
function assertWebSocketsClosedOnce(reports: readonly LoadReport[]): void {
  for (const { mode, streams, lost } of reports) {
    if (mode !== 'websocket') continue;
    const { 1012: closed = 0, 1006: cut = 0, ...others } = streams.endings;
    assert.deepEqual(others, {});
    assert.equal(cut, lost);
    assert.ok(closed > 0 && closed <= streams.endingsPerClient.length, `${closed} closed with 1012`);
  }
}

async function deleteApp(drover: Drover, port: number): Promise<void> {
  const trees = (await drover.pids('app')).flatMap(listTree);
  await drover.delete('app');
  assert.deepEqual(trees.filter(isAlive), [], 'processes left behind');
  const after = await startLoad({ mode: 'new', port, connections: 1, maxRequests: 1 });
  assert.deepEqual((await after.report).lostByReason, { 'connect ECONNREFUSED': 1 });
}

function buildNext(): void {
  if (existsSync(join(NEXT, '.next', 'BUILD_ID'))) return;
  const { status, stdout, stderr } = spawnSync(process.execPath, [NEXT_COMMAND, 'build'], {
    cwd: NEXT,
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
  });
  assert.equal(status, 0, `next build failed:\n${stdout}${stderr}`);
}
