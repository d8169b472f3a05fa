/** What V8's profiler gives (`Profiler.Profile` of the DevTools protocol), as far as blocks are named from it. */

export interface CallFrame {
  readonly functionName: string;
  /** A path, a `file:` URL (modules), `node:…`, or empty for what is not JavaScript. */
  readonly url: string;
  /** From 0, as `columnNumber`: where the function begins. -1 where there is no such place. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
  /** Where the samples were that had this node on top: lines from 1. */
  readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds of the system's monotonic clock, which is also that of `process.hrtime`. */
  readonly startTime: number;
  readonly endTime: number;
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}
