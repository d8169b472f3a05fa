/**
 * What a process says about itself: memory, CPU, event loop, garbage collection. Nothing runs while nothing happens:
 * the event-loop delay is sampled only as long as there is traffic. `performance` and `PerformanceObserver` are used as
 * globals, not imported, because Node then loads them with the first report and not at start.
 */
import { LoopTime, type LoopTimes } from './loop-time.ts';
import type { RuntimeDetail, RuntimeMeasures } from '../protocol/index.ts';
import { Histogram, boundsOf, percentile } from './histogram.ts';
import { Lag } from './lag.ts';

const SAMPLE_MS = 20;

/** Lateness of a short timer: what a request that arrives now would wait. */
export class DelaySampler {
  readonly #lag: Lag | null;
  readonly #histogram = new Histogram();
  #timer: NodeJS.Timeout | null = null;
  #expectedAt = 0;
  #sumMs = 0;
  #count = 0;
  #maxMs = 0;

  /** `lag`: is given each sample as well. */
  constructor(lag: Lag | null = null) {
    this.#lag = lag;
  }

  /** Samples from now on until {@link stop}; may be called again and again. */
  start(): void {
    if (this.#timer !== null) return;
    this.#expectedAt = performance.now() + SAMPLE_MS;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** The delays since the last reading. */
  read(): RuntimeMeasures['delayMs'] {
    // The report that a worker makes while it loads shall not cost it what only a busy one needs.
    if (this.#count === 0) return { mean: 0, p99: 0, max: 0 };
    const sparse = this.#histogram.toSparse();
    const last = sparse.at(-2);
    const p99 = percentile(sparse, 0.99) ?? 0;
    const delay = {
      mean: this.#sumMs / this.#count,
      p99: last === undefined ? 0 : Math.min(p99, boundsOf(last).toMs),
      max: this.#maxMs,
    };
    this.#histogram.clear();
    this.#sumMs = this.#count = this.#maxMs = 0;
    return delay;
  }

  #sample(): void {
    const at = performance.now();
    const lateMs = Math.max(0, at - this.#expectedAt);
    this.#histogram.record(lateMs);
    this.#lag?.record(lateMs);
    this.#sumMs += lateMs;
    this.#count++;
    if (lateMs > this.#maxMs) this.#maxMs = lateMs;
    this.#expectedAt = at + SAMPLE_MS;
  }
}

/** One interval in so many is observed; what is seen there stands for all. */
const GC_CYCLE = 5;

type GcKind = keyof RuntimeDetail['gc'];

/** `perf_hooks.constants.NODE_PERFORMANCE_GC_*`, under the names that prom-client gives them. */
const GC_KINDS: Readonly<Record<number, GcKind>> = { 1: 'minor', 4: 'major', 8: 'incremental', 16: 'weakcb' };
/** Milliseconds; above the last is a bucket of its own. */
const PAUSE_BOUNDS_MS = [1, 10, 100, 1000, 10_000];

interface GcEntry {
  readonly duration: number;
  readonly detail?: unknown;
}

class Pauses {
  count = 0;
  seconds = 0;
  readonly buckets = [0, 0, 0, 0, 0, 0];

  add(ms: number, times: number): void {
    this.count += times;
    this.seconds += (ms / 1000) * times;
    const bound = PAUSE_BOUNDS_MS.findIndex((most) => ms <= most);
    const at = bound === -1 ? PAUSE_BOUNDS_MS.length : bound;
    this.buckets[at] = (this.buckets[at] ?? 0) + times;
  }
}

/**
 * Garbage collections, estimated. Node makes an object and a callback of each, which costs a server that collects a
 * hundred times a second several percent of its CPU; watching every fifth second costs a fifth of that.
 */
export class GcSampler {
  readonly #byKind: Readonly<Record<GcKind, Pauses>> = {
    major: new Pauses(),
    minor: new Pauses(),
    incremental: new Pauses(),
    weakcb: new Pauses(),
  };
  #observer: InstanceType<typeof PerformanceObserver> | null = null;
  #ticks = 0;
  #count = 0;
  #pauseMs = 0;

  tick(): void {
    const phase = this.#ticks++ % GC_CYCLE;
    if (phase === 0) this.#start();
    else if (phase === 1) this.#stop();
  }

  read(): RuntimeMeasures['gc'] {
    return { count: this.#count, pauseMs: round(this.#pauseMs) };
  }

  /** By kind since the start; like the sum an estimate, five times what was seen. */
  readByKind(): RuntimeDetail['gc'] {
    const copy = ({ count, seconds, buckets }: Pauses): RuntimeDetail['gc'][GcKind] => ({
      count,
      seconds,
      buckets: [...buckets],
    });
    const { major, minor, incremental, weakcb } = this.#byKind;
    return { major: copy(major), minor: copy(minor), incremental: copy(incremental), weakcb: copy(weakcb) };
  }

  #start(): void {
    this.#observer = new PerformanceObserver((list) => this.#note(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  #stop(): void {
    if (this.#observer === null) return;
    this.#note(this.#observer.takeRecords());
    this.#observer.disconnect();
    this.#observer = null;
  }

  #note(entries: readonly GcEntry[]): void {
    this.#count += entries.length * GC_CYCLE;
    for (const { duration, detail } of entries) {
      this.#pauseMs += duration * GC_CYCLE;
      const kind = GC_KINDS[(detail as { readonly kind?: number } | undefined)?.kind ?? 0];
      if (kind !== undefined) this.#byKind[kind].add(duration, GC_CYCLE);
    }
  }
}

export interface Gauges {
  readonly openConnections: number;
  readonly inFlight: number;
}

type MemoryFigures = Pick<NodeJS.MemoryUsage, 'rss' | 'heapUsed' | 'heapTotal' | 'external'>;

export class RuntimeMeter {
  /** Since metrics were collected last. */
  readonly lag = new Lag();
  readonly loop = new LoopTime();
  readonly #delay = new DelaySampler(this.lag);
  readonly #gc = new GcSampler();
  readonly #memoryUsage: () => MemoryFigures;
  #memory: MemoryFigures = { rss: 0, heapUsed: 0, heapTotal: 0, external: 0 };
  #loopBefore: LoopTimes | null = null;

  constructor(memoryUsage: () => MemoryFigures = () => process.memoryUsage()) {
    this.#memoryUsage = memoryUsage;
  }

  /** Begins to measure what costs something to begin. */
  begin(): void {
    this.#loopBefore ??= this.loop.read();
  }

  /** Called at regular intervals: is there anything to sample the event loop for? */
  tick(isBusy: boolean): void {
    this.#gc.tick();
    if (isBusy) this.#delay.start();
    else this.#delay.stop();
  }

  readGcByKind(): RuntimeDetail['gc'] {
    return this.#gc.readByKind();
  }

  read({ openConnections, inFlight }: Gauges): RuntimeMeasures {
    const memory = this.#readMemory();
    const cpu = process.cpuUsage();
    return {
      uptimeMs: Math.round(process.uptime() * 1000),
      rssBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
      heapTotalBytes: memory.heapTotal,
      externalBytes: memory.external,
      cpuUserUs: cpu.user,
      cpuSystemUs: cpu.system,
      eventLoopUtilization: round(this.#readUtilization()),
      delayMs: roundAll(this.#delay.read()),
      gc: this.#gc.read(),
      openConnections,
      inFlight,
    };
  }

  /** Node reads a file for it, and throws where the app has taken every descriptor: the figures before stand then. */
  #readMemory(): MemoryFigures {
    try {
      this.#memory = this.#memoryUsage();
    } catch {
      // Measuring must never end an app.
    }
    return this.#memory;
  }

  #readUtilization(): number {
    const before = this.#loopBefore;
    if (before === null) return 0;
    const now = this.loop.read();
    this.#loopBefore = now;
    const activeMs = now.activeMs - before.activeMs;
    const allMs = activeMs + now.idleMs - before.idleMs;
    return allMs > 0 ? activeMs / allMs : 0;
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function roundAll(delay: RuntimeMeasures['delayMs']): RuntimeMeasures['delayMs'] {
  return { mean: round(delay.mean), p99: round(delay.p99), max: round(delay.max) };
}
