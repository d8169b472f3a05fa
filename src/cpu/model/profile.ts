/**
 * A CPU profile in memory, whatever format it came from: functions, a call tree over them, and, where the format has
 * them, the samples in time. Everything is weighted by microseconds that passed, never by counts of samples: V8 delivers
 * 80 samples a second when it is asked for 99, and gaps are not all alike.
 */

export const CATEGORIES = [
  'application',
  'dependency',
  'node',
  'gc',
  'idle',
  'program',
  'regexp',
  'json',
  'crypto',
  'module-loading',
  'compilation',
  'native',
] as const;
export type Category = (typeof CATEGORIES)[number];

/** One function of the source; the same name, url, line and column are one function wherever it is called. */
export interface CpuFunction {
  /** `(anonymous)` where it has none; `(garbage collector)`, `(idle)`, `(program)`, `(root)` as V8 names them. */
  readonly name: string;
  /** A path, a `file:` or `node:` URL, or empty. */
  readonly url: string;
  /** From 1; 0 where unknown. */
  readonly line: number;
  /** From 1; 0 where unknown. */
  readonly column: number;
  readonly category: Category;
  /** Name of the package that the file belongs to; null for the application and everything without a file. */
  readonly package: string | null;
}

export interface CpuProfile {
  readonly functions: readonly CpuFunction[];
  /** Nodes of the call tree; 0 is the root, and a parent always stands before its children. */
  readonly nodeCount: number;
  /** Per node: its parent, −1 for the root. */
  readonly parent: Int32Array;
  /** Per node: index into `functions`. */
  readonly functionOf: Uint32Array;
  /** Per node: microseconds spent in it and not in a child. */
  readonly selfUs: Float64Array;
  /** In order of time; empty where the format has sums only (`isChronological` is false then). */
  readonly samples: {
    readonly count: number;
    /** The node that ran. */
    readonly node: Uint32Array;
    /** Microseconds from the start of the profile. */
    readonly startUs: Float64Array;
    /** Microseconds that it stands for. */
    readonly durationUs: Float64Array;
  };
  readonly isChronological: boolean;
  /** Samples behind the profile, where the format tells; null otherwise. */
  readonly sampleCount: number | null;
  readonly durationUs: number;
  /** Unit of `selfUs` and the rest: some pprof and collapsed files count something else than time. */
  readonly unit: 'microseconds' | 'samples' | 'bytes';
  /** Per node, V8's reason why it was thrown out of optimised code, where the file tells. */
  readonly deoptReasons: ReadonlyMap<number, readonly string[]>;
}
