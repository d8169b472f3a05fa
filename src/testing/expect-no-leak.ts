/**
 * Runs a function many times and fails when it leaves more behind each time. What counts is not the size of the heap,
 * which is noisy, but which objects piled up between three snapshots and who holds them: so the answer is the same on a busy
 * machine. Reading the snapshots is left to a process of its own; this one only writes them.
 */
import { writeHeapSnapshot } from 'node:v8';
import type { DiffDocument, HeapJob, HeapVerdict } from '../heap/index.ts';
import { defaultMemoryLimitBytes, runEngine } from '../input/index.ts';
import { collectGarbage, newTimer, readUsedBytes } from './collect-garbage.ts';
import { completeOptions, type LeakCheck, type LeakCheckOptions, type LeakCheckPlan } from './leak-check.ts';
import { LeakCheckInconclusive, LeakFound } from './leak-errors.ts';
import { SnapshotFiles } from './snapshot-files.ts';

const SNAPSHOTS = 3;

/**
 * The function that is being checked. It is held here, and not only by the frames that wait for it, so that what it captures has
 * a path from this module in the snapshots: frames on the stack have none.
 */
let checked: (() => unknown) | null = null;

/**
 * Calls `fn` over and over and rejects with `LeakFound` when memory piles up that `fn` leaves behind; the message names the
 * holder with file and line, the pattern and the remedy. Resolves with what was measured.
 *
 * Calls are awaited one after the other: `warmUp` of them, then twice `iterations`, with garbage collections and heap
 * snapshots between. `--expose-gc` is not needed. The runner's own time limit must allow for it: a snapshot stops the process
 * for about a second per 50 MB of heap.
 *
 * @param fn What is checked; may be async. What it throws ends the check and is thrown on.
 * @throws `LeakCheckInconclusive` when four snapshots did not tell; `RangeError` and `TypeError` for impossible options; `Error`
 *   when another check is running in this process or thread, when the time is over, or when the snapshots cannot be
 *   written or read; the reason of `options.signal` when it aborts.
 */
export async function expectNoLeak(fn: () => unknown, options: LeakCheckOptions = {}): Promise<LeakCheck> {
  if (typeof fn !== 'function') throw new TypeError(`expectNoLeak: needs a function, not ${typeof fn}`);
  const plan = completeOptions(options);
  if (checked !== null) {
    throw new Error(
      'expectNoLeak: another check is running here, and each would see what the other makes. Await one after the other; with node:test, leave out { concurrency }. A test that its runner has ended goes on measuring until its own time is over: give the runner longer.',
    );
  }
  checked = fn;
  const stop = new AbortController();
  const disarm = newTimer(() => {
    stop.abort(new Error(`expectNoLeak: not done after ${plan.timeoutMs} ms (timeoutMs)`));
  }, plan.timeoutMs);
  const signal = plan.signal === null ? stop.signal : AbortSignal.any([plan.signal, stop.signal]);
  try {
    return await check(fn, plan, signal);
  } finally {
    disarm();
    checked = null;
  }
}

async function check(fn: () => unknown, plan: LeakCheckPlan, signal: AbortSignal): Promise<LeakCheck> {
  await repeat(fn, plan.warmUp, signal);
  const usedBytes: number[] = [];
  const files = new SnapshotFiles(plan.keepSnapshotsIn);
  try {
    await takeSnapshot(files, signal, usedBytes);
    for (let taken = 1; taken < SNAPSHOTS; taken++) {
      await repeat(fn, plan.iterations, signal);
      await takeSnapshot(files, signal, usedBytes);
    }
    let verdict = await judge(files.last(SNAPSHOTS), plan.iterations, signal);
    if (verdict.verdict === 'inconclusive') {
      // Something else moved, which is over by now, or it is not.
      await repeat(fn, plan.iterations, signal);
      await takeSnapshot(files, signal, usedBytes);
      verdict = await judge(files.last(SNAPSHOTS), plan.iterations, signal);
    }
    if (verdict.verdict === 'inconclusive')
      throw new LeakCheckInconclusive(verdict, files.kept(SNAPSHOTS), expectNoLeak);
    if (verdict.verdict === 'leak' && sumGrowth(verdict) > plan.maxGrowthBytes) {
      throw new LeakFound(verdict, files.kept(SNAPSHOTS), expectNoLeak);
    }
    return { verdict, usedBytes };
  } finally {
    files.remove();
  }
}

async function repeat(fn: () => unknown, times: number, signal: AbortSignal): Promise<void> {
  for (let call = 0; call < times; call++) {
    signal.throwIfAborted();
    await untilAborted(fn(), signal);
  }
}

/** A call that never settles must not outlast the check. */
async function untilAborted(work: unknown, signal: AbortSignal): Promise<void> {
  if (typeof (work as PromiseLike<unknown> | null | undefined)?.then !== 'function') return;
  let onAbort: (() => void) | undefined;
  try {
    await Promise.race([
      work,
      new Promise((_resolve, reject) => {
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', onAbort);
      }),
    ]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

async function takeSnapshot(files: SnapshotFiles, signal: AbortSignal, usedBytes: number[]): Promise<void> {
  await collectGarbage();
  signal.throwIfAborted();
  usedBytes.push(readUsedBytes());
  writeHeapSnapshot(files.next());
}

const sumGrowth = ({ suspects }: HeapVerdict): number =>
  suspects.reduce((sum, { growth }) => sum + Math.max(0, growth?.bytes.at(-1) ?? 0), 0);

async function judge(files: readonly string[], calls: number, signal: AbortSignal): Promise<HeapVerdict> {
  const { document } = await runEngine<{ readonly document: DiffDocument }>({
    entry: findEngine(),
    request: {
      kind: 'diff',
      files,
      wantsCharts: false,
      load: { unit: 'calls', perStep: calls },
      isRedacted: false,
      usesSourceMaps: true,
      root: process.cwd(),
    } satisfies HeapJob,
    memoryLimitBytes: defaultMemoryLimitBytes(),
    signal,
  });
  return document;
}

/** Beside this room: as source, as compiled module, and from the bundle for `require`. */
const findEngine = (): URL =>
  new URL(`../heap/engine-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
