/** Completes one app's settings: paths absolute, defaults that depend on other settings, wrappers seen through. */
import { resolve } from 'node:path';
import type { AppConfig, DaemonConfig } from '../protocol/index.ts';
import { selectCallerEnv } from './caller-env.ts';
import { completeHealth, completeReceiver } from './complete-health.ts';
import { LONGEST_MS } from './quantity.ts';
import type { CompleteDaemonSettings, CompleteSettings } from './schema.ts';
import { unwrapProgram, type ResolvedCommand } from './unwrap.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that passed the check → what the daemon gets. `raw` tells what was written from what is a default. */
export const completeApp = (
  name: string,
  settings: CompleteSettings,
  raw: unknown,
  base: string,
  env: Environment,
): AppConfig => {
  const cwd = resolve(base, settings.cwd);
  const { command, env: fromCommand, binPaths } = toCommand(settings, base, cwd, env);
  const ports = settings.port === undefined ? [] : typeof settings.port === 'number' ? [settings.port] : settings.port;
  const [firstPort] = ports;
  const { drain, ready, restart } = settings;
  const isWritten = (...keys: string[]): boolean =>
    keys.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], raw) !== undefined;
  return {
    name,
    command,
    cwd,
    instances: settings.instances,
    ports,
    env: { ...(firstPort === undefined ? {} : { PORT: String(firstPort) }), ...fromCommand, ...settings.env },
    binPaths,
    envFile: settings.envFile === undefined ? null : resolve(base, settings.envFile),
    inheritEnv: settings.inheritEnv,
    callerEnv: selectCallerEnv(settings.inheritEnv, env),
    dependsOn: settings.dependsOn,
    ready: {
      // The default is for coming up; being stable comes on top.
      timeoutMs:
        isWritten('ready', 'timeout') || !isWritten('ready', 'stableFor')
          ? ready.timeout
          : Math.min(ready.timeout + ready.stableFor, LONGEST_MS),
      stableForMs: isWritten('ready', 'stableFor')
        ? ready.stableFor
        : Math.min(ready.stableFor, Math.floor(ready.timeout / 2)),
      signal: ready.signal,
    },
    restart: {
      policy: restart.policy,
      backoff: {
        initialMs: isWritten('restart', 'backoff', 'initial')
          ? restart.backoff.initial
          : Math.min(restart.backoff.initial, restart.backoff.max),
        factor: restart.backoff.factor,
        maxMs: isWritten('restart', 'backoff', 'max')
          ? restart.backoff.max
          : Math.max(restart.backoff.initial, restart.backoff.max),
      },
      crashLoop: { restarts: restart.crashLoop.restarts, withinMs: restart.crashLoop.within },
    },
    drain: {
      timeoutMs: isWritten('drain', 'timeout')
        ? drain.timeout
        : Math.max(drain.timeout, drain.idleGrace, drain.websocket.spread),
      idleGraceMs: isWritten('drain', 'idleGrace') ? drain.idleGrace : Math.min(drain.idleGrace, drain.timeout),
      websocket: {
        code: drain.websocket.code,
        spreadMs: isWritten('drain', 'websocket', 'spread')
          ? drain.websocket.spread
          : Math.min(drain.websocket.spread, drain.timeout),
      },
    },
    logs: {
      maxSizeBytes: settings.logs.maxSize,
      keep: settings.logs.keep,
      maxAgeMs: settings.logs.maxAge ?? null,
      rotate: settings.logs.rotate,
    },
    ...completeHealth(settings),
    surge: settings.surge,
    sticky: settings.sticky,
    user: settings.user === undefined ? null : String(settings.user),
  };
};

export const completeDaemon = ({ logs, health, alerts, otlp, metrics }: CompleteDaemonSettings): DaemonConfig => ({
  logs: { quotaBytes: logs.quota, minFreeBytes: logs.minFree },
  health: health ?? null,
  alerts: alerts.map(completeReceiver),
  otlp: otlp === undefined ? null : { endpoint: otlp.endpoint, headers: otlp.headers, intervalMs: otlp.interval },
  metrics: { quotaBytes: metrics.quota, keepMs: metrics.keep },
});

const toCommand = (settings: CompleteSettings, base: string, cwd: string, env: Environment): ResolvedCommand => {
  const { script, args, nodeArgs } = settings;
  if (script !== undefined) {
    const node = settings.node?.replace(/^v/, '') ?? null;
    return { command: { kind: 'node', script: resolve(base, script), node, nodeArgs, args }, env: {}, binPaths: [] };
  }
  const [program = '', ...words] = settings.command ?? [];
  // A path is relative to the file like all others; a bare word is looked up in PATH by whoever starts it.
  const first = program.includes('/') ? resolve(base, program) : program;
  return unwrapProgram([first, ...words, ...args], cwd, env);
};
