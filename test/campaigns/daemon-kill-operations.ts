/**
 * The daemon killed at random moments of reloads, scalings, restarts, starts and stops, under the load of four apps: each
 * operation ends, once and as it should, no worker is restarted because of it, and the next daemon has the workers within
 * a second.
 */
import { type Campaign, type CampaignRun, fixed } from '../../bench/campaign.ts';
import { type CampaignResult, runCampaign } from '../faults/campaign/campaign.ts';
import type { Fault } from '../faults/campaign/fault.ts';
import { AT_EVERY_STEP, DURING_OPERATIONS } from '../faults/campaign/faults/operations.ts';
import { p95, renderResult } from '../faults/campaign/report.ts';

const APPS = 4;
const BACK_WITHIN_MS = 1000;

export const daemonKillOperations: Campaign = {
  name: 'daemon-kill-operations',
  shows: 'the daemon killed at random moments of operations: nothing lost, every operation ends, nobody restarted',
  run: async (run) => {
    const kills = run.isSmall ? 10 : 100;
    await play(run, `${kills} kills at random moments`, DURING_OPERATIONS, kills);
    if (run.isSmall) return;
    const steps = AT_EVERY_STEP.reduce((sum, { times }) => sum + times, 0);
    const { stepsHit } = await play(run, `a kill at each of ${steps} named steps`, AT_EVERY_STEP, steps);
    run.check('every named step was met', stepsHit.length === steps, `${stepsHit.length} of ${steps}`);
  },
};

async function play(
  run: CampaignRun,
  key: string,
  faults: readonly Fault[],
  injections: number,
): Promise<CampaignResult> {
  const seed = Date.now() % 1_000_000;
  const result = await run.row(key, async () =>
    runCampaign({
      seed,
      seconds: 0,
      injections,
      apps: APPS,
      faults,
      say: (line) => run.say(line),
      replay: (fault) => `npm run faults -- --seed ${seed} --minutes 1 --only '${fault}'`,
    }),
  );
  process.stdout.write(`${renderResult(result)}\n`);
  const { injected, answered, excused, lost, violations, backMs } = result;
  run.check(key, injected >= injections, `${injected} (seed ${result.seed})`);
  run.check('no request is lost', lost.length + excused === 0 && answered > 0, `${lost.length} of ${answered}`);
  run.check(
    'no worker restarted, no operation without an end, no other violation',
    violations.length === 0,
    violations.join('; ') || 'none',
  );
  const back = p95(backMs);
  if (back !== null)
    run.bound(
      `back within ${BACK_WITHIN_MS} ms at p95`,
      back < BACK_WITHIN_MS,
      `${fixed(back, 0)} ms, longest ${fixed(Math.max(...backMs), 0)} ms`,
    );
  return result;
}
