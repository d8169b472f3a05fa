/**
 * A wait for a sign of life of somebody else. A daemon that did not run itself meanwhile (frozen by a signal, a machine
 * that was suspended or had no core for it) has heard nobody, and may not blame them: the wait begins anew, in full. It
 * goes in slices, because only a slice that ends late tells that there was such a time.
 */
import type { CallOff } from './schedule.ts';

const SLICE_MS = 500;
/** A slice that ends this much later than it should; a busy daemon on a busy machine is no absence. */
const AWAY_MS = 1000;

export interface PatientEdges {
  readonly after: (ms: number, call: () => void) => CallOff;
  readonly monotonicMs: () => number;
}

/** Calls back once, after `ms` in which this process was there. */
export const waitPatiently = (ms: number, call: () => void, { after, monotonicMs }: PatientEdges): CallOff => {
  let callOff: CallOff = () => {};
  const wait = (leftMs: number): void => {
    const sliceMs = Math.min(SLICE_MS, Math.max(0, leftMs));
    const due = monotonicMs() + sliceMs;
    callOff = after(sliceMs, () => {
      if (monotonicMs() - due > AWAY_MS) return wait(ms);
      if (leftMs > sliceMs) return wait(leftMs - sliceMs);
      return call();
    });
  };
  wait(ms);
  return () => callOff();
};
