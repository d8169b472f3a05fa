/**
 * One check that the app has registered: run at its interval, one run at a time, each within its timeout; what is asked of
 * it in between is answered from the last run. Keeps no process alive.
 *
 * A run that takes too long counts as failed and is told so by its signal. What does not stop then is left alone for as
 * long as three intervals, because a second run beside the first would only add to what hangs; after that it is given up:
 * its outcome is nobody's, and nothing here refers to it any more.
 */
import type { AppCheck, Clock } from '../protocol/index.ts';

/** What a check may answer instead of just returning or throwing: the words of `application/health+json`. */
export interface CheckAnswer {
  readonly status: 'pass' | 'warn' | 'fail';
  readonly observedValue?: unknown;
  readonly observedUnit?: string;
  readonly componentType?: string;
  /** Why, where it is not `pass`. */
  readonly output?: string;
}

/**
 * Passes by returning anything else than `false`; fails by throwing, rejecting, returning `false` or an answer of
 * `fail`. `signal` is aborted at the timeout.
 */
export type CheckFunction = (signal: AbortSignal) => unknown;

export interface CheckOptions {
  /** While a critical check fails the process is not ready. Default false: then it counts as degraded. */
  readonly critical?: boolean;
  /** Milliseconds; default 1,000, as of a Kubernetes probe. */
  readonly timeout?: number;
  /** Milliseconds from the end of a run to the next, a quarter of it where the outcome has turned; default 10,000. */
  readonly interval?: number;
  /** What the app degrades to while it fails, where no daemon decides. Default `cache-only` for critical ones, else none. */
  readonly degradeTo?: 'shed' | 'cache-only' | 'read-only' | null;
}

/** How something that has a place in the health document stands. */
export interface Reading {
  readonly status: 'pass' | 'warn' | 'fail' | 'unknown';
  readonly observedValue: unknown;
  readonly observedUnit: string | null;
  readonly componentType: string | null;
  readonly output: string | null;
  /** Of the wall clock; null before the first. */
  readonly timeMs: number | null;
  readonly durationMs: number;
  readonly ageMs: number;
  /** How often it is looked at anew; null where whenever it is asked for. */
  readonly intervalMs: number | null;
}

const DEFAULT_TIMEOUT_MS = 1000;
const DEFAULT_INTERVAL_MS = 10_000;
const INTERVALS_TO_GIVE_UP = 3;
/**
 * After an outcome that is not what the one before was, the next run confirms it sooner, as `fastinter` of HAProxy's
 * checks does: one bad outcome in a row is chance, two are told.
 */
const CONFIRMED_SOONER = 4;
const MAX_OUTPUT_LENGTH = 500;

type Outcome = CheckAnswer & { readonly at: number; readonly timeMs: number; readonly durationMs: number };

export class Check {
  readonly name: string;
  readonly critical: boolean;
  readonly degradeTo: 'shed' | 'cache-only' | 'read-only' | null;
  readonly #run: CheckFunction;
  readonly #timeoutMs: number;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  readonly #onOutcome: (isNews: boolean) => void;
  #outcome: Outcome | null = null;
  /** The last outcome waits to be confirmed. */
  #isTurning = false;
  /** The run under way, until its outcome is known: at the latest at its timeout. */
  #current: Promise<void> | null = null;
  /** When a run began that has timed out and not ended since. */
  #hangingSince: number | null = null;
  #runNumber = 0;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  /** `onOutcome` is told with each outcome whether it turns how the check stands, or confirms that it has turned. */
  constructor(
    name: string,
    run: CheckFunction,
    options: CheckOptions,
    clock: Clock,
    onOutcome: (isNews: boolean) => void,
  ) {
    if (typeof run !== 'function') throw new TypeError(`The check ${name} is no function`);
    this.name = name;
    this.critical = options.critical ?? false;
    this.degradeTo = options.degradeTo === undefined ? (this.critical ? 'cache-only' : null) : options.degradeTo;
    this.#run = run;
    this.#timeoutMs = positive(name, 'timeout', options.timeout ?? DEFAULT_TIMEOUT_MS);
    this.#intervalMs = positive(name, 'interval', options.interval ?? DEFAULT_INTERVAL_MS);
    this.#clock = clock;
    this.#onOutcome = onOutcome;
  }

  /** Runs it now and from then on at its interval. */
  start(): void {
    void this.run();
  }

  /** Resolves when a run has ended, or has timed out; joins the one that is under way. */
  async run(): Promise<void> {
    if (this.#current === null) {
      this.#current = this.#runOnce();
      void this.#current.then(() => (this.#current = null));
    }
    return this.#current;
  }

  /** Resolves when there is an outcome. */
  async settled(): Promise<void> {
    if (this.#outcome === null) await this.run();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  read(): Reading {
    const outcome = this.#outcome;
    return {
      status: outcome?.status ?? 'unknown',
      observedValue: outcome?.observedValue ?? (outcome === null ? null : Math.round(outcome.durationMs)),
      observedUnit:
        outcome === null ? null : outcome.observedValue === undefined ? 'ms' : (outcome.observedUnit ?? null),
      componentType: outcome?.componentType ?? null,
      output: outcome?.output ?? null,
      timeMs: outcome?.timeMs ?? null,
      durationMs: outcome?.durationMs ?? 0,
      ageMs: outcome === null ? 0 : this.#clock.monotonicMs() - outcome.at,
      intervalMs: this.#intervalMs,
    };
  }

  async #runOnce(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const startedAt = this.#clock.monotonicMs();
    const outcome = this.#isHanging(startedAt) ? null : await this.#attempt(startedAt);
    if (outcome !== null && !this.#isClosed) {
      const hasTurned = outcome.status !== (this.#outcome?.status ?? 'pass');
      const isNews = hasTurned || this.#isTurning;
      this.#outcome = outcome;
      this.#isTurning = hasTurned;
      this.#onOutcome(isNews);
    }
    const nextMs = this.#isTurning ? this.#intervalMs / CONFIRMED_SOONER : this.#intervalMs;
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.run(), nextMs).unref();
  }

  /** Whether an earlier run is still waited for. */
  #isHanging(at: number): boolean {
    if (this.#hangingSince === null) return false;
    const patienceMs = Math.max(INTERVALS_TO_GIVE_UP * this.#intervalMs, this.#timeoutMs);
    if (at - this.#hangingSince < patienceMs) return true;
    this.#hangingSince = null;
    return false;
  }

  async #attempt(startedAt: number): Promise<Outcome> {
    const number = ++this.#runNumber;
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<CheckAnswer>((resolve) => {
      timer = setTimeout(() => {
        this.#hangingSince = startedAt;
        resolve({ status: 'fail', output: `no answer within ${this.#timeoutMs} ms` });
        abort.abort(new Error(`The check ${this.name} has timed out`));
      }, this.#timeoutMs).unref();
    });
    const own = answerOf(this.#run, abort.signal).finally(() => {
      if (this.#runNumber === number) this.#hangingSince = null;
    });
    const answer = await Promise.race([own, timeout]);
    clearTimeout(timer);
    const at = this.#clock.monotonicMs();
    return { ...answer, at, timeMs: this.#clock.wallMs(), durationMs: at - startedAt };
  }
}

/** Never rejects. */
async function answerOf(run: CheckFunction, signal: AbortSignal): Promise<CheckAnswer> {
  try {
    const value = await run(signal);
    if (value === false) return { status: 'fail', output: 'it answered false' };
    return isAnswer(value) ? tidy(value) : { status: 'pass' };
  } catch (error) {
    return { status: 'fail', output: describe(error).slice(0, MAX_OUTPUT_LENGTH) };
  }
}

/** Read once, here, where it may throw: what stays is small, and JSON can have it. */
function tidy({ status, observedValue, observedUnit, componentType, output }: CheckAnswer): CheckAnswer {
  return {
    status,
    ...(observedValue !== undefined && { observedValue: plainOf(observedValue) }),
    ...(observedUnit !== undefined && { observedUnit: describe(observedUnit).slice(0, MAX_OUTPUT_LENGTH) }),
    ...(componentType !== undefined && { componentType: describe(componentType).slice(0, MAX_OUTPUT_LENGTH) }),
    ...(output !== undefined && output !== null && { output: describe(output).slice(0, MAX_OUTPUT_LENGTH) }),
  };
}

/** Small objects stay what they are; what JSON does not know, or is large, becomes the beginning of its words. */
function plainOf(value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'object') {
    try {
      const text = JSON.stringify(value);
      if (text !== undefined && text.length <= MAX_OUTPUT_LENGTH) return JSON.parse(text) as unknown;
    } catch {
      // Circular, or with something in it that JSON does not know.
    }
  }
  return describe(value).slice(0, MAX_OUTPUT_LENGTH);
}

function isAnswer(value: unknown): value is CheckAnswer {
  const status = typeof value === 'object' && value !== null ? (value as { status?: unknown }).status : undefined;
  return status === 'pass' || status === 'warn' || status === 'fail';
}

/** In words; objects that cannot be made a string have one all the same. */
export function describe(error: unknown): string {
  try {
    // An error's message may be anything: nothing keeps an app from setting it.
    return String(error instanceof Error ? error.message || error.name : error);
  } catch {
    return 'an error without words';
  }
}

function positive(check: string, option: string, value: number): number {
  // Node takes more milliseconds than that for 1.
  if (typeof value === 'number' && value > 0 && value < 2 ** 31) return value;
  throw new TypeError(`${option} of the check ${check} must be a number of milliseconds above 0, not ${String(value)}`);
}

/** As the agent tells it to the daemon, which has no `warn`: what only warns is a failed check that is not critical. */
export function toAppCheck(name: string, critical: boolean, reading: Reading): AppCheck {
  const { status, durationMs, ageMs, intervalMs, output } = reading;
  return {
    name,
    status: status === 'warn' ? 'fail' : status,
    critical: critical && status !== 'warn',
    durationMs,
    ageMs,
    ...(intervalMs !== null && { intervalMs }),
    ...(output !== null && status !== 'pass' && { error: output }),
  };
}
