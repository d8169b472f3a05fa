/**
 * How a leak check fails. Plain errors and no `AssertionError`: jest and vitest print one of those with the expected and the
 * received value, of which there are none. The verdict is not enumerable, or runners would print it after the message.
 */
import type { HeapVerdict } from '../heap/index.ts';
import { describeVerdict } from './describe-verdict.ts';

class CheckFailed extends Error {
  readonly #verdict: HeapVerdict;

  constructor(verdict: HeapVerdict, files: readonly string[], above: (...args: never[]) => unknown) {
    super(describeVerdict(verdict, files));
    this.#verdict = verdict;
    // The trace begins at the test.
    Error.captureStackTrace(this, above);
  }

  /** All that is known, as `drover heap diff --json` prints it. */
  get verdict(): HeapVerdict {
    return this.#verdict;
  }
}

/** The function leaks: the message says what, by whom it is held, where, and what to do. */
export class LeakFound extends CheckFailed {
  override readonly name = 'LeakFound';
}

/** The snapshots do not tell, after a second look too: something else changed the heap meanwhile. */
export class LeakCheckInconclusive extends CheckFailed {
  override readonly name = 'LeakCheckInconclusive';
}
