/** Every command by name: what exists, what is to come. Names and summaries only; a command's file loads when it runs. */
import type { CommandDefinition } from './command.ts';

export interface CommandEntry {
  /** One word, or two: `daemon start`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly isHidden?: boolean;
  readonly load: () => Promise<{ readonly command: CommandDefinition }>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'start',
    summary: 'start apps: a configuration, a script, a package or a program',
    load: () => import('./commands/start.ts'),
  },
  { name: 'apply', summary: 'make what runs equal to a configuration file', load: () => import('./commands/apply.ts') },
  { name: 'ls', aliases: ['list', 'status'], summary: 'list apps and workers', load: () => import('./commands/ls.ts') },
  { name: 'show', summary: 'show one app in depth', load: () => import('./commands/show.ts') },
  {
    name: 'top',
    summary: 'watch apps and workers on a live screen',
    load: () => import('./commands/top.ts'),
  },
  { name: 'env', summary: 'show the environment of an app, secrets masked', load: () => import('./commands/env.ts') },
  { name: 'reload', summary: 'replace workers without losing a request', load: () => import('./commands/reload.ts') },
  { name: 'restart', summary: 'stop all workers, then start them', load: () => import('./commands/restart.ts') },
  { name: 'stop', summary: 'stop workers; the app stays known', load: () => import('./commands/stop.ts') },
  { name: 'delete', summary: 'stop workers and forget the app', load: () => import('./commands/delete.ts') },
  { name: 'scale', summary: 'change the number of workers', load: () => import('./commands/scale.ts') },
  { name: 'signal', summary: 'send a signal to workers', load: () => import('./commands/signal.ts') },
  { name: 'logs', summary: 'show the output of apps, in time order', load: () => import('./commands/logs.ts') },
  { name: 'logs flush', summary: 'empty the logs of an app', load: () => import('./commands/logs-flush.ts') },
  { name: 'events', summary: 'show what happened', load: () => import('./commands/events.ts') },
  { name: 'why', summary: 'say why an app is in its state', load: () => import('./commands/why.ts') },
  { name: 'health', summary: 'show the health of apps', load: () => import('./commands/health.ts') },
  { name: 'slo', summary: 'show objectives and their error budgets', load: () => import('./commands/slo.ts') },
  { name: 'alerts', summary: 'show alerts, receivers and silences', load: () => import('./commands/alerts.ts') },
  {
    name: 'alerts silence',
    summary: 'keep alerts quiet for a time',
    load: () => import('./commands/alerts-silence.ts'),
  },
  {
    name: 'alerts test',
    summary: 'send a test alert to the receivers',
    load: () => import('./commands/alerts-test.ts'),
  },
  {
    name: 'operation',
    summary: 'list operations, or follow one to its end',
    load: () => import('./commands/operation.ts'),
  },
  { name: 'config check', summary: 'check a configuration file', load: () => import('./commands/config-check.ts') },
  {
    name: 'config schema',
    summary: 'print the JSON Schema of the configuration',
    load: () => import('./commands/config-schema.ts'),
  },
  {
    name: 'init',
    summary: 'write a commented configuration, and types for the editor',
    load: () => import('./commands/init.ts'),
  },
  { name: 'run', summary: 'run apps in the foreground, without a daemon', load: () => import('./commands/run.ts') },
  { name: 'daemon status', summary: 'show the daemon', load: () => import('./commands/daemon-status.ts') },
  { name: 'daemon start', summary: 'start the daemon', load: () => import('./commands/daemon-start.ts') },
  {
    name: 'daemon stop',
    summary: 'stop the daemon, with or without its workers',
    load: () => import('./commands/daemon-stop.ts'),
  },
  {
    name: 'daemon upgrade',
    summary: 'let the daemon become the installed version, in place',
    load: () => import('./commands/daemon-upgrade.ts'),
  },
  {
    name: 'startup',
    summary: 'start Drover and its apps with the machine',
    load: () => import('./commands/startup.ts'),
  },
  {
    name: 'heap analyze',
    summary: 'say what a heap snapshot or heap profile holds',
    load: () => import('./commands/heap-analyze.ts'),
  },
  {
    name: 'heap diff',
    summary: 'say whether a process leaks, and who holds what leaks',
    load: () => import('./commands/heap-diff.ts'),
  },
  {
    name: 'heap paths',
    summary: 'say why objects of a heap snapshot are alive',
    load: () => import('./commands/heap-paths.ts'),
  },
  { name: 'heap query', summary: 'find objects in a heap snapshot', load: () => import('./commands/heap-query.ts') },
  {
    name: 'heap strings',
    summary: 'find duplicate strings in a heap snapshot',
    load: () => import('./commands/heap-strings.ts'),
  },
  {
    name: 'doctor',
    summary: 'say what slows a program down, from a CPU profile or a log of V8',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'cpu top',
    summary: 'say where the time of a CPU profile went',
    load: () => import('./commands/cpu-top.ts'),
  },
  {
    name: 'cpu diff',
    summary: 'say which functions take more or less of the processor than before',
    load: () => import('./commands/cpu-diff.ts'),
  },
  {
    name: 'cpu flame',
    summary: 'write a flame graph as one HTML file; of two versions, what has changed',
    load: () => import('./commands/cpu-flame.ts'),
  },
  {
    name: 'cpu export',
    summary: 'write a CPU profile in the format of another tool',
    load: () => import('./commands/cpu-export.ts'),
  },
  { name: 'help', summary: 'explain a command', load: () => import('./commands/help.ts') },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'complete',
    summary: 'offer words for completion',
    isHidden: true,
    load: () => import('./commands/complete.ts'),
  },
];

/** Documented and not built yet: refused with DROVER_NOT_AVAILABLE. */
export const LATER_COMMANDS: readonly string[] = [
  'deploy',
  'rollback',
  'releases',
  'metrics',
  'heap snapshot',
  'heap watch',
  'heap allocations',
  'cpu profile',
  'incidents',
  'debug',
  'secret',
  'audit',
  'token',
  'harden',
  'import',
  'export',
  'ui',
  'bench',
];

/** The command that these words begin with, and the words left; two-word names win over one-word ones. */
export const findCommand = (
  words: readonly string[],
): { readonly entry: CommandEntry; readonly rest: string[] } | null => {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const entry = COMMANDS.find((command) => command.name === name || command.aliases?.includes(name));
    if (entry !== undefined) return { entry, rest: words.slice(name.split(' ').length) };
  }
  return null;
};

/** Second words of commands such as `daemon`, which mean nothing alone. */
export const listSubcommands = (word: string): string[] =>
  [...COMMANDS.map(({ name }) => name), ...LATER_COMMANDS]
    .filter((name) => name.startsWith(`${word} `))
    .map((name) => name.slice(word.length + 1));
