/**
 * A version of Drover that does not exist yet: this one's build under another number, changed where a test wants it. Made
 * of what `npm run build` has made, and run by its own command.
 */
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandResult, Drover, RunOptions } from './drover.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BUNDLE = 'dist/daemon-bundle';

export interface NextVersion {
  readonly version: string;
  readonly root: string;
  /** Runs its command in the home of `drover`. */
  run(drover: Drover, args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** The same, for a command that is looked at while it runs. */
  spawn(drover: Drover, args: readonly string[]): ReturnType<typeof spawn>;
}

export interface Changes {
  /** One more step of the schema. */
  readonly migration?: string;
  /** JavaScript that the daemon runs before anything else. */
  readonly atBoot?: string;
  /** JavaScript in the place of one of the daemon's named steps. */
  readonly atStep?: { readonly step: string; readonly code: string };
  /** JavaScript that the self-test runs before anything else. */
  readonly atSelfTest?: string;
}

/** Makes it in a folder of its own below `folder`. */
export function makeVersion(folder: string, version: string, changes: Changes = {}): NextVersion {
  const root = join(folder, `drover-${version}`);
  mkdirSync(root, { recursive: true });
  for (const part of ['bin', BUNDLE, 'dist/cli-bundle', 'dist/agent/agent.cjs']) {
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  }
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as object;
  writeFileSync(join(root, 'package.json'), JSON.stringify({ ...manifest, version }));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const { migration, atBoot, atStep, atSelfTest } = changes;
  if (migration !== undefined) {
    replace(
      root,
      /const MIGRATIONS = \[[\s\S]*?\n\];/,
      (known) => `${known}\nMIGRATIONS.push(${JSON.stringify(migration)});`,
    );
  }
  if (atStep !== undefined) replace(root, `onStep?.("${atStep.step}");`, () => atStep.code);
  for (const [file, code] of [
    ['main.js', atBoot],
    ['self-test.js', atSelfTest],
  ] as const) {
    const path = join(root, BUNDLE, file);
    if (code !== undefined) writeFileSync(path, `${code}\n${readFileSync(path, 'utf8')}`);
  }
  return {
    version,
    root,
    run: async (drover, args, options = {}) => runCommand(join(root, 'bin/drover'), drover, args, options),
    spawn: (drover, args) =>
      spawn(process.execPath, [join(root, 'bin/drover'), ...args], {
        env: drover.environment(),
        cwd: drover.home,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
  };
}

/** As `npm i -g` of another version does to the one that was there. */
export const uninstall = ({ root }: NextVersion): void => rmSync(root, { recursive: true });

function replace(root: string, pattern: string | RegExp, by: (...groups: string[]) => string): void {
  for (const name of readdirSync(join(root, BUNDLE)).filter((each) => each.endsWith('.js'))) {
    const path = join(root, BUNDLE, name);
    const before = readFileSync(path, 'utf8');
    const after = before.replace(pattern, by);
    if (after === before) continue;
    writeFileSync(path, after);
    return;
  }
  throw new Error(`nothing in the build is ${String(pattern)}`);
}

async function runCommand(
  command: string,
  drover: Drover,
  args: readonly string[],
  { env, cwd, timeoutMs = 120_000 }: RunOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [command, ...args],
      { env: drover.environment(env), cwd: cwd ?? drover.home, timeout: timeoutMs, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number') return reject(error);
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}
