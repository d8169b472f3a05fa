/**
 * Checks a whole configuration and completes it. Every problem is found at once, including those between apps (ports,
 * dependencies) and with the file system (scripts, directories); nothing is started meanwhile.
 */
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { type AppConfig, type ConfigProblem, type DaemonConfig, DroverError } from '../protocol/index.ts';
import { findNameProblem } from './app-name.ts';
import { findDaemonProblems, findHealthProblems } from './check-health.ts';
import { completeApp, completeDaemon } from './complete.ts';
import { findDirectoryProblem, findFileProblem } from './file-problem.ts';
import { LATER_IN_APP, LATER_IN_DAEMON } from './later.ts';
import { findShapeProblems, formatPath, formatProblem, isLaterProblem, missingWords, toProblems } from './problems.ts';
import { APPS, AppSchema, ConfigSchema, type CompleteSettings, DaemonSchema } from './schema.ts';
import { findNearest } from './suggest.ts';

export interface CheckedConfig {
  /** Complete where there are no problems, else empty. */
  readonly apps: readonly AppConfig[];
  /** What the file says about the daemon; null where it says nothing, or there are problems. */
  readonly daemon: DaemonConfig | null;
  readonly problems: readonly ConfigProblem[];
}

interface Draft {
  readonly name: string;
  readonly settings: CompleteSettings;
  readonly raw: unknown;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Checks what a configuration file exported. `env` is the caller's, for `inheritEnv`. */
export const checkConfig = (value: unknown, file: string, env: Environment): CheckedConfig => {
  const problems: ConfigProblem[] = [];
  const drafts: Draft[] = [];
  if (!isObject(value)) {
    const message = 'must be an object with `apps`';
    return { apps: [], daemon: null, problems: [{ path: '', value: value ?? null, message, suggestion: null }] };
  }
  const { apps, ...rest } = value;
  problems.push(...findShapeProblems(ConfigSchema, Array.isArray(apps) ? value : rest, [], isLater));
  const hasNamedApps = isObject(apps);
  const daemonSettings = withoutUnknown(rest['daemon'] ?? {}, DaemonSchema.entries, LATER_IN_DAEMON);
  const whole = rest['daemon'] === undefined ? rest : { ...rest, daemon: daemonSettings };
  problems.push(
    ...toProblems(
      v.safeParse(ConfigSchema, hasNamedApps ? { ...whole, apps: {} } : { ...whole, apps }).issues ?? [],
      [],
    ),
  );
  for (const [name, raw] of hasNamedApps ? Object.entries(apps) : []) {
    const path = ['apps', name];
    const nameProblem = findNameProblem(name);
    if (nameProblem !== null)
      problems.push({ path: formatPath(path), value: name, message: nameProblem, suggestion: null });
    problems.push(...findShapeProblems(AppSchema, raw, path, isLater));
    const parsed = v.safeParse(AppSchema, withoutUnknown(raw, AppSchema.entries, LATER_IN_APP));
    problems.push(...toProblems(parsed.issues ?? [], path));
    if (parsed.success) {
      drafts.push({ name, settings: parsed.output, raw });
      problems.push(...findAppProblems(parsed.output, raw, path, dirname(file)));
    }
  }
  if (apps === undefined && rest['daemon'] === undefined)
    problems.push({ path: 'apps', value: null, message: missingWords(APPS), suggestion: null });
  const names = hasNamedApps ? Object.keys(apps) : [];
  problems.push(...findPortClashes(drafts), ...findDependencyProblems(drafts, names));
  const { success, output } = v.safeParse(DaemonSchema, daemonSettings);
  if (success)
    for (const { keys, value: found, message } of findDaemonProblems(output))
      problems.push({ path: formatPath(['daemon', ...keys]), value: found, message, suggestion: null });
  if (problems.length > 0 || !success) return { apps: [], daemon: null, problems };
  const complete = drafts.map(({ name, settings, raw }) => completeApp(name, settings, raw, dirname(file), env));
  const daemon = rest['daemon'] === undefined ? null : completeDaemon(output);
  return { apps: inStartOrder(complete), daemon, problems };
};

/** The same, or DROVER_NOT_AVAILABLE or DROVER_CONFIG_INVALID with all problems in its message. */
export const parseConfig = (value: unknown, file: string, env: Environment): readonly AppConfig[] =>
  parseWhole(value, file, env).apps;

/** With what the file says about the daemon. */
export const parseWhole = (value: unknown, file: string, env: Environment): Omit<CheckedConfig, 'problems'> => {
  const { apps, daemon, problems } = checkConfig(value, file, env);
  if (problems.length === 0) return { apps, daemon };
  throw toConfigError(problems);
};

/** An error is to be read; `drover config check` lists the rest. */
const MOST_TOLD = 20;

/** One error for all problems of a configuration. */
export const toConfigError = (problems: readonly ConfigProblem[]): DroverError => {
  if (problems.every(isLaterProblem)) {
    const keys = problems.map(({ path }) => `\`${path}\``).join(', ');
    return new DroverError('DROVER_NOT_AVAILABLE', { what: `The setting ${keys}` });
  }
  const lines = problems.slice(0, MOST_TOLD).map(formatProblem);
  if (problems.length > MOST_TOLD) lines.push(`and ${problems.length - MOST_TOLD} more`);
  const message = lines.length === 1 ? String(lines[0]) : ['', ...lines].join('\n  ');
  return new DroverError('DROVER_CONFIG_INVALID', { message });
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isLater = (path: readonly (string | number)[]): boolean => {
  const key = String(path.at(-1));
  if (path[0] === 'daemon') return path.length === 2 && LATER_IN_DAEMON.has(key);
  return path.length === 3 && LATER_IN_APP.has(key);
};

/** Unknown keys, and those to come, were reported already; without them the checks between apps see this app as well. */
const withoutUnknown = (raw: unknown, known: object, later: ReadonlySet<string>): unknown =>
  isObject(raw)
    ? Object.fromEntries(Object.entries(raw).filter(([key]) => Object.hasOwn(known, key) && !later.has(key)))
    : raw;

const findAppProblems = (
  settings: CompleteSettings,
  raw: unknown,
  path: readonly string[],
  base: string,
): ConfigProblem[] => {
  const problems: ConfigProblem[] = [];
  const add = (keys: readonly string[], value: unknown, message: string, suggestion: string | null = null): void => {
    problems.push({ path: formatPath([...path, ...keys]), value: value ?? null, message, suggestion });
  };
  const { script, command, drain, restart } = settings;
  if (script === undefined && command === undefined)
    add(['script'], null, 'is missing: name a `script` or a `command`');
  if (command !== undefined)
    for (const key of ['script', 'node', 'nodeArgs'] as const)
      if (isObject(raw) && raw[key] !== undefined) add([key], raw[key], 'cannot be combined with `command`');
  if (script !== undefined) {
    const problem = findFileProblem(resolve(base, script));
    const nearby = [`${script}.js`, `${script}.mjs`, `${script}.ts`, `${settings.cwd}/${script}`, `${script}/index.js`];
    const found = nearby.find((name) => findFileProblem(resolve(base, name)) === null);
    if (problem !== null) add(['script'], script, problem, found ?? null);
  }
  if (settings.envFile !== undefined) {
    const problem = findFileProblem(resolve(base, settings.envFile));
    if (problem !== null) add(['envFile'], settings.envFile, problem);
  }
  const cwdProblem = findDirectoryProblem(resolve(base, settings.cwd));
  if (cwdProblem !== null) add(['cwd'], settings.cwd, cwdProblem);

  // Defaults yield to what was written, so only what was written on both sides can contradict.
  const isWritten = (...keys: string[]): boolean =>
    keys.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), raw) !== undefined;
  const { initial, max } = restart.backoff;
  if (initial > max && isWritten('restart', 'backoff', 'initial') && isWritten('restart', 'backoff', 'max'))
    add(['restart', 'backoff', 'initial'], initial, `must not be longer than restart.backoff.max (${max} ms)`);
  const within = [
    { keys: ['idleGrace'], value: drain.idleGrace },
    { keys: ['websocket', 'spread'], value: drain.websocket.spread },
  ];
  for (const { keys, value } of within)
    if (value > drain.timeout && isWritten('drain', ...keys) && isWritten('drain', 'timeout'))
      add(['drain', ...keys], value, `must not be longer than drain.timeout (${drain.timeout} ms)`);
  const { stableFor, timeout } = settings.ready;
  if (stableFor >= timeout && isWritten('ready', 'stableFor') && isWritten('ready', 'timeout'))
    add(['ready', 'stableFor'], stableFor, `must be shorter than ready.timeout (${timeout} ms)`);
  for (const { keys, value, message } of findHealthProblems(settings, raw))
    problems.push({ path: formatPath([...path, ...keys]), value, message, suggestion: null });
  return problems;
};

const toPorts = (port: CompleteSettings['port']): readonly number[] =>
  port === undefined ? [] : typeof port === 'number' ? [port] : port;

const findPortClashes = (drafts: readonly Draft[]): ConfigProblem[] => {
  const owners = new Map<number, string>();
  const problems: ConfigProblem[] = [];
  for (const { name, settings } of drafts)
    for (const port of toPorts(settings.port)) {
      const owner = owners.get(port);
      if (owner === undefined) owners.set(port, name);
      else
        problems.push({
          path: formatPath(['apps', name, 'port']),
          value: port,
          message: owner === name ? 'names the same port twice' : `is the port of \`${owner}\` already`,
          suggestion: null,
        });
    }
  return problems;
};

const findDependencyProblems = (drafts: readonly Draft[], names: readonly string[]): ConfigProblem[] => {
  const problems: ConfigProblem[] = [];
  const add = (name: string, value: unknown, message: string, suggestion: string | null = null): void => {
    problems.push({ path: formatPath(['apps', name, 'dependsOn']), value, message, suggestion });
  };
  const known = new Set(names);
  for (const { name, settings } of drafts)
    for (const other of settings.dependsOn)
      if (!known.has(other))
        add(name, other, `names no app of this file: ${names.join(', ')}`, findNearest(other, names));
  const cycle = findCycle(new Map(drafts.map(({ name, settings }) => [name, settings.dependsOn])));
  const [start] = cycle ?? [];
  if (cycle !== null && start !== undefined) add(start, cycle, `goes round in a circle: ${cycle.join(' → ')}`);
  return problems;
};

/** A path of dependencies that comes back to where it began, such as `a → b → a`; null when there is none. */
const findCycle = (edges: ReadonlyMap<string, readonly string[]>): string[] | null => {
  const finished = new Set<string>();
  const visit = (name: string, trail: readonly string[]): string[] | null => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (finished.has(name)) return null;
    for (const next of edges.get(name) ?? []) {
      const cycle = visit(next, [...trail, name]);
      if (cycle !== null) return cycle;
    }
    finished.add(name);
    return null;
  };
  for (const name of edges.keys()) {
    const cycle = visit(name, []);
    if (cycle !== null) return cycle;
  }
  return null;
};

/** Apps after those they depend on, otherwise in the order of the file. */
const inStartOrder = (apps: readonly AppConfig[]): AppConfig[] => {
  const byName = new Map(apps.map((app) => [app.name, app]));
  const ordered = new Set<AppConfig>();
  const visit = (app: AppConfig): void => {
    for (const name of app.dependsOn) {
      const other = byName.get(name);
      if (other !== undefined && !ordered.has(other)) visit(other);
    }
    ordered.add(app);
  };
  for (const app of apps) visit(app);
  return [...ordered];
};
