/**
 * What the agent costs a worker, beside the same app without it: time to load, resident memory, CPU per request on
 * kept-alive and on new connections. Paired and alternating, so that a busy machine disturbs both alike; medians of the
 * ratios are printed, one JSON line a figure.
 *
 *     npm run bench -- agent-cost      or: node bench/agent-cost.ts [--node /path/to/node] [--rounds 7]
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AGENT_FILE, bundleAgent } from '../scripts/bundle-agent.ts';
import { type FakeDaemon, type FakeWorker, openFakeDaemon } from '../test/agent/support/fake-daemon.ts';
import { freePort } from '../test/support/temporary.ts';

const APP = join(import.meta.dirname, '../test/fixtures/apps/hello.cjs');

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    rounds: { type: 'string', default: '31' },
    requests: { type: 'string', default: '6000' },
  },
});
const ROUNDS = Number(values.rounds);
const REQUESTS = Number(values.requests);
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
    const worker = await daemon.start({
      wrapper: [values.node, '--require', before, '--require', AGENT_FILE, '--require', before, APP],
      app: APP,
      env: { PORT: '0', NODE_OPTIONS: '' },
    });
    const line = await worker.printed('loaded in');
    times.push(Number(line.split(' ')[2]));
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

async function drive({ port }: Side, count: number, isKept: boolean): Promise<void> {
  const agent = isKept ? new Agent({ keepAlive: true, maxSockets: 32 }) : false;
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      await new Promise<void>((resolve, reject) => {
        request({ host: '127.0.0.1', port, agent }, (response) => response.resume().once('end', resolve))
          .once('error', reject)
          .end();
      });
    }
  };
  await Promise.all(Array.from({ length: 32 }, one));
  if (agent !== false) agent.destroy();
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
    for (const side of sides) await drive(side, 200, true);
    const [agent, bare] = sides.map(({ worker }) => memoryBytes(worker.pid));
    rss.push((agent?.rss ?? 0) - (bare?.rss ?? 0));
    pss.push((agent?.pss ?? 0) - (bare?.pss ?? 0));
    for (const { worker } of sides) await worker.close();
  }
  print('memory', { rssMB: median(rss) / 2 ** 20, pssMB: median(pss) / 2 ** 20 });
}

async function measureCpu(daemon: FakeDaemon, isKept: boolean): Promise<void> {
  const agent = await startSide(daemon, true);
  const bare = await startSide(daemon, false);
  const count = isKept ? REQUESTS : REQUESTS / 3;
  for (const side of [agent, bare]) await drive(side, count, isKept);
  const ratios: number[] = [];
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const spent = async (side: Side): Promise<number> => {
      const before = cpuNs(side.worker.pid);
      await drive(side, count, isKept);
      return cpuNs(side.worker.pid) - before;
    };
    const first = round % 2 === 0 ? agent : bare;
    const a = await spent(first);
    const b = await spent(first === agent ? bare : agent);
    const [withAgent, without] = first === agent ? [a, b] : [b, a];
    ratios.push(withAgent / without);
    costs.push(without / 1000 / count);
  }
  print(isKept ? 'cpu-kept-alive' : 'cpu-new-connection', { ratio: median(ratios), bareUs: median(costs) });
  await agent.worker.close();
  await bare.worker.close();
}

await bundleAgent();
const daemon = await openFakeDaemon();
try {
  await measureLoad(daemon);
  await measureMemory(daemon);
  await measureCpu(daemon, true);
  await measureCpu(daemon, false);
} finally {
  await daemon[Symbol.asyncDispose]();
}
