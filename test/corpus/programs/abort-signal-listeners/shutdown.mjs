import { setMaxListeners } from 'node:events';

const shutdown = new AbortController();
setMaxListeners(0, shutdown.signal);

export const shutdownSignal = shutdown.signal;

export function shutDown() {
  shutdown.abort(new Error('The service is shutting down.'));
}
