/** Named timers of one machine: arming replaces the one of that name, and all end together. */
export interface NamedTimers<Name extends string> {
  arm(name: Name, afterMs: number, onElapsed: () => void): void;
  disarm(name: Name): void;
  close(): void;
}

/** Longest wait that `setTimeout` can hold. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const openTimers = <Name extends string>(): NamedTimers<Name> => {
  const armed = new Map<Name, NodeJS.Timeout>();
  const disarm = (name: Name): void => {
    clearTimeout(armed.get(name));
    armed.delete(name);
  };
  return {
    arm(name, afterMs, onElapsed) {
      disarm(name);
      const timer = setTimeout(
        () => {
          armed.delete(name);
          onElapsed();
        },
        Math.min(Math.max(0, afterMs), MAX_TIMEOUT_MS),
      );
      armed.set(name, timer);
    },
    disarm,
    close() {
      for (const name of armed.keys()) disarm(name);
    },
  };
};
