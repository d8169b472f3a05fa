/**
 * Starts the watchdog: a thread of the agent's own that looks at the main thread's beats, and says what blocks the event
 * loop while it does (`watchdog-thread.ts`). Opt-in, because a thread takes some 18 MB. The process does not wait for it, and
 * the app does not hear of it.
 */
import type * as Threads from 'node:worker_threads';
import { mayUseInspector } from './inspector-access.ts';
import type { SharedBeat } from './shared-beat.ts';
import { WATCHDOG_MARK, type WatchdogOrder } from './watchdog-thread.ts';

export class Watchdog {
  #thread: Threads.Worker | null = null;

  /** Starts it, or another one with other figures. */
  start(agentFile: string, beat: SharedBeat, blockedAfterMs: number): void {
    this.stop();
    if (!mayUseInspector()) return;
    const order: WatchdogOrder = { mark: WATCHDOG_MARK, numbers: beat.numbers, blockedAfterMs, agentFile };
    try {
      const { Worker } = require('node:worker_threads') as typeof Threads;
      const thread = new Worker(agentFile, {
        workerData: order,
        env: {},
        execArgv: [],
        trackUnmanagedFds: false,
        name: 'drover',
        resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
      });
      hide(thread);
      // One that cannot start, or has no memory left, is not worth the app's life.
      thread.on('error', () => undefined);
      thread.unref();
      this.#thread = thread;
    } catch {
      // The permission model has no threads.
    }
  }

  stop(): void {
    void this.#thread?.terminate();
    this.#thread = null;
  }
}

/** Node tells of each new thread by `process.emit('worker')`, in a later tick. */
function hide(thread: Threads.Worker): void {
  const before = Object.getOwnPropertyDescriptor(process, 'emit');
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const { emit } = process;
  const own = function (this: NodeJS.Process, name: string, ...rest: unknown[]): boolean {
    if (name !== 'worker' || rest[0] !== thread) return Reflect.apply(emit, this, [name, ...rest]) as boolean;
    // Unless the app has put its own around ours meanwhile.
    if (process.emit === (own as typeof process.emit)) {
      if (before === undefined) Reflect.deleteProperty(process, 'emit');
      else Object.defineProperty(process, 'emit', before);
    }
    return false;
  };
  process.emit = own as typeof process.emit;
}
