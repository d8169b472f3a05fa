/**
 * The routes as data. The server runs them and `openapi.ts` describes them; neither knows a route by name.
 * What stands at the same place of a path has the same name everywhere: OpenAPI knows no paths that differ in that alone.
 */
import { maskEnv } from '../config/index.ts';
import type { OperationDocument, OperationListDocument } from '../protocol/index.ts';
import { type Input, type Route, route } from './route.ts';
import * as schemas from './schemas.ts';
import type { DroverService, Target } from './service.ts';
import { optionalApp, parseApp, parseTarget } from './target.ts';

const listed = async (operations: Promise<readonly OperationDocument[]>): Promise<OperationListDocument> => ({
  operations: await operations,
});

const target = (input: Input<unknown, unknown>): Target => parseTarget(input.params['app'] ?? '');

/** The operation when it has ended, or as it is after `waitMs`. */
const waitForEnd = async (
  service: DroverService,
  id: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<OperationDocument> => {
  let latest = await service.getOperation(id);
  if (waitMs === 0 || latest.status === 'done') return latest;
  const watching = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  try {
    for await (const operation of service.watchOperation(id, watching)) latest = operation;
  } catch (error) {
    if (!watching.aborted) throw error;
  }
  return latest;
};

export const ROUTES: readonly Route[] = [
  route(
    'GET',
    '/v1/apps',
    'All apps and their workers.',
    {},
    {
      kind: 'document',
      document: 'AppList',
      call: (service) => service.list(),
    },
  ),
  route(
    'GET',
    '/v1/apps/:app',
    'One app in depth.',
    {},
    {
      kind: 'document',
      document: 'AppDetail',
      call: async (service, { params }) => service.show(parseApp(params['app'])),
    },
  ),
  route(
    'GET',
    '/v1/apps/:app/env',
    'The environment of its workers; values that look secret are masked.',
    {},
    {
      kind: 'document',
      document: 'Env',
      call: async (service, { params }) => {
        const document = await service.env(parseApp(params['app']));
        return { ...document, env: maskEnv(document.env) };
      },
    },
  ),
  route(
    'GET',
    '/v1/apps/:app/why',
    'The causal chain that led to its state.',
    {},
    {
      kind: 'document',
      document: 'Why',
      call: async (service, { params }) => service.why(parseApp(params['app'])),
    },
  ),
  route(
    'GET',
    '/v1/health',
    'Health of one app, one worker (`shop/2`) or all.',
    { query: schemas.AppQuery },
    {
      kind: 'document',
      document: 'Health',
      call: async (service, { query }) => service.health(parseTarget(query.app ?? 'all')),
    },
  ),
  route(
    'GET',
    '/v1/daemon',
    'The daemon itself.',
    {},
    {
      kind: 'document',
      document: 'Daemon',
      call: (service) => service.daemonStatus(),
    },
  ),
  route(
    'POST',
    '/v1/daemon/config',
    'What holds for all apps together; replaces what was set before.',
    { body: schemas.DaemonConfigSchema },
    {
      kind: 'document',
      document: 'Done',
      call: async (service, { body }, context) => {
        await service.configureDaemon(body, context);
        return { done: true };
      },
    },
  ),
  route(
    'POST',
    '/v1/daemon/shutdown',
    'End the daemon, with or without the workers.',
    { body: schemas.ShutdownBody },
    {
      kind: 'document',
      document: 'Done',
      call: async (service, { body }, context) => {
        await service.shutdown(body, context);
        return { done: true };
      },
    },
  ),
  route(
    'POST',
    '/v1/daemon/upgrade',
    'Become another program, which lies in `versions/` of the home. Answered once that has passed its self-test.',
    { body: schemas.UpgradeBody },
    {
      kind: 'document',
      document: 'UpgradeStart',
      call: (service, { body }, context) => service.upgrade(body, context),
    },
  ),
  route(
    'POST',
    '/v1/plan',
    'What applying these configurations would change.',
    { body: schemas.ApplyBody },
    {
      kind: 'document',
      document: 'Plan',
      call: (service, { body }) => service.plan(body),
    },
  ),
  route(
    'POST',
    '/v1/start',
    'Start apps that are new or stopped.',
    { body: schemas.StartBody },
    {
      kind: 'document',
      document: 'OperationList',
      call: (service, { body }, context) => listed(service.start(body, context)),
    },
  ),
  route(
    'POST',
    '/v1/apply',
    'Make the apps of a file equal to it.',
    { body: schemas.ApplyBody },
    {
      kind: 'document',
      document: 'OperationList',
      call: (service, { body }, context) => listed(service.apply(body, context)),
    },
  ),
  route(
    'POST',
    '/v1/apps/:app/start',
    'Start again what was stopped.',
    { target: true, body: schemas.RenewBody },
    {
      kind: 'document',
      document: 'OperationList',
      call: async (service, input, context) => listed(service.startStopped(target(input), input.body, context)),
    },
  ),
  route(
    'POST',
    '/v1/apps/:app/reload',
    'Replace workers without losing a request.',
    { target: true, body: schemas.RenewBody },
    {
      kind: 'document',
      document: 'OperationList',
      call: async (service, input, context) => listed(service.reload(target(input), input.body, context)),
    },
  ),
  route(
    'POST',
    '/v1/apps/:app/restart',
    'Stop all workers, then start them.',
    { target: true, body: schemas.RenewBody },
    {
      kind: 'document',
      document: 'OperationList',
      call: async (service, input, context) => listed(service.restart(target(input), input.body, context)),
    },
  ),
  route(
    'POST',
    '/v1/apps/:app/stop',
    'Stop workers; the app stays known.',
    { target: true },
    {
      kind: 'document',
      document: 'OperationList',
      call: async (service, input, context) => listed(service.stop(target(input), context)),
    },
  ),
  route(
    'DELETE',
    '/v1/apps/:app',
    'Stop workers and forget the app.',
    { target: true },
    {
      kind: 'document',
      document: 'OperationList',
      call: async (service, input, context) => listed(service.delete(target(input), context)),
    },
  ),
  route(
    'POST',
    '/v1/apps/:app/scale',
    'Change the number of workers.',
    { body: schemas.ScaleBody },
    {
      kind: 'document',
      document: 'OperationList',
      call: async (service, { params, body }, context) => listed(service.scale(parseApp(params['app']), body, context)),
    },
  ),
  route(
    'POST',
    '/v1/apps/:app/signal',
    'Send a signal to live workers.',
    { target: true, body: schemas.SignalBody },
    {
      kind: 'document',
      document: 'Signal',
      call: async (service, input, context) => service.signal(target(input), input.body.signal, context),
    },
  ),
  route(
    'POST',
    '/v1/apps/:app/logs/flush',
    'Empty the logs.',
    { target: true },
    {
      kind: 'document',
      document: 'Flush',
      call: async (service, input, context) => service.flushLogs(target(input), context),
    },
  ),
  route(
    'GET',
    '/v1/operations',
    'Operations, latest first.',
    { query: schemas.AppQuery },
    {
      kind: 'document',
      document: 'OperationList',
      call: async (service, { query }) => listed(service.listOperations(optionalApp(query.app))),
    },
  ),
  route(
    'GET',
    '/v1/operations/:id',
    'One operation; waits for its end if asked to.',
    { query: schemas.OperationQuery },
    {
      kind: 'document',
      document: 'Operation',
      call: (service, { params, query }, { signal }) => waitForEnd(service, params['id'] ?? '', query.waitMs, signal),
    },
  ),
  route(
    'GET',
    '/v1/operations/:id/watch',
    'One operation, again after each change until it ends.',
    {},
    {
      kind: 'stream',
      document: 'Operation',
      call: async (service, { params }, { signal }) => {
        const { id } = await service.getOperation(params['id'] ?? '');
        return service.watchOperation(id, signal);
      },
    },
  ),
  route(
    'POST',
    '/v1/operations/:id/abort',
    'Ask a running operation to end.',
    {},
    {
      kind: 'document',
      document: 'Operation',
      call: (service, { params }, context) => service.abortOperation(params['id'] ?? '', context),
    },
  ),
  route(
    'GET',
    '/v1/logs',
    'Lines of output in time order, merged over workers.',
    { query: schemas.LogsQuery },
    {
      kind: 'stream',
      document: 'LogLine',
      call: async (service, { query }, { signal }) => {
        const wanted = query.target === undefined ? null : parseTarget(query.target);
        const one = wanted?.kind === 'all' ? null : wanted;
        const { sinceMs = null, untilMs = null, grep = null, level = null, lines = null, follow } = query;
        // Refuses an unknown target before the stream has begun, with a status of its own.
        return service.logs({ target: one, sinceMs, untilMs, grep, level, lines, follow }, signal);
      },
    },
  ),
  route(
    'GET',
    '/v1/events',
    'What happened, in order.',
    { query: schemas.EventsQuery },
    {
      kind: 'stream',
      document: 'Event',
      call: async (service, { query }, { signal }) => {
        const app = optionalApp(query.app);
        return service.events(
          { app, afterSeq: query.afterSeq ?? null, limit: query.limit, follow: query.follow },
          signal,
        );
      },
    },
  ),
  route(
    'GET',
    '/v1/slo',
    'Objectives: what is spent of their error budgets, and how fast.',
    { query: schemas.AppQuery },
    { kind: 'document', document: 'Slo', call: async (service, { query }) => service.slo(optionalApp(query.app)) },
  ),
  route(
    'GET',
    '/v1/alerts',
    'Alerts, receivers, silences, and what could not be delivered.',
    {},
    { kind: 'document', document: 'Alerts', call: (service) => service.alerts() },
  ),
  route(
    'POST',
    '/v1/alerts/silences',
    'Keep alerts quiet for a time.',
    { body: schemas.SilenceBody },
    {
      kind: 'document',
      document: 'Silence',
      call: (service, { body }, context) => service.silenceAlerts(body, context),
    },
  ),
  route(
    'DELETE',
    '/v1/alerts/silences/:id',
    'End a silence now.',
    {},
    {
      kind: 'document',
      document: 'Silence',
      call: (service, { params }, context) => service.expireSilence(params['id'] ?? '', context),
    },
  ),
  route(
    'POST',
    '/v1/alerts/test',
    'Send a test alert to one receiver, or to each.',
    { body: schemas.AlertTestBody },
    {
      kind: 'document',
      document: 'AlertTests',
      call: (service, { body }, context) => service.testAlerts(body.receiver, context),
    },
  ),
  route(
    'POST',
    '/v1/alerts/undelivered/:id/retry',
    'Try once more to deliver what was given up.',
    {},
    {
      kind: 'document',
      document: 'Done',
      call: async (service, { params }, context) => {
        await service.retryDelivery(params['id'] ?? '', context);
        return { done: true };
      },
    },
  ),
  route(
    'DELETE',
    '/v1/alerts/undelivered/:id',
    'Forget what was given up.',
    {},
    {
      kind: 'document',
      document: 'Done',
      call: async (service, { params }, context) => {
        await service.dropDelivery(params['id'] ?? '', context);
        return { done: true };
      },
    },
  ),
  route(
    'GET',
    '/metrics',
    'Prometheus text, or OpenMetrics where it is accepted.',
    { query: schemas.MetricsQuery },
    {
      kind: 'text',
      call: (service, { query }, { accept }) =>
        service.metrics({ accept, scope: query.scope, app: optionalApp(query.app) }),
    },
  ),
];
