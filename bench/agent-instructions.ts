/**
 * Instructions that a request of a hello-world server takes in user space, with and without the agent, as valgrind's cachegrind counts
 * them: a figure that neither neighbours of the machine nor its temperature change. Counted between two numbers of requests, once
 * V8 has compiled what it wants to. What the kernel does is not in it, which is more than half of a request.
 *
 *     node bench/agent-instructions.ts [--node /path/to/node] [--agent FILE] [--from 60000] [--to 120000]
 *
 * Prints a JSON line a side, and for the functions that differ most how much. Needs Debian's `valgrind`; takes three minutes.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AGENT_FILE, bundleAgent } from '../scripts/bundle-agent.ts';
import { openFakeDaemon } from '../test/agent/support/fake-daemon.ts';
import { freePort } from '../test/support/temporary.ts';
import { driveRaw } from './raw-load.ts';

const APP = join(import.meta.dirname, '../test/fixtures/apps/hello.cjs');
const CONNECTIONS = 8;
const SHOWN = 20;

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    agent: { type: 'string', default: AGENT_FILE },
    from: { type: 'string', default: '60000' },
    to: { type: 'string', default: '120000' },
  },
});
const [FROM, TO] = [Number(values.from), Number(values.to)];
/** Only what is done for requests: neither samples of a profile nor collected metrics are counted. */
const SETTINGS = {
  profile: false,
  watchdog: false,
  blockedAfterMs: 500,
  routes: 100,
  appMetrics: false,
  trace: { enabled: false, logs: false },
};

type Counts = ReadonlyMap<string, number>;

/** Instructions by function of a whole process that answered so many requests. */
async function count(hasAgent: boolean, requests: number): Promise<Counts> {
  await using daemon = await openFakeDaemon();
  const port = await freePort();
  const shard = daemon.shard({ kind: 'tcp', host: '::', port: hasAgent ? port : await freePort(), v6only: false });
  const out = join(daemon.folder, 'counts');
  const valgrind = ['valgrind', '-q', '--tool=cachegrind', '--cache-sim=no', '--smc-check=all-non-file'] as const;
  const worker = await daemon.start({
    app: APP,
    wrapper: [...valgrind, `--cachegrind-out-file=${out}`, values.node, '--require', values.agent, APP],
    shards: [shard],
    env: { PORT: String(port), NODE_OPTIONS: '' },
    reportEveryMs: 100_000,
    // A channel that is none: the agent leaves the process alone.
    ...(hasAgent ? {} : { boot: { channel: '3:1' as const } }),
  });
  await worker.printed('listening');
  if (hasAgent) worker.send({ type: 'settings', settings: SETTINGS });
  await driveRaw({ port, requests, connections: CONNECTIONS, isKept: true });
  process.kill(worker.pid, 'SIGTERM');
  await worker.exited;
  return readCounts(readFileSync(out, 'utf8'));
}

/** The format of cachegrind's output: `fn=` and lines of a place and its instructions. */
function readCounts(text: string): Counts {
  const counts = new Map<string, number>();
  let name = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('fn=')) name = line.slice(3);
    else if (/^\d/.test(line)) counts.set(name, (counts.get(name) ?? 0) + Number(line.split(' ')[1]));
  }
  return counts;
}

const sum = (counts: Counts): number => [...counts.values()].reduce((total, one) => total + one, 0);

/** Per request between `FROM` and `TO`. */
async function perRequest(hasAgent: boolean): Promise<Counts> {
  const [fewer, more] = await Promise.all([count(hasAgent, FROM), count(hasAgent, TO)]);
  const result = new Map<string, number>();
  for (const [name, total] of more) result.set(name, (total - (fewer.get(name) ?? 0)) / (TO - FROM));
  return result;
}

if (values.agent === AGENT_FILE) await bundleAgent();
const version = execFileSync(values.node, ['--version'], { encoding: 'utf8' }).trim();
const bare = await perRequest(false);
const agent = await perRequest(true);
for (const [side, counts] of Object.entries({ bare, agent }))
  process.stdout.write(
    `${JSON.stringify({ bench: 'agent-instructions', node: version, side, perRequest: Math.round(sum(counts)) })}\n`,
  );
const more = [...new Set([...bare.keys(), ...agent.keys()])].map(
  (name) => [name, (agent.get(name) ?? 0) - (bare.get(name) ?? 0)] as const,
);
for (const [name, one] of more.toSorted(([, a], [, b]) => Math.abs(b) - Math.abs(a)).slice(0, SHOWN))
  process.stdout.write(`${one.toFixed(1).padStart(9)}  ${name}\n`);
