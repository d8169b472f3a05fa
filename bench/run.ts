/**
 * `npm run bench [-- <name>…]`: the comparisons with node:cluster and pm2 as a developer wants them, in a few minutes:
 * the measuring campaigns in their small size. JSON lines go to `bench/results/*.local.jsonl`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const MEASURING = ['throughput', 'stall', 'kept-alive-spread', 'cost', 'agent-cost'];
const names = process.argv.length > 2 ? process.argv.slice(2) : MEASURING;
const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'campaigns.ts'), '--small', ...names], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
