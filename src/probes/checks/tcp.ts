/** A connection is made, and closed: that is all that is asked. It may be the kernel who answered, for a process that hangs. */
import { connect } from 'node:net';
import { answerOf, failed, passed, withinOf } from '../answers.ts';
import type { CheckAnswer, Place } from '../edges.ts';
import { connectionOf } from './connection.ts';

export const tcpCheck = (place: Place, signal: AbortSignal): Promise<CheckAnswer> =>
  new Promise((resolve) => {
    const socket = connect(connectionOf(place, signal));
    const end = (answer: CheckAnswer): void => {
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = (): void => end(failed(`no connection came about ${withinOf(signal)}`));
    signal.addEventListener('abort', giveUp);
    // Stays after the answer: a socket that was destroyed may still fail.
    socket.on('error', (error) => end(answerOf(error)));
    socket.once('connect', () => end(passed()));
  });
