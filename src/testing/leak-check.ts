/** The options of a leak check, completed once, and its result. There is none that makes the check less exact to make it quicker. */
import type { HeapVerdict } from '../heap/index.ts';

export interface LeakCheckOptions {
  /**
   * Calls between two snapshots, each awaited before the next. 100 unless said. A leak is told from chance by 6 entries or 1 kB
   * a step: with fewer calls than 6 one object a call is not seen.
   */
  readonly iterations?: number;
  /** Calls before the first snapshot, for caches and lazy loading. As many as `iterations`, at most 100, unless said. */
  readonly warmUp?: number;
  /** Growth in bytes per `iterations` calls that is accepted; 0 unless said. */
  readonly maxGrowthBytes?: number;
  /** For the whole check, 60,000 unless said. The runner's own limit must be longer. */
  readonly timeoutMs?: number;
  /** Ends the check; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** A folder in which the snapshots stay, for `drover heap diff`. They are removed unless said. */
  readonly keepSnapshotsIn?: string;
}

export interface LeakCheckPlan extends Required<Omit<LeakCheckOptions, 'signal' | 'keepSnapshotsIn'>> {
  readonly signal: AbortSignal | null;
  readonly keepSnapshotsIn: string | null;
}

export interface LeakCheck {
  readonly verdict: HeapVerdict;
  /** Bytes in use (heap and buffers) after garbage collection, per snapshot. */
  readonly usedBytes: readonly number[];
}

const MOST_ITERATIONS = 1_000_000;

/** Throws a `RangeError` that names the option and its value. */
export function completeOptions(options: LeakCheckOptions): LeakCheckPlan {
  const iterations = count('iterations', options.iterations ?? 100, 1);
  return {
    iterations,
    warmUp: count('warmUp', options.warmUp ?? Math.min(iterations, 100), 0),
    maxGrowthBytes: count('maxGrowthBytes', options.maxGrowthBytes ?? 0, 0, Number.MAX_SAFE_INTEGER),
    timeoutMs: count('timeoutMs', options.timeoutMs ?? 60_000, 1, 2 ** 31 - 1),
    signal: options.signal ?? null,
    keepSnapshotsIn: options.keepSnapshotsIn ?? null,
  };
}

function count(name: string, value: number, least: number, most = MOST_ITERATIONS): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`expectNoLeak: ${name} is a whole number from ${least} to ${most}, not ${String(value)}`);
}
