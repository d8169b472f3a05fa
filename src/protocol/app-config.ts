/**
 * One app's configuration after it was validated and completed (`config/`): nothing optional, durations in
 * milliseconds, sizes in bytes, paths absolute (symbolic links kept, so that a changed link takes effect).
 */

export interface NodeCommand {
  readonly kind: 'node';
  /** Absolute path of the script. */
  readonly script: string;
  /** Wanted version, such as `24` or `22.11`; null means the Node that runs Drover's CLI user. */
  readonly node: string | null;
  readonly nodeArgs: readonly string[];
  readonly args: readonly string[];
}

export interface ProgramCommand {
  readonly kind: 'program';
  /** At least one word; the first is looked up in the worker's PATH. */
  readonly argv: readonly [string, ...string[]];
}

export type AppCommand = NodeCommand | ProgramCommand;

/** What a probe asks, of one worker alone. `port` null: the first one that the app listens on. */
export type ProbeTarget =
  | {
      readonly kind: 'http';
      readonly path: string;
      readonly port: number | null;
      /** Another host than the worker itself; then its own server answers for it, not the worker. */
      readonly host: string | null;
      readonly headers: Readonly<Record<string, string>>;
      readonly scheme: 'http' | 'https';
    }
  | { readonly kind: 'tcp'; readonly port: number | null; readonly host: string | null }
  | { readonly kind: 'exec'; readonly argv: readonly [string, ...string[]] }
  /** The critical checks that the app has registered (`drover/app`). */
  | { readonly kind: 'in-process' };

/** Semantics and defaults of Kubernetes' probes. */
export interface ProbeConfig {
  readonly target: ProbeTarget;
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface BudgetConfig {
  readonly max: number;
  /** Beyond it the worker counts as critical, not only degraded. */
  readonly critical: boolean;
}

export const BUDGET_NAMES = ['heapUsedMB', 'rssMB', 'eventLoopLagMs', 'cpuPercent'] as const;
export type BudgetName = (typeof BUDGET_NAMES)[number];

/** A number of workers, or a share of them (0–1). */
export type WorkerShare = { readonly workers: number } | { readonly share: number };

export interface OutlierConfig {
  readonly enabled: boolean;
  /** Failed answers in a row, whatever the peers do. */
  readonly consecutiveErrors: number;
  /** Between two comparisons of a worker with its peers. */
  readonly intervalMs: number;
  /** The first time off; n times as long the n-th time, up to `maxEjectionMs`. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjected: WorkerShare;
}

export interface ObjectiveConfig {
  readonly name: string;
  /** Share of events that must be good, 0–1. */
  readonly target: number;
  readonly windowMs: number;
  readonly indicator:
    | { readonly kind: 'availability' }
    | { readonly kind: 'latency'; readonly thresholdMs: number }
    | { readonly kind: 'ratio'; readonly good: string; readonly total: string };
  /** Fewer events in a window say nothing. */
  readonly minimumEvents: number;
}

export type RestartPolicyName = 'always' | 'on-failure' | 'never';

export interface AppConfig {
  readonly name: string;
  readonly command: AppCommand;
  readonly cwd: string;
  readonly instances: number | 'max';
  /** Ports that must listen before a worker is ready. */
  readonly ports: readonly number[];
  readonly env: Readonly<Record<string, string>>;
  /** Directories in front of the worker's PATH: where the binaries of its package are, as in a script of npm's. */
  readonly binPaths: readonly string[];
  readonly envFile: string | null;
  /** What a configured app inherits from the caller's environment beyond the basic names. */
  readonly inheritEnv: boolean | readonly string[];
  /** The environment that `inheritEnv` (or, for a bare script, the caller's shell) contributed, resolved by the CLI. */
  readonly callerEnv: Readonly<Record<string, string>>;
  readonly dependsOn: readonly string[];
  readonly ready: {
    readonly timeoutMs: number;
    readonly stableForMs: number;
    /** Wait for `process.send('ready')`: always, never, or where an earlier worker of this app sent it. */
    readonly signal: boolean | 'auto';
  };
  readonly restart: {
    readonly policy: RestartPolicyName;
    readonly backoff: { readonly initialMs: number; readonly factor: number; readonly maxMs: number };
    readonly crashLoop: { readonly restarts: number; readonly withinMs: number };
  };
  readonly drain: {
    readonly timeoutMs: number;
    readonly idleGraceMs: number;
    readonly websocket: { readonly code: number; readonly spreadMs: number };
  };
  readonly logs: {
    readonly maxSizeBytes: number;
    readonly keep: number;
    /** Null: age does not matter. */
    readonly maxAgeMs: number | null;
    readonly rotate: 'in-place' | 'rename';
  };
  readonly probes: Readonly<Partial<Record<ProbeKind, ProbeConfig>>>;
  readonly health: {
    /** A worker whose event loop has answered nothing for so long is blocked. */
    readonly blockedAfterMs: number;
    /** A rolling profile at a low rate names what blocked. */
    readonly profile: boolean;
    /** A second thread in each worker names what blocks while it does. */
    readonly watchdog: boolean;
    readonly outliers: OutlierConfig;
  };
  readonly heal: {
    readonly enabled: boolean;
    readonly recoverTimeoutMs: number;
    readonly maxUnavailable: WorkerShare;
    /** Replacements of the app's workers within an hour. */
    readonly perHour: number;
    /** Replacements of one slot in a row that did not help, before it is put in quarantine. */
    readonly quarantineAfter: number;
  };
  readonly budgets: {
    readonly limits: Readonly<Partial<Record<BudgetName, BudgetConfig>>>;
    readonly autoRestart: boolean;
    readonly intervalMs: number;
  };
  readonly slo: readonly ObjectiveConfig[];
  readonly metrics: {
    /** Routes that are told apart; further ones are counted together. */
    readonly routes: number;
    /** Take what the app's own prom-client registries hold. */
    readonly app: boolean;
  };
  readonly trace: {
    /** Every request has a trace id (W3C), continued or new. */
    readonly enabled: boolean;
    /** Lines that a request prints carry it. */
    readonly logs: boolean;
  };
  /** How many replacements start at a time. */
  readonly surge: number | 'auto';
  readonly sticky: boolean;
  /** User name or id the workers run as; null: the daemon's own. */
  readonly user: string | null;
}

/** What a configuration says about the daemon itself. */
export interface DaemonConfig {
  readonly logs: {
    /** Of all apps together. */
    readonly quotaBytes: number;
    /** Space to be left on the disk. */
    readonly minFreeBytes: number | 'auto';
  };
  /** Bare health and metrics over plain HTTP, read-only; null: off. */
  readonly health: { readonly host: string; readonly port: number } | null;
  readonly alerts: readonly ReceiverConfig[];
  /** Where metrics and events are pushed; null: nowhere. */
  readonly otlp: {
    readonly endpoint: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly intervalMs: number;
  } | null;
  readonly metrics: { readonly quotaBytes: number; readonly keepMs: number };
}

export const SEVERITIES = ['page', 'ticket', 'notice'] as const;
/** `page`: somebody must act now; `ticket`: in the next days; `notice`: good to know. */
export type Severity = (typeof SEVERITIES)[number];

/** Whom alerts are delivered to. */
export interface ReceiverConfig {
  readonly target:
    | { readonly kind: 'webhook'; readonly url: string }
    /** The base address of an Alertmanager; its API v2 is used. */
    | { readonly kind: 'alertmanager'; readonly url: string }
    | { readonly kind: 'command'; readonly argv: readonly [string, ...string[]] };
  readonly headers: Readonly<Record<string, string>>;
  readonly severities: readonly Severity[];
  /** Null: of all apps. */
  readonly apps: readonly string[] | null;
  /** How long the first alert of a group waits for others. */
  readonly groupWaitMs: number;
  /** After this time an alert that still fires is told again. */
  readonly repeatMs: number;
}
