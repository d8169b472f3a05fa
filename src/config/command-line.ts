/**
 * `drover start server.js --instances 4`, `drover start .`, `drover start npm -- start`, `drover start -- python3 x.py`:
 * one app without a file. It inherits the caller's whole environment; everything else is as in a configuration.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { type AppConfig, DroverError } from '../protocol/index.ts';
import { findNameProblem, toAppName } from './app-name.ts';
import { parseConfig } from './check.ts';
import { findFileProblem } from './file-problem.ts';
import type { AppSettings } from './schema.ts';
import { findNodeScript } from './node-command.ts';
import { readPackage } from './read-package.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface BareCommand {
  /** The first word: a script, a program, or `.`; null when everything stands after `--`. */
  readonly entry: string | null;
  /** What stands after `--`: arguments of the script, or the whole program. */
  readonly rest: readonly string[];
  readonly name?: string | undefined;
  /** As typed; checked like those of a configuration. */
  readonly instances?: number | string | undefined;
  readonly port?: number | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly node?: string | undefined;
  readonly cwd?: string | undefined;
}

const NODE_EXTENSION = /\.([cm]?[jt]s|[jt]sx)$/;

/** The app that a bare command means, checked and complete. `directory` is where the caller stands. */
export const parseBareCommand = (bare: BareCommand, directory: string, env: Environment): AppConfig => {
  const cwd = resolve(directory, bare.cwd ?? '.');
  const { settings, title } = toSettings(bare, directory);
  const name = bare.name ?? title;
  const problem = findNameProblem(name);
  if (problem !== null) throw new DroverError('DROVER_USAGE', { message: `${JSON.stringify(name)}: ${problem}.` });
  const complete: Record<string, unknown> = { cwd, ...settings, inheritEnv: true };
  if (bare.cwd !== undefined) complete['cwd'] = cwd;
  for (const key of ['instances', 'port', 'env', 'node'] as const)
    if (bare[key] !== undefined) complete[key] = bare[key];
  try {
    // A file that is not there, in the caller's directory: relative paths resolve as the caller typed them.
    const [app] = parseConfig({ apps: { [name]: complete } }, resolve(directory, 'command line'), env);
    if (app === undefined) throw new DroverError('DROVER_INTERNAL', { message: 'a bare command made no app' });
    return app;
  } catch (error) {
    throw asUsage(error, name);
  }
};

/** On a command line the settings are options: `apps.server.instances` is `--instances`. */
const asUsage = (error: unknown, name: string): unknown => {
  if (!(error instanceof DroverError) || error.code !== 'DROVER_CONFIG_INVALID') return error;
  const message = String(error.data['message']).replaceAll(`apps.${name}.`, '--').replaceAll(`apps["${name}"].`, '--');
  return new DroverError('DROVER_USAGE', { message }, { cause: error });
};

const toSettings = (bare: BareCommand, directory: string): { settings: AppSettings; title: string } => {
  const { entry, rest } = bare;
  if (entry === null) {
    if (rest[0] === undefined) throw new DroverError('DROVER_USAGE', { message: 'Nothing follows `--`.' });
    return toProgram([...rest], directory);
  }
  const path = resolve(directory, entry);
  const problem = findFileProblem(path);
  if (problem === 'is a directory') return toPackage(path, rest);
  if (problem !== null) {
    // `npm -- start`: a word that is no file here is a program where PATH has it.
    if (!entry.includes('/') && isInPath(entry)) return toProgram([entry, ...rest], directory);
    throw new DroverError('DROVER_SCRIPT_MISSING', { script: path, problem });
  }
  const title = toAppName(basename(path, extname(path)));
  if (NODE_EXTENSION.test(path)) return { settings: { script: path, args: [...rest] }, title };
  const script = findNodeScript(path);
  // A tool that a package brought may only start the app.
  if (script?.includes('/node_modules/') === true && bare.node === undefined)
    return { settings: { command: [path, ...rest] }, title };
  if (script !== null) return { settings: { script: path, args: [...rest] }, title };
  if (isExecutable(path)) return { settings: { command: [path, ...rest] }, title };
  if (extname(path) === '') return { settings: { script: path, args: [...rest] }, title };
  throw new DroverError('DROVER_SCRIPT_MISSING', {
    script: path,
    problem: 'is neither a script for Node nor executable',
  });
};

const toProgram = (words: readonly string[], directory: string): { settings: AppSettings; title: string } => {
  const [program = '', ...args] = words;
  const command = [program.includes('/') ? resolve(directory, program) : program, ...args];
  if (!program.includes('/') && !isInPath(program))
    throw new DroverError('DROVER_SCRIPT_MISSING', { script: program, problem: 'is not a program in PATH' });
  if (program.includes('/')) {
    const problem = findFileProblem(resolve(directory, program));
    if (problem !== null) throw new DroverError('DROVER_SCRIPT_MISSING', { script: program, problem });
  }
  // `python3 shop.py` is called shop, `npm start` npm: the last word that is a file says most.
  const file = args.find((arg) => !arg.startsWith('-') && findFileProblem(resolve(directory, arg)) === null);
  return { settings: { command }, title: toAppName(basename(file ?? program, extname(file ?? program))) };
};

/** A directory: what its package's `start` script or `main` says, run where it is, as `npm start` and `node .` would. */
const toPackage = (directory: string, args: readonly string[]): { settings: AppSettings; title: string } => {
  const found = readPackage(directory);
  const title = toAppName(found?.name ?? basename(directory));
  if (found?.directory === directory) {
    const candidates = found.main === null ? ['index.js'] : [found.main, `${found.main}.js`, `${found.main}/index.js`];
    const script = candidates.map((name) => resolve(directory, name)).find((path) => findFileProblem(path) === null);
    // `start` is what its authors run in production; `main` may be the entry of a library.
    if (found.scripts['start'] !== undefined)
      return {
        settings: { command: ['npm', 'start', ...(args.length > 0 ? ['--', ...args] : [])], cwd: directory },
        title,
      };
    if (script !== undefined) return { settings: { script, args: [...args], cwd: directory }, title };
  }
  const script = ['server.js', 'index.js', 'index.mjs', 'index.ts']
    .map((name) => resolve(directory, name))
    .find((path) => findFileProblem(path) === null);
  if (script !== undefined) return { settings: { script, args: [...args], cwd: directory }, title };
  throw new DroverError('DROVER_SCRIPT_MISSING', {
    script: directory,
    problem: 'is a directory without a drover.config, a `start` script or a `main`',
  });
};

const isInPath = (name: string): boolean =>
  (process.env['PATH'] ?? '')
    .split(':')
    .some((directory) => directory !== '' && isExecutable(resolve(directory, name)));

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // Not there, or not for us.
  }
};
