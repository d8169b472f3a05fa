/**
 * Garbage collection without `--expose-gc`: the flag is set for the moment in which a context is made that then has `gc`
 * as a global, which is how Node's own tests do it. Timers and turns are Node's, taken when this file is loaded, because
 * a test may replace the global ones.
 */
import timers from 'node:timers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const { setTimeout: startTimer, clearTimeout: clearTimer, setImmediate: startImmediate } = timers;

let collect: (() => void) | undefined;

function findCollector(): () => void {
  const exposed = (globalThis as { readonly gc?: () => void }).gc;
  if (typeof exposed === 'function') return exposed;
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as () => void;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

const ROUNDS = 5;
const BETWEEN_ROUNDS_MS = 5;

/** Collects until nothing is left that only waited: finalisers and closed handles need turns of the loop in between. */
export async function collectGarbage(): Promise<void> {
  collect ??= findCollector();
  for (let round = 0; round < ROUNDS; round++) {
    await new Promise((resolve) => startImmediate(resolve));
    collect();
    await new Promise((resolve) => startTimer(resolve, BETWEEN_ROUNDS_MS));
  }
  collect();
}

/** Bytes in use by objects of the heap and by buffers outside it. */
export const readUsedBytes = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

export const newTimer = (run: () => void, ms: number): (() => void) => {
  const timer = startTimer(run, ms);
  return () => clearTimer(timer);
};
