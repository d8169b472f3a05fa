/**
 * An operation changes what runs in the slots of one app: start, reload, restart, scale, stop, delete. This machine
 * decides the order (which slots boot together, when traffic moves, what is put back after a failure) and ends exactly
 * once. It knows nothing of processes: a slot has a *holder*, which has the slot's traffic, and at most one
 * *replacement*, which has none until it is handed over.
 *
 *   preparing ──begin──▶ booting ──all of the batch booted: hand over──▶ draining ──old ones gone──▶ next batch, or done
 *                           │ failure, abort, deadline                      │
 *                           ▼                                               ▼
 *                        reverting ──replacements discarded, old release back──▶ failed, or stuck
 *
 * Handing over is a moment, not a phase: from then on the slot's new holder accepts, and the old one drains.
 */
import type {
  OperationPhase,
  OperationOutcome,
  ChangeKind,
  SlotAction,
  SlotStage,
  SlotProgress,
  OperationState,
  SlotChange,
  OperationEvent,
  OperationEffect,
  OperationStep,
  OperationTransition,
  OperationTable,
} from './operation-types.ts';

/** `changes` in the order in which they should happen. */
export const newOperation = (kind: ChangeKind, changes: readonly SlotChange[], batchSize: number): OperationState => ({
  phase: 'preparing',
  kind,
  batchSize: Math.max(1, batchSize),
  slots: changes.map(({ slot, action }) => ({ slot, action, stage: 'waiting', turn: 0 })),
  trouble: null,
  end: null,
});

// ── building blocks ──────────────────────────────────────────────────────────────────────────────────────────────

/** The effect whose answer a stage waits for. `recalled` still waits for the one before it. */
const EFFECT_OF = {
  booting: 'boot',
  ending: 'hand-over',
  stopping: 'stop',
  discarding: 'discard',
  reviving: 'boot-old',
  returning: 'hand-over',
  withdrawing: 'stop',
  abandoning: 'discard',
} as const satisfies Partial<Record<SlotStage, OperationEffect['type']>>;

const effectOf = (stage: SlotStage): (typeof EFFECT_OF)[keyof typeof EFFECT_OF] | null =>
  stage in EFFECT_OF ? EFFECT_OF[stage as keyof typeof EFFECT_OF] : null;

const isPending = ({ stage }: SlotProgress): boolean => effectOf(stage) !== null || stage === 'recalled';

/** What to send again after a daemon restart. A recalled slot's order is the one that it was recalled from. */
const pendingEffect = ({ slot, stage, action, turn }: SlotProgress): OperationEffect[] => {
  if (stage === 'recalled') return [{ type: action === 'remove' ? 'stop' : 'hand-over', slot, turn }];
  const type = effectOf(stage);
  return type === null ? [] : [{ type, slot, turn }];
};

/** Which release belongs into the slot if nobody is in it; null: none, or the operation is about to see to that itself. */
export const releaseOf = ({ stage, action }: SlotProgress): 'new' | 'old' | null => {
  if (stage === 'changed' || stage === 'down' || stage === 'ending') return action === 'remove' ? null : 'new';
  if (stage === 'kept' || stage === 'lost' || stage === 'returning' || stage === 'discarding') return 'old';
  return stage === 'waiting' && action === 'replace' ? 'old' : null;
};

/** Failures of these kinds leave the workers to their own restarts: there is no better state to go back to. */
const isKept = (kind: ChangeKind): boolean => kind === 'start' || kind === 'restart';

const line = (
  name: string,
  slot: number | null,
  outcome: 'done' | 'failed' = 'done',
  detail: string | null = null,
): OperationEffect => ({ type: 'step', name, slot, outcome, detail });

const stay = (state: OperationState): OperationStep => ({ state, effects: [] });

type Route = (progress: SlotProgress) => SlotStage;

/** Sends each slot to the stage that `route` names, with the effects that those stages begin with. */
const moveAll = (state: OperationState, route: Route): OperationStep => {
  const effects: OperationEffect[] = [];
  const slots = state.slots.map((progress) => {
    const stage = route(progress);
    if (stage === progress.stage) return progress;
    const type = effectOf(stage);
    if (type === null) return { ...progress, stage };
    const turn = progress.turn + 1;
    effects.push({ type, slot: progress.slot, turn });
    return { ...progress, stage, turn };
  });
  return { state: { ...state, slots }, effects };
};

const moveOne = (state: OperationState, slot: number, stage: SlotStage): OperationStep =>
  moveAll(state, (progress) => (progress.slot === slot ? stage : progress.stage));

const prepend = (effects: readonly OperationEffect[], step: OperationStep): OperationStep => ({
  state: step.state,
  effects: [...effects, ...step.effects],
});

const then = (step: OperationStep, next: (state: OperationState) => OperationStep): OperationStep =>
  prepend(step.effects, next(step.state));

const inPhase = (state: OperationState, phase: OperationPhase): OperationState => ({ ...state, phase });

const numbersAt = (state: OperationState, stages: readonly SlotStage[]): number[] =>
  state.slots.filter(({ stage }) => stages.includes(stage)).map(({ slot }) => slot);

const finish = (
  state: OperationState,
  phase: 'done' | 'failed' | 'stuck',
  outcome: OperationOutcome,
  reason: string | null,
): OperationStep => ({
  state: { ...state, phase, end: { outcome, reason } },
  effects: [{ type: 'finish', outcome, reason }],
});

const stageOf = (state: OperationState, slot: number): SlotStage | null =>
  state.slots.find((progress) => progress.slot === slot)?.stage ?? null;

// ── going on ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** The next slots to change, in the order boot and replace (by batches), stop to start again, remove. */
const nextSlots = (state: OperationState): { slots: readonly number[]; stage: 'booting' | 'stopping' } | null => {
  const waiting = (actions: readonly SlotAction[]): number[] =>
    state.slots.filter(({ stage, action }) => stage === 'waiting' && actions.includes(action)).map(({ slot }) => slot);
  const fresh = waiting(['boot', 'replace']);
  if (fresh.length > 0) return { slots: fresh.slice(0, state.batchSize), stage: 'booting' };
  const restarting = waiting(['stop-start']);
  if (restarting.length > 0) return { slots: restarting, stage: 'stopping' };
  const stopped = numbersAt(state, ['stopped']);
  if (stopped.length > 0) return { slots: stopped, stage: 'booting' };
  const leaving = waiting(['remove']);
  return leaving.length > 0 ? { slots: leaving, stage: 'stopping' } : null;
};

/** Goes on as far as it can without another answer. */
const advance = (state: OperationState): OperationStep => {
  if (numbersAt(state, ['booting', 'ending', 'stopping']).length > 0) return stay(state);
  const booted = numbersAt(state, ['booted']);
  if (booted.length > 0) {
    return prepend(
      booted.map((slot) => line('hand-over', slot)),
      moveAll(inPhase(state, 'draining'), ({ stage }) => (stage === 'booted' ? 'ending' : stage)),
    );
  }
  const next = nextSlots(state);
  if (next !== null) {
    const phase = next.stage === 'booting' ? 'booting' : 'draining';
    return moveAll(inPhase(state, phase), ({ slot, stage }) => (next.slots.includes(slot) ? next.stage : stage));
  }
  // A slot that came up after all, before the end, is no trouble.
  if (state.trouble !== null && numbersAt(state, ['down']).length > 0) {
    return finish(state, 'failed', state.trouble.outcome, state.trouble.reason);
  }
  return finish(state, 'done', 'completed', null);
};

// ── putting back ─────────────────────────────────────────────────────────────────────────────────────────────────

const WAY_BACK: Readonly<Record<SlotStage, Route>> = {
  waiting: () => 'kept',
  booting: ({ action }) => (action === 'replace' ? 'discarding' : 'withdrawing'),
  booted: () => 'discarding',
  ending: () => 'recalled',
  stopping: () => 'recalled',
  stopped: () => 'reviving',
  changed: ({ action }) => (action === 'boot' ? 'withdrawing' : 'reviving'),
  down: () => 'withdrawing',
  discarding: ({ stage }) => stage,
  recalled: ({ stage }) => stage,
  reviving: ({ stage }) => stage,
  returning: ({ stage }) => stage,
  withdrawing: ({ stage }) => stage,
  abandoning: ({ stage }) => stage,
  kept: ({ stage }) => stage,
  lost: ({ stage }) => stage,
};

/** Ends it once everything is back. */
const settle = (state: OperationState): OperationStep => {
  if (state.slots.some(isPending)) return stay(state);
  const { outcome, reason } = state.trouble ?? { outcome: 'failed', reason: 'for an unknown reason' };
  const lost = numbersAt(state, ['lost']);
  if (lost.length === 0) return finish(state, 'failed', outcome, reason);
  return finish(state, 'stuck', 'failed', `${reason}; could not be put back: slot ${lost.join(', ')}`);
};

const putBack = (state: OperationState, outcome: 'failed' | 'aborted', reason: string): OperationStep => {
  const hasChanged = numbersAt(state, ['ending', 'stopping', 'stopped', 'changed']).length > 0;
  // A start has no old version that could serve again.
  const trouble = { outcome: hasChanged && state.kind !== 'start' ? 'rolled-back' : outcome, reason } as const;
  const back = moveAll({ ...state, phase: 'reverting', trouble }, (progress) => WAY_BACK[progress.stage](progress));
  return then(back, settle);
};

/** Where a slot is left: whoever should be in it and is not is booted again once the operation has ended. */
const LEFT_AS: Partial<Record<SlotStage, Route>> = {
  booting: () => 'down',
  waiting: () => 'kept',
  stopping: ({ action, stage }) => (action === 'stop-start' ? 'lost' : stage),
  stopped: () => 'lost',
};

/** Stops caring about slots that do not answer; their workers stay with their own machines. */
const letGo = (state: OperationState, outcome: 'failed' | 'aborted', reason: string): OperationStep => {
  const released = moveAll(state, (progress) => LEFT_AS[progress.stage]?.(progress) ?? progress.stage);
  return then(released, (after) => finish(after, 'failed', outcome, reason));
};

// ── transitions: the cells of the table ──────────────────────────────────────────────────────────────────────────

/** Known to happen, and nothing to do. */
const ignore: OperationTransition = (state) => stay(state);

/** Cannot happen unless Drover has a defect: say so on the receipt and carry on. */
const unexpected: OperationTransition = (state, event) => ({
  state,
  effects: [line('defect', null, 'failed', `${event.type} was not expected while ${state.phase}`)],
});

const begin: OperationTransition<'begin' | 'restored'> = (state) => advance(state);

/** A replacement that was up may have gone meanwhile: whoever boots it finds it, or boots it again. */
const resend: OperationTransition<'restored'> = (state, { undone }) => {
  const slots = state.slots.map((progress): SlotProgress => {
    const { slot, stage, turn } = progress;
    if (stage === 'ending' && undone.includes(slot)) return { ...progress, stage: 'booting', turn: turn + 1 };
    if (stage === 'changed' && undone.includes(slot)) return { ...progress, action: 'replace', stage: 'waiting' };
    return stage === 'booted' ? { ...progress, stage: 'booting' } : progress;
  });
  const isBooting = state.phase === 'draining' && slots.some(({ stage }) => stage === 'booting');
  const phase = isBooting ? 'booting' : state.phase;
  const sent = { state: { ...state, phase, slots }, effects: slots.flatMap(pendingEffect) };
  return phase === 'reverting' ? sent : then(sent, advance);
};

const finishAgain: OperationTransition<'restored'> = (state) => ({
  state,
  effects: state.end === null ? [] : [{ type: 'finish', ...state.end }],
});

const TOO_LONG = 'it took too long';

const noteBooted: OperationTransition<'booted'> = (state, { slot }) => {
  const progress = state.slots.find((each) => each.slot === slot);
  if (progress === undefined || (progress.stage !== 'booting' && progress.stage !== 'down')) return stay(state);
  // Only a replacement needs a hand-over: in an empty slot the worker that booted is the holder.
  const stage = progress.action === 'replace' ? 'booted' : 'changed';
  return prepend([line('ready', slot)], then(moveOne(state, slot, stage), advance));
};

const failBoot: OperationTransition<'boot-failed'> = (state, { slot, reason }) => {
  const failed = line('ready', slot, 'failed', reason);
  if (!isKept(state.kind)) return prepend([failed], putBack(state, 'failed', reason));
  // One that was up already is restarted by its own machine.
  if (stageOf(state, slot) !== 'booting') return stay(state);
  const trouble = state.trouble ?? ({ outcome: 'failed', reason } as const);
  return prepend([failed], then(moveOne({ ...state, trouble }, slot, 'down'), advance));
};

const noteDrained: OperationTransition<'drained'> = (state, { slot }) => {
  const progress = state.slots.find((each) => each.slot === slot);
  if (progress?.stage === 'ending') {
    return prepend([line('drained', slot)], then(moveOne(state, slot, 'changed'), advance));
  }
  if (progress?.stage !== 'stopping') return stay(state);
  const stage = progress.action === 'stop-start' ? 'stopped' : 'changed';
  return prepend([line('stopped', slot)], then(moveOne(state, slot, stage), advance));
};

const abortBoot: OperationTransition<'abort'> = (state, { reason }) => {
  // What is wanted is on record as stopped already, and clients are refused.
  if (state.kind === 'stop' || state.kind === 'delete') return stay(state);
  // A restart has stopped everything: going on is the quickest way to serve again.
  return state.kind === 'restart' ? letGo(state, 'aborted', reason) : putBack(state, 'aborted', reason);
};

const expireBoot: OperationTransition<'deadline'> = (state) =>
  isKept(state.kind) ? letGo(state, 'failed', TOO_LONG) : putBack(state, 'failed', TOO_LONG);

/** With nothing left to begin, only old workers are ending: it is too late to stop. */
const abortRest: OperationTransition<'abort'> = (state, { reason }) =>
  numbersAt(state, ['waiting']).length > 0 ? putBack(state, 'aborted', reason) : stay(state);

const expireRest: OperationTransition<'deadline'> = (state) =>
  numbersAt(state, ['waiting']).length > 0 ? putBack(state, 'failed', TOO_LONG) : letGo(state, 'failed', TOO_LONG);

const noteGone: OperationTransition<'drained'> = (state, { slot }) => {
  const stage = stageOf(state, slot);
  if (stage === 'recalled') return moveOne(state, slot, 'reviving');
  if (stage !== 'returning' && stage !== 'withdrawing') return stay(state);
  return prepend([line('put-back', slot)], then(moveOne(state, slot, 'kept'), settle));
};

const noteDiscarded: OperationTransition<'discarded'> = (state, { slot }) => {
  const stage = stageOf(state, slot);
  if (stage === 'discarding') return prepend([line('discarded', slot)], then(moveOne(state, slot, 'kept'), settle));
  return stage === 'abandoning' ? then(moveOne(state, slot, 'lost'), settle) : stay(state);
};

const giveBack: OperationTransition<'old-booted'> = (state, { slot }) =>
  stageOf(state, slot) === 'reviving' ? moveOne(state, slot, 'returning') : stay(state);

const abandon: OperationTransition<'old-boot-failed'> = (state, { slot, reason }) =>
  stageOf(state, slot) === 'reviving'
    ? prepend([line('put-back', slot, 'failed', reason)], moveOne(state, slot, 'abandoning'))
    : stay(state);

/** No more time to put things back: what still boots is ended, and a person is told. */
const giveUp: OperationTransition<'deadline'> = (state) => {
  const ended = moveAll(state, ({ stage }) => (stage === 'reviving' ? 'abandoning' : stage));
  const lost = then(ended, (after) => moveAll(after, (progress) => (isPending(progress) ? 'lost' : progress.stage)));
  return then(lost, settle);
};

// ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────

// oxfmt-ignore
export const OPERATION_TABLE: OperationTable = {
  preparing: {
    begin: begin, restored: begin, abort: abortBoot, deadline: expireBoot,
    booted: unexpected, 'boot-failed': unexpected, drained: unexpected,
    discarded: unexpected, 'old-booted': unexpected, 'old-boot-failed': unexpected,
  },
  booting: {
    begin: unexpected, restored: resend, abort: abortBoot, deadline: expireBoot,
    booted: noteBooted, 'boot-failed': failBoot, drained: noteDrained,
    discarded: unexpected, 'old-booted': unexpected, 'old-boot-failed': unexpected,
  },
  draining: {
    begin: unexpected, restored: resend, abort: abortRest, deadline: expireRest,
    booted: ignore, 'boot-failed': failBoot, drained: noteDrained,
    discarded: unexpected, 'old-booted': unexpected, 'old-boot-failed': unexpected,
  },
  reverting: {
    begin: unexpected, restored: resend, abort: ignore, deadline: giveUp,
    booted: unexpected, 'boot-failed': ignore, drained: noteGone,
    discarded: noteDiscarded, 'old-booted': giveBack, 'old-boot-failed': abandon,
  },
  done: {
    begin: unexpected, restored: finishAgain, abort: ignore, deadline: ignore,
    booted: ignore, 'boot-failed': ignore, drained: ignore,
    discarded: unexpected, 'old-booted': unexpected, 'old-boot-failed': unexpected,
  },
  failed: {
    begin: unexpected, restored: finishAgain, abort: ignore, deadline: ignore,
    booted: ignore, 'boot-failed': ignore, drained: ignore,
    discarded: ignore, 'old-booted': unexpected, 'old-boot-failed': unexpected,
  },
  stuck: {
    begin: unexpected, restored: finishAgain, abort: ignore, deadline: ignore,
    booted: unexpected, 'boot-failed': ignore, drained: ignore,
    discarded: ignore, 'old-booted': unexpected, 'old-boot-failed': unexpected,
  },
};

const isStale = (state: OperationState, event: OperationEvent): boolean =>
  'turn' in event && !state.slots.some(({ slot, turn }) => slot === event.slot && turn === event.turn);

/** One event: the next state, and what to do about it. `table` is only given by tests that mutate it. */
export const stepOperation = (
  state: OperationState,
  event: OperationEvent,
  table: OperationTable = OPERATION_TABLE,
): OperationStep => {
  if (isStale(state, event)) return stay(state);
  // The column was derived from this very event, which TypeScript cannot follow through the lookup.
  const transition = table[state.phase][event.type] as OperationTransition;
  return transition(state, event);
};
