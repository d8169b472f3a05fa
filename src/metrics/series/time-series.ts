/**
 * What is kept of the workers over time: 1 s for an hour, 10 s for two days, 5 min for as long as the configuration says, in
 * `metrics.db`. Written in batches, in slices of a millisecond or two; a full disk, a damaged file or a held one never reaches
 * the caller: they are told by {@link TimeSeries.condition} and to the listener.
 */
import type { Clock } from '../../protocol/index.ts';
import { diskTroubleOf, isFull } from './disk-trouble.ts';
import { emptySample, foldInTime, type Sample } from './columns.ts';
import { MetricsFile, setAside } from './metrics-file.ts';
import { readObjective, readRange, type ObjectiveQuery, type RangeQuery } from './query.ts';
import type { ObjectivePoint, RangePoint } from './query.ts';
import {
  nameOf,
  Recorder,
  startOf,
  TIERS,
  type ClosedSample,
  type SeriesKey,
  type Tick,
  type TierName,
} from './recorder.ts';

export interface TimeSeriesOptions {
  /** Absolute path; created in a folder that exists. */
  readonly file: string;
  readonly clock: Clock;
  readonly quotaBytes: number;
  /** How long 5-minute samples are kept. */
  readonly keepMs: number;
  readonly onTrouble?: (trouble: SeriesTrouble | null) => void;
  /** Between two writes; only given by tests. */
  readonly flushEveryMs?: number;
}

export interface SeriesTrouble {
  /** `unwritable`: the disk takes nothing now; `replaced`: the file could not be used, and a new one was begun. */
  readonly kind: 'unwritable' | 'replaced';
  /** What SQLite or the system said. */
  readonly reason: string;
  readonly since: number;
  /** Where the old file lies; null where it is none. */
  readonly setAside: string | null;
}

export interface SeriesCondition {
  readonly trouble: SeriesTrouble | null;
  readonly usedBytes: number;
  /** Samples that are not written yet, and that were given up because there were too many. */
  readonly waiting: number;
  readonly dropped: number;
}

const FLUSH_EVERY_MS = 10_000;
const MAINTAIN_EVERY_MS = 60_000;
/** A slice takes a millisecond or two. */
const SLICE = 128;
/** Some minutes of fifty workers: while the disk is full. */
const MOST_WAITING = 20_000;
/** Where the quota is met, so much of it is left in use, by cutting off a tenth at a time. */
const ROOMY = 0.9;
const MOST_CUTS = 20;
const HOUR_MS = 3_600_000;
const KEEP_MS: Readonly<Record<TierName, number>> = { '1s': HOUR_MS, '10s': 48 * HOUR_MS, '5m': Infinity };

export class TimeSeries {
  readonly #options: TimeSeriesOptions;
  readonly #recorder = new Recorder();
  #file: MetricsFile | null = null;
  #waiting: ClosedSample[] = [];
  #dropped = 0;
  #trouble: SeriesTrouble | null = null;
  #flushedAt = -Infinity;
  #maintainedAt = -Infinity;
  #lastTickAt: number | null = null;
  #writing: Promise<void> | null = null;
  #isClosed = false;
  /** How long tiers are kept where the quota is too small for what was asked. */
  readonly #shortened = new Map<TierName, number>();

  constructor(options: TimeSeriesOptions) {
    this.#options = options;
    this.#open();
  }

  get condition(): SeriesCondition {
    return {
      trouble: this.#trouble,
      usedBytes: this.#guard(() => this.#file?.usedBytes) ?? 0,
      waiting: this.#waiting.length,
      dropped: this.#dropped,
    };
  }

  /** Takes in the last reports of all workers; to be called every second. Never throws, never waits. */
  record(apps: Tick['apps']): void {
    if (this.#isClosed) return;
    const { clock, flushEveryMs = FLUSH_EVERY_MS } = this.#options;
    const now = clock.monotonicMs();
    const sinceMs = this.#lastTickAt === null ? TIERS[0].periodMs : now - this.#lastTickAt;
    this.#lastTickAt = now;
    this.#waiting.push(...this.#recorder.tick({ at: clock.wallMs(), sinceMs, apps }));
    if (this.#waiting.length > MOST_WAITING) this.#dropOldest();
    if (now - this.#flushedAt < flushEveryMs) return;
    this.#flushedAt = now;
    this.#writing ??= this.#writeInSlices().finally(() => {
      this.#writing = null;
    });
  }

  /** Resolves when what was recorded until now is in the file, where it takes it. */
  async settled(): Promise<void> {
    await this.#writing;
    this.#writeAll();
  }

  /** One figure over time. Empty where nothing is known. Throws RangeError where the query is none. */
  range(query: RangeQuery): RangePoint[] {
    return this.#ask(query, (file) => readRange(file, query, this.#options.clock.wallMs(), this.#keep)) ?? [];
  }

  /** Good and all events of an objective, by step. */
  objective(query: ObjectiveQuery): ObjectivePoint[] {
    return (
      this.#ask({ app: query.app, worker: null }, (file) =>
        readObjective(file, query, this.#options.clock.wallMs(), this.#keep),
      ) ?? []
    );
  }

  /** Writes what there is, and closes the file. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.push(...this.#recorder.finish());
    // Nothing is written while the journal is moved.
    await this.#writing;
    this.#writeAll();
    await this.#file?.checkpoint(true).catch(() => undefined);
    this.#guard(() => this.#file?.close());
    this.#file = null;
  }

  readonly #keep = (tier: TierName): number =>
    Math.min(this.#shortened.get(tier) ?? Infinity, tier === '5m' ? this.#options.keepMs : KEEP_MS[tier]);

  #ask<Answer>(series: SeriesKey, question: (file: MetricsFile) => Answer): Answer | null {
    this.#writeAll();
    const file = this.#file;
    // What has only begun is part of the answer.
    if (file !== null && !file.isSyncing) this.#guard(() => file.write(this.#recorder.open(series)));
    return file === null ? null : this.#guard(() => question(file));
  }

  #open(): void {
    const { file, quotaBytes } = this.#options;
    try {
      this.#file = new MetricsFile(file, quotaBytes);
    } catch (error) {
      const trouble = diskTroubleOf(error);
      if (trouble !== 'damaged') {
        this.#sayUnwritable(error);
        return;
      }
      this.#replace(error);
    }
    this.#guard(() => this.#resume());
  }

  #replace(error: unknown): void {
    const { file, quotaBytes, clock } = this.#options;
    try {
      this.#file?.close();
    } catch {
      // It is damaged: closing it may say so once more.
    }
    this.#file = null;
    try {
      const aside = setAside(file);
      this.#file = new MetricsFile(file, quotaBytes);
      this.#say({ kind: 'replaced', reason: reasonOf(error), since: clock.wallMs(), setAside: aside });
    } catch (again) {
      this.#sayUnwritable(again);
    }
  }

  /** What coarser tiers lack because the daemon before ended within a period is made again from the finer ones. */
  #resume(): void {
    const file = this.#file;
    if (file === null) return;
    const now = this.#options.clock.wallMs();
    for (const series of file.list()) {
      for (let level = 1; level < TIERS.length; level += 1) {
        const [finer, tier] = [TIERS[level - 1], TIERS[level]];
        if (finer === undefined || tier === undefined) continue;
        const newest = file.bounds(tier.name, series)?.newest;
        // The newest may have been written before it had ended.
        const from = newest ?? now - this.#keep(finer.name);
        const periods = new Map<number, Sample>();
        for (const sample of file.read(finer.name, series, from, Infinity)) {
          const at = startOf(sample.at, tier.periodMs);
          const into = periods.get(at) ?? emptySample(at);
          periods.set(at, into);
          foldInTime(into, sample);
        }
        const current = startOf(now, tier.periodMs);
        const finished = [...periods.values()].filter(({ at }) => at !== current);
        file.write(finished.map((sample): ClosedSample => ({ tier: tier.name, series, sample })));
        const open = periods.get(current);
        if (open !== undefined) this.#recorder.resume(tier.name, series, open);
      }
    }
  }

  async #writeInSlices(): Promise<void> {
    try {
      if (this.#file === null) this.#open();
      const file = this.#file;
      if (file === null || file.isSyncing) return;
      // Pages of one series lie together: each is written once.
      this.#waiting.sort((a, b) => compareSeries(a.series, b.series));
      while (this.#waiting.length > 0 && this.#file === file && !this.#isClosed) {
        if (!this.#writeSlice(SLICE)) return;
        if (this.#waiting.length > 0) await nextTurn();
      }
      this.#maintain();
      await file.checkpoint();
    } catch (error) {
      this.#meet(error);
    }
  }

  #writeAll(): void {
    if (this.#file === null || this.#file.isSyncing) return;
    while (this.#waiting.length > 0 && this.#writeSlice(this.#waiting.length));
  }

  /** False where the disk does not take it: it waits. */
  #writeSlice(size: number): boolean {
    const slice = this.#waiting.slice(0, size);
    if (!this.#tryWrite(slice) && !this.#tryWrite(slice)) return false;
    this.#waiting = this.#waiting.slice(slice.length);
    if (this.#trouble?.kind === 'unwritable') this.#say(null);
    return true;
  }

  /** Where it fails because the file may not grow, room has been made when it returns. */
  #tryWrite(samples: readonly ClosedSample[]): boolean {
    try {
      this.#file?.write(samples);
      return this.#file !== null;
    } catch (error) {
      if (isFull(error) && this.#makeRoom()) return false;
      this.#meet(error);
      return false;
    }
  }

  /** Removes what is too old, and what is oldest where the quota is met. */
  #maintain(): void {
    const { clock, quotaBytes } = this.#options;
    const file = this.#file;
    if (file === null) return;
    const used = file.usedBytes;
    const isDue = clock.monotonicMs() - this.#maintainedAt >= MAINTAIN_EVERY_MS;
    if (used > quotaBytes) this.#makeRoom();
    else if (isDue) {
      this.#maintainedAt = clock.monotonicMs();
      if (used < quotaBytes * 0.8) for (const [tier, keep] of this.#shortened) this.#lengthen(tier, keep);
      this.#removeOld(file);
    }
  }

  #removeOld(file: MetricsFile): void {
    const now = this.#options.clock.wallMs();
    for (const series of file.list()) {
      for (const { name } of TIERS) file.remove(name, series, now - this.#keep(name));
      file.removeIfEmpty(series);
    }
    file.giveBack();
  }

  /** False where there is nothing that could go, or the disk does not even take that. */
  #makeRoom(): boolean {
    const file = this.#file;
    if (file === null) return false;
    try {
      const before = file.usedBytes;
      for (let times = 0; times < MOST_CUTS && file.usedBytes > this.#options.quotaBytes * ROOMY; times += 1) {
        this.#shorten(file, this.#options.clock.wallMs());
        this.#removeOld(file);
      }
      return file.usedBytes < before;
    } catch (error) {
      this.#meet(error);
      return false;
    }
  }

  /** The tier that has most samples of a series gives up its oldest tenth. */
  #shorten(file: MetricsFile, now: number): void {
    const series = file.list();
    const ages = TIERS.map(({ name, periodMs }) => {
      const oldest = series.reduce((least, one) => Math.min(least, file.bounds(name, one)?.oldest ?? now), now);
      return { name, ageMs: now - oldest, samples: (now - oldest) / periodMs };
    });
    const [largest] = ages.toSorted((a, b) => b.samples - a.samples);
    if (largest !== undefined) this.#shortened.set(largest.name, largest.ageMs * 0.9);
  }

  #lengthen(tier: TierName, keep: number): void {
    const longer = keep * 1.1;
    this.#shortened.delete(tier);
    if (longer < this.#keep(tier)) this.#shortened.set(tier, longer);
  }

  #meet(error: unknown): void {
    if (diskTroubleOf(error) === 'damaged') {
      this.#replace(error);
      return;
    }
    this.#sayUnwritable(error);
  }

  #guard<Answer>(work: () => Answer): Answer | null {
    try {
      return work();
    } catch (error) {
      if (error instanceof RangeError) throw error;
      if (diskTroubleOf(error) === 'damaged') this.#replace(error);
      return null;
    }
  }

  #dropOldest(): void {
    const surplus = this.#waiting.length - MOST_WAITING / 2;
    this.#waiting = this.#waiting.toSorted((a, b) => a.sample.at - b.sample.at).slice(surplus);
    this.#dropped += surplus;
  }

  /** Once, not at each attempt. */
  #sayUnwritable(error: unknown): void {
    if (this.#trouble?.kind === 'unwritable') return;
    this.#say({
      kind: 'unwritable',
      reason: reasonOf(error),
      since: this.#options.clock.wallMs(),
      setAside: null,
    });
  }

  #say(trouble: SeriesTrouble | null): void {
    this.#trouble = trouble;
    this.#options.onTrouble?.(trouble);
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const compareSeries = (a: SeriesKey, b: SeriesKey): number => {
  const [left, right] = [nameOf(a), nameOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
