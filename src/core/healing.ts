/**
 * The self-healing ladder of a slot: what is done about a worker that is not well, step by step, and when it is left alone.
 *
 *            unwell            the hook, if there is one            did not help
 *   well ──────────▶ waiting ─────────▶ recovering ────────────────────────────▶ replacing
 *    ▲   (limits)      ▲   │ without a hook                                        │  │
 *    │                 │   └──────────────────────────────▶ replacing              │  │ no successor
 *    │ held out        │ the wait is over                                 replaced │  ▼
 *   proving ◀──────────┼────────────────────────────────────────────────────────── ┘  backoff ── too often ──▶ quarantined
 *      └─ unwell again ┴──▶ backoff                                                        until somebody releases it
 *
 * What forbids to act is in `heal-limits.ts`; what is wrong comes from `health.ts`. Refuses to start, end or ask anything:
 * it answers with effects.
 */
import { findLimit, findShared, HOUR_MS } from './heal-limits.ts';
import type { Trouble, TroubleKind } from './worker-health.ts';
import type {
  HealAttempt,
  HealColumn,
  HealContext,
  HealEffect,
  HealEvent,
  HealPolicy,
  HealSituation,
  HealSlot,
  HealState,
  HealStep,
  HealTable,
  HealTimer,
  HealTrouble,
  HealTransition,
  SlotStep,
} from './healing-types.ts';

const same = (ms: number): Record<TroubleKind, number> => ({
  hang: ms,
  liveness: ms,
  check: ms,
  ejected: ms,
  'budget-memory': ms,
  'budget-load': ms,
  memory: ms,
});

/** Everything but what the configuration says. */
export const HEAL_POLICY: Omit<
  HealPolicy,
  'enabled' | 'recoverTimeoutMs' | 'maxUnavailable' | 'perHour' | 'quarantineAfter'
> = {
  settleMs: 30_000,
  patienceMs: { ...same(0), liveness: 10_000 },
  // Three intervals of budgets at their default, or six periods of a probe.
  aloneMs: 60_000,
  // A new worker that is full again within a minute was not worth starting; one that leaks like the old one was.
  proveMs: { ...same(300_000), memory: 60_000, 'budget-memory': 60_000 },
  backoff: { initialMs: 30_000, factor: 2, maxMs: 600_000 },
};

export const newHealing = (): HealState => ({ slots: {}, replacedAt: [], unhelpful: [] });

const newSlot = (generation: number): HealSlot => ({
  phase: 'well',
  generation,
  turn: 0,
  trouble: null,
  failures: 0,
  hasAskedHook: false,
  attempts: [],
  held: null,
});

// ── building blocks ──────────────────────────────────────────────────────────────────────────────────────────────

const TIMER: Readonly<Partial<Record<HealSlot['phase'], HealTimer>>> = {
  recovering: 'recover',
  proving: 'prove',
  backoff: 'backoff',
};

/** Attempts that are kept as evidence. */
const ATTEMPTS = 10;

const stay = (slot: HealSlot, effects: readonly HealEffect[] = []): SlotStep => ({ state: slot, effects });

const enter = (
  from: HealSlot,
  change: Partial<HealSlot> & { readonly phase: HealSlot['phase'] },
  effects: readonly HealEffect[],
  { slot }: HealContext,
): SlotStep => {
  const timer = TIMER[from.phase];
  return {
    state: { ...from, turn: from.turn + 1, ...change },
    effects: [...(timer === undefined ? [] : [{ type: 'disarm', slot, timer } as const]), ...effects],
  };
};

const report = (
  slot: HealSlot,
  event: Extract<HealEffect, { type: 'report' }>['event'],
  reason: string,
  context: HealContext,
): HealEffect => ({
  type: 'report',
  event,
  slot: context.slot,
  generation: slot.generation,
  reason,
  trouble: slot.trouble?.kind ?? null,
  evidence: slot.trouble?.evidence ?? {},
  attempts: slot.attempts,
});

const arm = (from: HealSlot, timer: HealTimer, afterMs: number, { slot }: HealContext): HealEffect => ({
  type: 'arm',
  slot,
  timer,
  afterMs,
  turn: from.turn + 1,
});

const began = (slot: HealSlot, action: HealAttempt['action'], at: number, trouble: Trouble): readonly HealAttempt[] => {
  const { generation } = slot;
  const attempt = { at, action, generation, key: trouble.key, reason: trouble.reason, outcome: null, hasHelped: null };
  return [...slot.attempts, attempt].slice(-ATTEMPTS);
};

const ended = ({ attempts }: HealSlot, outcome: string, hasHelped: false | null): readonly HealAttempt[] => {
  const last = attempts.at(-1);
  return last === undefined ? attempts : [...attempts.slice(0, -1), { ...last, outcome, hasHelped }];
};

const askHook = (slot: HealSlot, at: number, trouble: HealTrouble, context: HealContext): SlotStep => {
  const next = { ...slot, trouble, held: null, hasAskedHook: true, attempts: began(slot, 'recover', at, trouble) };
  return enter(
    next,
    { phase: 'recovering' },
    [
      {
        type: 'recover',
        slot: context.slot,
        generation: slot.generation,
        turn: slot.turn + 1,
        reason: trouble.reason,
      },
      arm(slot, 'recover', context.policy.recoverTimeoutMs, context),
      report(next, 'worker-recovering', `${trouble.reason}; its recover hook is asked`, context),
    ],
    context,
  );
};

const replace = (slot: HealSlot, at: number, trouble: HealTrouble, context: HealContext): SlotStep => {
  const hook = slot.attempts.at(-1);
  const asked = slot.hasAskedHook && hook?.action === 'recover' && hook.outcome !== null ? ` (${hook.outcome})` : '';
  const next = { ...slot, trouble, held: null, attempts: began(slot, 'replace', at, trouble) };
  const event = trouble.kind === 'memory' ? 'worker-recycled' : 'worker-recovering';
  return enter(
    next,
    { phase: 'replacing' },
    [
      // Said first: the operation that it leads to is a consequence.
      report(next, event, `${trouble.reason}${asked}; it is replaced, start first`, context),
      {
        type: 'replace',
        slot: context.slot,
        generation: slot.generation,
        turn: slot.turn + 1,
        reason: trouble.reason,
      },
    ],
    context,
  );
};

/** Does the next thing about a trouble, if nothing forbids it. */
const actOn = (slot: HealSlot, at: number, trouble: HealTrouble, context: HealContext): SlotStep => {
  const { held } = context;
  if (held !== null) {
    const isNews = held.isTold && held.reason !== slot.held;
    const next = { ...slot, trouble, held: held.isTold ? held.reason : slot.held };
    const told = isNews
      ? [report(next, 'heal-held-back', `${trouble.reason}; nothing is done: ${held.reason}`, context)]
      : [];
    return slot.phase === 'waiting' ? stay(next, told) : enter(next, { phase: 'waiting' }, told, context);
  }
  // A loop that does not answer runs no hook either.
  const asksHook = context.canRecover && !slot.hasAskedHook && trouble.kind !== 'hang';
  return asksHook ? askHook(slot, at, trouble, context) : replace(slot, at, trouble, context);
};

const prove = (slot: HealSlot, outcome: string, change: Partial<HealSlot>, context: HealContext): SlotStep => {
  const afterMs = context.policy.proveMs[slot.trouble?.kind ?? 'liveness'];
  return enter(
    { ...slot, attempts: ended(slot, outcome, null) },
    { ...change, phase: 'proving' },
    [arm(slot, 'prove', afterMs, context)],
    context,
  );
};

/** A replacement did not help: wait longer and longer, then leave it. */
const failAgain = (slot: HealSlot, outcome: string, trouble: HealTrouble | null, context: HealContext): SlotStep => {
  const { policy } = context;
  const failures = slot.failures + 1;
  const next = { ...slot, failures, trouble, hasAskedHook: false, attempts: ended(slot, outcome, false) };
  if (failures >= policy.quarantineAfter) {
    const reason = `${trouble?.reason ?? outcome}; ${failures} replacements in a row did not help, so it is left as it is`;
    return enter(next, { phase: 'quarantined' }, [report(next, 'worker-quarantined', reason, context)], context);
  }
  const { initialMs, factor, maxMs } = policy.backoff;
  const waitMs = Math.min(maxMs, initialMs * factor ** (failures - 1));
  return enter(next, { phase: 'backoff' }, [arm(slot, 'backoff', waitMs, context)], context);
};

// ── transitions: the cells of the table ──────────────────────────────────────────────────────────────────────────

/** Known to happen, and nothing to do. */
const ignore: HealTransition = (slot) => stay(slot);

/** Cannot happen unless Drover has a defect: say so and carry on. */
const unexpected: HealTransition = (slot, event, context) =>
  stay(slot, [
    report(slot, 'defect', `the ladder of a slot that is ${slot.phase} did not expect ${columnOf(event)}`, context),
  ]);

const consider: HealTransition<'unwell'> = (slot, { at }, context) => actOn(slot, at, context.trouble!, context);

const noteTrouble: HealTransition<'unwell'> = (slot, _event, { trouble }) => stay({ ...slot, trouble });

/** Something was done, and it is unwell again. */
const relapse: HealTransition<'unwell'> = (slot, { at }, context) => {
  const again = context.trouble!;
  const last = slot.attempts.at(-1);
  // What has been counted already is not counted twice: it was well in between.
  if (last === undefined || last.hasHelped !== null) return actOn(slot, at, again, context);
  if (last.action === 'replace') return failAgain(slot, `did not help: ${again.reason}`, again, context);
  return actOn({ ...slot, attempts: ended(slot, 'its recover hook did not help', false) }, at, again, context);
};

const becomeWell = (slot: HealSlot, context: HealContext): SlotStep => {
  const { state, effects } = enter(slot, { phase: 'well' }, [], context);
  return { state: { ...newSlot(state.generation), turn: state.turn }, effects };
};

/** Well without anything having been done about it; where something was, it has yet to prove that it stays so. */
const ease: HealTransition<'well' | 'renewed'> = (slot, _event, context) => {
  if (slot.failures === 0 && !slot.hasAskedHook) return becomeWell(slot, context);
  const afterMs = context.policy.proveMs[slot.trouble?.kind ?? 'liveness'];
  return enter(slot, { phase: 'proving' }, [arm(slot, 'prove', afterMs, context)], context);
};

const hookEnded: HealTransition<'recovered'> = (slot, { at, outcome, detail }, context) => {
  if (outcome === 'recovered') return prove(slot, 'its recover hook has run', {}, context);
  const words =
    outcome === 'no-hook' ? 'it has no recover hook' : `its recover hook failed${detail === null ? '' : `: ${detail}`}`;
  return actOn({ ...slot, attempts: ended(slot, words, false) }, at, slot.trouble!, context);
};

const hookLate: HealTransition<'timer:recover'> = (slot, { at }, context) => {
  const words = `its recover hook did not end within ${context.policy.recoverTimeoutMs} ms`;
  return actOn({ ...slot, attempts: ended(slot, words, false) }, at, slot.trouble!, context);
};

const succeed: HealTransition<'replaced'> = (slot, { generation }, context) =>
  prove(slot, 'replaced', { generation, hasAskedHook: false }, context);

const fallShort: HealTransition<'replace-failed'> = (slot, { reason }, context) =>
  failAgain(slot, `no successor: ${reason}`, slot.trouble, context);

const trust: HealTransition<'timer:prove'> = (slot, _event, context) => becomeWell(slot, context);

const tryAgain: HealTransition<'timer:backoff'> = (slot, _event, context) =>
  enter(slot, { phase: 'waiting' }, [], context);

const pardon: HealTransition<'release'> = (slot, _event, context) => becomeWell(slot, context);

/** The successor is on its way; whatever becomes of it has a clean record. */
const pardonLater: HealTransition<'release'> = (slot) => stay({ ...slot, failures: 0 });

// ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Each row in three lines: what health says, what was asked for, timers. What carries an old turn never gets here. */
// oxfmt-ignore
export const HEALING_TABLE: HealTable = {
  well: {
    unwell: consider, well: ignore, renewed: ignore, release: ignore,
    recovered: unexpected, replaced: unexpected, 'replace-failed': unexpected,
    'timer:recover': unexpected, 'timer:prove': unexpected, 'timer:backoff': unexpected,
  },
  waiting: {
    unwell: consider, well: ease, renewed: ease, release: pardon,
    recovered: unexpected, replaced: unexpected, 'replace-failed': unexpected,
    'timer:recover': unexpected, 'timer:prove': unexpected, 'timer:backoff': unexpected,
  },
  recovering: {
    unwell: noteTrouble, well: ignore, renewed: ease, release: pardon,
    recovered: hookEnded, replaced: unexpected, 'replace-failed': unexpected,
    'timer:recover': hookLate, 'timer:prove': unexpected, 'timer:backoff': unexpected,
  },
  replacing: {
    unwell: noteTrouble, well: ignore, renewed: ignore, release: pardonLater,
    recovered: unexpected, replaced: succeed, 'replace-failed': fallShort,
    'timer:recover': unexpected, 'timer:prove': unexpected, 'timer:backoff': unexpected,
  },
  proving: {
    unwell: relapse, well: ignore, renewed: ignore, release: pardon,
    recovered: unexpected, replaced: unexpected, 'replace-failed': unexpected,
    'timer:recover': unexpected, 'timer:prove': trust, 'timer:backoff': unexpected,
  },
  backoff: {
    unwell: noteTrouble, well: ignore, renewed: ignore, release: pardon,
    recovered: unexpected, replaced: unexpected, 'replace-failed': unexpected,
    'timer:recover': unexpected, 'timer:prove': unexpected, 'timer:backoff': tryAgain,
  },
  quarantined: {
    unwell: ignore, well: ignore, renewed: ignore, release: pardon,
    recovered: unexpected, replaced: unexpected, 'replace-failed': unexpected,
    'timer:recover': unexpected, 'timer:prove': unexpected, 'timer:backoff': unexpected,
  },
};

export const columnOf = (event: HealEvent): HealColumn =>
  event.type === 'timer' ? `timer:${event.timer}` : event.type;

/** The slot's record, and nothing said yet where it has none. */
const slotOf = (state: HealState, slot: number): HealSlot => state.slots[slot] ?? newSlot(0);

const isStale = (slot: HealSlot, event: HealEvent): boolean => {
  if ('turn' in event) return event.turn !== slot.turn;
  return 'generation' in event && event.generation < slot.generation;
};

/** What is wrong where an event may lead to something being done. The same trouble keeps its past. */
const troubleAt = (slot: HealSlot, event: HealEvent, situation: HealSituation): HealTrouble | null => {
  if (event.type !== 'unwell') return slot.trouble;
  const { trouble, evidence, at } = event;
  const before = slot.trouble?.key === trouble.key ? slot.trouble : null;
  const isShared = findShared(event.slot, trouble, situation) !== null;
  return {
    ...trouble,
    evidence,
    since: before?.since ?? at,
    sharedAt: isShared ? at : (before?.sharedAt ?? null),
  };
};

/** Keeps what counts over all slots: replacements, and those that did not help. */
const account = (
  state: HealState,
  event: HealEvent,
  before: HealSlot,
  { state: slot, effects }: SlotStep,
): HealState => {
  const { at } = event;
  // One that is replaced ahead of an out-of-memory is no repair: what leaks fast must not use up what is left for those.
  const hasReplaced = effects.some(({ type }) => type === 'replace') && slot.trouble?.kind !== 'memory';
  const hasFailed = slot.failures > before.failures && slot.trouble !== null;
  const recent = <One>(list: readonly One[], when: (one: One) => number): One[] =>
    list.filter((one) => at - when(one) < HOUR_MS);
  const replacedAt = recent(state.replacedAt, (one) => one);
  const unhelpful = recent(state.unhelpful, (one) => one.at);
  // Somebody has looked after it: what did not help before may help now.
  const kept = event.type === 'release' ? [] : unhelpful;
  return {
    slots: { ...state.slots, [event.slot]: slot },
    replacedAt: hasReplaced ? [...replacedAt, at] : replacedAt,
    unhelpful: hasFailed ? [...kept, { key: slot.trouble.key, slot: event.slot, at }] : kept,
  };
};

/**
 * One event of one slot: the next state of the app's ladder, and what to do. Say `unwell` or `well` of each running worker at
 * every look (a second or so apart); all else when it happens. `table` is only given by tests that mutate it.
 */
export const stepHealing = (
  state: HealState,
  event: HealEvent,
  situation: HealSituation,
  policy: HealPolicy,
  table: HealTable = HEALING_TABLE,
): HealStep => {
  const known = slotOf(state, event.slot);
  if (isStale(known, event)) return { state, effects: [] };
  const isRenewed = 'generation' in event && event.type !== 'replaced' && event.generation > known.generation;
  // The hook that was asked was another worker's.
  const before = isRenewed ? { ...known, generation: event.generation, hasAskedHook: false } : known;
  const trouble = troubleAt(before, event, situation);
  const { slot, at } = event;
  const held = trouble === null ? null : findLimit({ state, slot, trouble, situation, policy, at });
  // The column was derived from this very event, which TypeScript cannot follow through the lookup.
  const transition = table[before.phase][columnOf(event)] as HealTransition;
  const step = transition(before, event, { slot, held, trouble, canRecover: situation.canRecover, policy });
  return { state: account(state, event, before, step), effects: step.effects };
};

/** Slots that are no more are forgotten; their timers are stale. */
export const keepSlots = (state: HealState, slots: readonly number[]): HealState => ({
  ...state,
  slots: Object.fromEntries(
    slots.flatMap((slot) => (state.slots[slot] === undefined ? [] : [[slot, state.slots[slot]]])),
  ),
});

/** Where a slot is on the ladder, for people and for `health.ts`. */
export const healPhaseOf = (state: HealState, slot: number): HealSlot['phase'] => slotOf(state, slot).phase;
