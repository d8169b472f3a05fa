/** Each cell of the state machines swapped for its neighbours: every mutant is noticed, or its survival is justified. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Campaign } from '../../bench/campaign.ts';

const PROGRAM = join(import.meta.dirname, '..', 'mutation', 'cells.ts');

export const cellMutation: Campaign = {
  name: 'cell-mutation',
  shows: 'random histories notice every swapped cell of the state machines',
  run: async (run) => {
    const { code, output } = await run.row('cells', async () => {
      const args = run.isSmall ? [PROGRAM, '--small'] : [PROGRAM];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      return { code: status, output: stdout + stderr };
    });
    run.say(output.trimEnd());
    run.check('no unjustified survivor', code === 0, `ended with ${code}`);
  },
};
