/**
 * A process that tries to mend itself before anybody replaces it: looks at thresholds and at its critical checks, and runs
 * the app's recover hooks (drop a cache, open a new pool) in measured steps. Under the daemon it only offers the hooks: when they
 * run is the first rung of the daemon's ladder, which sees all workers and knows whether it helps.
 */
import type { Clock } from '../protocol/index.ts';
import { parseLimits, type BudgetLimits } from './budget.ts';
import type { Health } from './health.ts';
import { HEALTHY, stepHealing, type HealingPolicy, type HealingState } from './healing.ts';
import { within } from './lifecycle.ts';
import type { VitalFigures } from './vitals.ts';

export type RecoverHook = (reason: string) => unknown;

export interface SelfHealingOptions {
  /** Beyond one of them the process is ill. */
  readonly thresholds?: BudgetLimits;
  /** Failing critical checks count as well. Default true. */
  readonly checks?: boolean;
  /** Runs on the way; more by {@link SelfHealing.onRecover}. */
  readonly recover?: RecoverHook;
  /** Milliseconds between two looks; default 10,000. */
  readonly interval?: number;
  /** Bad looks in a row before a recovery; default 3. */
  readonly after?: number;
  /** Milliseconds for one hook; default 10,000. */
  readonly timeout?: number;
  /** Milliseconds between two recoveries: default from 30,000, doubled each time, to 300,000. */
  readonly backoff?: { readonly initial?: number; readonly factor?: number; readonly max?: number };
  /** Recoveries in a row that did not help; default 3. */
  readonly attempts?: number;
  /** Default 6. */
  readonly perHour?: number;
  /** Liveness fails once it was given up, so that an orchestrator replaces the process. Default false. */
  readonly failLiveness?: boolean;
  readonly onGiveUp?: (reason: string) => void;
  readonly onHealed?: () => void;
}

export interface SelfHealingStatus {
  /** `offered`: the daemon decides. */
  readonly phase: 'stopped' | 'offered' | 'watching' | 'recovering' | 'gave-up';
  readonly reason: string | null;
  /** Recoveries since it was last well. */
  readonly attempts: number;
}

export interface HealingSite {
  readonly clock: Clock;
  readonly health: Health;
  readonly vitals: { start(): void; stop(): void; read(): VitalFigures };
  readonly hasAgent: boolean;
  readonly every: (intervalMs: number, run: () => void) => () => void;
  readonly warn: (message: string) => void;
  /** Said to liveness; null takes it back. */
  readonly setHopeless: (reason: string | null) => void;
}

/** All hooks of the process: what the daemon's ladder calls. */
export class RecoverHooks {
  readonly #hooks = new Set<{ readonly run: RecoverHook; readonly timeoutMs: number }>();

  get isEmpty(): boolean {
    return this.#hooks.size === 0;
  }

  add(run: RecoverHook, timeoutMs: number): () => void {
    if (typeof run !== 'function') throw new TypeError('A recover hook is a function');
    const hook = { run, timeoutMs };
    this.#hooks.add(hook);
    return () => void this.#hooks.delete(hook);
  }

  /** Runs them one after the other; false where there is none. Rejects where one fails or takes too long. */
  async run(reason: string): Promise<boolean> {
    const troubles: string[] = [];
    for (const { run, timeoutMs } of this.#hooks) {
      const trouble = await within(async () => run(reason), timeoutMs);
      if (trouble !== null) troubles.push(`${run.name || 'the recover hook'}: ${trouble}`);
    }
    if (troubles.length > 0) throw new Error(troubles.join('; '));
    return !this.isEmpty;
  }
}

const DEFAULTS = { interval: 10_000, after: 3, timeout: 10_000, attempts: 3, perHour: 6 };
const DEFAULT_BACKOFF = { initial: 30_000, factor: 2, max: 300_000 };

export class SelfHealingLoop {
  readonly #site: HealingSite;
  readonly #hooks: RecoverHooks;
  readonly #options: SelfHealingOptions;
  readonly #limits: readonly (readonly [keyof VitalFigures, number])[];
  readonly #policy: HealingPolicy;
  readonly #timeoutMs: number;
  readonly #offs: (() => void)[] = [];
  #state: HealingState = HEALTHY;
  #reason: string | null = null;
  #isRecovering = false;
  #isRunning = false;

  constructor(options: SelfHealingOptions, site: HealingSite, hooks: RecoverHooks) {
    this.#options = options;
    this.#site = site;
    this.#hooks = hooks;
    this.#limits = options.thresholds === undefined ? [] : parseLimits(options.thresholds);
    const { after, attempts, perHour, timeout } = { ...DEFAULTS, ...defined(options) };
    const { initial, factor, max } = { ...DEFAULT_BACKOFF, ...defined(options.backoff ?? {}) };
    this.#policy = { after, attempts, perHour, backoff: { initialMs: initial, factor, maxMs: max } };
    this.#timeoutMs = timeout;
    if (options.recover !== undefined) this.onRecover(options.recover);
  }

  /** Begins to look; under the daemon, leaves that to it. */
  start(): this {
    if (this.#isRunning) return this;
    this.#isRunning = true;
    if (this.#site.hasAgent) return this;
    this.#site.vitals.start();
    const stop = this.#site.every(this.#options.interval ?? DEFAULTS.interval, () => void this.look());
    this.#offs.push(stop, () => this.#site.vitals.stop());
    return this;
  }

  stop(): void {
    this.#isRunning = false;
    for (const off of this.#offs.splice(0)) off();
    this.#site.setHopeless(null);
    this.#state = HEALTHY;
  }

  /** Another hook, run after those before it. The returned function takes it away. */
  onRecover(run: RecoverHook, options: { readonly timeout?: number } = {}): () => void {
    return this.#hooks.add(run, options.timeout ?? this.#timeoutMs);
  }

  /** Runs the hooks now. Whether there were any, and all went well. */
  async recover(reason = 'asked by the app'): Promise<boolean> {
    this.#isRecovering = true;
    try {
      return await this.#hooks.run(reason);
    } catch (error) {
      this.#site.warn(`recovery failed: ${(error as Error).message}`);
      return false;
    } finally {
      this.#isRecovering = false;
    }
  }

  status(): SelfHealingStatus {
    const { phase, attempts } = this.#state;
    const now = !this.#isRunning
      ? 'stopped'
      : this.#site.hasAgent
        ? 'offered'
        : this.#isRecovering
          ? 'recovering'
          : phase;
    return { phase: now, reason: this.#reason, attempts };
  }

  /** One look at how it stands, and what follows from it; called at each interval. */
  async look(): Promise<void> {
    if (this.#isRecovering || !this.#isRunning) return;
    this.#reason = this.#findReason();
    const at = this.#site.clock.monotonicMs();
    const { state, effect } = stepHealing(this.#state, { at, isBad: this.#reason !== null }, this.#policy);
    this.#state = state;
    if (effect === 'recover') await this.recover(this.#reason ?? '');
    if (effect === 'give-up') this.#giveUp(this.#reason ?? '');
    if (effect === 'healed') {
      this.#site.setHopeless(null);
      this.#options.onHealed?.();
    }
  }

  #giveUp(reason: string): void {
    this.#site.warn(`recovering does not help: ${reason}`);
    if (this.#options.failLiveness === true) this.#site.setHopeless(`recovering does not help: ${reason}`);
    this.#options.onGiveUp?.(reason);
  }

  #findReason(): string | null {
    const figures = this.#site.vitals.read();
    const over = this.#limits.find(([name, limit]) => figures[name] > limit);
    if (over !== undefined) return `${over[0]} is ${Math.round(figures[over[0]])}, above ${over[1]}`;
    if (this.#options.checks === false) return null;
    const { status, reason } = this.#site.health.status();
    return status === 'critical' ? reason : null;
  }
}

function defined<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Options>;
}
