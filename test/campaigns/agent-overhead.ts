/**
 * What the agent costs a hello-world with all of health on (profile, routes, the app's metrics, a collection every second, a
 * ping every 500 ms), beside the same app without it and beside what services measure themselves with: prom-client and
 * OpenTelemetry's instrumentation of http. All of them run all the time and are loaded for a second in turn; several launches,
 * because two processes of the same program differ by some percent in time and by megabytes. Memory is compared in launches of
 * their own, with the young generation held at one size: V8 lets it grow by seven megabytes at a moment of chance, of a bare
 * process as well.
 */
import { join } from 'node:path';
import { type Campaign, type CampaignRun, fixed, median, medianRatio } from '../../bench/campaign.ts';
import { readCpuMs, readMemory } from '../../bench/processes.ts';
import { runWrk, WRK } from '../../bench/wrk.ts';
import type { AgentSettings } from '../../src/protocol/index.ts';
import { type FakeDaemon, type FakeWorker, openFakeDaemon } from '../agent/support/fake-daemon.ts';
import { provide } from '../provisions.ts';
import { listNodes, type TestNode } from '../support/nodes.ts';
import { freePort } from '../support/temporary.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const APPS = join(import.meta.dirname, '..', 'fixtures', 'apps');
const CONNECTIONS = 32;
const LAUNCHES = 8;
/** The memory of two processes of one program differs by megabytes. */
const MEMORY_LAUNCHES = 6;
const TURNS = 3;
const MEMORY_TURNS = 1;
const HELD = '--max-semi-space-size=1';
const MOST_CPU = 1.05;
const MOST_MB = 12;

const SETTINGS: AgentSettings = {
  profile: true,
  watchdog: false,
  blockedAfterMs: 500,
  routes: 100,
  appMetrics: true,
  trace: { enabled: false, logs: false },
};

const SIDES = ['bare', 'bare again', 'agent', 'prom-client and OpenTelemetry'] as const;
type Side = (typeof SIDES)[number];

interface Turn {
  readonly cpuUs: number;
  readonly rssMb: number;
  /** Its young generation was held at one size. */
  readonly isHeld: boolean;
  /** Of the agent, by its own account, in the same turn; 0 for others. */
  readonly ownUs: number;
}

type Turns = Readonly<Record<Side, readonly Turn[]>>;

export const agentOverhead: Campaign = {
  name: 'agent-overhead',
  shows: 'the agent with all of health on takes at most 5 % CPU per request and 12 MB per worker',
  run: async (run) => {
    const missing = provide({ needs: [WRK], packages: ['test/nodes', 'test/frameworks'] }, ROOT, (line) =>
      run.say(line),
    );
    if (missing.length > 0) throw new Error(missing.join(', '));
    const nodes = run.isSmall ? listNodes().slice(0, 1) : listNodes();
    for (const node of nodes) report(run, node, await run.row(node.name, async () => measure(node, run.isSmall)));
  },
};

interface Running {
  readonly side: Side;
  readonly worker: FakeWorker;
  readonly port: number;
  readonly ask: NodeJS.Timeout | null;
}

async function measure({ path }: TestNode, isSmall: boolean): Promise<Turns> {
  const measured = Object.fromEntries(SIDES.map((side): [Side, Turn[]] => [side, []])) as Record<Side, Turn[]>;
  for (let launch = 0; launch < (isSmall ? 1 : LAUNCHES); launch++) await measureOnce(path, false, measured);
  for (let launch = 0; launch < (isSmall ? 1 : MEMORY_LAUNCHES); launch++) await measureOnce(path, true, measured);
  return measured;
}

async function measureOnce(path: string, isHeld: boolean, measured: Readonly<Record<Side, Turn[]>>): Promise<void> {
  await using daemon = await openFakeDaemon();
  const running: Running[] = [];
  try {
    for (const side of SIDES) running.push(await start(daemon, path, side, isHeld));
    for (const { port } of running) await runWrk({ port, connections: CONNECTIONS, seconds: 3, mode: 'kept' });
    for (let turn = 0; turn < (isHeld ? MEMORY_TURNS : TURNS); turn++) {
      for (const one of turn % 2 === 0 ? running : running.toReversed())
        measured[one.side].push({ ...(await load(one)), isHeld });
    }
  } finally {
    for (const { ask } of running) if (ask !== null) clearInterval(ask);
  }
}

async function start(daemon: FakeDaemon, node: string, side: Side, isHeld: boolean): Promise<Running> {
  const port = await freePort();
  const hasAgent = side === 'agent';
  const shard = daemon.shard({ kind: 'tcp', host: '::', port: hasAgent ? port : await freePort(), v6only: false });
  const worker = await daemon.start({
    app: join(APPS, side === 'prom-client and OpenTelemetry' ? 'hello-instrumented.cjs' : 'hello.cjs'),
    node,
    shards: [shard],
    env: { PORT: String(port), ...(isHeld && { NODE_OPTIONS: HELD }) },
    reportEveryMs: 1000,
    // A descriptor that is not the channel: the agent goes to sleep at once.
    ...(hasAgent ? {} : { boot: { channel: '3:1' as const } }),
  });
  await worker.printed('listening');
  if (!hasAgent) return { side, worker, port, ask: null };
  worker.send({ type: 'settings', settings: SETTINGS });
  let id = 0;
  const ask = setInterval(() => {
    worker.send({ type: 'ping', id: ++id });
    if (id % 2 === 0) worker.send({ type: 'collect', id });
  }, 500);
  return { side, worker, port, ask };
}

async function load({ side, worker, port }: Running): Promise<Omit<Turn, 'isHeld'>> {
  const cpuBefore = readCpuMs([worker.pid]);
  const ownBefore = ownUs(worker);
  const { answered, errors } = await runWrk({ port, connections: CONNECTIONS, seconds: 1, mode: 'kept' });
  if (errors > 0) throw new Error(`${errors} errors of ${side}`);
  return {
    cpuUs: ((readCpuMs([worker.pid]) - cpuBefore) * 1000) / answered,
    rssMb: readMemory([worker.pid]).rssBytes / 2 ** 20,
    ownUs: (ownUs(worker) - ownBefore) / answered,
  };
}

function ownUs(worker: FakeWorker): number {
  const last = worker.messages.findLast((message) => message.type === 'metrics');
  return last?.type === 'metrics' ? last.detail.agentCpuUs : 0;
}

function report(run: CampaignRun, { name }: TestNode, turns: Turns): void {
  const of = (side: Side, what: 'cpuUs' | 'rssMb' | 'ownUs', isHeld = false): number[] =>
    turns[side].filter((turn) => turn.isHeld === isHeld).map((turn) => turn[what]);
  // Beside both bare ones, turn by turn: each alone has its luck.
  const again = of('bare again', 'cpuUs');
  const base = of('bare', 'cpuUs').map((cost, turn) => (cost + (again[turn] ?? cost)) / 2);
  const ratio = (side: Side): number => medianRatio(of(side, 'cpuUs'), base);
  const more = (side: Side, isHeld = true): number =>
    median(of(side, 'rssMb', isHeld)) - median([...of('bare', 'rssMb', isHeld), ...of('bare again', 'rssMb', isHeld)]);
  run.table(
    [name, 'CPU µs per request', 'times bare', 'MB more', 'young generation not held', 'by its own account µs'],
    SIDES.map((side) => [
      side,
      fixed(median(of(side, 'cpuUs')), 2),
      fixed(ratio(side), 3),
      fixed(more(side)),
      fixed(more(side, false)),
      fixed(median(of(side, 'ownUs')), 2),
    ]),
  );
  const control = `; the bare ones ${fixed(ratio('bare'), 3)} and ${fixed(ratio('bare again'), 3)}×`;
  run.bound(
    `${name}: CPU per request at most ${MOST_CPU}× bare`,
    ratio('agent') <= MOST_CPU,
    `${fixed(ratio('agent'), 3)}×${control}`,
  );
  run.bound(`${name}: at most ${MOST_MB} MB more`, more('agent') <= MOST_MB, `${fixed(more('agent'))} MB`);
  run.bound(
    `${name}: less than prom-client and OpenTelemetry, in CPU and memory`,
    ratio('agent') < ratio('prom-client and OpenTelemetry') && more('agent') < more('prom-client and OpenTelemetry'),
    `${fixed(ratio('prom-client and OpenTelemetry'), 3)}×, ${fixed(more('prom-client and OpenTelemetry'))} MB`,
  );
  run.check(
    `${name}: the agent tells its own cost`,
    median(of('agent', 'ownUs')) > 0,
    `${fixed(median(of('agent', 'ownUs')), 2)} µs`,
  );
}
