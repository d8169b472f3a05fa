/**
 * Sees through wrappers (`npm start`, `npx next start`, `sh -c "node x"`) to the command that does the work, so that a
 * worker is the app itself and not a parent that swallows signals. Only where the result is certainly the same: a
 * script with `&&`, or with hooks before and after it, keeps its wrapper. Variables are taken as they are now.
 */
import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { AppCommand } from '../protocol/index.ts';
import { toNodeCommand } from './node-command.ts';
import { findBinary, readPackage, type Package } from './read-package.ts';
import { parseSimpleCommand } from './simple-command.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Argv = readonly [string, ...string[]];

interface Unwrapped {
  readonly argv: Argv;
  /** What the wrapper would have added to the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Directories that it would have put in front of `PATH`, whatever that is when a worker starts. */
  readonly binPaths: readonly string[];
}

export interface ResolvedCommand extends Pick<Unwrapped, 'env' | 'binPaths'> {
  readonly command: AppCommand;
}

/** Wrappers inside wrappers; more than this is a circle. */
const DEEPEST = 8;

/** What to run for a program and its arguments, started in `cwd`. */
export const unwrapProgram = (words: readonly string[], cwd: string, env: Environment): ResolvedCommand => {
  const given = words as Argv;
  let current: Unwrapped = { argv: given, env: {}, binPaths: [] };
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const next = unwrapOnce(current, cwd, env);
    if (next === null) return asGiven(given);
    if (next === current) {
      const { argv, ...added } = current;
      return { command: toNodeCommand(argv, cwd) ?? { kind: 'program', argv }, ...added };
    }
    current = next;
  }
  return asGiven(given);
};

const asGiven = (argv: Argv): ResolvedCommand => ({ command: { kind: 'program', argv }, env: {}, binPaths: [] });

/** One layer less; the same object where there is no wrapper; null where a wrapper cannot be seen through. */
const unwrapOnce = (current: Unwrapped, cwd: string, env: Environment): Unwrapped | null => {
  const [program, ...args] = current.argv;
  switch (basename(program)) {
    case 'sh':
    case 'bash':
    case 'dash': {
      const [flag, text, ...more] = args;
      if (flag !== '-c') return current;
      if (text === undefined || more.length > 0) return null;
      const simple = parseSimpleCommand(text, { ...env, ...current.env });
      return simple === null ? null : { ...current, argv: simple.words, env: { ...current.env, ...simple.env } };
    }
    case 'env':
    case 'cross-env':
      return unwrapAssignments(args, current, cwd);
    case 'node':
      return args[0] === '--run' ? unwrapNodeRun(args.slice(1), current, cwd, env) : current;
    case 'npx':
      return runBinary(args, current, cwd);
    case 'npm':
      return unwrapNpm(args, current, cwd, env);
    case 'pnpm':
    case 'yarn':
      return unwrapYarn(args, current, cwd, env);
    default:
      return current;
  }
};

/** `env A=1 node x`, `cross-env A=1 node x`: with options, or with anything that cross-env would expand, it stays. */
const unwrapAssignments = (args: readonly string[], current: Unwrapped, cwd: string): Unwrapped | null => {
  const at = args.findIndex((arg) => !/^[A-Za-z_]\w*=[^$'"\\]*$/.test(arg));
  const [program, ...rest] = at === -1 ? [] : args.slice(at);
  if (program === undefined || program.startsWith('-') || program.includes('=')) return null;
  if (rest.some((word) => word === '' || /['"\\$]/.test(word))) return null;
  const set = Object.fromEntries(
    args.slice(0, at).map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]),
  );
  if (Object.hasOwn(set, 'PATH')) return null;
  // In a script the directory of binaries is in PATH.
  const isBare = program === 'node' || program.includes('/') || current.binPaths.length === 0;
  const binary = isBare ? null : findBinary(program, cwd);
  return { ...current, argv: [binary ?? program, ...rest], env: { ...current.env, ...set } };
};

/** `node --run start`: as npm does it, without hooks. */
const unwrapNodeRun = (
  [name, ...args]: readonly string[],
  current: Unwrapped,
  cwd: string,
  env: Environment,
): Unwrapped | null => {
  const found = readPackage(cwd);
  const text = found?.scripts[name ?? ''];
  if (found === null || name === undefined || text === undefined) return null;
  const rest = args[0] === '--' ? args.slice(1) : args;
  const added = { NODE_RUN_SCRIPT_NAME: name, NODE_RUN_PACKAGE_JSON_PATH: join(found.directory, 'package.json') };
  return rest.length > 0 && args[0] !== '--' ? null : ofScript(text, rest, found, added, current, cwd, env);
};

const unwrapNpm = (args: readonly string[], current: Unwrapped, cwd: string, env: Environment): Unwrapped | null => {
  const [verb, ...rest] = args;
  if (verb === 'start') return runScript('start', afterDashes(rest), current, cwd, env);
  if (verb === 'run' || verb === 'run-script') {
    const [name, ...more] = rest;
    return name === undefined || name.startsWith('-') ? null : runScript(name, afterDashes(more), current, cwd, env);
  }
  return verb === 'exec' || verb === 'x' ? runBinary(rest, current, cwd) : null;
};

const unwrapYarn = (args: readonly string[], current: Unwrapped, cwd: string, env: Environment): Unwrapped | null => {
  const [verb, ...rest] = args;
  if (verb === undefined || verb.startsWith('-')) return null;
  if (verb === 'run') {
    const [name, ...more] = rest;
    return name === undefined || name.startsWith('-') ? null : runScript(name, afterDash(more), current, cwd, env);
  }
  if (verb === 'exec') return runBinary(rest, current, cwd);
  // `yarn dev` and `pnpm dev` run a script, else a binary of that name.
  const { scripts } = readPackage(cwd) ?? { scripts: {} };
  if (verb === 'start' || Object.hasOwn(scripts, verb)) return runScript(verb, afterDash(rest), current, cwd, env);
  return YARN_VERBS.has(verb) ? null : runBinary(args, current, cwd);
};

/** Commands of yarn and pnpm that are no scripts; there may be a binary of the same name. */
const YARN_VERBS = new Set([
  'install',
  'add',
  'remove',
  'up',
  'test',
  'dlx',
  'create',
  'init',
  'node',
  'why',
  'deploy',
]);

/** npm passes on only what follows `--`; other words it takes for itself, so they make the command unclear. */
const afterDashes = (args: readonly string[]): readonly string[] | null => {
  const at = args.indexOf('--');
  if (at === -1) return args.some((arg) => arg.startsWith('-')) ? null : args;
  return at === 0 ? args.slice(1) : null;
};

const afterDash = (args: readonly string[]): readonly string[] => (args[0] === '--' ? args.slice(1) : args);

const runScript = (
  name: string,
  args: readonly string[] | null,
  current: Unwrapped,
  cwd: string,
  env: Environment,
): Unwrapped | null => {
  const found = readPackage(cwd);
  if (found === null || args === null) return null;
  const { scripts } = found;
  if (Object.hasOwn(scripts, `pre${name}`) || Object.hasOwn(scripts, `post${name}`)) return null;
  const hasDefault =
    name === 'start' && statSync(join(found.directory, 'server.js'), { throwIfNoEntry: false })?.isFile();
  const text = Object.hasOwn(scripts, name) ? scripts[name] : hasDefault ? 'node server.js' : undefined;
  return text === undefined ? null : ofScript(text, args, found, scriptEnv(name, found), current, cwd, env);
};

/** The command of a package's script, with the arguments that follow it. */
const ofScript = (
  text: string,
  args: readonly string[],
  found: Package,
  given: Readonly<Record<string, string>>,
  current: Unwrapped,
  cwd: string,
  env: Environment,
): Unwrapped | null => {
  const added = { ...current.env, ...given };
  const simple = /\bPATH\b/.test(text) ? null : parseSimpleCommand(text, { ...env, ...added });
  // A script runs where its package.json is; elsewhere the working directory would change.
  if (simple === null || resolve(cwd) !== found.directory) return null;
  const [program, ...rest] = simple.words;
  // A package may bring its own `node`: PATH decides, as for the script.
  const binary = program === 'node' || program.includes('/') ? null : findBinary(program, cwd);
  return {
    argv: [binary ?? program, ...rest, ...args],
    env: { ...added, ...simple.env },
    binPaths: inFront(join(found.directory, 'node_modules', '.bin'), current.binPaths),
  };
};

/** Once, however many scripts call one another. */
const inFront = (directory: string, paths: readonly string[]): readonly string[] => [
  directory,
  ...paths.filter((path) => path !== directory),
];

/** What npm gives its scripts and apps have come to read. */
const scriptEnv = (name: string, found: Package): Record<string, string> => ({
  npm_lifecycle_event: name,
  npm_package_json: join(found.directory, 'package.json'),
  ...(found.name === null ? {} : { npm_package_name: found.name }),
  ...(found.version === null ? {} : { npm_package_version: found.version }),
});

const runBinary = (words: readonly string[], current: Unwrapped, cwd: string): Unwrapped | null => {
  const [name, ...args] = words[0] === '--' ? words.slice(1) : words;
  if (name === undefined || name.startsWith('-')) return null;
  const binary = findBinary(name, cwd);
  if (binary === null) return null;
  return { ...current, argv: [binary, ...args], binPaths: inFront(dirname(binary), current.binPaths) };
};
