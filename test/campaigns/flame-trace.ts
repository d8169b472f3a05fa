/** Work of a page frame by frame, from Chromium's own trace: what the main thread did between two frames, input included. */

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds; `tdur` is processor time of the thread, where the system tells it. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

export const TRACE_CATEGORIES = [
  'toplevel',
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  '__metadata',
];

export interface FrameWork {
  readonly frames: number;
  /** Milliseconds of the main thread for a frame: by its processor time, and by the clock. */
  readonly cpuMs: Spread;
  readonly wallMs: Spread;
  /** Milliseconds of all threads of all processes of the browser, a frame in the mean: raster and composition too. */
  readonly allThreadsMs: number;
}

export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly most: number;
}

/** `trace`: JSON, as Chromium wrote it. The first frame is left out: it holds what the tracing did to begin. */
export function measureFrames(trace: string): FrameWork {
  const { traceEvents } = JSON.parse(trace) as { traceEvents: readonly TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}:${tid}`;
  const rafs = traceEvents
    .filter(({ name, ph }) => name === 'FireAnimationFrame' && ph === 'X')
    .toSorted((a, b) => a.ts - b.ts);
  const [first] = rafs;
  if (first === undefined) throw new Error('the trace has no frame');
  const page = threadOf(first);
  const tasks = traceEvents.filter(({ name, ph }) => name === 'RunTask' && ph === 'X').toSorted((a, b) => a.ts - b.ts);
  const own = tasks.filter((task) => threadOf(task) === page);
  const works: { cpuMs: number; wallMs: number }[] = [];
  let at = 0;
  for (const raf of rafs) {
    let cpuUs = 0;
    let wallUs = 0;
    for (let task = own[at]; task !== undefined && task.ts <= raf.ts; at += 1, task = own[at]) {
      cpuUs += task.tdur ?? task.dur ?? 0;
      wallUs += task.dur ?? 0;
    }
    // Two callbacks of one frame are one frame.
    if (wallUs > 0) works.push({ cpuMs: cpuUs / 1000, wallMs: wallUs / 1000 });
  }
  const shown = works.slice(1);
  const during = tasks.filter(({ ts }) => ts >= first.ts);
  return {
    frames: shown.length,
    cpuMs: spreadOf(shown.map(({ cpuMs }) => cpuMs)),
    wallMs: spreadOf(shown.map(({ wallMs }) => wallMs)),
    allThreadsMs: during.reduce((sum, { tdur }) => sum + (tdur ?? 0), 0) / 1000 / shown.length,
  };
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), most: at(1) };
}
