/**
 * A change is answered when it is on record, and it may have to wait for one that is under way: a stop waits for the
 * reload that it breaks off, which waits for its clients. So there is no limit to the answer, as long as the daemon
 * answers others; one that is stopped or stuck answers nobody.
 */
import { DroverError } from '../protocol/index.ts';

export interface Patience {
  /** So often somebody who waits asks whether the daemon is still there. */
  readonly lookEveryMs: number;
  /** Throws DROVER_TIMEOUT where the daemon answers nobody; any other end is left to the change itself. */
  readonly look: () => Promise<unknown>;
  /** Called once, at the first look that was answered. */
  readonly onWaiting: () => void;
}

/** Sends the change and waits for its answer. Throws what it answers, and DROVER_TIMEOUT with what that means for a change. */
export async function changePatiently<Answer>(
  send: (signal: AbortSignal) => Promise<Answer>,
  { lookEveryMs, look, onWaiting }: Patience,
): Promise<Answer> {
  const leaving = new AbortController();
  const { promise: silence, reject } = Promise.withResolvers<never>();
  let isOver = false;
  let isTold = false;
  const watch = async (): Promise<void> => {
    try {
      await look();
    } catch (error) {
      if (error instanceof DroverError && error.code === 'DROVER_TIMEOUT') reject(inCaseOfChange(error));
      return;
    }
    if (isOver) return;
    if (!isTold) onWaiting();
    isTold = true;
    timer = setTimeout(() => void watch(), lookEveryMs);
  };
  let timer = setTimeout(() => void watch(), lookEveryMs);
  void silence.catch(() => leaving.abort());
  try {
    return await Promise.race([send(leaving.signal), silence]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}

const inCaseOfChange = ({ data }: DroverError): DroverError =>
  new DroverError('DROVER_TIMEOUT', {
    ...data,
    advice:
      'The change may still be carried out once the daemon answers again: look at `drover ls` and `drover events`.',
  });
