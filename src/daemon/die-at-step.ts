/**
 * For tests that kill the daemon where it hurts: `DROVER_DIE_AT` names a file; a daemon that comes to the step that the
 * file names (`<step>`, or `<step> #3` for the third time) removes the file and kills itself, as `kill -9` would. The
 * next daemon has the same environment and lives.
 */
import { readFileSync, rmSync } from 'node:fs';

/** Null where nobody wants that, which is always, outside tests. */
export const dieAtStep = (file: string | undefined): ((step: string) => void) | null => {
  if (file === undefined || file === '') return null;
  let wish = '';
  let seen = 0;
  return (step) => {
    let latest: string;
    try {
      latest = readFileSync(file, 'utf8').trim();
    } catch {
      return; // No such wish at the moment.
    }
    if (latest !== wish) seen = 0;
    wish = latest;
    const [fatal, time = '1'] = wish.split(' #');
    if (fatal !== step) return;
    seen += 1;
    if (seen < Number(time)) return;
    rmSync(file, { force: true });
    process.kill(process.pid, 'SIGKILL');
  };
};
