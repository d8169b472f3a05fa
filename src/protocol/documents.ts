/**
 * The JSON documents that users and programs read (CONTRACT.md, "JSON documents"). These names are public: fields may
 * be added, never changed. Ids are `app/slot`, times ISO-8601 UTC, sizes bytes, weights 0–100; what cannot be measured
 * is `null`.
 */

import type { ErrorData } from './catalogue.ts';

/** A client that shows notices sends it; an answer has in it, percent-encoded, what its user should know. */
export const NOTICE_HEADER = 'drover-notice';
/** Of every answer: the version of the daemon. */
export const VERSION_HEADER = 'drover-version';

export type AppStatus = 'starting' | 'online' | 'degraded' | 'crash-loop' | 'stopping' | 'stopped' | 'failed';
export type WorkerStatus = 'starting' | 'ready' | 'draining' | 'stopping' | 'exited' | 'backoff';
export type Lane = 'stable' | 'candidate';
export type DispatchLevel = 'exact' | 'classic' | 'shared';

export interface PortDocument {
  readonly host: string | null;
  /** Port number, or null for a Unix socket (then `host` is its path). */
  readonly port: number | null;
  readonly protocol: 'http' | 'https' | 'http2' | 'tls' | 'tcp' | 'unix';
  readonly declared: boolean;
}

export interface WorkerDocument {
  readonly id: string;
  readonly slot: number;
  readonly pid: number | null;
  readonly status: WorkerStatus;
  readonly ready: boolean;
  readonly lane: Lane;
  readonly weight: number;
  readonly release: number;
  readonly startedAt: string | null;
  readonly restarts: number;
  readonly cpuPercent: number | null;
  readonly rssBytes: number | null;
  readonly heapUsedBytes: number | null;
  readonly eventLoopUtilization: number | null;
  readonly connections: number | null;
  readonly inFlight: number | null;
  readonly acceptQueue: number | null;
  /** Of about the last ten seconds; null where nothing was answered in them, or no agent counts. */
  readonly requestsPerSecond: number | null;
  readonly latencyMs: LatencyDocument;
  /** Share of what was answered in that time that failed (500 and above), 0–1. */
  readonly errorShare: number | null;
  /** Why it is in this state, in words; null when there is nothing to say. */
  readonly reason: string | null;
  /** The version of Node it runs, null for other programs. */
  readonly node: string | null;
  /** Output that a full disk kept out of its log, since it started; null while there was none. */
  readonly logDropped: LogDropDocument | null;
}

export interface LogDropDocument {
  readonly lines: number;
  readonly bytes: number;
  /** Still, or until a few seconds ago. */
  readonly dropping: boolean;
  /** What the system said: `ENOSPC`, `EDQUOT`, `EIO` or `EROFS`. */
  readonly code: string;
}

export interface AppDocument {
  readonly name: string;
  readonly status: AppStatus;
  readonly reason: string | null;
  readonly release: number;
  readonly instances: number;
  readonly ports: readonly PortDocument[];
  readonly workers: readonly WorkerDocument[];
}

export interface AppListDocument {
  readonly apps: readonly AppDocument[];
}

/** `drover show`: one app in depth. */
export interface AppDetailDocument extends AppDocument {
  /** Where its configuration came from: a file path, or null for a bare script. */
  readonly file: string | null;
  readonly config: unknown;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly logs: { readonly directory: string };
  readonly dispatch: DispatchLevel;
  readonly lastOperation: OperationDocument | null;
  /** The newest end of a worker that nobody asked for, where it printed anything before; null where there is none. */
  readonly lastCrash: CrashDocument | null;
}

export interface CrashDocument {
  readonly at: string;
  readonly worker: string;
  readonly reason: string | null;
  /** What it printed last, both streams, oldest first. */
  readonly lastLines: readonly string[];
}

export interface DaemonDocument {
  readonly running: boolean;
  readonly pid: number | null;
  readonly version: string | null;
  readonly startedAt: string | null;
  readonly home: string;
  readonly rssBytes: number | null;
  readonly apps: number | null;
  readonly workers: number | null;
  readonly dispatch: DispatchLevel | null;
  readonly guardPid: number | null;
  /** The systemd unit that the daemon is; null where a guard of its own brings it back. */
  readonly unit: string | null;
  /** How its state is doing; null when it is not running. */
  readonly state: StateDocument | null;
  /** The files that it runs from; null when it is not running. */
  readonly program: ProgramDocument | null;
  /** How the last upgrade ended; null where there was none. */
  readonly upgrade: UpgradeDocument | null;
}

export interface ProgramDocument {
  readonly directory: string;
  /** False: it runs from where it was installed, for the reason given. */
  readonly isCopy: boolean;
  readonly reason: string | null;
  /** The Node that runs it. */
  readonly node: string;
}

export interface UpgradeDocument {
  readonly id: string;
  /** Versions. */
  readonly from: string;
  readonly to: string;
  /** `rolled-back`: the new version did not come up, and the one before serves. */
  readonly outcome: 'completed' | 'rolled-back';
  readonly reason: string | null;
  readonly at: string;
  readonly durationMs: number;
  /** The folder of what was tried. */
  readonly program: string;
}

/** `drover daemon upgrade`, as the daemon answers it before it becomes another program. */
export interface UpgradeStartDocument {
  /** Null: it runs that program already. */
  readonly upgrade: {
    /** That of the {@link UpgradeDocument} that tells the end. */
    readonly id: string;
    readonly from: string;
    readonly to: string;
  } | null;
}

/** Whether what the daemon knows is on the disk (docs/internals/state.md). */
export interface StateDocument {
  /** `unwritable`: the disk takes nothing; changes are refused, and what happens is kept in memory until it does. */
  readonly status: 'written' | 'unwritable';
  readonly since: string | null;
  readonly reason: string | null;
  /** Records that are only in memory, and events that were too many to be kept. */
  readonly keptRecords: number;
  readonly droppedEvents: number;
  readonly lastBackupAt: string | null;
  /** Why the last backup could not be taken; null when it was. */
  readonly backupFailure: string | null;
  /** A backup took the place of the state's file when this daemon began; null when the file was good. */
  readonly fallBack: {
    readonly at: string;
    readonly reason: string;
    readonly backupAt: string;
    /** Where the damaged file lies; null where there was none, or it could not be moved. */
    readonly setAside: string | null;
  } | null;
}

export interface LatencyDocument {
  readonly p50: number | null;
  readonly p99: number | null;
}

export interface ReceiptStep {
  readonly at: string;
  readonly name: string;
  readonly worker?: string;
  readonly outcome: string;
  readonly detail: string | null;
}

export type ReceiptOutcome = 'completed' | 'rolled-back' | 'aborted' | 'failed';

export interface RequestTotals {
  readonly served: number;
  readonly failed: number;
  readonly lost: number;
  readonly unknown: number;
}

export interface ReceiptDocument {
  readonly operation: string;
  readonly app: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly outcome: ReceiptOutcome;
  readonly reason: string | null;
  readonly durationMs: number;
  readonly requests: RequestTotals & {
    /** HTTP/2 streams refused as retryable; upgraded sockets closed politely; cut at the deadline. */
    readonly refused: number;
    readonly upgradesClosed: number;
    readonly upgradesCut: number;
  };
  readonly latencyMs: {
    readonly before: LatencyDocument;
    readonly during: LatencyDocument;
    readonly after: LatencyDocument;
  };
  readonly steps: readonly ReceiptStep[];
  /** Last log lines of a replacement that never became ready. */
  readonly log?: readonly string[];
}

export type OperationKind = 'start' | 'apply' | 'reload' | 'restart' | 'stop' | 'delete' | 'scale';
export type OperationStatus = 'running' | 'done';

export interface OperationDocument {
  readonly id: string;
  readonly kind: OperationKind;
  readonly app: string;
  readonly status: OperationStatus;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Phase of the machine while it runs, in words. */
  readonly phase: string;
  readonly receipt: ReceiptDocument | null;
}

export type ChangeAction = 'start' | 'reload' | 'restart' | 'stop' | 'none';

export interface ChangeDocument {
  readonly app: string;
  readonly action: ChangeAction;
  /** Configuration keys that differ, dotted; values are never shown. */
  readonly keys: readonly string[];
  /** False where a `reload` only takes over what concerns no running worker (more slots, timeouts). */
  readonly replaces: boolean;
}

export interface PlanDocument {
  readonly changes: readonly ChangeDocument[];
}

export interface ConfigProblem {
  readonly path: string;
  readonly value: unknown;
  readonly message: string;
  readonly suggestion: string | null;
}

export interface ConfigCheckDocument {
  readonly valid: boolean;
  readonly errors: readonly ConfigProblem[];
}

/** Closed list; `docs/events.md` explains each. */
export const EVENT_TYPES = [
  'daemon-started',
  'daemon-recovered',
  'daemon-stopping',
  'daemon-upgrading',
  'daemon-upgraded',
  'daemon-upgrade-failed',
  'app-added',
  'app-changed',
  'app-removed',
  'operation-started',
  'operation-resumed',
  'operation-ended',
  'worker-spawned',
  'worker-adopted',
  'descriptors-regained',
  'worker-ready',
  'worker-exited',
  'worker-backoff',
  'worker-draining',
  'worker-drained',
  'worker-killed',
  'worker-start-timeout',
  'worker-hung',
  'worker-signalled',
  'crash-loop',
  'crash-loop-ended',
  'log-dropped',
  'log-drop-ended',
  'port-opened',
  'port-taken',
  'port-vanished',
  'shard-covered',
  'shard-uncovered',
  'state-restored',
  'state-damaged',
  'state-unwritable',
  'state-written',
  'worker-stray',
  'output-lost',
  'worker-blocked',
  'worker-unblocked',
  'probe-failed',
  'probe-passed',
  'probe-warned',
  'check-failed',
  'check-passed',
  'worker-ejected',
  'worker-returned',
  'health-changed',
  'degrade-changed',
  'budget-exceeded',
  'budget-met',
  'worker-recovering',
  'worker-recycled',
  'worker-quarantined',
  'heal-held-back',
  'alert-firing',
  'alert-resolved',
  'alert-undelivered',
  'metrics-left-out',
  'defect',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface EventDocument {
  readonly seq: number;
  readonly at: string;
  readonly app: string | null;
  readonly worker?: string;
  readonly type: EventType;
  readonly reason: string | null;
  /** With `correlation`, the same in all events that belong together, in most. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface WhyDocument {
  readonly app: string;
  readonly chain: readonly {
    readonly at: string;
    readonly event: string;
    readonly because: string;
    /** The same for what belongs together: one operation, or one trouble of a worker with what was done about it. */
    readonly correlation?: string;
    /** Of the newest crash: what the worker printed last. */
    readonly lastLines?: readonly string[];
  }[];
  readonly summary: string;
}

export interface LogLineDocument {
  readonly at: string;
  readonly app: string;
  readonly worker: string;
  readonly stream: 'stdout' | 'stderr';
  readonly line: string;
}

export interface EnvDocument {
  readonly app: string;
  /** Values of secrets are masked. */
  readonly env: Readonly<Record<string, string>>;
}

/** `drover signal`: the workers that were sent it. */
export interface SignalDocument {
  readonly signal: string;
  readonly workers: readonly { readonly worker: string; readonly pid: number }[];
}

/** `drover logs flush`: the apps whose logs were emptied (where a worker was meant, its own), and what that freed. */
export interface FlushDocument {
  readonly apps: readonly string[];
  readonly freedBytes: number;
}

/** What a change has set going: one operation for each app, none for apps that are as wanted already. */
export interface OperationListDocument {
  readonly operations: readonly OperationDocument[];
}

export interface ErrorDocument {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly docs: string;
    /** What filled the message, so that a client can tell the same error again. */
    readonly data: ErrorData;
  };
}
