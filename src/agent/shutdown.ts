/**
 * The end of a worker after its drain: the app's own way out, as it would have been without us, only that nothing is
 * in flight any more. In this order: pm2's `'shutdown'` message, SIGTERM handlers, SIGINT handlers (what pm2 sends);
 * an app that has none of them ends by SIGTERM's default, as it would on any `kill`.
 */

/** pm2's patience with an app that was told to shut down by message. */
const MESSAGE_WAIT_MS = 1600;

export function endProcess(deliver: (payload: unknown) => void): void {
  const signal = (['SIGTERM', 'SIGINT'] as const).find((name) => process.listenerCount(name) > 0);
  const isListening = process.listenerCount('message') > 0;
  if (isListening) deliver('shutdown');
  if (signal !== undefined) raise(signal);
  else if (isListening) setTimeout(() => process.kill(process.pid, 'SIGTERM'), MESSAGE_WAIT_MS);
  else process.kill(process.pid, 'SIGTERM');
}

/** Sends ourselves a real signal and holds the event loop until the app's handlers have run. */
function raise(signal: 'SIGTERM' | 'SIGINT'): void {
  const hold = setTimeout(() => undefined, MESSAGE_WAIT_MS);
  // Runs before the app's handlers, which are in the same tick; what they begin then holds the process by itself.
  process.prependOnceListener(signal, () => setImmediate(() => clearTimeout(hold)));
  process.kill(process.pid, signal);
}
