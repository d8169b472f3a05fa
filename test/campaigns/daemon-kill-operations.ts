/**
 * The daemon killed at random moments of reloads, scalings, restarts, starts and stops, under the load of four apps: each
 * operation ends, once and as it should, no worker is restarted because of it, and the next daemon has the workers within
 * a second.
 */
import { type Campaign, fixed } from '../../bench/campaign.ts';
import { runCampaign } from '../faults/campaign/campaign.ts';
import { DURING_OPERATIONS } from '../faults/campaign/faults/operations.ts';
import { p95, renderResult } from '../faults/campaign/report.ts';

const APPS = 4;
const BACK_WITHIN_MS = 1000;

export const daemonKillOperations: Campaign = {
  name: 'daemon-kill-operations',
  shows: 'the daemon killed at random moments of operations: nothing lost, every operation ends, nobody restarted',
  run: async (run) => {
    const kills = run.isSmall ? 10 : 100;
    const seed = Date.now() % 1_000_000;
    run.say(`seed ${seed}`);
    const result = await run.row(`${kills} kills`, async () =>
      runCampaign({
        seed,
        seconds: 0,
        injections: kills,
        apps: APPS,
        faults: DURING_OPERATIONS,
        say: (line) => run.say(line),
        replay: (fault) => `npm run faults -- --seed ${seed} --minutes 1 --only '${fault}'`,
      }),
    );
    process.stdout.write(`${renderResult(result)}\n`);
    const { injected, answered, excused, lost, violations, backMs } = result;
    const back = p95(backMs);
    run.check(`${kills} kills`, injected >= kills && backMs.length >= kills, String(injected));
    run.check('no request is lost', lost.length + excused === 0 && answered > 0, `${lost.length} of ${answered}`);
    run.check(
      'no worker restarted, no operation without an end, no other violation',
      violations.length === 0,
      violations.join('; ') || 'none',
    );
    run.bound(
      `back within ${BACK_WITHIN_MS} ms at p95`,
      (back ?? Infinity) < BACK_WITHIN_MS,
      `${fixed(back, 0)} ms, longest ${fixed(Math.max(...backMs), 0)} ms`,
    );
  },
};
