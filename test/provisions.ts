/**
 * What a suite needs beyond `npm ci`: packages in folders of their own, and Debian programs, installed where that is
 * allowed (root, `apt-get` there, `DROVER_TEST_APT` not `0`) and always announced. What cannot be had is not an error
 * here: the tests that need it skip and say why.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Suite } from './suites.ts';

/** Announces and installs; returns what is still missing, in words. */
export function provide(
  suite: Pick<Suite, 'needs' | 'packages'>,
  root: string,
  announce: (line: string) => void,
): string[] {
  const missing = suite.needs.filter(({ command }) => !isInPath(command));
  if (missing.length > 0 && mayUseApt()) {
    const packages = missing.map(({ debian }) => debian);
    announce(`apt-get install ${packages.join(' ')} (DROVER_TEST_APT=0 refuses)`);
    installDebian(packages);
  }
  for (const folder of suite.packages) installPackage(join(root, folder), folder, announce);
  return missing.filter(({ command }) => !isInPath(command)).map(({ command }) => `${command} is not installed`);
}

export const isInPath = (command: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));

const mayUseApt = (): boolean =>
  process.env['DROVER_TEST_APT'] !== '0' && process.getuid?.() === 0 && isInPath('apt-get');

function installDebian(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = (): boolean =>
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env, stdio: 'ignore' }).status ===
    0;
  // Fresh images come without package lists.
  if (!install()) {
    spawnSync('apt-get', ['update'], { env, stdio: 'ignore' });
    install();
  }
}

/** `npm ci` in a package of its own, unless exactly this lockfile was installed there before. */
export function installPackage(folder: string, shown: string, announce: (line: string) => void): void {
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  const stamp = join(folder, 'node_modules', '.drover-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  announce(`npm ci in ${shown}`);
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm ci in ${shown} failed:\n${stderr}`);
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  writeFileSync(stamp, lock);
}
