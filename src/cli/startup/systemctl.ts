/** Talks to systemd by its own command, and turns refusals into errors of ours. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { DroverError } from '../../protocol/index.ts';
import type { UnitPlace } from './unit-place.ts';

const run = promisify(execFile);
/** Starting waits until the daemon serves, which systemd itself gives 90 s. */
const PATIENCE_MS = 120_000;

/** As sd_booted(3): whether systemd is the first process of this machine. */
const BOOTED = '/run/systemd/system';

/** Throws DROVER_SYSTEMD_MISSING. */
export const assertSystemd = (): void => {
  if (!existsSync(BOOTED)) throw new DroverError('DROVER_SYSTEMD_MISSING');
};

/** Throws DROVER_SYSTEMCTL with what the command said, or DROVER_NOT_ALLOWED. */
export const systemctl = async (scope: UnitPlace['scope'], ...args: readonly string[]): Promise<string> => {
  const words = [...(scope === 'user' ? ['--user'] : []), '--no-ask-password', ...args];
  try {
    return (await run('systemctl', words, { timeout: PATIENCE_MS })).stdout;
  } catch (error) {
    throw refusalOf(scope, `systemctl ${words.join(' ')}`, error);
  }
};

const refusalOf = (scope: UnitPlace['scope'], command: string, error: unknown): DroverError => {
  const { code, stderr = '', message } = error as NodeJS.ErrnoException & { readonly stderr?: string };
  if (code === 'ENOENT') return new DroverError('DROVER_SYSTEMD_MISSING', {}, { cause: error });
  const said = stderr.trim() || message;
  if (/access denied|authentication (is )?required|permission denied/i.test(said))
    return new DroverError('DROVER_NOT_ALLOWED', { message: `\`${command}\` was refused: ${said}` }, { cause: error });
  const hasNoManager = scope === 'user' && /failed to connect to.*bus|no medium found|XDG_RUNTIME_DIR/i.test(said);
  return new DroverError('DROVER_SYSTEMCTL', { command, message: said, hasNoManager }, { cause: error });
};

/** Whether this user's services run without a session; tries to make it so. */
export const ensureLinger = async (user: string): Promise<boolean> => {
  const isOn = async (): Promise<boolean> => {
    const { stdout } = await run('loginctl', ['show-user', user, '--property=Linger', '--value']);
    return stdout.trim() === 'yes';
  };
  try {
    if (await isOn()) return true;
    await run('loginctl', ['--no-ask-password', 'enable-linger', user]);
    return await isOn();
  } catch {
    // No login manager, or not allowed: whoever asks is told what to do.
    return false;
  }
};
