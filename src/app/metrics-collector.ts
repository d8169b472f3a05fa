/**
 * Requests, errors, latencies, memory and event loop of this process over the last minute, for an app that shows them
 * itself. Under the daemon the agent measures this for all workers (`drover health`, `drover metrics`); what this shows
 * is this process alone.
 *
 * Attaches to the servers that it is given, or to all HTTP/1 of the process by Node's diagnostics channel.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import { Histogram, mergeHistograms, percentile, type SparseHistogram } from '../runtime/index.ts';
import { Vitals } from './vitals.ts';

export interface MetricsCollectorOptions {
  /** Without: all HTTP/1 servers of the process. */
  readonly server?: Server;
  /** Milliseconds that a snapshot looks back; default 60,000. */
  readonly window?: number;
  /** Milliseconds between two measurements; default 1,000. */
  readonly interval?: number;
  readonly onSnapshot?: (snapshot: MetricsSnapshot) => void;
}

export interface MetricsSnapshot {
  /** Milliseconds that it is about: the window, or less soon after the start. */
  readonly windowMs: number;
  readonly requests: {
    readonly inFlight: number;
    /** In the window: answered, and of these with 500 and above; left by the client before the answer was whole. */
    readonly answered: number;
    readonly failed: number;
    readonly aborted: number;
    readonly perSecond: number;
    /** Share that failed, 0–1; null where nothing was answered. */
    readonly errorShare: number | null;
  };
  /** Null where nothing was answered. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  readonly memory: {
    readonly rssMB: number;
    readonly heapUsedMB: number;
    /** Least-squares slope of the heap in use; null with fewer than three measurements. Saws up and down with collections. */
    readonly heapTrendMBPerMinute: number | null;
  };
  readonly eventLoop: { readonly lagMaxMs: number; readonly utilization: number };
  readonly cpuPercent: number;
}

interface Slice {
  readonly durationMs: number;
  readonly answered: number;
  readonly failed: number;
  readonly aborted: number;
  readonly latency: SparseHistogram;
  readonly rssMB: number;
  readonly heapUsedMB: number;
  readonly lagMs: number;
  readonly cpuPercent: number;
}

const DEFAULT_WINDOW_MS = 60_000;
const DEFAULT_INTERVAL_MS = 1000;
const CHANNEL = 'http.server.request.start';
const MINUTE_MS = 60_000;
const MEGABYTE = 1024 * 1024;

export class MetricsCollector {
  readonly #options: MetricsCollectorOptions;
  readonly #windowMs: number;
  readonly #intervalMs: number;
  readonly #vitals = new Vitals();
  readonly #latency = new Histogram();
  #slices: Slice[] = [];
  #inFlight = 0;
  #counts = { answered: 0, failed: 0, aborted: 0 };
  #sliceStartedAt = 0;
  #utilization = performance.eventLoopUtilization();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: MetricsCollectorOptions = {}) {
    this.#options = options;
    this.#windowMs = options.window ?? DEFAULT_WINDOW_MS;
    this.#intervalMs = options.interval ?? DEFAULT_INTERVAL_MS;
    if (!(this.#intervalMs > 0 && this.#windowMs >= this.#intervalMs)) {
      throw new TypeError('interval must be above 0 and no longer than window, both in milliseconds');
    }
  }

  /** Begins to count; keeps no process alive. */
  start(): this {
    if (this.#timer !== null) return this;
    const { server } = this.#options;
    if (server === undefined) subscribe(CHANNEL, this.#onExchange);
    else server.prependListener('request', this.#onRequest);
    this.#sliceStartedAt = performance.now();
    this.#utilization = performance.eventLoopUtilization();
    this.#vitals.start();
    this.#timer = setInterval(() => {
      this.#closeSlice();
      this.#options.onSnapshot?.(this.snapshot());
    }, this.#intervalMs).unref();
    return this;
  }

  /** Ends counting; what was counted stays readable. */
  stop(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#closeSlice();
    this.#vitals.stop();
    unsubscribe(CHANNEL, this.#onExchange);
    this.#options.server?.off('request', this.#onRequest);
  }

  /** Up to this moment. */
  snapshot(): MetricsSnapshot {
    const slices = this.#timer === null ? this.#slices : [...this.#slices, this.#openSlice()];
    const sum = (read: (slice: Slice) => number): number => slices.reduce((total, slice) => total + read(slice), 0);
    const windowMs = sum(({ durationMs }) => durationMs);
    const answered = sum((slice) => slice.answered);
    const failed = sum((slice) => slice.failed);
    const last = slices.at(-1);
    const now = performance.eventLoopUtilization();
    return {
      windowMs: Math.round(windowMs),
      requests: {
        inFlight: this.#inFlight,
        answered,
        failed,
        aborted: sum((slice) => slice.aborted),
        perSecond: windowMs === 0 ? 0 : (answered / windowMs) * 1000,
        errorShare: answered === 0 ? null : failed / answered,
      },
      latencyMs: latencyOf(mergeHistograms(slices.map(({ latency }) => latency))),
      memory: {
        rssMB: last?.rssMB ?? 0,
        heapUsedMB: last?.heapUsedMB ?? 0,
        heapTrendMBPerMinute: trendOf(slices),
      },
      eventLoop: {
        lagMaxMs: Math.max(0, ...slices.map(({ lagMs }) => lagMs)),
        utilization: performance.eventLoopUtilization(now, this.#utilization).utilization,
      },
      cpuPercent: windowMs === 0 ? 0 : sum(({ cpuPercent, durationMs }) => cpuPercent * durationMs) / windowMs,
    };
  }

  readonly #onExchange = (message: unknown): void => this.#begin((message as { response: ServerResponse }).response);

  readonly #onRequest = (_request: IncomingMessage, response: ServerResponse): void => this.#begin(response);

  #begin(response: ServerResponse): void {
    const startedAt = performance.now();
    this.#inFlight++;
    response.once('close', () => {
      this.#inFlight--;
      if (!response.writableFinished) {
        this.#counts.aborted++;
        return;
      }
      this.#counts.answered++;
      if (response.statusCode >= 500) this.#counts.failed++;
      this.#latency.record(performance.now() - startedAt);
    });
  }

  /** What has happened since the last measurement; ends nothing. */
  #openSlice(): Slice {
    const { rss, heapUsed } = process.memoryUsage();
    return {
      ...this.#counts,
      durationMs: performance.now() - this.#sliceStartedAt,
      latency: this.#latency.toSparse(),
      rssMB: rss / MEGABYTE,
      heapUsedMB: heapUsed / MEGABYTE,
      lagMs: 0,
      cpuPercent: this.#slices.at(-1)?.cpuPercent ?? 0,
    };
  }

  #closeSlice(): void {
    const slice = this.#openSlice();
    const { eventLoopLagMs, cpuPercent } = this.#vitals.read();
    this.#latency.clear();
    this.#slices.push({ ...slice, lagMs: eventLoopLagMs, cpuPercent });
    this.#counts = { answered: 0, failed: 0, aborted: 0 };
    this.#sliceStartedAt = performance.now();
    let keptMs = 0;
    const oldest = this.#slices.findLastIndex((slice) => (keptMs += slice.durationMs) > this.#windowMs);
    if (oldest > 0) this.#slices = this.#slices.slice(oldest);
  }
}

function latencyOf(histogram: SparseHistogram): MetricsSnapshot['latencyMs'] {
  const at = (q: number): number => percentile(histogram, q) ?? 0;
  return histogram.length === 0 ? null : { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Megabytes a minute: the slope of the line with the least squares through the heap in use over time. */
export function trendOf(slices: readonly Pick<Slice, 'durationMs' | 'heapUsedMB'>[]): number | null {
  if (slices.length < 3) return null;
  let at = 0;
  const points = slices.map(({ durationMs, heapUsedMB }) => [(at += durationMs) / MINUTE_MS, heapUsedMB] as const);
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const joint = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return spread === 0 ? null : joint / spread;
}
