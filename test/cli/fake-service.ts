/**
 * A daemon without workers: a `DroverService` that answers from memory and writes down what it was asked, so that tests
 * can compare before and after. Outcomes of operations are decided by `outcomes`.
 */
import type { CallContext, DroverService, LogQuery, Target } from '../../src/api/index.ts';
import { planChanges, type KnownApp } from '../../src/config/index.ts';
import {
  type AppConfig,
  type AppDocument,
  type DaemonConfig,
  DroverError,
  type EventDocument,
  type LogLineDocument,
  type OperationDocument,
  type OperationKind,
  type ReceiptDocument,
  type ReceiptOutcome,
  type RequestKey,
} from '../../src/protocol/index.ts';

const AT = '2026-11-25T10:00:00.000Z';
const latency = { p50: 1, p99: 2 };
/** On a machine with one processor. */
const instancesOf = ({ instances }: AppConfig): number => (instances === 'max' ? 1 : instances);

export const receiptOf = (operation: string, app: string, outcome: ReceiptOutcome): ReceiptDocument => ({
  operation,
  app,
  from: 1,
  to: 2,
  outcome,
  reason: outcome === 'completed' ? null : 'slot 0 never became ready',
  durationMs: 1234,
  requests: { served: 10, failed: 0, lost: 0, unknown: 0, refused: 0, upgradesClosed: 0, upgradesCut: 0 },
  latencyMs: { before: latency, during: latency, after: latency },
  steps: [{ at: AT, name: 'ready', worker: `${app}/0`, outcome: 'ok', detail: null }],
  ...(outcome === 'completed' ? {} : { log: ['Error: no database'] }),
});

export class FakeService implements DroverService {
  readonly apps = new Map<string, { config: AppConfig; file: string | null; isStopped: boolean }>();
  readonly operations = new Map<string, OperationDocument>();
  /** What was asked for, in order: `reload shop`. */
  readonly calls: string[] = [];
  /** Keys that came with stops and deletes. */
  readonly requests: RequestKey[] = [];
  outcome: ReceiptOutcome = 'completed';
  logLines: LogLineDocument[] = [];
  logQuery: LogQuery | null = null;
  eventList: EventDocument[] = [];
  /** How many documents a stream was asked for: shows back-pressure. */
  pulled = 0;
  environment: Record<string, string> = { PORT: '3000', DB_PASSWORD: 'hunter2' };
  isShutDown = false;

  private document(name: string): AppDocument {
    const app = this.find(name);
    return {
      name,
      status: app.isStopped ? 'stopped' : 'online',
      reason: null,
      release: 1,
      instances: 1,
      ports: [{ host: '::', port: 3000, protocol: 'http', declared: true }],
      workers: [
        {
          id: `${name}/0`,
          slot: 0,
          pid: 4242,
          status: 'ready',
          ready: true,
          lane: 'stable',
          weight: 100,
          release: 1,
          startedAt: AT,
          restarts: 0,
          cpuPercent: null,
          rssBytes: 50_000_000,
          heapUsedBytes: null,
          eventLoopUtilization: null,
          connections: 3,
          inFlight: 0,
          acceptQueue: 0,
          requestsPerSecond: 12.5,
          latencyMs: { p50: 2, p99: 9 },
          errorShare: 0,
          reason: null,
          node: '24.21.0',
          logDropped: { lines: 12, bytes: 3_400, dropping: true, code: 'ENOSPC' },
        },
      ],
    };
  }

  private known(): KnownApp[] {
    return [...this.apps.values()].map((app) => ({
      ...app,
      instances: instancesOf(app.config),
      canOverlap: app.config.command.kind === 'node',
    }));
  }

  private find(name: string): { config: AppConfig; file: string | null; isStopped: boolean } {
    const app = this.apps.get(name);
    if (app === undefined) throw new DroverError('DROVER_APP_UNKNOWN', { app: name });
    return app;
  }

  private names(target: Target): string[] {
    if (target.kind === 'all') return [...this.apps.keys()];
    this.find(target.app);
    if (target.kind === 'worker' && target.slot > 0)
      throw new DroverError('DROVER_WORKER_UNKNOWN', { worker: `${target.app}/${target.slot}` });
    return [target.app];
  }

  private operate(kind: OperationKind, apps: readonly string[]): OperationDocument[] {
    return apps.map((app) => {
      this.calls.push(`${kind} ${app}`);
      const id = `op-${this.operations.size + 1}`;
      const operation: OperationDocument = {
        id,
        kind,
        app,
        status: 'running',
        startedAt: AT,
        endedAt: null,
        phase: 'booting',
        receipt: null,
      };
      this.operations.set(id, operation);
      return operation;
    });
  }

  list = async () => ({ apps: [...this.apps.keys()].map((name) => this.document(name)) });
  show = async (name: string) => ({
    ...this.document(name),
    file: this.find(name).file,
    config: this.find(name).config,
    command: ['node', 'server.js'],
    cwd: '/srv',
    logs: { directory: '/var/log' },
    dispatch: 'exact' as const,
    lastOperation: null,
    lastCrash: { at: AT, worker: `${name}/0`, reason: 'exited with code 1', lastLines: ['Error: the moon'] },
  });
  env = async (app: string) => {
    this.find(app);
    return { app, env: this.environment };
  };
  health = async (target: Target) => {
    if (target.kind !== 'all') this.find(target.app);
    return { status: 'healthy' as const, apps: [] };
  };
  why = async (app: string) => {
    this.find(app);
    return { app, chain: [{ at: AT, event: 'worker-exited', because: 'SIGKILL' }], summary: `${app} is online.` };
  };
  daemonStatus = async () => ({
    running: true,
    pid: process.pid,
    version: '0.0.0',
    startedAt: AT,
    home: '/home',
    rssBytes: 1,
    apps: this.apps.size,
    workers: this.apps.size,
    dispatch: 'shared' as const,
    guardPid: null,
    unit: null,
    state: null,
    program: null,
    upgrade: null,
  });
  metrics = async () => ({
    type: 'text/plain; version=0.0.4; charset=utf-8',
    text: '# TYPE drover_apps gauge\ndrover_apps 1\n',
  });
  slo = async (app: string | null) => {
    if (app !== null) this.find(app);
    return { apps: [] };
  };
  alerts = async () => ({ alerts: [], receivers: [], silences: [], undelivered: [] });
  silenceAlerts = async (request: { endsAt: string; comment: string }) => ({
    id: 'silence-1',
    matchers: [],
    startsAt: AT,
    endsAt: request.endsAt,
    everyMs: null,
    comment: request.comment,
    createdBy: null,
  });
  expireSilence = async (id: string) => ({
    id,
    matchers: [],
    startsAt: AT,
    endsAt: AT,
    everyMs: null,
    comment: '',
    createdBy: null,
  });
  testAlerts = async () => ({ receivers: [] });
  retryDelivery = async () => undefined;
  dropDelivery = async () => undefined;

  plan = async (request: { file: string | null; apps: readonly AppConfig[] }) => ({
    changes: planChanges(this.known(), request.apps, request.file, instancesOf),
  });
  /** As the real one: what runs unchanged is left alone, what runs and would change is refused. */
  start = async ({ file, apps }: { file: string | null; apps: readonly AppConfig[] }) => {
    const changes = planChanges(this.known(), apps, file, instancesOf);
    const changed = changes.find(({ action }) => action === 'reload' || action === 'restart');
    if (changed !== undefined) {
      throw new DroverError('DROVER_APP_CHANGED', { app: changed.app, keys: changed.keys.join(', ') });
    }
    const fresh = apps.filter(({ name }) => changes.some(({ app, action }) => app === name && action === 'start'));
    for (const config of fresh) this.apps.set(config.name, { config, file, isStopped: false });
    return this.operate(
      'start',
      fresh.map(({ name }) => name),
    );
  };
  apply = async ({ file, apps, prune }: { file: string | null; apps: readonly AppConfig[]; prune: boolean }) => {
    if (apps.length === 0 && !prune) throw new DroverError('DROVER_PRUNE_REFUSED');
    for (const config of apps) this.apps.set(config.name, { config, file, isStopped: false });
    return this.operate(
      'apply',
      apps.map(({ name }) => name),
    );
  };
  startStopped = async (target: Target) => this.operate('start', this.names(target));
  reload = async (target: Target) => this.operate('reload', this.names(target));
  restart = async (target: Target) => this.operate('restart', this.names(target));
  stop = async (target: Target, { request }: CallContext) => {
    if (request !== null) this.requests.push(request);
    return this.operate('stop', this.names(target));
  };
  delete = async (target: Target, { request }: CallContext) => {
    if (request !== null) this.requests.push(request);
    return this.operate('delete', this.names(target));
  };
  scale = async (app: string, request: object) => {
    this.find(app);
    this.calls.push(JSON.stringify(request));
    return this.operate('scale', [app]);
  };
  signal = async (target: Target, signal: NodeJS.Signals) => ({
    signal,
    workers: this.names(target).map((name) => ({ worker: `${name}/0`, pid: 4242 })),
  });

  listOperations = async () => [...this.operations.values()];
  getOperation = async (id: string) => {
    const operation = this.operations.get(id);
    if (operation === undefined) throw new DroverError('DROVER_OPERATION_UNKNOWN', { operation: id });
    return operation;
  };
  abortOperation = async (id: string) => {
    this.outcome = 'aborted';
    return this.getOperation(id);
  };
  async *watchOperation(id: string): AsyncGenerator<OperationDocument> {
    const operation = await this.getOperation(id);
    yield operation;
    const receipt = receiptOf(id, operation.app, this.outcome);
    const done: OperationDocument = { ...operation, status: 'done', endedAt: AT, phase: 'done', receipt };
    this.operations.set(id, done);
    yield done;
  }

  async *logs(query: LogQuery): AsyncGenerator<LogLineDocument> {
    this.logQuery = query;
    for (const line of this.logLines) {
      this.pulled += 1;
      yield line;
    }
  }
  flushLogs = async (target: Target) => ({ apps: this.names(target), freedBytes: 2048 });
  async *events(): AsyncGenerator<EventDocument> {
    for (const event of this.eventList) yield event;
  }
  configureDaemon = async (config: DaemonConfig, _context: CallContext) => {
    this.calls.push(`configure ${JSON.stringify(config)}`);
  };
  shutdown = async (_request: { keepWorkers: boolean }, _context: CallContext) => {
    this.isShutDown = true;
  };
  upgrade = async ({ program }: { program: string }, _context: CallContext) => {
    this.calls.push(`upgrade ${program}`);
    return { upgrade: null };
  };
}
