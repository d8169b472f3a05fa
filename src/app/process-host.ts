/** The running process as {@link Lifecycle} and the other parts need it. */
import type { Clock } from '../protocol/index.ts';
import type { Host } from './lifecycle.ts';

export const CLOCK: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** Told as Node tells its own warnings: once in a place where people look, and with a name to filter by. */
export const warn = (message: string): void => process.emitWarning(message, 'DroverWarning');

export const HOST: Host = {
  on: (signal, listener) => void process.on(signal, listener),
  off: (signal, listener) => void process.off(signal, listener),
  listenerCount: (signal) => process.listenerCount(signal),
  raise: (signal) => void process.kill(process.pid, signal),
  exit: (code) => process.exit(code),
  warn,
};
