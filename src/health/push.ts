/** Pushes metrics and events to the collector that is configured, if one is; loads what that needs then, and not before. */
import { messageOf } from '../protocol/index.ts';
import { hostname } from 'node:os';
import { openOtlpPush, type AppReading, type OtlpPush } from '../metrics/index.ts';
import type { Clock, DaemonConfig, EventDocument } from '../protocol/index.ts';
import { wait, type Schedule } from '../supervisor/index.ts';

const CLOSE_WITHIN_MS = 2000;

export interface PushOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly version: string;
  /** `service.version` of an app. */
  readonly versionOf: (app: string) => string | null;
  readonly config: () => DaemonConfig['otlp'];
  /** Of all apps, with what their agents answer now. */
  readonly readings: () => Promise<readonly AppReading[]>;
  readonly subscribe: (listener: (event: EventDocument) => void) => () => void;
  readonly log: (line: string) => void;
}

export interface Push {
  reconfigure(): void;
  close(): Promise<void>;
}

export const openPush = ({
  clock,
  schedule,
  version,
  versionOf,
  config,
  readings,
  subscribe,
  log,
}: PushOptions): Push => {
  let push: OtlpPush | null = null;
  let key: string | null = null;
  let callOff: (() => void) | null = null;
  let isClosed = false;
  let work: Promise<void> = Promise.resolve();
  const unsubscribe = subscribe((event) => push?.event(event));

  const arm = (everyMs: number): void => {
    callOff = schedule.background(everyMs, () => {
      arm(everyMs);
      void send();
    });
  };
  const send = async (): Promise<void> => {
    const apps = await readings();
    await push?.push(apps, clock.wallMs());
  };
  const settle = async (): Promise<void> => {
    const wanted = isClosed ? null : config();
    const next = wanted === null ? null : JSON.stringify(wanted);
    if (next === key) return;
    key = next;
    callOff?.();
    callOff = null;
    const before = push;
    push = null;
    await before?.close();
    if (wanted === null) return;
    try {
      const { endpoint, headers, intervalMs } = wanted;
      const onTrouble = (reason: string | null): void =>
        log(reason === null ? `${endpoint} takes metrics again` : `metrics cannot be pushed to ${endpoint}: ${reason}`);
      push = await openOtlpPush({ endpoint, headers, version, versionOf, hostName: hostname(), onTrouble });
      arm(intervalMs);
    } catch (error) {
      log(`metrics cannot be pushed: ${messageOf(error)}`);
    }
  };
  const reconfigure = (): void => {
    work = work.then(settle, settle);
  };
  reconfigure();
  return {
    reconfigure,
    async close() {
      isClosed = true;
      unsubscribe();
      reconfigure();
      // Whoever ends the daemon does not wait for a collector that hangs.
      await Promise.race([work, wait(schedule, CLOSE_WITHIN_MS)]);
    },
  };
};
