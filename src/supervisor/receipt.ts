/**
 * What a change cost: requests served, failed and lost between its begin and its end, and how long they took before,
 * during and after the hand-over. Counters of agents are cumulative, so a receipt is a sum of differences.
 */
import type { LatencyDocument, ReceiptDocument, RequestCounters } from '../protocol/index.ts';
import { mergeHistograms, percentile, subtractHistogram, type SparseHistogram } from '../runtime/index.ts';
import type { WorkerHandle } from './worker-handle.ts';

interface Entry {
  readonly handle: WorkerHandle;
  /** Counters when the operation began; null for workers that it started. */
  readonly atBegin: RequestCounters | null;
  /** Counters at the last hand-over. */
  atHandOver: RequestCounters | null;
}

export type ReceiptFigures = Pick<ReceiptDocument, 'requests' | 'latencyMs'>;

export class ReceiptBook {
  readonly #entries = new Map<string, Entry>();
  #before: SparseHistogram = [];
  #hasHandedOver = false;

  /** The workers that serve when the operation begins. Their reports must be fresh. */
  begin(handles: readonly WorkerHandle[]): void {
    for (const handle of handles) this.#entries.set(handle.holderId, newEntry(handle, handle.counters));
    this.#before = mergeHistograms(
      handles.map((handle) => {
        const span = handle.reportSpan;
        return difference(span?.first.report.counters ?? null, span?.last.report.counters ?? null);
      }),
    );
  }

  /** A worker that the operation brought up. */
  add(handle: WorkerHandle): void {
    if (!this.#entries.has(handle.holderId)) this.#entries.set(handle.holderId, newEntry(handle, null));
  }

  /** Traffic has moved: what finishes from now on counts as "after". */
  markHandOver(): void {
    this.#hasHandedOver = true;
    for (const entry of this.#entries.values()) entry.atHandOver = entry.handle.counters;
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
    for (const { handle, atBegin, atHandOver } of this.#entries.values()) {
      const last = handle.counters;
      if (last !== null) {
        served += last.served - (atBegin?.served ?? 0);
        failed += last.failed - (atBegin?.failed ?? 0);
        lost += last.lost - (atBegin?.lost ?? 0);
        refused += last.refused - (atBegin?.refused ?? 0);
        if (isGoneWithoutWord(handle)) unknown += Math.max(0, last.begun - finished(last));
      }
      upgradesClosed += handle.drain?.closedUpgrades ?? 0;
      upgradesCut += handle.drain?.cutUpgrades ?? 0;
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
}

const newEntry = (handle: WorkerHandle, atBegin: RequestCounters | null): Entry => ({
  handle,
  atBegin,
  atHandOver: null,
});

const finished = (counters: RequestCounters): number =>
  counters.served + counters.failed + counters.lost + counters.aborted + counters.refused;

/** It was killed: what it had begun when it last spoke may or may not have been answered. */
const isGoneWithoutWord = (handle: WorkerHandle): boolean =>
  handle.pid === null && handle.exitWord === null && handle.drain === null;

/** Latencies of what finished between two readings of one worker's counters. */
const difference = (first: RequestCounters | null, last: RequestCounters | null): SparseHistogram =>
  last === null ? [] : subtractHistogram(last.latency, first?.latency ?? []);

const latencyOf = (histogram: SparseHistogram): LatencyDocument => ({
  p50: percentile(histogram, 0.5),
  p99: percentile(histogram, 0.99),
});
