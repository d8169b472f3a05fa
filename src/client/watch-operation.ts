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
  let lastWord = performance.now();
  for (;;)
    try {
      for await (const operation of open()) {
        lastWord = performance.now();
        yield operation;
        if (operation.status === 'done') return;
      }
      throw new DroverError('DROVER_INTERNAL', {
        message: 'the daemon stopped telling of an operation before its end',
      });
    } catch (error) {
      if (!isGone(error) || signal?.aborted || performance.now() - lastWord > PATIENCE_MS) throw error;
      await wait(PAUSE_MS, undefined, signal === undefined ? {} : { signal });
    }
};
