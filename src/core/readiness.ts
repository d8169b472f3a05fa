/**
 * When is a worker ready? Pure: the facts about one process in, the answer out.
 *
 * Declared ports and ports that the app served before must listen (after a change of script, arguments, environment or
 * release any one listener counts); where the app signals readiness, the signal must have come; then all of it must
 * have held for `stableForMs`. A worker of an app that never listened is ready after `stableForMs` alive:
 * since its agent spoke, because before that Node was only loading, and if its event loop turns, because before that
 * the app was only loading.
 */

/** A port that the app is expected to serve: by number (declared) or by its full address (learned). */
export interface ExpectedPort {
  readonly label: string;
  readonly matches: (key: string, port: number | null) => boolean;
}

export interface Listener {
  readonly key: string;
  readonly port: number | null;
  readonly since: number;
}

export interface ReadinessFacts {
  /** When the app began to run. */
  readonly aliveSince: number;
  readonly expected: readonly ExpectedPort[];
  /** The app changed: ports learned earlier may be gone, so any one listener satisfies `expected`. */
  readonly anyListenerCounts: boolean;
  readonly listeners: readonly Listener[];
  readonly needsSignal: boolean;
  readonly signalledAt: number | null;
  /** Probes that have not passed yet, in words. */
  readonly missingHealth: readonly string[];
  readonly stableForMs: number;
  /**
   * Its event loop has not been heard yet: what listens on nothing may have a `listen` before it until then. Null: the loop
   * has answered, or cannot be asked.
   */
  readonly mayLoadUntil: number | null;
}

export type Readiness =
  | { readonly status: 'ready' }
  /** Everything is there and only the time is missing: look again `at`. */
  | { readonly status: 'settling'; readonly at: number }
  | { readonly status: 'waiting'; readonly missing: readonly string[] }
  /** Nothing is missing, if the event loop answers: it may take `until` then. */
  | { readonly status: 'unheard'; readonly until: number };

/**
 * Until when the silence of an event loop is taken for loading: there must be time left to hold for `stableForMs` before
 * the start has failed, and what computes for ever is not kept from its service for ever.
 */
export const loadingUntil = (helloAt: number, { timeoutMs, stableForMs }: ReadyTimes): number =>
  helloAt + (timeoutMs - stableForMs) / 2;

export interface ReadyTimes {
  readonly timeoutMs: number;
  readonly stableForMs: number;
}

export const readinessAt = (facts: ReadinessFacts, at: number): Readiness => {
  const missing = missingFrom(facts);
  if (missing.length > 0) return { status: 'waiting', missing };
  // Of a worker that is older than the daemon, all of this may be before its clock began.
  const since = Math.max(
    facts.aliveSince,
    facts.signalledAt ?? facts.aliveSince,
    ...facts.listeners.map((listener) => listener.since),
  );
  const readyAt = since + facts.stableForMs;
  if (at < readyAt) return { status: 'settling', at: readyAt };
  const { mayLoadUntil, listeners } = facts;
  if (listeners.length === 0 && mayLoadUntil !== null && at < mayLoadUntil)
    return { status: 'unheard', until: mayLoadUntil };
  return { status: 'ready' };
};

const missingFrom = (facts: ReadinessFacts): string[] => {
  const isServed = (port: ExpectedPort): boolean =>
    facts.listeners.some((listener) => port.matches(listener.key, listener.port));
  const unserved = facts.expected.filter((port) => !isServed(port)).map((port) => port.label);
  const ports = facts.anyListenerCounts && facts.listeners.length > 0 ? [] : unserved;
  const signal = facts.needsSignal && facts.signalledAt === null ? ["the app's ready signal"] : [];
  return [...ports, ...signal, ...facts.missingHealth];
};
