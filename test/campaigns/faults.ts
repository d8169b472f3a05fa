/**
 * The fault campaign (docs/internals/faults.md): every kind of fault on real processes under the load of four apps. Only
 * what was in flight on a process that was itself killed may be lost, and everything must be as it should afterwards.
 */
import { type Campaign, fixed } from '../../bench/campaign.ts';
import { runCampaign } from '../faults/campaign/campaign.ts';
import { FAULTS } from '../faults/campaign/registry.ts';
import { p95, renderResult } from '../faults/campaign/report.ts';

const APPS = 4;
const SEED = 20_261;
const FULL = { seconds: 600, least: 500, faults: FAULTS };
const SHORT = FAULTS.filter(({ isLong = false }) => !isLong);
/** Until everything was done once; the time is the least. */
const SMALL = { seconds: 20, least: SHORT.filter(({ skip = false }) => skip === false).length, faults: SHORT };

export const faults: Campaign = {
  name: 'faults',
  shows: 'faults of every kind under load: nothing lost but what was in flight on a killed process, 0 violations',
  run: async (run) => {
    const size = run.isSmall ? SMALL : FULL;
    const seed = run.isSmall ? SEED : Date.now() % 1_000_000;
    run.say(`seed ${seed}`);
    const result = await run.row(`${size.seconds} s`, async () =>
      runCampaign({
        seed,
        seconds: size.seconds,
        apps: APPS,
        faults: size.faults,
        say: (line) => run.say(line),
        replay: (fault) => `npm run faults -- --seed ${seed} --minutes 1 --only '${fault}'`,
      }),
    );
    process.stdout.write(`${renderResult(result)}\n`);
    const { injected, answered, excused, lost, violations, rows } = result;
    run.check(`at least ${size.least} faults`, injected >= size.least, `${injected} in ${result.seconds} s`);
    run.check(
      'every kind of fault was injected',
      rows.every(({ times }) => times > 0),
      rows
        .filter(({ times }) => times === 0)
        .map(({ fault }) => fault)
        .join() || 'all',
    );
    run.check(
      'nothing is lost but what was in flight on a killed process',
      lost.length === 0 && answered > 0,
      `${lost.length} of ${answered}, ${excused} in flight`,
    );
    run.check('no violation', violations.length === 0, violations.join('; ') || 'none');
    run.say(`the daemon was back with all workers in ${fixed(p95(result.backMs), 0)} ms at p95`);
  },
};
