/**
 * `npm run campaigns [-- --small] [<name>…]`: the heavy measurements, one after the other. What a commit has measured
 * before is not measured again. The last line is `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { agentCost } from '../test/campaigns/agent-cost.ts';
import { alertTraces } from '../test/campaigns/alert-traces.ts';
import { agentOverhead } from '../test/campaigns/agent-overhead.ts';
import { alertStorm } from '../test/campaigns/alert-storm.ts';
import { badInput } from '../test/campaigns/bad-input.ts';
import { cellMutation } from '../test/campaigns/cell-mutation.ts';
import { cost } from '../test/campaigns/cost.ts';
import { cpuDiff } from '../test/campaigns/cpu-diff.ts';
import { cpuRead } from '../test/campaigns/cpu-read.ts';
import { daemonKill } from '../test/campaigns/daemon-kill.ts';
import { daemonKillOperations } from '../test/campaigns/daemon-kill-operations.ts';
import { faults } from '../test/campaigns/faults.ts';
import { findings } from '../test/campaigns/findings.ts';
import { hostileFiles } from '../test/campaigns/hostile-files.ts';
import { flameSpeed } from '../test/campaigns/flame-speed.ts';
import { health } from '../test/campaigns/health.ts';
import { heapSpeed } from '../test/campaigns/heap-speed.ts';
import { heapVerdict } from '../test/campaigns/heap-verdict.ts';
import { keptAliveSpread } from '../test/campaigns/kept-alive-spread.ts';
import { leakRecycling } from '../test/campaigns/leak-recycling.ts';
import { plantedBugs } from '../test/campaigns/planted-bugs.ts';
import { logsVsPm2 } from '../test/campaigns/logs-vs-pm2.ts';
import { logSpeed } from '../test/campaigns/log-speed.ts';
import { logs } from '../test/campaigns/logs.ts';
import { logDiskFull } from '../test/campaigns/log-disk-full.ts';
import { probeCost } from '../test/campaigns/probe-cost.ts';
import { reloadLoss } from '../test/campaigns/reload-loss.ts';
import { seriesCost } from '../test/campaigns/series-cost.ts';
import { soak } from '../test/campaigns/soak.ts';
import { stall } from '../test/campaigns/stall.ts';
import { throughput } from '../test/campaigns/throughput.ts';
import { workerKill } from '../test/campaigns/worker-kill.ts';
import { type Campaign, CampaignRun } from './campaign.ts';

const CAMPAIGNS: readonly Campaign[] = [
  reloadLoss,
  workerKill,
  daemonKill,
  daemonKillOperations,
  faults,
  logDiskFull,
  stall,
  health,
  badInput,
  leakRecycling,
  keptAliveSpread,
  throughput,
  cost,
  agentCost,
  agentOverhead,
  cellMutation,
  plantedBugs,
  logs,
  logSpeed,
  logsVsPm2,
  flameSpeed,
  heapSpeed,
  heapVerdict,
  soak,
  hostileFiles,
  findings,
  alertTraces,
  cpuRead,
  cpuDiff,
  probeCost,
  seriesCost,
  alertStorm,
];

interface Wanted {
  readonly isSmall: boolean;
  readonly names: readonly string[];
}

function readArguments(): Wanted {
  try {
    const { values, positionals } = parseArgs({
      options: { small: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const unknown = positionals.find((name) => !CAMPAIGNS.some((campaign) => campaign.name === name));
    if (values.help || unknown !== undefined)
      return explainAndExit(unknown === undefined ? null : `no campaign called ${unknown}`);
    return { isSmall: values.small, names: positionals };
  } catch (error) {
    return explainAndExit(error instanceof Error ? error.message : String(error));
  }
}

/** `wrong`: what is wrong with the arguments; null where somebody asked what there is. */
function explainAndExit(wrong: string | null): never {
  const out = wrong === null ? process.stdout : process.stderr;
  if (wrong !== null) out.write(`${wrong}\n`);
  out.write('usage: npm run campaigns [-- --small] [<name>…]; all of them, or:\n');
  for (const { name, shows } of CAMPAIGNS) out.write(`  ${name.padEnd(22)} ${shows}\n`);
  process.exit(wrong === null ? 0 : 2);
}

const { isSmall, names } = readArguments();
let passed = 0;
let failed = 0;
for (const campaign of CAMPAIGNS) {
  if (names.length > 0 && !names.includes(campaign.name)) continue;
  const run = new CampaignRun(campaign.name, isSmall);
  run.say(campaign.shows);
  const startedAt = performance.now();
  try {
    await campaign.run(run);
  } catch (error) {
    run.broken('the campaign comes to its end', error);
  }
  run.say(`took ${((performance.now() - startedAt) / 1000).toFixed(0)} s in all`);
  passed += run.passed;
  failed += run.failed;
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
