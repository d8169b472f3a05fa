/** The life of the daemon as its service manager is told it: starting, ready, alive, stopping. */
import { openNotifySocket } from '../../os/index.ts';
import type { ServiceManager } from './environment.ts';
import { type Notifier, openNotifier } from './notifier.ts';

export interface ServiceManagerLink {
  readonly unit: string | null;
  readonly notifier: Notifier;
  /** It serves. */
  ready(status: string): void;
  status(text: string): void;
  /** It becomes another program, which will say that it is ready. Resolves when the manager has been told. */
  reloading(status: string): Promise<void>;
  /** It ends on purpose; workers may take long to drain, and as long as it says so the manager waits. */
  stopping(status: string): void;
  close(): void;
}

const STOP_SIGN_EVERY_MS = 2000;
const STOP_PATIENCE_MS = 30_000;
/** A manager that takes nothing is not waited for any longer. */
const FLUSH_MS = 1_000;

/**
 * Says from now on that the daemon is alive, from its event loop, twice in the time that the manager waits. Null where
 * the manager cannot be talked to.
 */
export const openServiceManagerLink = (manager: ServiceManager): ServiceManagerLink | null => {
  const socket = openNotifySocket(manager.notifyAddress);
  if (socket === null) return null;
  const notifier = openNotifier(socket);
  const watchdog =
    manager.watchdogMs === null
      ? null
      : setInterval(() => notifier.tell({ WATCHDOG: 1 }), manager.watchdogMs / 2).unref();
  let stopSign: NodeJS.Timeout | null = null;
  let shown: string | null = null;
  return {
    unit: manager.unit,
    notifier,
    ready(status) {
      notifier.tell({ READY: 1, STATUS: status });
      shown = status;
    },
    status(text) {
      if (text === shown) return;
      notifier.tell({ STATUS: text });
      shown = text;
    },
    async reloading(status) {
      const monotonicUs = process.hrtime.bigint() / 1000n;
      notifier.tell({ RELOADING: 1, MONOTONIC_USEC: String(monotonicUs), STATUS: status });
      // The next program has the whole time of the watchdog to say something.
      notifier.tell({ WATCHDOG: 1 });
      await notifier.flush(FLUSH_MS);
    },
    stopping(status) {
      notifier.tell({ STOPPING: 1, STATUS: status });
      const sign = (): void => notifier.tell({ EXTEND_TIMEOUT_USEC: STOP_PATIENCE_MS * 1000 });
      sign();
      stopSign = setInterval(sign, STOP_SIGN_EVERY_MS).unref();
    },
    close() {
      for (const timer of [watchdog, stopSign]) if (timer !== null) clearInterval(timer);
      notifier.close();
    },
  };
};
