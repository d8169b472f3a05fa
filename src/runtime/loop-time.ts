/**
 * How long the event loop was active, and how long it waited for something to do. Node tells that itself, and is right as
 * long as nothing interrupts the wait: libuv forgets the idle time of a wait that a signal has ended, and V8's sampling
 * profiler sends one for each sample. While it runs, the kernel's account of the main thread is a bound: what it ran, and waited
 * for a core; with what it slept in system calls that block the loop, as far as a timer came late for it.
 */
import { readFileSync } from 'node:fs';

export interface LoopTimes {
  readonly activeMs: number;
  readonly idleMs: number;
}

interface Sources {
  readonly node: () => { readonly active: number; readonly idle: number };
  /** Of the main thread since it began, milliseconds: neither asleep nor waiting for anything but a core. Null: not known. */
  readonly awakeMs: () => number | null;
}

/** Timers are late by as much without anything that blocks. */
const LATE_MS = 20;

export class LoopTime {
  readonly #sources: Sources;
  #isInterrupted = false;
  #activeMs = 0;
  #idleMs = 0;
  #node: { readonly active: number; readonly idle: number } = { active: 0, idle: 0 };
  #awakeMs: number | null = null;
  #lateMs = 0;

  constructor(sources: Sources = { node: () => performance.eventLoopUtilization(), awakeMs: readAwakeMs }) {
    this.#sources = sources;
  }

  /** Signals interrupt the loop's wait from now on, or do not any more. */
  set isInterrupted(isInterrupted: boolean) {
    if (isInterrupted === this.#isInterrupted) return;
    this.read();
    this.#isInterrupted = isInterrupted;
    this.#awakeMs = isInterrupted ? this.#sources.awakeMs() : null;
  }

  /** A timer came so late. */
  noteLate(ms: number): void {
    if (ms >= LATE_MS) this.#lateMs += ms;
  }

  /** Since the process began. */
  read(): LoopTimes {
    const node = this.#sources.node();
    const active = node.active - this.#node.active;
    const all = active + node.idle - this.#node.idle;
    const bound = this.#readBound();
    const activeMs = Math.max(0, Math.min(active, bound));
    this.#activeMs += activeMs;
    this.#idleMs += all - activeMs;
    this.#node = node;
    this.#lateMs = 0;
    return { activeMs: this.#activeMs, idleMs: this.#idleMs };
  }

  /** Since the last reading; infinite where there is none. */
  #readBound(): number {
    const before = this.#awakeMs;
    if (!this.#isInterrupted || before === null) return Infinity;
    this.#awakeMs = this.#sources.awakeMs();
    return this.#awakeMs === null ? Infinity : this.#awakeMs - before + this.#lateMs;
  }
}

/** Of sched-stats in the kernel's documentation; null outside Linux, and where the app has taken every descriptor. */
function readAwakeMs(): number | null {
  try {
    const [ranNs = 0, waitedNs = 0] = readFileSync('/proc/self/schedstat', 'utf8').split(' ').map(Number);
    return (ranNs + waitedNs) / 1e6;
  } catch {
    return null;
  }
}
