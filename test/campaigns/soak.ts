/**
 * Half an hour of reloads, kills, floods of log lines and questions under a light load: what the daemon and the workers
 * have in memory and open must not grow. How it is measured: `docs/internals/soak.md`.
 */
import type { Campaign } from '../../bench/campaign.ts';
import { reportSoak } from '../soak/report.ts';
import { runSoak } from '../soak/run-soak.ts';
import { FULL_SOAK, roundsOf, SHORT_SOAK } from '../soak/sizes.ts';

export const soak: Campaign = {
  name: 'soak',
  shows: 'over 30 minutes the daemon’s memory has no slope, and nothing stays open that was not open before',
  run: async (run) => {
    const size = run.isSmall ? SHORT_SOAK : FULL_SOAK;
    const result = await run.row(`${size.minutes} minutes`, async () =>
      runSoak({ ...roundsOf(size), collects: true, onRound: (line) => run.say(line) }),
    );
    reportSoak(run, result);
  },
};
