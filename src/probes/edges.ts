/**
 * What probes need from outside, as narrow interfaces: the worker that is asked, the time, and those who really ask. The
 * daemon supplies the first two; the checks of this machine are in `checks/`, a simulation has its own.
 */
import type { ProbeOutcome, ProbeVerdict } from '../core/index.ts';
import type { AgentReport, ListenAddress, ProbeConfig, ProbeKind, ProbeTarget } from '../protocol/index.ts';

/** Calls a wait off; without effect once it is over. */
export type CallOff = () => void;

export interface ProbeSchedule {
  /** Calls back once after `ms`; it alone keeps no process alive. */
  background(ms: number, call: () => void): CallOff;
  /** In the next turn of the event loop: what has arrived up to now is looked at before. */
  soon(call: () => void): void;
}

/** In what a command of a probe runs: the same as the worker itself. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Null: the daemon's own user. */
  readonly uid: number | null;
  readonly gid: number | null;
}

/** One worker, from the time when it can be asked until it is to go. */
export interface WatchedWorker {
  /** `app/slot`. */
  readonly id: string;
  /** Of its spawn in the slot, from 1. */
  readonly generation: number;
  readonly probes: Readonly<Partial<Record<ProbeKind, ProbeConfig>>>;
  /** Monotonic time of its start: the initial delay counts from there. */
  readonly startedAt: number;
  /** What an earlier daemon or configuration has found. A startup probe that is known to have passed is not asked again. */
  readonly known?: Readonly<Partial<Record<ProbeKind, ProbeVerdict>>>;
  /** The Unix socket that reaches this worker alone; null where there is none. `port` null: the first it listens on. */
  privateSocket(port: number | null): string | null;
  /** Where it listens; null where it does not, or nobody knows. Asked where there is no private socket, and for names. */
  address(port: number | null): ListenAddress | null;
  /** Asked for each command. May throw: then nothing is known of the worker. */
  surroundings(): Surroundings;
  /** The last report of its agent, and the monotonic time at which it came; null before the first. */
  lastReport(): { readonly report: AgentReport; readonly at: number } | null;
}

export interface ProbeResult {
  readonly outcome: ProbeOutcome;
  /** Of the attempt alone, without the wait for its turn. */
  readonly durationMs: number;
  /** Monotonic time of its end. */
  readonly at: number;
  /** Why it did not pass, one line of at most a thousand characters; null where it did. */
  readonly error: string | null;
  /** It passed, in a way that somebody should look at: redirected to another host, or too often. */
  readonly warning: string | null;
}

export interface ProbeListener {
  /** A threshold was reached. Told once for each change. */
  onChange(kind: ProbeKind, verdict: 'passed' | 'failed', detail: string | null): void;
  /** After each attempt, before `onChange`. */
  onResult(kind: ProbeKind, result: ProbeResult): void;
}

/** How a server is reached. */
export type Place =
  /** `authority`: what is said of it where a name is needed, `host:port`. */
  | { readonly kind: 'socket'; readonly path: string; readonly authority: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

export interface CheckAnswer {
  readonly outcome: ProbeOutcome;
  /** Why it did not pass. */
  readonly error: string | null;
  readonly warning: string | null;
}

export interface HttpQuestion {
  readonly target: Extract<ProbeTarget, { kind: 'http' }>;
  readonly place: Place;
  /** The same server's other port, for a redirect to it; null where the worker is not to be reached there. */
  readonly otherPlace: (port: number) => Place | null;
}

export interface CommandQuestion {
  readonly argv: readonly [string, ...string[]];
  readonly surroundings: Surroundings;
}

/**
 * Those who ask. Each answers soon after `signal` is aborted (its reason is `within 1000 ms`), with everything freed that it
 * held (the limits on what may be under way count until then), and never rejects.
 */
export interface ProbeChecks {
  http(question: HttpQuestion, signal: AbortSignal): Promise<CheckAnswer>;
  tcp(place: Place, signal: AbortSignal): Promise<CheckAnswer>;
  exec(question: CommandQuestion, signal: AbortSignal): Promise<CheckAnswer>;
}
