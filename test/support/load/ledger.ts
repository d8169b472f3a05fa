/** Keeps the books of one load: what was answered, lost and refused, when, and how long it took. */
import type { LoadReport, LoadSecond, LoadSpec, LostRequest } from './spec.ts';

const LOST_KEPT = 1000;

export class Ledger {
  readonly #startedAt: number;
  readonly #startedMs: number;
  /** Latencies by second; sorted only in the report, so that noting one stays cheap. */
  readonly #latencies: number[][] = [];
  readonly #hundredths: number[] = [];
  readonly #lostPerSecond: number[] = [];
  readonly #lostRequests: LostRequest[] = [];
  readonly #lostByReason: Record<string, number> = {};
  readonly #statuses: Record<string, number> = {};
  readonly #byWorker: Record<string, number> = {};
  readonly #endings: Record<string, number> = {};
  readonly #endingsPerClient: number[] = [];
  answered = 0;
  lost = 0;
  begun = 0;
  refused = 0;
  opened = 0;
  closedIdle = 0;
  unanswered = 0;

  constructor() {
    const { wallMs, monotonicMs } = readBothClocks();
    this.#startedAt = wallMs;
    this.#startedMs = monotonicMs;
  }

  /** Milliseconds since the load began. */
  now(): number {
    return performance.now() - this.#startedMs;
  }

  noteAnswered(sentAtMs: number): void {
    const at = this.now();
    const hundredth = Math.floor(at / 10);
    this.answered += 1;
    this.#hundredths[hundredth] = (this.#hundredths[hundredth] ?? 0) + 1;
    (this.#latencies[Math.floor(at / 1000)] ??= []).push(at - sentAtMs);
  }

  noteStatus(status: number): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
  }

  noteLost(id: string, reason: string, sentAtMs: number, localPort: number | null): void {
    const lostAtMs = this.now();
    const second = Math.floor(lostAtMs / 1000);
    this.lost += 1;
    this.#lostPerSecond[second] = (this.#lostPerSecond[second] ?? 0) + 1;
    this.#lostByReason[reason] = (this.#lostByReason[reason] ?? 0) + 1;
    if (this.#lostRequests.length < LOST_KEPT) this.#lostRequests.push({ id, reason, sentAtMs, lostAtMs, localPort });
  }

  noteWorker(worker: string): void {
    this.#byWorker[worker] = (this.#byWorker[worker] ?? 0) + 1;
  }

  noteEnding(client: number, how: string): void {
    this.#endings[how] = (this.#endings[how] ?? 0) + 1;
    this.#endingsPerClient[client] = (this.#endingsPerClient[client] ?? 0) + 1;
  }

  report(spec: LoadSpec): LoadReport {
    const all = this.#latencies.flat().toSorted((a, b) => a - b);
    return {
      mode: spec.mode,
      startedAt: this.#startedAt,
      durationMs: this.now(),
      answered: this.answered,
      lost: this.lost,
      lostRequests: this.#lostRequests,
      lostByReason: this.#lostByReason,
      statuses: this.#statuses,
      refused: this.refused,
      latencyMs: { p50: quantile(all, 0.5), p99: quantile(all, 0.99), max: all.at(-1) ?? null },
      seconds: this.#listSeconds(),
      hundredths: Array.from(this.#hundredths, (count) => count ?? 0),
      connections: { opened: this.opened, closedIdle: this.closedIdle, byWorker: this.#byWorker },
      streams: {
        endings: this.#endings,
        endingsPerClient: Array.from({ length: spec.connections }, (_, client) => this.#endingsPerClient[client] ?? 0),
        unanswered: this.unanswered,
      },
    };
  }

  #listSeconds(): LoadSecond[] {
    const length = Math.max(this.#latencies.length, this.#lostPerSecond.length);
    return Array.from({ length }, (_, second) => {
      const sorted = (this.#latencies[second] ?? []).toSorted((a, b) => a - b);
      return {
        second,
        answered: sorted.length,
        lost: this.#lostPerSecond[second] ?? 0,
        p50Ms: quantile(sorted, 0.5),
        p99Ms: quantile(sorted, 0.99),
      };
    });
  }
}

/**
 * One moment on both clocks. A process that loses its core between the two looks would be wrong by that for as long as
 * it runs, and with it every time that it tells.
 */
function readBothClocks(): { readonly wallMs: number; readonly monotonicMs: number } {
  for (let attempt = 0; ; attempt++) {
    const monotonicMs = performance.now();
    const wallMs = Date.now();
    if (performance.now() - monotonicMs < 0.5 || attempt === 100) return { wallMs, monotonicMs };
  }
}

/** The value below which a share `q` of `sorted` lies; null when there is none. */
export function quantile(sorted: readonly number[], q: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? null;
}
