/**
 * For tests that kill the daemon where it hurts: `DROVER_DIE_AT` names a file; a daemon that comes to the step that the
 * file names removes the file and kills itself, as `kill -9` would. The next daemon has the same environment and lives.
 */
import { readFileSync, rmSync } from 'node:fs';

/** Null where nobody wants that, which is always, outside tests. */
export const dieAtStep = (file: string | undefined): ((step: string) => void) | null => {
  if (file === undefined || file === '') return null;
  return (step) => {
    try {
      if (readFileSync(file, 'utf8').trim() !== step) return;
      rmSync(file);
    } catch {
      return; // No such wish at the moment.
    }
    process.kill(process.pid, 'SIGKILL');
  };
};
