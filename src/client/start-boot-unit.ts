/** Starts the unit of a home. Apart from `boot-unit.ts`, because most commands start nothing. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BootUnit } from './boot-unit.ts';

/** Resolves when the daemon serves, or with false when systemd is not there, refuses, or takes longer than `timeoutMs`. */
export const startBootUnit = async ({ scope, unit }: BootUnit, timeoutMs: number): Promise<boolean> => {
  const words = [...(scope === 'user' ? ['--user'] : []), '--no-ask-password', 'start', unit];
  return promisify(execFile)('systemctl', words, { timeout: timeoutMs }).then(
    () => true,
    () => false,
  );
};
