/**
 * Follows an operation to its end. Operations are on record and the guard brings a killed daemon back, so a cut stream
 * is opened again for a while before it counts as an error.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { DroverError, type OperationDocument } from '../protocol/index.ts';
import { isGone, PATIENCE_MS, PAUSE_MS } from './daemon-return.ts';

/** Each state of the operation that is news, the last one `done`. */
export const watchOperation = async function* (
  open: () => AsyncIterable<OperationDocument>,
  signal: AbortSignal | undefined,
): AsyncGenerator<OperationDocument> {
  let cutAt: number | null = null;
  for (;;)
    try {
      for await (const operation of open()) {
        cutAt = null;
        yield operation;
        if (operation.status === 'done') return;
      }
      throw new DroverError('DROVER_INTERNAL', {
        message: 'the daemon stopped telling of an operation before its end',
      });
    } catch (error) {
      // Not since its last word: an operation may have no news for minutes.
      cutAt ??= performance.now();
      if (!isGone(error) || signal?.aborted || performance.now() - cutAt > PATIENCE_MS) throw error;
      await wait(PAUSE_MS, undefined, signal === undefined ? {} : { signal });
    }
};
