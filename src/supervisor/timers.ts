/** Named timers of one machine: arming replaces the one of that name, and all end together. */
import type { CallOff, Schedule } from './schedule.ts';

export interface NamedTimers<Name extends string> {
  arm(name: Name, afterMs: number, onElapsed: () => void): void;
  disarm(name: Name): void;
  close(): void;
}

/** `patient`: those that wait for a sign of life, and mean nothing when nobody listened. */
export const openTimers = <Name extends string>(
  schedule: Schedule,
  patient: readonly Name[] = [],
): NamedTimers<Name> => {
  const armed = new Map<Name, CallOff>();
  const disarm = (name: Name): void => {
    armed.get(name)?.();
    armed.delete(name);
  };
  return {
    arm(name, afterMs, onElapsed) {
      disarm(name);
      const elapse = (): void => {
        armed.delete(name);
        onElapsed();
      };
      const isPatient = patient.includes(name);
      armed.set(name, isPatient ? schedule.patient(afterMs, elapse) : schedule.after(afterMs, elapse));
    },
    disarm,
    close() {
      for (const name of armed.keys()) disarm(name);
    },
  };
};
