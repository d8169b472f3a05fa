/**
 * The typed client of the daemon's API. Light on purpose: the CLI's start-up is its first user. Every method throws
 * `DroverError` with a code of the catalogue.
 */
import { DroverError } from '../protocol/index.ts';
import type {
  AlertsDocument,
  AlertTestsDocument,
  SilenceDocument,
  SilenceRequest,
  SloDocument,
  AppConfig,
  AppDetailDocument,
  AppListDocument,
  DaemonDocument,
  EnvDocument,
  EventDocument,
  DaemonConfig,
  FlushDocument,
  HealthDocument,
  LogLineDocument,
  OperationDocument,
  OperationListDocument,
  PlanDocument,
  SignalDocument,
  UpgradeStartDocument,
  WhyDocument,
} from '../protocol/index.ts';
import { askUntilAnswered, newRequestKey } from './daemon-return.ts';
import { changePatiently, type Patience } from './patient-change.ts';
import { readEvents } from './event-stream.ts';
import { followAgain, LineMemory } from './follow-again.ts';
import { ownHome } from './home.ts';
import { call, type Connection, type Exchange, open, readText } from './http.ts';
import { watchOperation } from './watch-operation.ts';

type Environment = Readonly<Record<string, string>>;

export interface LogRequest {
  /** An app or a worker (`shop/2`); left out: all apps. */
  readonly target?: string | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly grep?: string | undefined;
  /** `debug`, `warn` and so on: this and above. */
  readonly level?: string | undefined;
  readonly lines?: number | undefined;
  readonly follow?: boolean | undefined;
}

export interface EventRequest {
  readonly app?: string | undefined;
  readonly afterSeq?: number | undefined;
  readonly limit?: number | undefined;
  readonly follow?: boolean | undefined;
}

/** Targets are an app (`shop`), a worker (`shop/2`) or `all`. */
export interface DroverClient {
  readonly socketPath: string;
  list(): Promise<AppListDocument>;
  show(app: string): Promise<AppDetailDocument>;
  env(app: string): Promise<EnvDocument>;
  /** `target`: an app or a worker; left out: every app. */
  health(target?: string): Promise<HealthDocument>;
  why(app: string): Promise<WhyDocument>;
  daemonStatus(): Promise<DaemonDocument>;
  metrics(): Promise<string>;
  slo(app?: string): Promise<SloDocument>;
  alerts(): Promise<AlertsDocument>;
  silenceAlerts(silence: SilenceRequest): Promise<SilenceDocument>;
  expireSilence(id: string): Promise<SilenceDocument>;
  /** Null: each receiver. */
  testAlerts(receiver: string | null): Promise<AlertTestsDocument>;
  retryDelivery(id: string): Promise<void>;
  dropDelivery(id: string): Promise<void>;
  plan(file: string | null, apps: readonly AppConfig[], prune: boolean): Promise<PlanDocument>;
  start(file: string | null, apps: readonly AppConfig[]): Promise<readonly OperationDocument[]>;
  apply(file: string | null, apps: readonly AppConfig[], prune: boolean): Promise<readonly OperationDocument[]>;
  startStopped(target: string, callerEnv: Environment | null): Promise<readonly OperationDocument[]>;
  reload(target: string, callerEnv: Environment | null): Promise<readonly OperationDocument[]>;
  restart(target: string, callerEnv: Environment | null): Promise<readonly OperationDocument[]>;
  stop(target: string): Promise<readonly OperationDocument[]>;
  delete(target: string): Promise<readonly OperationDocument[]>;
  scale(app: string, to: { to: number | 'max' } | { by: number }): Promise<readonly OperationDocument[]>;
  signal(target: string, signal: string): Promise<SignalDocument>;
  operations(app?: string): Promise<readonly OperationDocument[]>;
  operation(id: string): Promise<OperationDocument>;
  abortOperation(id: string): Promise<OperationDocument>;
  /** Follows an operation to its end, through restarts of the daemon. */
  watchOperation(id: string, signal?: AbortSignal): AsyncIterable<OperationDocument>;
  logs(request: LogRequest, signal?: AbortSignal): AsyncIterable<LogLineDocument>;
  events(request: EventRequest, signal?: AbortSignal): AsyncIterable<EventDocument>;
  flushLogs(target: string): Promise<FlushDocument>;
  configureDaemon(config: DaemonConfig): Promise<void>;
  shutdown(keepWorkers: boolean): Promise<void>;
  /** Lets the daemon become the program in this folder of its home; answered before it does. */
  upgrade(program: string): Promise<UpgradeStartDocument>;
}

export interface ClientOptions {
  /** Default: the socket of this process's Drover home. */
  readonly socketPath?: string;
  /** How long the daemon may take to answer; streams and waits have no limit once they began. */
  readonly timeoutMs?: number;
  /** Given what the daemon wants its user to know, beside any answer. */
  readonly onNotice?: (text: string) => void;
  /** Given the daemon's version, with each answer. */
  readonly onVersion?: (version: string) => void;
  /** The trace that its requests are a part of, as in W3C Trace Context. */
  readonly traceparent?: string | undefined;
}

/** A change is answered when it is recorded, which takes longer than a look; a daemon that is stopped never answers. */
const CHANGE_TIMEOUT_MS = 30_000;

const UPGRADE_TIMEOUT_MS = 60_000;

/** A client of the daemon on this machine. Connects anew for each call and holds nothing open. */
export const createClient = (options: ClientOptions = {}): DroverClient => {
  const connection: Connection = {
    socketPath: options.socketPath ?? ownHome().socketPath,
    timeoutMs: options.timeoutMs ?? 10_000,
    onNotice: options.onNotice,
    onVersion: options.onVersion,
    traceparent: options.traceparent,
  };
  const get = <Document>(path: string): Promise<Document> => call(connection, { method: 'GET', path });
  const changing = (method: 'POST' | 'DELETE', path: string, body: unknown): Exchange => ({
    method,
    path,
    timeoutMs: CHANGE_TIMEOUT_MS,
    ...(body === undefined ? {} : { body }),
  });
  const change = <Document>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<Document> =>
    call(connection, changing(method, path, body));
  const patience: Patience = {
    lookEveryMs: connection.timeoutMs,
    look: () => get('/v1/daemon'),
    onWaiting: () => connection.onNotice?.('No answer yet: the change waits for what is under way.'),
  };
  const operate = async (method: 'POST' | 'DELETE', path: string, body?: unknown) => {
    const exchange = { ...changing(method, path, body), timeoutMs: 0, key: newRequestKey() };
    const send = (signal: AbortSignal) => call<OperationListDocument>(connection, { ...exchange, signal });
    return (await askUntilAnswered(() => changePatiently(send, patience))).operations;
  };
  const stream = async function* <Document>(path: string, signal: AbortSignal | undefined): AsyncGenerator<Document> {
    const exchange: Exchange = { method: 'GET', path, signal };
    yield* readEvents<Document>(await open(connection, exchange), connection.socketPath);
  };
  const follow = <Document>(
    isEndless: boolean,
    path: (isAgain: boolean) => string,
    isNews: (document: Document) => boolean,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Document> =>
    isEndless
      ? followAgain({
          open: async (isAgain) => open(connection, { method: 'GET', path: path(isAgain), signal }),
          read: (response) => readEvents<Document>(response, connection.socketPath),
          isNews,
          signal,
        })
      : stream(path(false), signal);
  return {
    socketPath: connection.socketPath,
    list: () => get('/v1/apps'),
    show: async (name) => get(app(name)),
    env: async (name) => get(`${app(name)}/env`),
    health: (target) => get(`/v1/health${toQuery({ app: target })}`),
    why: async (name) => get(`${app(name)}/why`),
    daemonStatus: () => get('/v1/daemon'),
    metrics: async () => readText(await open(connection, { method: 'GET', path: '/metrics' }), connection.socketPath),
    slo: (name) => get(`/v1/slo${toQuery({ app: name })}`),
    alerts: () => get('/v1/alerts'),
    silenceAlerts: (silence) => change('POST', '/v1/alerts/silences', silence),
    expireSilence: (id) => change('DELETE', `/v1/alerts/silences/${encodeURIComponent(id)}`),
    testAlerts: (receiver) => change('POST', '/v1/alerts/test', { receiver }),
    retryDelivery: async (id) => void (await change('POST', `/v1/alerts/undelivered/${encodeURIComponent(id)}/retry`)),
    dropDelivery: async (id) => void (await change('DELETE', `/v1/alerts/undelivered/${encodeURIComponent(id)}`)),
    plan: (file, apps, prune) => change('POST', '/v1/plan', { file, apps, prune }),
    start: (file, apps) => operate('POST', '/v1/start', { file, apps }),
    apply: (file, apps, prune) => operate('POST', '/v1/apply', { file, apps, prune }),
    startStopped: async (target, callerEnv) => operate('POST', `${app(target)}/start`, { callerEnv }),
    reload: async (target, callerEnv) => operate('POST', `${app(target)}/reload`, { callerEnv }),
    restart: async (target, callerEnv) => operate('POST', `${app(target)}/restart`, { callerEnv }),
    stop: async (target) => operate('POST', `${app(target)}/stop`),
    delete: async (target) => operate('DELETE', app(target)),
    scale: async (name, to) => operate('POST', `${app(name)}/scale`, to),
    signal: async (target, signal) => change('POST', `${app(target)}/signal`, { signal }),
    operations: async (name) =>
      (await get<OperationListDocument>(`/v1/operations${toQuery({ app: name })}`)).operations,
    operation: async (id) => get(operation(id)),
    abortOperation: async (id) => change('POST', `${operation(id)}/abort`),
    watchOperation: (id, signal) =>
      watchOperation(() => stream<OperationDocument>(`${operation(id)}/watch`, signal), signal),
    logs(request, signal) {
      const memory = new LineMemory();
      const again = (): LogRequest => {
        const sinceMs = memory.cut(Date.now());
        return sinceMs === null ? request : { ...request, sinceMs, lines: undefined };
      };
      return follow<LogLineDocument>(
        request.follow === true,
        (isAgain) => `/v1/logs${toQuery({ ...(isAgain ? again() : request) })}`,
        (line) => memory.isNews(line),
        signal,
      );
    },
    events(request, signal) {
      let afterSeq = request.afterSeq;
      const again = (): EventRequest => (afterSeq === undefined ? request : { ...request, afterSeq, limit: 100_000 });
      return follow<EventDocument>(
        request.follow === true,
        (isAgain) => `/v1/events${toQuery({ ...(isAgain ? again() : request) })}`,
        ({ seq }) => {
          afterSeq = seq;
          return true;
        },
        signal,
      );
    },
    flushLogs: async (target) => change('POST', `${app(target)}/logs/flush`),
    configureDaemon: async (config) => {
      await change('POST', '/v1/daemon/config', config);
    },
    shutdown: async (keepWorkers) => {
      await change('POST', '/v1/daemon/shutdown', { keepWorkers });
    },
    // The new program tests itself first.
    upgrade: async (program) =>
      call(connection, {
        method: 'POST',
        path: '/v1/daemon/upgrade',
        body: { program },
        timeoutMs: UPGRADE_TIMEOUT_MS,
      }),
  };
};

/** A name as a segment of a path; `.` and `..` would be taken for directories, and nothing for the list. */
const app = (name: string): string => {
  if (/^\.{0,2}$/.test(name)) throw new DroverError('DROVER_APP_UNKNOWN', { app: name });
  return `/v1/apps/${encodeURIComponent(possible(name))}`;
};

/** Such a name or id cannot exist, and would not fit in a request. */
const isTooLong = (name: string): boolean => name.length > 80;

/** The name, for a path or a query. Throws what the daemon would about one that nobody can have. */
const possible = (name: string): string => {
  if (isTooLong(name)) throw new DroverError('DROVER_APP_UNKNOWN', { app: name });
  return name.toWellFormed();
};

const operation = (id: string): string => {
  if (/^\.{0,2}$/.test(id) || isTooLong(id)) throw new DroverError('DROVER_OPERATION_UNKNOWN', { operation: id });
  return `/v1/operations/${encodeURIComponent(id.toWellFormed())}`;
};

const toQuery = (values: Readonly<Record<string, string | number | boolean | undefined>>): string => {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values))
    if (value !== undefined)
      query.set(key, key === 'app' || key === 'target' ? possible(String(value)) : String(value));
  return query.size === 0 ? '' : `?${query.toString()}`;
};
