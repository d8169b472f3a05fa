/**
 * One worker of four stalls 400 ms each second under 800 new connections a second: the others' clients should not
 * notice. node:cluster, which spreads round robin, is measured in the same run.
 */
import { join } from 'node:path';
import { type Campaign, fixed, median } from '../../bench/campaign.ts';
import type { Contender } from '../../bench/contenders/contender.ts';
import { droverContender } from '../../bench/contenders/drover.ts';
import { clusterContender } from '../../bench/contenders/node.ts';
import { startLoad } from '../support/load/index.ts';
import { freePort } from '../support/temporary.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'stalls.mjs');
const WORKERS = 4;
const RATE = 800;
const FLOOR_MS = 10;
const WARM_UP_SECONDS = 3;

interface Latency {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly lost: number;
}

export const stall: Campaign = {
  name: 'stall',
  shows: 'a worker stalled 400 ms each second: p99 at most half of node:cluster’s, or 10 ms',
  run: async (run) => {
    const rounds = run.isSmall ? 1 : 5;
    const seconds = run.isSmall ? 5 : 20;
    const results = new Map<Contender, Latency[]>([
      [droverContender, []],
      [clusterContender, []],
    ]);
    // Taking turns, so that a busy minute of the machine meets both.
    for (let round = 0; round < rounds; round++) {
      for (const [contender, latencies] of results) {
        latencies.push(await run.row(`${contender.name}, round ${round}`, async () => measure(contender, seconds)));
      }
    }
    const rows = [...results].map(([{ name }, latencies]) => [
      name,
      latencies.map(({ p50 }) => fixed(p50)).join(' '),
      latencies.map(({ p99 }) => fixed(p99)).join(' '),
    ]);
    run.table(['', 'p50 ms, each round', 'p99 ms, each round'], rows);
    const p99Of = (contender: Contender): number =>
      median((results.get(contender) ?? []).map(({ p99 }) => p99 ?? Infinity));
    const [ours, theirs] = [p99Of(droverContender), p99Of(clusterContender)];
    const limit = Math.max(theirs / 2, FLOOR_MS);
    run.bound(`p99 at most ${fixed(limit)} ms`, ours <= limit, `${fixed(ours)} ms, node:cluster ${fixed(theirs)} ms`);
    const lost = (results.get(droverContender) ?? []).reduce((sum, one) => sum + one.lost, 0);
    run.check('nothing lost', lost === 0, `${lost} lost`);
  },
};

async function measure(contender: Contender, seconds: number): Promise<Latency> {
  const port = await freePort();
  await using _app = await contender.start({ script: SCRIPT, workers: WORKERS, port });
  // Dispatch is what is measured, not how long V8 takes to optimize a fresh program.
  await (
    await startLoad({ mode: 'open', port, rate: RATE, seconds: WARM_UP_SECONDS })
  ).report;
  const load = await startLoad({ mode: 'open', port, rate: RATE, seconds, maxRequests: RATE * seconds });
  const { latencyMs, lost } = await load.report;
  return { p50: latencyMs.p50, p99: latencyMs.p99, lost };
}
