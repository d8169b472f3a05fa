/**
 * The life of this process as the app sees it: starting, serving, draining; and what is to be done on the way out. Under
 * the daemon the agent drains and then delivers the signal; alone, and in Kubernetes, the signal comes first. Either way
 * each hook runs once, within its time, and a hook that fails keeps none of the others from running.
 *
 *     signal ──► draining (readiness fails) ──► onDrain ──► servers drain ──► onShutdown ──► exit
 *
 * A signal is listened to only once there is something to do at it.
 */
import { describe } from './check.ts';

export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGUSR2' | 'SIGHUP';
export type ExitHook = (reason: string) => unknown;

export interface HookOptions {
  /** For what is told of it. */
  readonly name?: string;
  /** Milliseconds; default 10,000. Then the way out goes on without it. */
  readonly timeout?: number;
}

/** What was not done as it should: a hook that threw or took too long. */
export interface HookTrouble {
  readonly hook: string;
  readonly trouble: string;
}

/** Of the process, as far as it is needed here. */
export interface Host {
  readonly on: (signal: Signal, listener: (signal: Signal) => void) => void;
  readonly off: (signal: Signal, listener: (signal: Signal) => void) => void;
  readonly listenerCount: (signal: Signal) => number;
  readonly raise: (signal: Signal) => void;
  readonly exit: (code: number) => void;
  readonly warn: (message: string) => void;
}

interface Hook {
  readonly name: string;
  readonly run: ExitHook;
  readonly timeoutMs: number;
}

/** Milliseconds for one hook, and for the whole way out. */
const HOOK_TIMEOUT_MS = 10_000;
export const SHUTDOWN_TIMEOUT_MS = 30_000;
/** What is listened to for the sake of hooks alone. */
const DEFAULT_SIGNALS: readonly Signal[] = ['SIGTERM', 'SIGINT'];
const SIGNAL_NUMBERS: Readonly<Record<Signal, number>> = { SIGHUP: 1, SIGINT: 2, SIGUSR2: 12, SIGTERM: 15 };

export class Lifecycle {
  readonly #host: Host;
  readonly #drainHooks: Hook[] = [];
  readonly #shutdownHooks: Hook[] = [];
  readonly #drainers = new Set<() => Promise<unknown>>();
  readonly #signals = new Set<Signal>();
  readonly #listeners = new Set<() => void>();
  #isExpected = false;
  #isReady = false;
  #isDraining = false;
  #drained: Promise<HookTrouble[]> | null = null;
  #shutdown: Promise<HookTrouble[]> | null = null;
  #isDrainedByAgent = false;
  #shutdownTimeoutMs = SHUTDOWN_TIMEOUT_MS;
  /** Whether the process ends by itself after the hooks, or others who listen to the signal see to that. */
  #endsProcess = false;

  constructor(host: Host) {
    this.#host = host;
  }

  get phase(): 'starting' | 'serving' | 'draining' {
    if (this.#isDraining) return 'draining';
    return this.#isReady || !this.#isExpected ? 'serving' : 'starting';
  }

  /** The agent has begun to drain, and does it by itself. */
  get isDrainedByAgent(): boolean {
    return this.#isDrainedByAgent;
  }

  expectReady(): void {
    this.#isExpected = true;
    this.#changed();
  }

  ready(): void {
    this.#isReady = true;
    this.#changed();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  onDrain(run: ExitHook, options: HookOptions = {}): () => void {
    return this.#addHook(this.#drainHooks, run, options, 'onDrain');
  }

  onShutdown(run: ExitHook, options: HookOptions = {}): () => void {
    return this.#addHook(this.#shutdownHooks, run, options, 'onShutdown');
  }

  /** A server that is to be drained on the way out, and its signals. */
  addDrainer(
    drain: () => Promise<unknown>,
    signals: readonly Signal[],
    shutdownTimeoutMs: number,
    endsProcess: boolean,
  ) {
    this.#drainers.add(drain);
    this.#shutdownTimeoutMs = shutdownTimeoutMs;
    this.#endsProcess ||= endsProcess;
    for (const signal of signals) this.#listen(signal);
    return () => void this.#drainers.delete(drain);
  }

  /** `byAgent`: the agent has stopped accepting and closes the connections. */
  async drain(reason: string, byAgent: boolean): Promise<HookTrouble[]> {
    this.#isDrainedByAgent ||= byAgent;
    if (this.#drained === null) {
      this.#isDraining = true;
      this.#changed();
      // All at once: they say goodbye to different parties, and the drain waits for the slowest.
      this.#drained = Promise.all(this.#drainHooks.map(async (hook) => this.#run(hook, reason))).then(flatten);
    }
    return this.#drained;
  }

  /** Drains and runs the shutdown hooks, the newest first, as what was opened last relies on what was there before. */
  async shutdown(reason: string): Promise<HookTrouble[]> {
    this.#shutdown ??= this.#shutDown(reason);
    return this.#shutdown;
  }

  async #shutDown(reason: string): Promise<HookTrouble[]> {
    const drained = this.drain(reason, false);
    await Promise.allSettled([...this.#drainers].map(async (drain) => drain()));
    const troubles = [...(await drained)];
    for (const hook of this.#shutdownHooks.toReversed()) troubles.push(...(await this.#run(hook, reason)));
    return troubles;
  }

  #addHook(hooks: Hook[], run: ExitHook, { name, timeout }: HookOptions, kind: string): () => void {
    if (typeof run !== 'function') throw new TypeError(`${kind} takes a function`);
    const hook = { name: name ?? (run.name || kind), run, timeoutMs: timeout ?? HOOK_TIMEOUT_MS };
    hooks.push(hook);
    for (const signal of DEFAULT_SIGNALS) this.#listen(signal);
    return () => {
      const index = hooks.indexOf(hook);
      if (index >= 0) hooks.splice(index, 1);
    };
  }

  async #run({ name, run, timeoutMs }: Hook, reason: string): Promise<HookTrouble[]> {
    const trouble = await within(async () => run(reason), timeoutMs);
    if (trouble === null) return [];
    this.#host.warn(`${name}: ${trouble}`);
    return [{ hook: name, trouble }];
  }

  #listen(signal: Signal): void {
    if (this.#signals.has(signal)) return;
    this.#signals.add(signal);
    this.#host.on(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: Signal): void => {
    // Somebody at a keyboard who asks twice means it.
    if (this.#shutdown !== null) {
      if (signal === 'SIGINT') this.#host.exit(128 + SIGNAL_NUMBERS.SIGINT);
      return;
    }
    const deadline = setTimeout(() => {
      this.#host.warn(`not shut down within ${this.#shutdownTimeoutMs} ms of ${signal}; ended`);
      this.#exit(1);
    }, this.#shutdownTimeoutMs);
    void this.shutdown(signal).then(() => {
      clearTimeout(deadline);
      this.#end(signal);
    });
  };

  #end(signal: Signal): void {
    for (const own of this.#signals) this.#host.off(own, this.#onSignal);
    this.#signals.clear();
    // What restarts on SIGUSR2 waits for a process that ends by it; other listeners have their own way to end.
    if (signal === 'SIGUSR2') this.#host.raise(signal);
    else if (this.#endsProcess) this.#exit(0);
    else if (this.#host.listenerCount(signal) === 0) this.#host.raise(signal);
  }

  /** In another turn of the event loop: what was warned of is written in the next tick. */
  #exit(code: number): void {
    setImmediate(() => this.#host.exit(code));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** What went wrong, or null. Never rejects, and never takes longer. */
export async function within(run: () => Promise<unknown>, timeoutMs: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  // Not unref'ed: on the way out it may be all that holds the process until the hook has ended.
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`did not end within ${timeoutMs} ms`), timeoutMs);
  });
  const outcome = run().then(
    () => null,
    (error: unknown) => describe(error) || 'failed',
  );
  const trouble = await Promise.race([outcome, late]);
  clearTimeout(timer);
  return trouble;
}

const flatten = (troubles: readonly HookTrouble[][]): HookTrouble[] => troubles.flat();
