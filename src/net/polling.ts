/** Looks at the queues: each port when it asks to be looked at, on one timer. An idle daemon is woken twice a second. */
import type { Clock } from '../protocol/index.ts';
import type { NetKernel } from './kernel.ts';
import type { ManagedPort } from './port.ts';

export interface Polling {
  /** Something happened: look at all ports soon. */
  readonly hurry: () => void;
  readonly close: () => void;
}

const SOON_MS = 10;
/** Ports that are due within this are looked at together. */
const SLACK_MS = 2;

export function startPolling(
  clock: Clock,
  kernel: Pick<NetKernel, 'after'>,
  ports: () => Iterable<ManagedPort>,
): Polling {
  const dueAt = new WeakMap<ManagedPort, number>();
  let callOff: (() => void) | null = null;
  let wakesAt = Infinity;
  let isClosed = false;

  const wakeAt = (at: number): void => {
    if (isClosed || at >= wakesAt) return;
    callOff?.();
    wakesAt = at;
    callOff = kernel.after(Math.max(1, at - clock.monotonicMs()), look);
  };

  const look = (): void => {
    callOff = null;
    wakesAt = Infinity;
    const now = clock.monotonicMs();
    let next = Infinity;
    for (const port of ports()) {
      let due = dueAt.get(port) ?? 0;
      if (due <= now + SLACK_MS) {
        due = now + (port.poll() ?? Infinity);
        dueAt.set(port, due);
      }
      next = Math.min(next, due);
    }
    if (next < Infinity) wakeAt(next);
  };

  return {
    hurry() {
      const at = clock.monotonicMs() + SOON_MS;
      for (const port of ports()) if ((dueAt.get(port) ?? Infinity) > at) dueAt.set(port, at);
      wakeAt(at);
    },
    close() {
      isClosed = true;
      callOff?.();
    },
  };
}
