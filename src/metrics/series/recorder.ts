/**
 * Turns what workers report into samples: what was added since the last look, by worker and by app, in periods of 1 s, 10 s
 * and 5 min, each made from the one before as it closes. Keeps only open periods; pure, with time as an argument.
 *
 * A worker that is new is counted from zero; one that is merely new to this daemon, which has restarted, from where it stands,
 * or all it ever did would seem to have happened now.
 */
import type { AgentReport } from '../../protocol/index.ts';
import { COLUMN_NAMES, emptySample, foldInTime, foldWorkers, type ColumnName, type Sample } from './columns.ts';

export const TIERS = [
  { name: '1s', periodMs: 1_000 },
  { name: '10s', periodMs: 10_000 },
  { name: '5m', periodMs: 300_000 },
] as const;
export type TierName = (typeof TIERS)[number]['name'];

export interface SeriesKey {
  readonly app: string;
  /** `app/slot`; null: the app as a whole. */
  readonly worker: string | null;
}

export interface ClosedSample {
  readonly tier: TierName;
  readonly series: SeriesKey;
  readonly sample: Sample;
}

export interface WorkerState {
  readonly worker: string;
  readonly spawn: string;
  readonly report: AgentReport;
  readonly acceptQueue: number | null;
  /** Counters of the app's own, by name, as they stand: those that objectives ask for. */
  readonly named?: Readonly<Record<string, number>>;
}

export interface Tick {
  /** Wall clock, milliseconds. */
  readonly at: number;
  /** Milliseconds since the tick before, by a clock that only rises. */
  readonly sinceMs: number;
  readonly apps: readonly { readonly app: string; readonly workers: readonly WorkerState[] }[];
}

/** Younger workers are new; the daemon looks every second. */
const NEW_WITHIN_MS = 10_000;
/** A daemon that stood still has seen nothing meanwhile, but the counters went on: rates are of the whole time. */
const LONGEST_TICK_MS = 300_000;

export class Recorder {
  readonly #before = new Map<string, WorkerState>();
  readonly #open = new Map<string, OpenSeries>();

  /** Samples that this tick has closed, finest first. */
  tick({ at, sinceMs, apps }: Tick): ClosedSample[] {
    const closed: ClosedSample[] = [];
    const ms = Math.min(sinceMs, LONGEST_TICK_MS);
    const seen = new Set<string>();
    for (const { app, workers } of apps) {
      const bySlot = new Map<string, Sample>();
      for (const state of workers) {
        seen.add(state.spawn);
        const sample = this.#difference(state, at, ms);
        const older = bySlot.get(state.worker);
        // Two workers of one slot, while one takes over from the other: what they did is added, gauges are the newer's.
        bySlot.set(state.worker, older === undefined ? sample : addCounters(older, sample));
      }
      if (bySlot.size === 0) continue;
      const whole = emptySample(at);
      let count = 0;
      for (const [worker, sample] of bySlot) {
        foldWorkers(whole, sample, count);
        count += 1;
        this.#add({ app, worker }, sample, closed);
      }
      this.#add({ app, worker: null }, whole, closed);
    }
    for (const spawn of this.#before.keys()) if (!seen.has(spawn)) this.#before.delete(spawn);
    this.#closeOld(at, closed);
    return closed;
  }

  /** Everything that is open in the finest tier: what the coarser ones have of it is made again from there. */
  finish(): ClosedSample[] {
    const [finest] = TIERS;
    const closed: ClosedSample[] = [];
    for (const { key, tiers } of this.#open.values()) {
      const sample = tiers[0];
      if (sample !== null && sample !== undefined) closed.push({ tier: finest.name, series: key, sample });
    }
    this.#open.clear();
    return closed;
  }

  /** What is known of a series' open periods, in all tiers: they will be replaced when they close. */
  open(series: SeriesKey): ClosedSample[] {
    const open = this.#open.get(nameOf(series));
    if (open === undefined) return [];
    return TIERS.flatMap(({ name, periodMs }, level) => {
      const finer = open.tiers.slice(0, level + 1).filter((sample) => sample !== null);
      const [first] = finer;
      if (first === undefined) return [];
      const whole = emptySample(startOf(first.at, periodMs));
      for (const sample of finer.toReversed()) if (startOf(sample.at, periodMs) === whole.at) foldInTime(whole, sample);
      return [{ tier: name, series, sample: whole }];
    });
  }

  /** Continues what an earlier daemon had begun: the open period of a coarser tier, from the samples of the finer one. */
  resume(tier: TierName, series: SeriesKey, sample: Sample): void {
    const level = TIERS.findIndex(({ name }) => name === tier);
    const open = this.#openOf(series);
    const before = open.tiers[level];
    if (before === null || before === undefined) open.tiers[level] = sample;
    else foldInTime(before, sample);
  }

  #openOf(key: SeriesKey): OpenSeries {
    const name = nameOf(key);
    let open = this.#open.get(name);
    if (open === undefined) this.#open.set(name, (open = { key, tiers: TIERS.map(() => null) }));
    return open;
  }

  #add(key: SeriesKey, sample: Sample, closed: ClosedSample[]): void {
    this.#addAt(this.#openOf(key), 0, sample, closed);
  }

  #addAt(open: OpenSeries, level: number, sample: Sample, closed: ClosedSample[]): void {
    const tier = TIERS[level];
    if (tier === undefined) return;
    const at = startOf(sample.at, tier.periodMs);
    const before = open.tiers[level] ?? null;
    if (before !== null && before.at !== at) this.#close(open, level, closed);
    let into = open.tiers[level] ?? null;
    if (into === null) open.tiers[level] = into = emptySample(at);
    foldInTime(into, sample);
  }

  #close(open: OpenSeries, level: number, closed: ClosedSample[]): void {
    const sample = open.tiers[level];
    const tier = TIERS[level];
    if (sample === null || sample === undefined || tier === undefined) return;
    open.tiers[level] = null;
    closed.push({ tier: tier.name, series: open.key, sample });
    this.#addAt(open, level + 1, sample, closed);
  }

  /** Workers that are no more close their periods too. */
  #closeOld(at: number, closed: ClosedSample[]): void {
    for (const [name, open] of this.#open) {
      TIERS.forEach(({ periodMs }, level) => {
        const sample = open.tiers[level];
        if (sample !== null && sample !== undefined && sample.at < startOf(at, periodMs))
          this.#close(open, level, closed);
      });
      if (open.tiers.every((sample) => sample === null)) this.#open.delete(name);
    }
  }

  #difference(state: WorkerState, at: number, ms: number): Sample {
    const { report, spawn } = state;
    const before = this.#before.get(spawn);
    this.#before.set(spawn, state);
    const isNew = before === undefined && report.runtime.uptimeMs < NEW_WITHIN_MS;
    const sample = emptySample(at);
    sample.ms = ms;
    const put = (name: ColumnName, value: number | null | undefined): void => {
      sample.values[INDEX[name]] =
        value === null || value === undefined || Number.isNaN(value) ? null : Math.round(value);
    };
    putGauges(put, state);
    const earlier = before?.report ?? (isNew ? null : report);
    for (const [name, read] of COUNTERS) {
      const now = read(report);
      const then = earlier === null ? 0 : read(earlier);
      // Smaller than before: it was begun anew.
      put(name, now >= then ? now - then : now);
    }
    subtractInto(sample.latency, report.counters.latency, earlier?.counters.latency ?? []);
    for (const [name, value] of Object.entries(state.named ?? {})) {
      const then = before === undefined ? (isNew ? 0 : value) : (before.named?.[name] ?? value);
      if (Number.isFinite(value)) sample.named.set(name, value >= then ? value - then : value);
    }
    return sample;
  }
}

// Neither names of apps nor ids of workers have spaces.
export const nameOf = ({ app, worker }: SeriesKey): string => `${app} ${worker ?? ''}`;

interface OpenSeries {
  readonly key: SeriesKey;
  /** By level of {@link TIERS}. */
  readonly tiers: (Sample | null)[];
}

export const startOf = (at: number, periodMs: number): number => Math.floor(at / periodMs) * periodMs;

const INDEX = Object.fromEntries(COLUMN_NAMES.map((name, at) => [name, at])) as Readonly<Record<ColumnName, number>>;

const COUNTERS: readonly (readonly [ColumnName, (report: AgentReport) => number])[] = [
  ['begun', ({ counters }) => counters.begun],
  ['served', ({ counters }) => counters.served],
  ['failed', ({ counters }) => counters.failed],
  ['lost', ({ counters }) => counters.lost],
  ['aborted', ({ counters }) => counters.aborted],
  ['refused', ({ counters }) => counters.refused],
  ['status1xx', ({ counters }) => counters.byClass[1] ?? 0],
  ['status2xx', ({ counters }) => counters.byClass[2] ?? 0],
  ['status3xx', ({ counters }) => counters.byClass[3] ?? 0],
  ['status4xx', ({ counters }) => counters.byClass[4] ?? 0],
  ['status5xx', ({ counters }) => counters.byClass[5] ?? 0],
  ['connections', ({ counters }) => counters.connections],
  ['upgrades', ({ counters }) => counters.upgrades],
  ['cpu', ({ runtime }) => runtime.cpuUserUs + runtime.cpuSystemUs],
  ['gcPause', ({ runtime }) => runtime.gc.pauseMs * 1e3],
  ['gcCount', ({ runtime }) => runtime.gc.count],
];

function putGauges(
  put: (name: ColumnName, value: number | null | undefined) => void,
  { report, acceptQueue }: WorkerState,
): void {
  const { runtime } = report;
  put('rssBytes', runtime.rssBytes);
  put('heapUsedBytes', runtime.heapUsedBytes);
  put('heapTotalBytes', runtime.heapTotalBytes);
  put('externalBytes', runtime.externalBytes);
  put('heapAfterGcBytes', report.heapAfterGcBytes);
  put('eventLoopUtilization', runtime.eventLoopUtilization * 1e6);
  put('delayMeanMs', runtime.delayMs.mean * 1e3);
  put('delayP99Ms', runtime.delayMs.p99 * 1e3);
  put('delayMaxMs', runtime.delayMs.max * 1e3);
  put('openConnections', runtime.openConnections * 1e3);
  put('inFlight', runtime.inFlight * 1e3);
  put('acceptQueue', acceptQueue);
  put('workers', 1e3);
}

/** `into` is the newer one's afterwards, with what the older did. */
function addCounters(older: Sample, newer: Sample): Sample {
  for (const [name] of COUNTERS) {
    const at = INDEX[name];
    newer.values[at] = (newer.values[at] ?? 0) + (older.values[at] ?? 0);
  }
  for (const [bucket, count] of older.latency) newer.latency.set(bucket, (newer.latency.get(bucket) ?? 0) + count);
  for (const [name, count] of older.named) newer.named.set(name, (newer.named.get(name) ?? 0) + count);
  return newer;
}

/** Both are sparse, buckets rising. A count that fell was begun anew. */
function subtractInto(into: Map<number, number>, later: readonly number[], earlier: readonly number[]): void {
  let old = 0;
  for (let at = 0; at + 1 < later.length; at += 2) {
    const bucket = later[at] ?? 0;
    const count = later[at + 1] ?? 0;
    while (old < earlier.length && (earlier[old] ?? 0) < bucket) old += 2;
    const before = earlier[old] === bucket ? (earlier[old + 1] ?? 0) : 0;
    const added = count >= before ? count - before : count;
    if (added > 0) into.set(bucket, added);
  }
}
