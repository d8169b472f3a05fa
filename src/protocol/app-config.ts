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
}
