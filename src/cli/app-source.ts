/** Which apps a command line means: those of a configuration file, or one bare script, package or program. */
import { delimiter, join, resolve } from 'node:path';
import {
  assertRunnable,
  findConfigFile,
  findFileProblem,
  getNode,
  isConfigFile,
  loadConfig,
  parseBareCommand,
  parseWhole,
} from '../config/index.ts';
import { type AppConfig, type DaemonConfig, DroverError } from '../protocol/index.ts';
import type { OptionDefinition } from './command.ts';
import type { CliContext } from './context.ts';

export interface AppSource {
  /** The configuration file, or null for a bare command. */
  readonly file: string | null;
  readonly apps: readonly AppConfig[];
  /** What the file says about the daemon; null: nothing. */
  readonly daemon: DaemonConfig | null;
}

export interface BareOptions {
  readonly name?: string;
  readonly instances?: number | string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly cwd?: string;
}

const toNumber = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

const addVariable = (text: string, previous: unknown): Record<string, string> => {
  const at = text.indexOf('=');
  if (at < 1)
    throw new DroverError('DROVER_USAGE', {
      message: `--env ${JSON.stringify(text)}: write a variable as \`NAME=value\`.`,
    });
  return { ...(previous as Record<string, string> | undefined), [text.slice(0, at)]: text.slice(at + 1) };
};

/** Options that stand for the settings of a bare script. */
export const BARE_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--name <name>', about: 'name of the app (default: that of the file or package)' },
  { flags: '--instances <n>', about: 'number of workers, or `max` for one a CPU', parse: toNumber },
  { flags: '--port <port>', about: 'port that must listen; `PORT` is set to it', parse: toNumber },
  { flags: '--env <name=value>', about: 'a variable; may be repeated', parse: addVariable },
  { flags: '--node <version>', about: 'version of Node, such as `24`' },
  { flags: '--cwd <directory>', about: 'working directory' },
];

/** One that was given, as it is typed; null: none was. */
export const findBareOption = ({ name, instances, port, env, node, cwd }: BareOptions): string | null => {
  const given = Object.entries({ name, instances, port, env, node, cwd }).find(([, value]) => value !== undefined);
  return given === undefined ? null : `--${given[0]}`;
};

/** The apps, checked and complete. Throws what is wrong with them before anything is started. */
export const readApps = async (
  entry: string | undefined,
  rest: readonly string[],
  options: BareOptions,
  context: CliContext,
): Promise<AppSource> => {
  const file = rest.length > 0 && entry === undefined ? undefined : findFile(entry, context);
  const source =
    file === undefined ? readBare(entry, rest, options, context) : await readFile(file, rest, options, context);
  await assertNodes(source.apps);
  return source;
};

/** The configuration file of a command that takes nothing else. */
export const readConfigFile = async (entry: string | undefined, context: CliContext): Promise<AppSource> =>
  readFile(getConfigFile(entry, context), [], {}, context);

/** The path that is meant: a file, that of a directory, or that of the caller's directory. */
export const getConfigFile = (entry: string | undefined, context: CliContext): string => {
  const file = findFile(entry, context) ?? (entry === undefined ? undefined : resolve(context.directory, entry));
  if (file === undefined) throw noConfiguration(context.directory);
  return file;
};

const findFile = (entry: string | undefined, { directory }: CliContext): string | undefined => {
  if (entry === undefined) return findConfigFile(directory);
  // `drover start "$APP"` without an APP: the directory would be a surprise.
  if (entry === '') throw new DroverError('DROVER_USAGE', { message: 'The name of the file is empty.' });
  const path = resolve(directory, entry);
  if (findFileProblem(path) === 'is a directory') return findConfigFile(path);
  return isConfigFile(path) ? path : undefined;
};

const noConfiguration = (directory: string): DroverError =>
  new DroverError('DROVER_CONFIG_UNREADABLE', {
    file: join(directory, 'drover.config.ts'),
    message: 'it does not exist, nor one that ends in .js, .mjs or .json.',
  });

const readFile = async (
  path: string,
  rest: readonly string[],
  options: BareOptions,
  context: CliContext,
): Promise<AppSource> => {
  const option = findBareOption(options);
  if (option !== null || rest.length > 0)
    throw new DroverError('DROVER_USAGE', {
      message: `${option === null ? 'Words after `--`' : `\`${option}\``} cannot be combined with a configuration file; write it in ${path}.`,
    });
  const { file, value } = await loadConfig(path);
  return { file, ...parseWhole(value, file, context.env) };
};

const readBare = (
  entry: string | undefined,
  rest: readonly string[],
  options: BareOptions,
  context: CliContext,
): AppSource => {
  if (entry === undefined && rest.length === 0) throw noConfiguration(context.directory);
  const { name, instances, port, env, node, cwd } = options;
  const bare = { entry: entry ?? null, rest, name, instances, port, env, node, cwd };
  return { file: null, apps: [parseBareCommand(bare, context.directory, context.env)], daemon: null };
};

/** A Node that is missing or cannot run the script is told now; the daemon looks again at each spawn. */
const assertNodes = async (apps: readonly AppConfig[]): Promise<void> => {
  for (const app of apps) {
    const { command, callerEnv, env, binPaths, cwd } = app;
    if (command.kind !== 'node' || (command.node === null && !/\.[cm]?tsx?$/.test(command.script))) continue;
    const PATH = [...binPaths, env['PATH'] ?? callerEnv['PATH'] ?? ''].join(delimiter);
    const { version } = await getNode(command.node, { ...callerEnv, ...env, PATH }, cwd);
    assertRunnable(app, version, env['NODE_OPTIONS'] ?? callerEnv['NODE_OPTIONS'] ?? '');
  }
};
