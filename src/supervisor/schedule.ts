/** Time as the supervisor sees it. All its waits go through here, so that a simulation can have a clock of its own. */
import { type PatientEdges, waitPatiently } from './patient-wait.ts';

/** Calls a wait off; without effect once it is over. */
export type CallOff = () => void;

export interface Schedule {
  /** Calls back once after `ms`. */
  after(ms: number, call: () => void): CallOff;
  /** The same, but it alone keeps no process alive. */
  background(ms: number, call: () => void): CallOff;
  /** For a sign of life: begins anew when this process itself did not run meanwhile (`patient-wait.ts`). */
  patient(ms: number, call: () => void): CallOff;
  /** In the next turn of the event loop, in the order in which it was asked for. */
  soon(call: () => void): void;
}

/** Longest wait that `setTimeout` can hold. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

const start = (ms: number, call: () => void): NodeJS.Timeout =>
  setTimeout(call, Math.min(Math.max(0, ms), MAX_TIMEOUT_MS));

export const systemSchedule: Schedule = {
  after(ms, call) {
    const timer = start(ms, call);
    return () => clearTimeout(timer);
  },
  background(ms, call) {
    const timer = start(ms, call).unref();
    return () => clearTimeout(timer);
  },
  patient: (ms, call) => waitPatiently(ms, call, patientEdges),
  soon: (call) => void setImmediate(call),
};

const patientEdges: PatientEdges = {
  after: (ms, call) => systemSchedule.after(ms, call),
  monotonicMs: () => performance.now(),
};

/** Resolves after `ms`. */
export const wait = (schedule: Schedule, ms: number): Promise<void> =>
  new Promise((resolve) => void schedule.after(ms, resolve));
