/**
 * What a change cost: requests served, failed and lost between its begin and its end, and how long they took before,
 * during and after the hand-over. Counters of agents are cumulative, so a receipt is a sum of differences.
 */
import type { LatencyDocument, ReceiptDocument, RequestCounters } from '../protocol/index.ts';
import { mergeHistograms, percentile, subtractHistogram, type SparseHistogram } from '../runtime/index.ts';
import type { WorkerHandle } from './worker-handle.ts';
import { addCounters, finishedOf } from './worker-reports.ts';

/** What it looks at. */
export type CountedWorker = Pick<
  WorkerHandle,
  'spawnId' | 'counters' | 'counting' | 'reportSpan' | 'pid' | 'exitWord' | 'drain'
>;

interface Entry {
  /** Null: it is gone, and an earlier daemon knew it. */
  handle: CountedWorker | null;
  /** What that daemon knew. */
  readonly remembered: WorkerFigures | null;
  /** Counters when the operation began; null for workers that it started. */
  readonly atBegin: RequestCounters | null;
  /** Counters at the last hand-over. */
  atHandOver: RequestCounters | null;
}

interface WorkerFigures {
  readonly counters: RequestCounters | null;
  /** The process that counted last, and what those before it had; unknown to a Drover before this. */
  readonly process?: number | null;
  readonly earlier?: RequestCounters | null;
  readonly closedUpgrades: number;
  readonly cutUpgrades: number;
  /** It told how it ended; else what it had begun may or may not have been answered. */
  readonly hasSaidLastWord: boolean;
}

/** A receipt as far as it has come: plain data, for a daemon that has to finish it. */
export interface ReceiptMemory {
  readonly before: SparseHistogram;
  readonly hasHandedOver: boolean;
  readonly workers: readonly ({
    readonly holder: string;
    readonly atBegin: RequestCounters | null;
    readonly atHandOver: RequestCounters | null;
  } & WorkerFigures)[];
}

export type ReceiptFigures = Pick<ReceiptDocument, 'requests' | 'latencyMs'>;

export class ReceiptBook {
  readonly #entries = new Map<string, Entry>();
  #before: SparseHistogram = [];
  #hasHandedOver = false;

  constructor(memory: ReceiptMemory | null = null) {
    if (memory === null) return;
    this.#before = memory.before;
    this.#hasHandedOver = memory.hasHandedOver;
    for (const { holder, atBegin, atHandOver, ...remembered } of memory.workers) {
      this.#entries.set(holder, { handle: null, remembered, atBegin, atHandOver });
    }
  }

  /** The workers that serve when the operation begins. Their reports must be fresh. */
  begin(handles: readonly CountedWorker[]): void {
    for (const handle of handles) this.#entries.set(handle.spawnId, newEntry(handle, handle.counters));
    this.#before = mergeHistograms(
      handles.map((handle) => {
        const span = handle.reportSpan;
        return difference(span?.first.counters ?? null, span?.last.counters ?? null);
      }),
    );
  }

  /** A worker that the operation brought up, or that has come back to a new daemon. */
  add(handle: CountedWorker): void {
    const known = this.#entries.get(handle.spawnId);
    if (known === undefined) this.#entries.set(handle.spawnId, newEntry(handle, null));
    else known.handle ??= handle;
  }

  /** Traffic has moved: what finishes from now on counts as "after". */
  markHandOver(): void {
    this.#hasHandedOver = true;
    for (const entry of this.#entries.values()) entry.atHandOver = figuresOf(entry).counters;
  }

  figures(): ReceiptFigures {
    let served = 0;
    let failed = 0;
    let lost = 0;
    let unknown = 0;
    let refused = 0;
    let upgradesClosed = 0;
    let upgradesCut = 0;
    const during: SparseHistogram[] = [];
    const after: SparseHistogram[] = [];
    for (const entry of this.#entries.values()) {
      const { handle, atBegin, atHandOver } = entry;
      const { counters: last, closedUpgrades, cutUpgrades, hasSaidLastWord } = figuresOf(entry);
      if (last !== null) {
        served += last.served - (atBegin?.served ?? 0);
        failed += last.failed - (atBegin?.failed ?? 0);
        lost += last.lost - (atBegin?.lost ?? 0);
        refused += last.refused - (atBegin?.refused ?? 0);
        // It was killed: what it had begun when it last spoke may or may not have been answered.
        const isGone = handle === null || handle.pid === null;
        if (isGone && !hasSaidLastWord) unknown += Math.max(0, last.begun - finishedOf(last));
      }
      upgradesClosed += closedUpgrades;
      upgradesCut += cutUpgrades;
      const split = this.#hasHandedOver ? atHandOver : last;
      during.push(difference(atBegin, split));
      if (this.#hasHandedOver) after.push(difference(split, last));
    }
    return {
      requests: { served, failed, lost, unknown, refused, upgradesClosed, upgradesCut },
      latencyMs: {
        before: latencyOf(this.#before),
        during: latencyOf(mergeHistograms(during)),
        after: latencyOf(mergeHistograms(after)),
      },
    };
  }

  toMemory(): ReceiptMemory {
    return {
      before: this.#before,
      hasHandedOver: this.#hasHandedOver,
      workers: [...this.#entries].map(([holder, entry]) => ({
        holder,
        atBegin: entry.atBegin,
        atHandOver: entry.atHandOver,
        ...figuresOf(entry),
      })),
    };
  }
}

const newEntry = (handle: CountedWorker, atBegin: RequestCounters | null): Entry => ({
  handle,
  remembered: null,
  atBegin,
  atHandOver: null,
});

const NOTHING: WorkerFigures = { counters: null, closedUpgrades: 0, cutUpgrades: 0, hasSaidLastWord: false };

/** What the worker itself said last, also before it spoke to this daemon. */
const figuresOf = ({ handle, remembered }: Entry): WorkerFigures => {
  const earlier = remembered ?? NOTHING;
  if (handle === null) return earlier;
  return {
    ...countedBy(handle, earlier),
    closedUpgrades: handle.drain?.closedUpgrades ?? earlier.closedUpgrades,
    cutUpgrades: handle.drain?.cutUpgrades ?? earlier.cutUpgrades,
    hasSaidLastWord: handle.exitWord !== null || handle.drain !== null || earlier.hasSaidLastWord,
  };
};

/** Behind a wrapper there may have been other processes, of which only an earlier daemon heard. */
const countedBy = (
  { counters, counting }: CountedWorker,
  known: WorkerFigures,
): Pick<WorkerFigures, 'counters' | 'process' | 'earlier'> => {
  if (counters === null) return known;
  const isSame = known.process === undefined || known.process === counting.first;
  const unheard = (isSame ? known.earlier : known.counters) ?? null;
  return {
    counters: addCounters(counters, unheard),
    process: counting.last,
    earlier: counting.earlier === null ? unheard : addCounters(counting.earlier, unheard),
  };
};

/** Latencies of what finished between two readings of one worker's counters. */
const difference = (first: RequestCounters | null, last: RequestCounters | null): SparseHistogram =>
  last === null ? [] : subtractHistogram(last.latency, first?.latency ?? []);

const latencyOf = (histogram: SparseHistogram): LatencyDocument => ({
  p50: percentile(histogram, 0.5),
  p99: percentile(histogram, 0.99),
});
