/** Named timers of one machine: arming replaces the one of that name, and all end together. */
import type { CallOff, Schedule } from './schedule.ts';

export interface NamedTimers<Name extends string> {
  arm(name: Name, afterMs: number, onElapsed: () => void): void;
  disarm(name: Name): void;
  close(): void;
}

export const openTimers = <Name extends string>(schedule: Schedule): NamedTimers<Name> => {
  const armed = new Map<Name, CallOff>();
  const disarm = (name: Name): void => {
    armed.get(name)?.();
    armed.delete(name);
  };
  return {
    arm(name, afterMs, onElapsed) {
      disarm(name);
      const callOff = schedule.after(afterMs, () => {
        armed.delete(name);
        onElapsed();
      });
      armed.set(name, callOff);
    },
    disarm,
    close() {
      for (const name of armed.keys()) disarm(name);
    },
  };
};
