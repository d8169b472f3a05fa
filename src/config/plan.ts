/**
 * What `apply` would do: compares what the daemon has with what a file wants, app by app. Decides, and does nothing.
 * Only apps of the same file are removed; a name that another file owns is refused.
 */
import { type AppConfig, type ChangeDocument, DroverError } from '../protocol/index.ts';

/** An app as the daemon knows it. */
export interface KnownApp {
  readonly config: AppConfig;
  /** How many workers it should have, which `scale` may have made others than its configuration says. */
  readonly instances: number;
  /** Where it came from; null for a bare script. */
  readonly file: string | null;
  /** The operator stopped it. */
  readonly isStopped: boolean;
  /** Its workers have their sockets from Drover, so that others may start beside them. */
  readonly canOverlap: boolean;
}

/** Settings that concern how workers are looked after, not what they are: running ones need not be replaced. */
const OUTSIDE_WORKERS =
  /^(instances|dependsOn|ready|restart|drain|logs|surge|probes|health|heal|budgets|slo|metrics|trace)(\.|$)/;

/**
 * The changes, in the order to carry them out: starts and replacements as in the file, then what goes. `instancesOf` tells
 * what a number of workers comes to on this machine.
 */
export const planChanges = (
  known: readonly KnownApp[],
  wanted: readonly AppConfig[],
  file: string | null,
  instancesOf: (config: AppConfig) => number,
): ChangeDocument[] => {
  const changes = wanted.map((config): ChangeDocument => {
    const current = known.find((app) => app.config.name === config.name);
    if (current === undefined) return { app: config.name, action: 'start', keys: [], replaces: false };
    if (current.file !== file)
      throw new DroverError('DROVER_APP_EXISTS', { app: config.name, owner: current.file ?? 'a bare script', file });
    return planChange(current, config, instancesOf(config));
  });
  const isWanted = new Set(wanted.map(({ name }) => name));
  const gone = known.filter((app) => file !== null && app.file === file && !isWanted.has(app.config.name));
  return [
    ...changes,
    ...gone.map(({ config }): ChangeDocument => ({ app: config.name, action: 'stop', keys: [], replaces: false })),
  ];
};

const planChange = (current: KnownApp, config: AppConfig, instances: number): ChangeDocument => {
  const changed = findChangedKeys(current.config, config);
  const isScaled = current.instances !== instances && !changed.includes('instances');
  const keys = isScaled ? [...changed, 'instances'].sort() : changed;
  const app = config.name;
  if (current.isStopped) return { app, action: 'start', keys, replaces: false };
  if (keys.length === 0) return { app, action: 'none', keys, replaces: false };
  const replaces = keys.some((key) => !OUTSIDE_WORKERS.test(key));
  // Two generations of a program without an agent cannot hold its port at the same time, and whether the agent comes to
  // another command is not known before it runs.
  const isUnknown = config.command.kind === 'program' && keys.includes('command');
  const needsGap = replaces && (!current.canOverlap || isUnknown);
  return { app, action: needsGap ? 'restart' : 'reload', keys, replaces };
};

/** Keys that differ, dotted and named as in the configuration file; never their values. */
export const findChangedKeys = (before: AppConfig, after: AppConfig): string[] => {
  const old = flatten(before);
  const fresh = flatten(after);
  const keys = new Set([...old.keys(), ...fresh.keys()].filter((key) => old.get(key) !== fresh.get(key)));
  return [...new Set([...keys].map(toFileKey))].sort();
};

const flatten = (config: AppConfig): Map<string, string> => {
  const leaves = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, item] of Object.entries(value)) visit(item, path === '' ? key : `${path}.${key}`);
    else leaves.set(path, JSON.stringify(value));
  };
  // The caller's shell differs from call to call; only what was asked for by name counts as configuration.
  const { callerEnv, ...own } = config;
  visit(own, '');
  for (const name of Array.isArray(config.inheritEnv) ? (config.inheritEnv as readonly string[]) : [])
    visit(callerEnv[name] ?? null, `inheritEnv.${name}`);
  return leaves;
};

const FILE_KEYS: Readonly<Record<string, string>> = {
  'command.kind': 'command',
  'command.script': 'script',
  'command.node': 'node',
  'command.nodeArgs': 'nodeArgs',
  'command.args': 'args',
  'command.argv': 'command',
  ports: 'port',
};

const toFileKey = (key: string): string => {
  return (FILE_KEYS[key] ?? key).replace(/(Ms|Bytes)$/, '');
};
