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

/**
 * What ran when. Samples touch each other: each lasts until the next one begins, and the first begins at 0, so that the
 * durations say everything. A profile of 500 MB has some 45 million of them; that is why there are two columns, not three.
 */
export interface Samples {
  readonly count: number;
  /** The node that ran. */
  readonly node: Uint32Array;
  /** Microseconds that it stands for. */
  readonly durationUs: Uint32Array | Float64Array;
  /** Microseconds from the start of the profile. Computed at the first look (8 bytes a sample), then kept. */
  readonly startUs: Float64Array;
}

export interface LineTicks {
  readonly count: number;
  readonly node: Uint32Array;
  /** From 1, in the file of the node's function. */
  readonly line: Uint32Array;
  /** Samples that were found in that line. */
  readonly ticks: Uint32Array;
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
  /** Per node: samples that found it running; all 0 where the format has no samples. */
  readonly hits: Uint32Array;
  /** Where in its function a node was found, as rows of three columns; empty where the format does not tell. */
  readonly lineTicks: LineTicks;
  /** In order of time, without gaps; empty where the format has sums only (`isChronological` is false then). */
  readonly samples: Samples;
  readonly isChronological: boolean;
  /** Samples behind the profile, where the format tells; null otherwise. */
  readonly sampleCount: number | null;
  readonly durationUs: number;
  /** Unit of `selfUs` and the rest: some pprof and collapsed files count something else than time. */
  readonly unit: 'microseconds' | 'samples' | 'bytes';
  /** Per node, V8's reason why it was thrown out of optimised code, where the file tells. */
  readonly deoptReasons: ReadonlyMap<number, readonly string[]>;
  /** What a reader should know: samples out of order, source maps that could not be used. */
  readonly notes: readonly string[];
}
