/**
 * `npm run soak -- [--minutes 30] [--untouched]`: a soak of any length, by itself. With `--untouched` the daemon's garbage
 * is left to itself: memory as it is in use, of which half an hour says less. Runs of 20 minutes and more are recorded
 * with the commit and must hold what the campaign `soak` holds; shorter ones only report their slopes.
 */
import { parseArgs } from 'node:util';
import { CampaignRun } from '../../bench/campaign.ts';
import { reportSoak } from './report.ts';
import { runSoak } from './run-soak.ts';
import { FULL_SOAK, roundsOf, SHORT_SOAK } from './sizes.ts';

/** Rounds of the short form below this, so that there are some. */
const SHORT_MINUTES = 4;
const LEAST_MINUTES_TO_HOLD = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: String(FULL_SOAK.minutes) },
    untouched: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  process.stderr.write(`--minutes wants a number above 0, not ${values.minutes}\n`);
  process.exit(2);
}

const run = new CampaignRun('soak', minutes < LEAST_MINUTES_TO_HOLD);
const size = minutes < SHORT_MINUTES ? SHORT_SOAK : FULL_SOAK;
const result = await run.newRow(`${minutes} minutes${values.untouched ? ', untouched' : ''}`, async () =>
  runSoak({ ...roundsOf({ ...size, minutes }), collects: !values.untouched, onRound: (line) => run.say(line) }),
);
reportSoak(run, result);
process.stdout.write(`\n${run.passed} passed, ${run.failed} failed\n`);
process.exitCode = run.failed === 0 ? 0 : 1;
