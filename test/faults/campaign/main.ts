/**
 * `npm run faults -- [--seed S] [--minutes M] [--only FAULT] [--apps N]`: the fault campaign by hand
 * (docs/internals/faults.md). `--only` takes the name of a fault or of a family, or a part of one. Ends with 1 when
 * anything was lost or violated.
 */
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { FAULTS } from './registry.ts';
import { renderResult } from './report.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '10' },
    only: { type: 'string' },
    apps: { type: 'string', default: '4' },
  },
});
const { only = '' } = values;
const [seed, minutes, apps] = [Number(values.seed), Number(values.minutes), Number(values.apps)];
const exact = FAULTS.filter(({ name, family }) => name === only || family === only);
const faults = exact.length > 0 ? exact : FAULTS.filter(({ name }) => name.includes(only));
if (faults.length === 0 || !(seed >= 0) || !(minutes > 0) || !(apps >= 1 && apps <= 4)) {
  process.stderr.write('usage: npm run faults -- [--seed S] [--minutes M] [--only FAULT] [--apps 1-4]\n');
  for (const { family, name } of FAULTS) process.stderr.write(`  ${family.padEnd(18)} ${name}\n`);
  process.exit(2);
}
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`seed ${seed}, ${minutes} min, ${faults.length} kinds of faults, ${apps} apps`);
const result = await runCampaign({
  seed,
  seconds: minutes * 60,
  apps,
  faults,
  say,
  replay: (fault) => `npm run faults -- --seed ${seed} --minutes 1 --only '${fault}'`,
});
say(renderResult(result));
process.exitCode = result.violations.length + result.lost.length === 0 ? 0 : 1;
