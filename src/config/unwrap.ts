/**
 * Sees through wrappers (`npm start`, `npx next start`, `sh -c "node x"`) to the command that does the work, so that a
 * worker is the app itself and not a parent that swallows signals. Only where the result is certainly the same: a
 * script with `&&`, or with hooks before and after it, keeps its wrapper. Variables are taken as they are now.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import type { AppCommand } from '../protocol/index.ts';
import { parseSimpleCommand } from './simple-command.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Argv = readonly [string, ...string[]];

interface Unwrapped {
  readonly argv: Argv;
  /** What the wrapper would have added to the environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ResolvedCommand {
  readonly command: AppCommand;
  readonly env: Readonly<Record<string, string>>;
}

/** Wrappers inside wrappers; more than this is a circle. */
const DEEPEST = 8;

/** What to run for a program and its arguments, started in `cwd`. */
export const unwrapProgram = (words: readonly string[], cwd: string, env: Environment): ResolvedCommand => {
  const given = words as Argv;
  let current: Unwrapped = { argv: given, env: {} };
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const next = unwrapOnce(current, cwd, env);
    if (next === null) return asGiven(given);
    if (next === current) {
      const node = toNodeCommand(current.argv, cwd);
      if (node !== null) return { command: node, env: current.env };
      return { command: { kind: 'program', argv: current.argv }, env: current.env };
    }
    current = next;
  }
  return asGiven(given);
};

const asGiven = (argv: Argv): ResolvedCommand => ({ command: { kind: 'program', argv }, env: {} });

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
      const simple = parseSimpleCommand(text.replace(/^\s*exec\s+/, ''), { ...env, ...current.env });
      return simple === null ? null : { argv: simple.words, env: { ...current.env, ...simple.env } };
    }
    case 'npx':
      return runBinary(args, current, cwd, env);
    case 'npm':
      return unwrapNpm(args, current, cwd, env);
    case 'pnpm':
    case 'yarn':
      return unwrapYarn(args, current, cwd, env);
    default:
      return current;
  }
};

const unwrapNpm = (args: readonly string[], current: Unwrapped, cwd: string, env: Environment): Unwrapped | null => {
  const [verb, ...rest] = args;
  if (verb === 'start') return runScript('start', afterDashes(rest), current, cwd, env);
  if (verb === 'run' || verb === 'run-script') {
    const [name, ...more] = rest;
    return name === undefined || name.startsWith('-') ? null : runScript(name, afterDashes(more), current, cwd, env);
  }
  return verb === 'exec' || verb === 'x' ? runBinary(rest, current, cwd, env) : null;
};

const unwrapYarn = (args: readonly string[], current: Unwrapped, cwd: string, env: Environment): Unwrapped | null => {
  const [verb, ...rest] = args;
  if (verb === undefined || verb.startsWith('-')) return null;
  if (verb === 'run') {
    const [name, ...more] = rest;
    return name === undefined || name.startsWith('-') ? null : runScript(name, afterDash(more), current, cwd, env);
  }
  if (verb === 'exec') return runBinary(rest, current, cwd, env);
  // `yarn dev` and `pnpm dev` run a script, else a binary of that name.
  const { scripts } = readPackage(cwd) ?? { scripts: {} };
  if (verb === 'start' || Object.hasOwn(scripts, verb)) return runScript(verb, afterDash(rest), current, cwd, env);
  return YARN_VERBS.has(verb) ? null : runBinary(args, current, cwd, env);
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
  const added = { ...current.env, ...scriptEnv(name, found, env) };
  const simple = text === undefined ? null : parseSimpleCommand(text, { ...env, ...added });
  // A script runs where its package.json is; elsewhere the working directory would change.
  if (simple === null || resolve(cwd) !== found.directory) return null;
  const [program, ...rest] = simple.words;
  const binary = program.includes('/') ? null : findBinary(program, cwd);
  return { argv: [binary ?? program, ...rest, ...args], env: { ...added, ...simple.env } };
};

/** What npm gives its scripts and apps have come to read. */
const scriptEnv = (name: string, found: Package, env: Environment): Record<string, string> => ({
  npm_lifecycle_event: name,
  npm_package_json: join(found.directory, 'package.json'),
  ...(found.name === null ? {} : { npm_package_name: found.name }),
  ...(found.version === null ? {} : { npm_package_version: found.version }),
  PATH: [join(found.directory, 'node_modules', '.bin'), env['PATH'] ?? '']
    .filter((part) => part !== '')
    .join(delimiter),
});

const runBinary = (words: readonly string[], current: Unwrapped, cwd: string, env: Environment): Unwrapped | null => {
  const [name, ...args] = words[0] === '--' ? words.slice(1) : words;
  if (name === undefined || name.startsWith('-')) return null;
  const binary = findBinary(name, cwd);
  if (binary === null) return null;
  const PATH = [dirname(binary), env['PATH'] ?? ''].filter((part) => part !== '').join(delimiter);
  return { argv: [binary, ...args], env: { ...current.env, PATH } };
};

interface Package {
  readonly directory: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly main: string | null;
  readonly scripts: Readonly<Record<string, string>>;
}

/** The nearest package.json from `cwd` upwards, with what matters here; null when there is none that can be read. */
export const readPackage = (cwd: string): Package | null => {
  for (const directory of ancestors(cwd)) {
    let text: string;
    try {
      text = readFileSync(join(directory, 'package.json'), 'utf8');
    } catch {
      continue; // Not here: look further up.
    }
    try {
      const content: unknown = JSON.parse(text);
      const { name, version, main, scripts } = content as Record<string, unknown>;
      const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
      const entries = Object.entries((scripts ?? {}) as Record<string, unknown>);
      return {
        directory,
        name: textOf(name),
        version: textOf(version),
        main: textOf(main),
        scripts: Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
      };
    } catch {
      return null; // Not JSON, or not an object: npm would refuse it too.
    }
  }
  return null;
};

const ancestors = function* (from: string): Generator<string> {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    yield directory;
    if (directory === dirname(directory)) return;
  }
};

const findBinary = (name: string, cwd: string): string | null => {
  for (const directory of ancestors(cwd)) {
    const path = join(directory, 'node_modules', '.bin', name);
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  }
  return null;
};

/** Options of Node that take the next word as their value. */
const WITH_VALUE = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions']);
/** Options after which no script of the app's runs, or not this process runs it. */
const NOT_A_SCRIPT = /^(-$|-[a-z]*[eipchv]|--(eval|print|check|interactive|test|run|watch|help|version)\b)/;

/** `node [options] script [args]`, or a binary that is a script for Node; null for any other program. */
const toNodeCommand = ([program, ...words]: Argv, cwd: string): AppCommand | null => {
  if (program === 'node' || program === process.execPath) {
    let at = 0;
    while (words[at]?.startsWith('-')) {
      const option = String(words[at]);
      if (NOT_A_SCRIPT.test(option) && !WITH_VALUE.has(option)) return null;
      at += WITH_VALUE.has(option) ? 2 : 1;
    }
    const script = words[at];
    if (script === undefined) return null;
    const found = findScript(resolve(cwd, script));
    if (found === null) return null;
    return { kind: 'node', script: found, node: null, nodeArgs: words.slice(0, at), args: words.slice(at + 1) };
  }
  if (!program.includes('/')) return null;
  const script = findNodeScript(resolve(cwd, program));
  return script === null ? null : { kind: 'node', script, node: null, nodeArgs: [], args: words };
};

/** The file that Node would run for this path: itself, with an extension, or the entry of a directory. */
const findScript = (path: string): string | null => {
  const candidates = [path, `${path}.js`, `${path}.cjs`, join(path, 'index.js')];
  return candidates.find((name) => statSync(name, { throwIfNoEntry: false })?.isFile()) ?? null;
};

/** The script behind an executable: itself by its `#!`, or the target of a pnpm shim; null when Node does not run it. */
export const findNodeScript = (path: string): string | null => {
  let start: string;
  try {
    start = readFileSync(path, 'utf8').slice(0, 4096);
  } catch {
    return null; // Gone or unreadable: whoever starts it says so.
  }
  if (/^#!\s*\S*(\/env\s+(-S\s+)?)?\bnode\s*(\r?\n|$)/.test(start)) return realpathSync(path);
  const target = /exec node\s+"\$basedir\/([^"]+)" "\$@"/.exec(start)?.[1];
  if (!start.startsWith('#!') || target === undefined) return null;
  const script = resolve(dirname(path), target);
  return statSync(script, { throwIfNoEntry: false })?.isFile() ? realpathSync(script) : null;
};
