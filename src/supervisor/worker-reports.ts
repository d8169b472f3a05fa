/**
 * What a worker has reported, and what it has counted in all. A wrapper (nodemon, a loop in a shell) may start the app anew
 * without ending itself: the new process counts from nothing, and what the one before had counted is the worker's still.
 */
import type { AgentReport, RequestCounters } from '../protocol/index.ts';
import { sumCounters, sumDrops } from '../runtime/index.ts';

/**
 * "The last ten seconds": a report a second. Without traffic they come every tenth second, a little sooner or later, and two of
 * them are enough.
 */
const SPAN_MS = 9_500;
/** Whatever the clock of the worker says. */
const MOST_KEPT = 64;

/** Whose the figures of a worker are. Process ids as their agents name them; null where none has spoken. */
export interface Counting {
  /** The first process that reported to this daemon, and the last one. */
  readonly first: number | null;
  readonly last: number | null;
  /** What those before the last one have counted; null where there were none. */
  readonly earlier: RequestCounters | null;
}

export class WorkerReports {
  #reports: AgentReport[] = [];
  #first: number | null = null;
  #process: number | null = null;
  #ended: Pick<AgentReport, 'counters' | 'log'> | null = null;

  get counting(): Counting {
    return { first: this.#first, last: this.#process, earlier: this.#ended?.counters ?? null };
  }

  /** Counters and dropped output are those of all processes, everything else is the last one's. */
  get last(): AgentReport | null {
    return this.#reports.at(-1) ?? null;
  }

  /** The newest report and the newest of about ten seconds before, or the oldest there is; both of the same process. */
  get span(): { readonly first: AgentReport; readonly last: AgentReport } | null {
    const first = this.#reports[0];
    const last = this.#reports.at(-1);
    return first === undefined || last === undefined ? null : { first, last };
  }

  /** Requests begun per second between the two newest reports. */
  get requestRate(): number {
    const [before, last] = this.#reports.slice(-2);
    if (before === undefined || last === undefined) return 0;
    // By the worker's own clock: what it said while no daemon listened is all read in one moment.
    const spanMs = last.runtime.uptimeMs - before.runtime.uptimeMs;
    return spanMs <= 0 ? 0 : ((last.counters.begun - before.counters.begun) / spanMs) * 1000;
  }

  /** Whether who says hello is another process than the one that reported before. */
  isOther(pid: number): boolean {
    // What is read before the first hello is of the process that says it.
    return this.#process !== null && pid !== this.#process;
  }

  /** That process reports, for the first time or still. */
  name(pid: number): void {
    this.#first ??= pid;
    this.#process = pid;
  }

  /** The process that has reported so far reports no more. */
  end(): void {
    const last = this.#reports.at(-1);
    if (last === undefined) return;
    const { counters, log } = last;
    // It is gone: what it had begun is over, and it drops nothing any more.
    this.#ended = {
      counters: { ...counters, begun: finishedOf(counters) },
      ...(log === undefined ? {} : { log: { ...log, isDropping: false } }),
    };
    this.#reports = [];
  }

  add(report: AgentReport): void {
    const last = this.#reports.at(-1);
    // A report that answers `report-now` may overtake a periodic one; counters never go back.
    if (last !== undefined && report.seq < last.seq) return;
    this.#reports.push(this.#inAll(report));
    // By the worker's own clock: what it said while no daemon listened is all read in one moment.
    const from = report.runtime.uptimeMs - SPAN_MS;
    while (this.#reports.length > MOST_KEPT || (this.#reports[1]?.runtime.uptimeMs ?? Infinity) <= from)
      this.#reports.shift();
  }

  #inAll(report: AgentReport): AgentReport {
    if (this.#ended === null) return report;
    const log = sumDrops([this.#ended.log, report.log]);
    const counters = addCounters(report.counters, this.#ended.counters);
    return { ...report, counters, ...(log === undefined ? {} : { log }) };
  }
}

/** Of two processes, neither of which accepts for the other. */
export const addCounters = (one: RequestCounters, other: RequestCounters | null): RequestCounters =>
  other === null ? one : { ...sumCounters(one, [other]), connections: one.connections + other.connections };

/** Requests that have come to an end, whatever end. */
export const finishedOf = (counters: RequestCounters): number =>
  counters.served + counters.failed + counters.lost + counters.aborted + counters.refused;
