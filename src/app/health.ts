/**
 * What the process knows of its own health: the checks that the app has registered, and what other parts of the library
 * add (an open breaker, a budget that is exceeded). Decides nothing but how that adds up; who acts on it is the daemon, an
 * orchestrator that reads `/health/ready`, or the app.
 */
import type { AppCheck, Clock } from '../protocol/index.ts';
import { Check, toAppCheck, type CheckFunction, type CheckOptions, type Reading } from './check.ts';

/** Something with a place among the checks that is not run but looked at. */
export interface HealthSource {
  readonly critical: boolean;
  readonly read: () => Reading;
}

export interface HealthStatus {
  /** `critical`: a critical check fails. `degraded`: any other does. */
  readonly status: 'healthy' | 'degraded' | 'critical';
  /** In words; null where it is healthy. */
  readonly reason: string | null;
  readonly checks: readonly AppCheck[];
}

export interface NamedReading extends Reading {
  readonly name: string;
  readonly critical: boolean;
}

export class Health {
  readonly #clock: Clock;
  readonly #checks = new Map<string, Check>();
  readonly #sources = new Map<string, HealthSource>();
  readonly #listeners = new Set<(isNews: boolean) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Runs `run` now and at its interval, and counts its outcome from then on. A check of the same name is replaced. The
   * returned function takes it away again.
   */
  register(name: string, run: CheckFunction, options: CheckOptions = {}): () => void {
    if (typeof name !== 'string' || name === '') throw new TypeError('A check needs a name');
    const check = new Check(name, run, options, this.#clock, (isNews) => this.changed(isNews));
    this.#checks.get(name)?.close();
    this.#checks.set(name, check);
    check.start();
    this.changed();
    return () => {
      check.close();
      if (this.#checks.get(name) === check) this.#checks.delete(name);
      this.changed();
    };
  }

  /** Adds what is looked at whenever it is asked for. */
  observe(name: string, source: HealthSource): () => void {
    this.#sources.set(name, source);
    this.changed();
    return () => {
      if (this.#sources.get(name) === source) this.#sources.delete(name);
      this.changed();
    };
  }

  /** How it stands, from the last run of each check; runs none. */
  status(): HealthStatus {
    const readings = this.readings();
    const failing = readings.filter(({ status }) => status === 'fail' || status === 'warn');
    const critical = failing.filter(({ critical, status }) => critical && status === 'fail');
    const worst = critical.length > 0 ? critical : failing;
    return {
      status: critical.length > 0 ? 'critical' : failing.length > 0 ? 'degraded' : 'healthy',
      reason: worst.length === 0 ? null : worst.map(wordsOf).join('; '),
      checks: readings.map((reading) => toAppCheck(reading.name, reading.critical, reading)),
    };
  }

  /** Runs all checks now, and says how it stands then. */
  async check(): Promise<HealthStatus> {
    await Promise.all([...this.#checks.values()].map(async (check) => check.run()));
    return this.status();
  }

  /** Resolves when each check has an outcome: at once, but for the first moments after a registration. */
  async settled(): Promise<void> {
    await Promise.all([...this.#checks.values()].map(async (check) => check.settled()));
  }

  readings(): NamedReading[] {
    const sources = [...this.#checks, ...this.#sources];
    return sources.map(([name, source]) => ({ name, critical: source.critical, ...source.read() }));
  }

  /** The checks that fail, with what the app shall degrade to meanwhile. */
  failing(): Check[] {
    return [...this.#checks.values()].filter((check) => check.read().status === 'fail');
  }

  /** Calls `listener` whenever something may stand differently; `isNews`: a check has turned, or it is confirmed that it has. */
  onChange(listener: (isNews: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  changed(isNews = false): void {
    for (const listener of this.#listeners) listener(isNews);
  }
}

function wordsOf({ name, output }: NamedReading): string {
  return output === null ? `${name} fails` : `${name}: ${output}`;
}
