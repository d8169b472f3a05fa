/**
 * What the API serves. The daemon implements {@link DroverService}; the routes translate HTTP to it and back, and
 * tests put a fake in its place. Requests arrive here validated: names are well-formed, configurations complete.
 *
 * Refusals are thrown as `DroverError` from the catalogue. Whatever changes something returns its operations as soon as
 * they are recorded, without waiting for their end; `watchOperation` tells the rest.
 */
import type {
  AlertsDocument,
  AlertTestsDocument,
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
  PlanDocument,
  RequestKey,
  SignalDocument,
  SilenceDocument,
  SilenceRequest,
  SloDocument,
  UpgradeStartDocument,
  WhyDocument,
} from '../protocol/index.ts';

/** Who calls, by the socket's peer credentials; null where the system does not tell. */
export interface Caller {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What accompanies each call besides its arguments. */
export interface CallContext {
  readonly caller: Caller | null;
  /** Aborted when the client goes away. Streams end then; operations, once recorded, go on. */
  readonly signal: AbortSignal;
  /** The key of a request that may be sent again; null where the client gave none. What it began is not begun twice. */
  readonly request: RequestKey | null;
  /** What the client takes, as its header field has it; null: anything. */
  readonly accept: string | null;
}

/** An app by name, one worker by its id (`shop/2`), or everything. */
export type Target =
  | { readonly kind: 'app'; readonly app: string }
  | { readonly kind: 'worker'; readonly app: string; readonly slot: number }
  | { readonly kind: 'all' };

/** Where configurations came from: the absolute path of their file, or null for a bare script or program. */
export interface AppsRequest {
  readonly file: string | null;
  readonly apps: readonly AppConfig[];
}

export interface ApplyRequest extends AppsRequest {
  /** Remove the apps of this file that it no longer lists, even when it lists none. */
  readonly prune: boolean;
}

/**
 * The caller's whole environment. The daemon keeps of it what the app inherits (`config/`, `selectCallerEnv`);
 * null: the app keeps what it inherited before.
 */
export interface RenewRequest {
  readonly callerEnv: Readonly<Record<string, string>> | null;
}

export type ScaleRequest = { readonly to: number | 'max' } | { readonly by: number };

export interface LogQuery {
  /** Null: all apps. A worker target gives that worker's lines only. */
  readonly target: Exclude<Target, { kind: 'all' }> | null;
  /** Wall-clock bounds in milliseconds, `since` included, `until` excluded. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Source of a regular expression that compiles; only records (a stack trace is one) of which a line matches. */
  readonly grep: string | null;
  /** Only records of this level or above: 10 is trace, 60 is fatal. */
  readonly level: number | null;
  /** The last so many (matching) lines before following; null: all of them. */
  readonly lines: number | null;
  readonly follow: boolean;
}

export interface EventQuery {
  readonly app: string | null;
  /** Only events with a higher sequence number; null: the last `limit`. */
  readonly afterSeq: number | null;
  readonly limit: number;
  readonly follow: boolean;
}

export const METRICS_SCOPES = ['mixed', 'app', 'worker'] as const;

export interface MetricsRequest {
  readonly accept: string | null;
  readonly scope: (typeof METRICS_SCOPES)[number];
  readonly app: string | null;
}

export interface DroverService {
  list(): Promise<AppListDocument>;
  show(app: string): Promise<AppDetailDocument>;
  /** The environment as the worker would get it now. Values are unmasked: the routes mask them. */
  env(app: string): Promise<EnvDocument>;
  /** Throws DROVER_APP_UNKNOWN, DROVER_WORKER_UNKNOWN. */
  health(target: Target): Promise<HealthDocument>;
  why(app: string): Promise<WhyDocument>;
  daemonStatus(): Promise<DaemonDocument>;
  /** Prometheus text or OpenMetrics, as `accept` has it. */
  metrics(request: MetricsRequest): Promise<{ readonly type: string; readonly text: string }>;
  slo(app: string | null): Promise<SloDocument>;
  alerts(): Promise<AlertsDocument>;
  /** Throws DROVER_SILENCE_INVALID. */
  silenceAlerts(silence: SilenceRequest, context: CallContext): Promise<SilenceDocument>;
  /** Throws DROVER_SILENCE_UNKNOWN. */
  expireSilence(id: string, context: CallContext): Promise<SilenceDocument>;
  /** Null: each receiver. Throws DROVER_RECEIVER_UNKNOWN. */
  testAlerts(receiver: string | null, context: CallContext): Promise<AlertTestsDocument>;
  /** Throw DROVER_DELIVERY_UNKNOWN. */
  retryDelivery(id: string, context: CallContext): Promise<void>;
  dropDelivery(id: string, context: CallContext): Promise<void>;

  /** What `apply` would do; changes nothing. Throws DROVER_APP_EXISTS, never DROVER_PRUNE_REFUSED. */
  plan(request: ApplyRequest): Promise<PlanDocument>;
  /** Starts apps that are new or stopped; unchanged running ones are left out; throws DROVER_APP_CHANGED. */
  start(request: AppsRequest, context: CallContext): Promise<readonly OperationDocument[]>;
  /** Makes the apps of this file equal to it. Throws DROVER_APP_EXISTS, DROVER_PRUNE_REFUSED. */
  apply(request: ApplyRequest, context: CallContext): Promise<readonly OperationDocument[]>;
  /** Starts again what is known and stopped; what runs already is left out. */
  startStopped(target: Target, request: RenewRequest, context: CallContext): Promise<readonly OperationDocument[]>;
  reload(target: Target, request: RenewRequest, context: CallContext): Promise<readonly OperationDocument[]>;
  restart(target: Target, request: RenewRequest, context: CallContext): Promise<readonly OperationDocument[]>;
  stop(target: Target, context: CallContext): Promise<readonly OperationDocument[]>;
  delete(target: Target, context: CallContext): Promise<readonly OperationDocument[]>;
  scale(app: string, request: ScaleRequest, context: CallContext): Promise<readonly OperationDocument[]>;
  /** Sends a signal to live workers. The name is one of `os.constants.signals`. */
  signal(target: Target, signal: NodeJS.Signals, context: CallContext): Promise<SignalDocument>;

  listOperations(app: string | null): Promise<readonly OperationDocument[]>;
  getOperation(id: string): Promise<OperationDocument>;
  /** Asks a running operation to end (outcome `aborted`, or `rolled-back` when something was changed). */
  abortOperation(id: string, context: CallContext): Promise<OperationDocument>;
  /** The operation now, then after each change, ending with the first that is `done`. Throws when unknown. */
  watchOperation(id: string, signal: AbortSignal): AsyncIterable<OperationDocument>;

  /** In time order. Ends by itself unless `follow`; reads no further ahead than it is asked to. */
  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLineDocument>;
  flushLogs(target: Target, context: CallContext): Promise<FlushDocument>;
  events(query: EventQuery, signal: AbortSignal): AsyncIterable<EventDocument>;

  /** Ends the daemon (and its guard) after the answer was sent; stops the workers first unless they are kept. */
  configureDaemon(config: DaemonConfig, context: CallContext): Promise<void>;
  shutdown(request: { readonly keepWorkers: boolean }, context: CallContext): Promise<void>;
  /**
   * Becomes the program in this folder after the answer was sent. Throws DROVER_DOWNGRADE, DROVER_UPGRADE_REFUSED and
   * DROVER_UPGRADE_IMPOSSIBLE; then nothing has changed.
   */
  upgrade(request: { readonly program: string }, context: CallContext): Promise<UpgradeStartDocument>;
}
