/**
 * The frame in which damaged files are read: in a thread whose every case is announced before it begins, so that a hang is
 * seen and its number known, and whose memory is looked at after each.
 */
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** What the thread is asked to do: cases `from` up to `to`. Its module calls `serveTrial`. */
export interface TrialRequest {
  readonly from: number;
  readonly to: number;
  /** What the module needs to make its originals. */
  readonly originals: unknown;
}

export interface TrialResult {
  /** Files that were understood in spite of the damage. */
  readonly understood: number;
  /** Files that were refused with a `BadFile` that names what and where. */
  readonly refused: number;
  /** Everything else: a crash, an error of another kind, too much memory. */
  readonly defects: readonly string[];
}

/** A file of some ten kilobytes takes milliseconds; this is for a machine that gives the thread no core. */
const HANG_MS = 60_000;

/** Runs the cases; a case that does not end is a defect, and the last one. */
export async function runTrial(module: URL, request: TrialRequest): Promise<TrialResult> {
  const current = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(module, {
    workerData: { request, current },
    resourceLimits: { maxOldGenerationSizeMb: 512 },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  try {
    const controller = new AbortController();
    const result = new Promise<TrialResult>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', (error) => reject(new Error(`case ${current[0]}: ${String(error)}`, { cause: error })));
      worker.once('exit', (code) => reject(new Error(`case ${current[0]}: the thread ended with ${code}`)));
    }).finally(() => controller.abort());
    return await Promise.race([result, watch(current, controller.signal)]);
  } finally {
    await worker.terminate();
  }
}

async function watch(current: Int32Array, signal: AbortSignal): Promise<never> {
  let seen = -1;
  for (;;) {
    await setTimeout(HANG_MS, undefined, { signal, ref: false });
    if (current[0] === seen) throw new Error(`case ${seen} has not ended after ${HANG_MS / 1000} s`);
    seen = Atomics.load(current, 0);
  }
}
