/**
 * What the agent costs a worker, beside the same app without it: time to load, resident memory, CPU per request on
 * kept-alive and on new connections. Medians of paired ratios are printed, one JSON line a figure.
 *
 *     npm run bench -- agent-cost      or: node bench/agent-cost.ts [--node /path/to/node] [--rounds 60] [--sets 4]
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AGENT_FILE, bundleAgent } from '../scripts/bundle-agent.ts';
import { type FakeDaemon, type FakeWorker, openFakeDaemon } from '../test/agent/support/fake-daemon.ts';
import { eventually } from '../test/support/eventually.ts';
import { freePort } from '../test/support/temporary.ts';
import { driveRaw } from './raw-load.ts';

const APP = join(import.meta.dirname, '../test/fixtures/apps/hello.cjs');

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    rounds: { type: 'string', default: '60' },
    requests: { type: 'string', default: '1500' },
    sets: { type: 'string', default: '4' },
  },
});
const ROUNDS = Number(values.rounds);
const REQUESTS = Number(values.requests);
const SETS = Number(values.sets);
const CONNECTIONS = 32;
const WARM_UP = 20_000;
const version = execFileSync(values.node, ['--version'], { encoding: 'utf8' }).trim();

function print(figure: string, data: Record<string, number>): void {
  const rounded = Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Math.round(value * 1000) / 1000]),
  );
  process.stdout.write(`${JSON.stringify({ bench: 'agent-cost', figure, node: version, ...rounded })}\n`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** How long `require(agent)` takes inside a process that is a worker: timed by a preload before and one after it. */
async function measureLoad(daemon: FakeDaemon): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < Math.min(ROUNDS, 15); round++) {
    const before = join(import.meta.dirname, '../test/fixtures/apps/notes-time.cjs');
    // A file, as real workers have it: the agent does more for those.
    const path = join(daemon.folder, `loaded-${round}`);
    const output = openSync(path, 'a');
    const worker = await daemon.start({
      wrapper: [values.node, '--require', before, '--require', AGENT_FILE, '--require', before, APP],
      app: APP,
      env: { PORT: '0', NODE_OPTIONS: '' },
      files: { stdout: output, stderr: output },
    });
    closeSync(output);
    const [, ms] = await eventually(
      'how long it took',
      () => /loaded in ([\d.]+)/.exec(readFileSync(path, 'utf8')) ?? false,
    );
    times.push(Number(ms));
    await worker.close();
  }
  print('load', { medianMs: median(times), leastMs: Math.min(...times) });
}

interface Side {
  readonly worker: FakeWorker;
  readonly port: number;
}

async function startSide(daemon: FakeDaemon, hasAgent: boolean): Promise<Side> {
  const port = await freePort();
  const shard = daemon.shard({ kind: 'tcp', host: '::', port: hasAgent ? port : await freePort(), v6only: false });
  const worker = await daemon.start({
    app: APP,
    node: values.node,
    shards: [shard],
    env: { PORT: String(port) },
    reportEveryMs: 1000,
    // A descriptor that is not the channel: the agent goes to sleep at once.
    ...(hasAgent ? {} : { boot: { channel: '3:1' as const } }),
  });
  await worker.printed('listening');
  return { worker, port };
}

/** CPU time of all threads in nanoseconds; the ticks of `stat` are too coarse for 1 %. */
function cpuNs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce(
    (sum, tid) => sum + Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]),
    0,
  );
}

/** Private and shared memory in proportion: what one more worker takes from the machine. */
function memoryBytes(pid: number): { rss: number; pss: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { rss: read('Rss'), pss: read('Pss') };
}

async function measureMemory(daemon: FakeDaemon): Promise<void> {
  const rss: number[] = [];
  const pss: number[] = [];
  for (let round = 0; round < Math.min(ROUNDS, 5); round++) {
    const sides = [await startSide(daemon, true), await startSide(daemon, false)];
    for (const { port } of sides) await driveRaw({ port, requests: 200, connections: CONNECTIONS, isKept: true });
    const [agent, bare] = sides.map(({ worker }) => memoryBytes(worker.pid));
    rss.push((agent?.rss ?? 0) - (bare?.rss ?? 0));
    pss.push((agent?.pss ?? 0) - (bare?.pss ?? 0));
    for (const { worker } of sides) await worker.close();
  }
  print('memory', { rssMB: median(rss) / 2 ** 20, pssMB: median(pss) / 2 ** 20 });
}

/** CPU of the server per request, in nanoseconds. */
async function spend({ worker, port }: Side, requests: number, isKept: boolean): Promise<number> {
  const before = cpuNs(worker.pid);
  await driveRaw({ port, requests, connections: CONNECTIONS, isKept });
  return (cpuNs(worker.pid) - before) / requests;
}

/**
 * Rounds of a few dozen milliseconds, one side after the other in alternating order, over several sets of processes:
 * a busy machine disturbs neighbours in time alike, and two processes of one program differ by a few percent. The
 * second bare side shows how far two equal ones are apart in this very run.
 */
async function measureCpu(daemon: FakeDaemon, isKept: boolean): Promise<void> {
  const requests = isKept ? REQUESTS : Math.ceil(REQUESTS / 4);
  const ratios: number[] = [];
  const controls: number[] = [];
  const costs: number[] = [];
  for (let set = 0; set < SETS; set++) {
    const sides = [await startSide(daemon, false), await startSide(daemon, true), await startSide(daemon, false)];
    // Optimized code is what is measured.
    const warmUp = isKept ? WARM_UP : WARM_UP / 5;
    for (const { port } of sides) await driveRaw({ port, requests: warmUp, connections: CONNECTIONS, isKept });
    for (let round = 0; round < ROUNDS; round++) {
      const spent = new Map<Side, number>();
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        spent.set(side, await spend(side, requests, isKept));
      }
      const [first = 0, agent = 0, second = 0] = sides.map((side) => spent.get(side));
      ratios.push(agent / ((first + second) / 2));
      controls.push(second / first);
      costs.push(first);
    }
    for (const { worker } of sides) await worker.close();
  }
  print(isKept ? 'cpu-kept-alive' : 'cpu-new-connection', {
    ratio: median(ratios),
    ...intervalOf(ratios),
    control: median(controls),
    bareUs: median(costs) / 1000,
  });
}

/** Between these two the median lies with 95 %, whatever the distribution: the ranks follow a binomial one. */
function intervalOf(values: readonly number[]): { readonly low: number; readonly high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(rank)))] ?? Number.NaN;
  return { low: at(sorted.length / 2 - reach), high: at(sorted.length / 2 + reach) };
}

await bundleAgent();
const daemon = await openFakeDaemon();
// The workers outlive whoever started them, so an end from outside must end them first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void daemon[Symbol.asyncDispose]().finally(() => process.exit(1)));
}
try {
  await measureLoad(daemon);
  await measureMemory(daemon);
  await measureCpu(daemon, true);
  await measureCpu(daemon, false);
} finally {
  await daemon[Symbol.asyncDispose]();
}
