/**
 * The end of a worker after its drain: the app's own way out, as it would have been without us, only that nothing is
 * in flight any more. In this order: pm2's `'shutdown'` message, SIGTERM handlers, SIGINT handlers (what pm2 sends);
 * an app that has none of them ends by SIGTERM's default, as it would on any `kill`. A handler that only cleans up (that of
 * OpenTelemetry's automatic instrumentation sends what it has left) ends nothing: once handlers have run, the servers hold
 * the process no longer, and it ends with the last thing that they have begun.
 */

/** pm2's patience with an app that was told to shut down by message. */
const MESSAGE_WAIT_MS = 1600;

/** `letGo`: what listens, and has nothing to listen on any more, holds the process no longer. */
export function endProcess(deliver: (payload: unknown) => void, letGo: () => void): void {
  const signal = (['SIGTERM', 'SIGINT'] as const).find((name) => process.listenerCount(name) > 0);
  const isListening = process.listenerCount('message') > 0;
  if (isListening) deliver('shutdown');
  if (signal !== undefined) raise(signal, letGo);
  else if (isListening) setTimeout(() => process.kill(process.pid, 'SIGTERM'), MESSAGE_WAIT_MS);
  else process.kill(process.pid, 'SIGTERM');
}

/** Sends ourselves a real signal and holds the event loop until the app's handlers have run. */
function raise(signal: 'SIGTERM' | 'SIGINT', letGo: () => void): void {
  const hold = setTimeout(() => undefined, MESSAGE_WAIT_MS);
  // Runs before the app's handlers, which are in the same tick; what they begin then holds the process by itself.
  process.prependOnceListener(signal, () => {
    setImmediate(() => {
      clearTimeout(hold);
      letGo();
    });
  });
  process.kill(process.pid, signal);
}
