/** What can be asked: apps, workers, health, causes, plans, logs, events. Changes nothing. */
import type { DroverService, EventQuery, LogQuery } from '../../api/index.ts';
import { planChanges } from '../../config/index.ts';
import { readLogs } from '../../logs/index.ts';
import type { AppDetailDocument, EventDocument, HealthDocument, LogLineDocument } from '../../protocol/index.ts';
import { describeApp, instancesOf, workerEnvironment } from '../../supervisor/index.ts';
import { followEvents } from '../follow-events.ts';
import { lastCrashOf } from '../last-crash.ts';
import { explain } from '../why.ts';
import type { AppIndex, Chosen } from './app-index.ts';
import { findLogTargets } from './log-targets.ts';
import type { ServiceParts } from './parts.ts';

type Queries = Pick<
  DroverService,
  | 'list'
  | 'show'
  | 'env'
  | 'health'
  | 'why'
  | 'daemonStatus'
  | 'metrics'
  | 'slo'
  | 'alerts'
  | 'plan'
  | 'logs'
  | 'events'
>;

/** Newest events of an app that are looked through for what explains its state. */
const CAUSES_LOOKED_AT = 200;

export const queriesOf = (parts: ServiceParts, index: AppIndex): Queries => {
  const { supervisor, store, operations } = parts;
  return {
    list: () => Promise.resolve({ apps: supervisor.apps.map(describeApp) }),

    async show(name) {
      const app = index.get(name);
      const { config } = app.state;
      // Names of variables, not values: they may be secrets.
      const { callerEnv: _callerEnv, env, ...shown } = config;
      const detail: AppDetailDocument = {
        ...describeApp(app),
        file: index.recordOf(app).file,
        config: { ...shown, env: Object.keys(env) },
        command:
          config.command.kind === 'program'
            ? config.command.argv
            : ['node', config.command.script, ...config.command.args],
        cwd: config.cwd,
        logs: { directory: parts.logs.directory(name) },
        dispatch: supervisor.edges.traffic.level,
        lastOperation: app.lastOperation ?? operations.list(name)[0] ?? null,
        lastCrash: lastCrashOf(store.events.list({ app: name, limit: CAUSES_LOOKED_AT })),
      };
      return detail;
    },

    async env(name) {
      const app = index.get(name);
      return {
        app: name,
        env: workerEnvironment(app.state.config, { app: name, slot: 0, release: app.state.release }),
      };
    },

    health: async (target) => describeHealth(parts, index.resolve(target)),
    why: async (name) =>
      explain(
        describeApp(index.get(name)),
        store.events.list({ app: name, withDaemon: true, limit: CAUSES_LOOKED_AT }),
      ),
    daemonStatus: async () => parts.status(),
    metrics: async ({ accept, scope, app }) => {
      if (app !== null) index.get(app);
      return parts.care.metrics.page({ accept, scope, app });
    },
    slo: async (name) => parts.care.objectives.describe(name === null ? supervisor.apps : [index.get(name)]),
    alerts: async () => parts.care.alerts.document(),

    plan: async (request) => ({ changes: planChanges(index.known(), request.apps, request.file, instancesOf) }),

    logs: (query, signal) => streamLogs(parts, index, query, signal),
    events(query: EventQuery, signal: AbortSignal): AsyncIterable<EventDocument> {
      const { app } = query;
      // What happened to an app outlives it.
      if (app !== null && store.events.list({ app, limit: 1 }).length === 0) index.get(app);
      return followEvents(store, query, signal);
    },
  };
};

const describeHealth = ({ health }: ServiceParts, chosen: readonly Chosen[]): HealthDocument => {
  const document = health.describe(chosen.map(({ app }) => app));
  const apps = document.apps.map((app, at) => {
    const slots = chosen[at]?.slots ?? null;
    return slots === null
      ? app
      : { ...app, workers: app.workers.filter(({ id }) => slots.some((slot) => id === `${app.name}/${slot}`)) };
  });
  return { ...document, apps };
};

const streamLogs = (
  parts: ServiceParts,
  index: AppIndex,
  query: LogQuery,
  signal: AbortSignal,
): AsyncIterable<LogLineDocument> => {
  const { target } = query;
  return readLogs({
    home: parts.logHome,
    apps: findLogTargets(parts, index, target).map(({ app }) => app),
    clock: parts.clock,
    ...(target?.kind === 'worker' ? { wants: (file: { readonly slot: number }) => file.slot === target.slot } : {}),
    sinceMs: query.sinceMs,
    untilMs: query.untilMs,
    grep: query.grep === null ? null : new RegExp(query.grep),
    level: query.level,
    lines: query.lines,
    follow: query.follow,
    signal,
  });
};
