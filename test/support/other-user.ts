/** Tests in which somebody else uses this checkout. */
import { execFile } from 'node:child_process';
import { accessSync, chmodSync, chownSync, constants, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { COMMAND, type CommandResult, type Drover } from './drover.ts';

export const NOBODY = 65_534;

/** What keeps another user from running this checkout; false when nothing does. */
export const whyNoOtherUser = (): string | false => {
  if (process.getuid?.() !== 0) return 'only root can become somebody else';
  for (let path = dirname(COMMAND); path !== '/'; path = dirname(path)) {
    try {
      accessSync(path, constants.X_OK);
    } catch {
      return `${path} cannot be entered`;
    }
  }
  return false;
};

/** A home that somebody else may own: the temporary folder itself is closed to others. */
export function homeFor(drover: Drover, uid: number): string {
  chmodSync(drover.home, 0o755);
  const home = join(drover.home, 'home');
  mkdirSync(home, { recursive: true });
  chownSync(home, uid, uid);
  return home;
}

/** A command as somebody else, whose home, of Drover too, is `home`. */
export async function runAs(uid: number, home: string, args: readonly string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], HOME: home, DROVER_HOME: home, NO_COLOR: '1' };
    const options = { uid, gid: uid, env, cwd: home, timeout: 60_000 };
    execFile(process.execPath, [COMMAND, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}
