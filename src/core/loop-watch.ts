/**
 * Whether a worker's event loop is blocked, seen from outside: the daemon pings it (`ping`), the loop itself answers
 * (`pong`), and while it is blocked there is no answer. Only silence counts that is the worker's own: not what passed
 * while the daemon itself was late (the answer may lie unread in the socket), nor while the kernel gave the worker no core.
 * Refuses to judge a worker that starts: loading a program is one long block.
 */
import type { Each, Step } from './machine.ts';

export interface LoopPolicy {
  /** Between two pings, and between two looks at whether there was an answer. */
  readonly everyMs: number;
  /** A tick that comes later than this says that the daemon was late itself. */
  readonly lateMs: number;
  /** As configured (`health.blockedAfterMs`). */
  readonly blockedAfterMs: number;
  /** Silent for so long it is taken to be hung: it will not come back by itself. */
  readonly hungAfterMs: number;
}

export const LOOP_POLICY: Omit<LoopPolicy, 'blockedAfterMs'> = { everyMs: 250, lateMs: 100, hungAfterMs: 30_000 };

/** Of one worker; plain data. */
export interface LoopState {
  readonly generation: number;
  /** The ping that waits for its answer; null: none does. Only one is under way at a time. */
  readonly asked: { readonly id: number; readonly at: number } | null;
  readonly lastId: number;
  readonly tickAt: number | null;
  /** Silence so far that is the worker's own. */
  readonly silentMs: number;
  readonly phase: 'answering' | 'blocked' | 'hung';
  /** When the silence began that it is blocked for. */
  readonly since: number | null;
}

export type LoopEvent =
  /**
   * Every `everyMs`. `lateMs`: how much later than planned the daemon came to it. `isExcused`: whatever the worker did not
   * do, it could not (no core: `Starvation.isStarved`; frozen or captured by Drover itself). `isReady`: it serves.
   */
  | Each<
      'tick',
      { readonly at: number; readonly lateMs: number; readonly isExcused: boolean; readonly isReady: boolean }
    >
  /** The answer to the ping `id`. */
  | Each<'pong', { readonly at: number; readonly id: number }>
  /** Anything else from its loop: a report, a message. */
  | Each<'heard', { readonly at: number }>;

export type LoopEffect =
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'blocked'; readonly since: number; readonly sinceMs: number }
  | { readonly type: 'unblocked'; readonly durationMs: number }
  /** Silent for too long: a matter for the ladder. Said once for each block. */
  | { readonly type: 'hung'; readonly since: number; readonly sinceMs: number; readonly reason: string };

export type LoopStep = Step<LoopState, LoopEffect>;

export const newLoopWatch = (generation: number): LoopState => ({
  generation,
  asked: null,
  lastId: 0,
  tickAt: null,
  silentMs: 0,
  phase: 'answering',
  since: null,
});

/** How long it has been blocked; null: it is not. */
export const blockedForMs = ({ since }: LoopState, at: number): number | null => (since === null ? null : at - since);

const answered = (state: LoopState, at: number): LoopStep => {
  const effects: LoopEffect[] =
    state.since === null ? [] : [{ type: 'unblocked', durationMs: Math.max(0, at - state.since) }];
  return { state: { ...state, asked: null, silentMs: 0, phase: 'answering', since: null }, effects };
};

/** What of the time since the last tick the worker was silent by its own doing. */
const ownSilence = (state: LoopState, event: Extract<LoopEvent, { type: 'tick' }>, policy: LoopPolicy): number => {
  if (state.asked === null || state.tickAt === null || event.isExcused) return 0;
  // After a stall of the daemon answers may wait in the socket, which is read after this tick.
  if (event.lateMs > policy.lateMs) return 0;
  const passed = event.at - Math.max(state.tickAt, state.asked.at);
  // Whatever the clock does, a tick is a tick: a machine that was asleep has blamed nobody.
  return Math.min(Math.max(0, passed), policy.everyMs + policy.lateMs);
};

const tick = (before: LoopState, event: Extract<LoopEvent, { type: 'tick' }>, policy: LoopPolicy): LoopStep => {
  const { at } = event;
  if (!event.isReady) {
    // While it starts nothing is asked; a block that was told has to be told the end of.
    const { state, effects } = answered(before, at);
    return { state: { ...state, tickAt: at }, effects };
  }
  const silentMs = before.silentMs + ownSilence(before, event, policy);
  const effects: LoopEffect[] = [];
  let { phase, since, asked, lastId } = before;
  if (phase === 'answering' && silentMs >= policy.blockedAfterMs) {
    phase = 'blocked';
    since = at - silentMs;
    effects.push({ type: 'blocked', since, sinceMs: silentMs });
  }
  if (phase === 'blocked' && silentMs >= policy.hungAfterMs) {
    phase = 'hung';
    const reason = `its event loop has answered nothing for ${Math.round(silentMs / 1000)} s`;
    effects.push({ type: 'hung', since: since!, sinceMs: silentMs, reason });
  }
  if (asked === null) {
    lastId += 1;
    asked = { id: lastId, at };
    effects.push({ type: 'ping', id: lastId });
  }
  return { state: { ...before, asked, lastId, tickAt: at, silentMs, phase, since }, effects };
};

/** One event of one worker. */
export const stepLoopWatch = (state: LoopState, event: LoopEvent, policy: LoopPolicy): LoopStep => {
  if (event.type === 'tick') return tick(state, event, policy);
  // An answer to an earlier ping (of a daemon before this one) proves nothing about now.
  if (event.type === 'pong' && state.asked?.id !== event.id) return { state, effects: [] };
  return answered(state, event.at);
};
