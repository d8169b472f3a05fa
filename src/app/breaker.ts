/**
 * A circuit breaker around a call to something that may be away: `opossum`, loaded with the first call, wired to health
 * (open is a warning, because the app is degraded and not down) and metrics. The options are opossum's, and so are their
 * defaults, but for one: fewer than five calls in the window open nothing (opossum: one failed call does), after the five
 * errors in a row of Envoy's outlier detection.
 */
import type CircuitBreaker from 'opossum';
import type { Reading } from './check.ts';
import type { Health } from './health.ts';
import type { Counter, MetricOptions } from './metric.ts';
import type { MetricRegistry } from './metrics.ts';

export interface BreakerOptions<Args extends unknown[], Result> {
  /** In health and metrics; default the function's name. */
  readonly name?: string;
  /** Milliseconds after which a call has failed; default 10,000. False: none. */
  readonly timeout?: number | false;
  /** Percentage of failed calls in the window from which it opens; default 50. */
  readonly errorThresholdPercentage?: number;
  /** Milliseconds until an open breaker tries one call again; default 30,000. */
  readonly resetTimeout?: number;
  /** Milliseconds of the window; default 10,000. */
  readonly rollingCountTimeout?: number;
  /** Parts of the window; default 10. */
  readonly rollingCountBuckets?: number;
  /** Calls in the window below which it does not open; default 5. */
  readonly volumeThreshold?: number;
  /** Calls at a time; more are refused. Default no bound. */
  readonly capacity?: number;
  /** True for errors that are the caller's own (a 404, say) and say nothing about the other side. */
  readonly errorFilter?: (error: unknown) => boolean;
  /** Answers instead, with the error and the arguments, where the call failed or was refused. */
  readonly fallback?: (...args: [...Args, Error]) => Result | Promise<Result>;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface Breaker<Args extends unknown[], Result> {
  /** Calls the function, unless the breaker is open. */
  (...args: Args): Promise<Result>;
  readonly fire: (...args: Args) => Promise<Result>;
  readonly breakerName: string;
  readonly state: BreakerState;
  /** Opens it, and closes it, by hand. */
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** Calls `listener` at each change of the state. The returned function ends that. */
  readonly onState: (listener: (state: BreakerState) => void) => () => void;
  /** Ends its timers, and takes it out of health. */
  readonly shutdown: () => void;
}

export interface BreakerSite {
  readonly health: Health;
  readonly metrics: MetricRegistry;
  readonly wallMs: () => number;
}

const MINIMUM_CALLS = 5;
const STATE_METRIC: MetricOptions = {
  help: 'State of a circuit breaker: 0 closed, 1 half-open, 2 open.',
  labels: ['breaker'],
  aggregator: 'max',
};
const CALLS_METRIC: MetricOptions = {
  help: 'Calls through a circuit breaker by outcome: success, failure, timeout, refused.',
  labels: ['breaker', 'outcome'],
};
const STATE_VALUES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

export function createBreaker<Args extends unknown[], Result>(
  call: (...args: Args) => Promise<Result> | Result,
  options: BreakerOptions<Args, Result>,
  site: BreakerSite,
): Breaker<Args, Result> {
  if (typeof call !== 'function') throw new TypeError('breaker takes a function');
  const name = options.name ?? (call.name || 'anonymous');
  const watch = new BreakerWatch(name, site);
  let circuit: Promise<CircuitBreaker<Args, Result>> | null = null;
  let isShutDown = false;
  // Loaded with the first call: an app that never makes it has not paid for it.
  const load = async (): Promise<CircuitBreaker<Args, Result>> =>
    (circuit ??= import('opossum').then(({ default: Circuit }) => {
      const made = new Circuit<Args, Result>(async (...args) => call(...args), toOpossum(name, options));
      watch.attach(made as unknown as CircuitBreaker<never>, (error) => Circuit.isOurError(error));
      if (options.fallback !== undefined) made.fallback(options.fallback);
      if (isShutDown) made.shutdown();
      return made;
    }));
  const fire = async (...args: Args): Promise<Result> => (await load()).fire(...args);
  return Object.defineProperties(fire, {
    fire: { value: fire },
    breakerName: { value: name },
    state: { get: () => watch.state },
    open: { value: async () => (await load()).open() },
    close: { value: async () => (await load()).close() },
    onState: { value: (listener: (state: BreakerState) => void) => watch.onState(listener) },
    shutdown: {
      value: () => {
        isShutDown = true;
        watch.close();
        void circuit?.then((made) => made.shutdown());
      },
    },
  }) as Breaker<Args, Result>;
}

function toOpossum<Args extends unknown[], Result>(
  name: string,
  options: BreakerOptions<Args, Result>,
): CircuitBreaker.Options<Args> {
  const { fallback: _own, ...rest } = options;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  // Its percentiles are kept by call; latency is what the app's own metrics are for.
  return { volumeThreshold: MINIMUM_CALLS, rollingPercentilesEnabled: false, ...given, name };
}

/** What is known of a breaker outside. */
class BreakerWatch {
  readonly #name: string;
  readonly #site: BreakerSite;
  readonly #calls: Counter;
  readonly #listeners = new Set<(state: BreakerState) => void>();
  readonly #unwatch: () => void;
  #since: number;
  #lastError: string | null = null;
  state: BreakerState = 'closed';

  constructor(name: string, site: BreakerSite) {
    this.#name = name;
    this.#site = site;
    this.#since = site.wallMs();
    this.#calls = site.metrics.counter('drover_breaker_calls_total', CALLS_METRIC);
    this.#unwatch = site.health.observe(`breaker:${name}`, { critical: false, read: () => this.#read() });
    this.#show();
  }

  /** `isOurs`: an error that opossum made, of a timeout or of a call that was refused. */
  attach(circuit: CircuitBreaker<never>, isOurs: (error: Error) => boolean): void {
    circuit.on('open', () => this.#move('open'));
    circuit.on('halfOpen', () => this.#move('half-open'));
    circuit.on('close', () => this.#move('closed'));
    circuit.on('success', () => this.#count('success'));
    circuit.on('timeout', () => this.#count('timeout'));
    circuit.on('reject', () => this.#count('refused'));
    circuit.on('semaphoreLocked', () => this.#count('refused'));
    circuit.on('failure', (error) => {
      this.#lastError = error instanceof Error ? error.message.slice(0, 200) : null;
      // Timeouts, and calls that were refused, are told as failures as well.
      if (!(error instanceof Error && isOurs(error))) this.#count('failure');
    });
  }

  onState(listener: (state: BreakerState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#unwatch();
    this.#site.metrics.gauge('drover_breaker_state', STATE_METRIC).remove({ breaker: this.#name });
  }

  #move(state: BreakerState): void {
    if (state === this.state) return;
    this.state = state;
    this.#since = this.#site.wallMs();
    this.#show();
    this.#site.health.changed();
    for (const listener of this.#listeners) listener(state);
  }

  #show(): void {
    this.#site.metrics
      .gauge('drover_breaker_state', STATE_METRIC)
      .set({ breaker: this.#name }, STATE_VALUES[this.state]);
  }

  #count(outcome: 'success' | 'failure' | 'timeout' | 'refused'): void {
    this.#calls.inc({ breaker: this.#name, outcome });
  }

  #read(): Reading {
    const isClosed = this.state === 'closed';
    return {
      status: isClosed ? 'pass' : 'warn',
      observedValue: this.state,
      observedUnit: null,
      componentType: 'component',
      output: isClosed ? null : `the breaker is ${this.state}${this.#lastError === null ? '' : `: ${this.#lastError}`}`,
      timeMs: this.#since,
      durationMs: 0,
      ageMs: 0,
      intervalMs: null,
    };
  }
}
