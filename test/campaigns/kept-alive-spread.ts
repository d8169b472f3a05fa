/** How evenly 64 and 256 kept-alive connections, opened at once, spread over 4 workers; node:cluster in the same run. */
import { join } from 'node:path';
import { type Campaign, median } from '../../bench/campaign.ts';
import type { Contender } from '../../bench/contenders/contender.ts';
import { droverContender } from '../../bench/contenders/drover.ts';
import { clusterContender } from '../../bench/contenders/node.ts';
import { startLoad } from '../support/load/index.ts';
import { freePort } from '../support/temporary.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'plain.mjs');
const WORKERS = 4;

interface Spread {
  readonly counts: readonly number[];
  /** Fullest worker less emptiest. */
  readonly width: number;
}

export const keptAliveSpread: Campaign = {
  name: 'kept-alive-spread',
  shows: 'kept-alive connections spread over workers at least as evenly as node:cluster does it',
  run: async (run) => {
    const rounds = run.isSmall ? 1 : 5;
    for (const connections of [64, 256]) {
      const widths: Record<string, number> = {};
      const rows: (readonly (string | number)[])[] = [];
      for (const contender of [droverContender, clusterContender]) {
        const key = `${contender.name}, ${connections} connections`;
        const spreads = await run.row(key, async () => measure(contender, connections, rounds));
        widths[contender.name] = median(spreads.map(({ width }) => width));
        rows.push([contender.name, connections, spreads.map(({ counts }) => counts.join('/')).join('  ')]);
      }
      run.table(['', 'connections', 'by worker, each round'], rows);
      const [ours, theirs] = [widths[droverContender.name] ?? Infinity, widths[clusterContender.name] ?? 0];
      run.bound(
        `${connections} connections as even as node:cluster`,
        ours <= theirs,
        `${ours} against ${theirs} apart`,
      );
    }
  },
};

async function measure(contender: Contender, connections: number, rounds: number): Promise<Spread[]> {
  const port = await freePort();
  await using _app = await contender.start({ script: SCRIPT, workers: WORKERS, port });
  const spreads: Spread[] = [];
  for (let round = 0; round < rounds; round++) {
    const load = await startLoad({ mode: 'kept', port, connections, pauseMs: [20, 60], maxRequests: connections * 20 });
    const { connections: seen } = await load.report;
    const counts = Object.values(seen.byWorker);
    while (counts.length < WORKERS) counts.push(0);
    spreads.push({ counts, width: Math.max(...counts) - Math.min(...counts) });
  }
  return spreads;
}
