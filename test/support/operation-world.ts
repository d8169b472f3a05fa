/**
 * A world for one operation: slots whose holder serves, a replacement that boots beside it, a former holder that
 * drains; answers that come late, twice and out of order; a daemon that dies in between. After every step it checks
 * what must always hold, and throws a sentence when it does not.
 */
import * as fc from 'fast-check';
import { newOperation } from '../../src/core/index.ts';
import type {
  ChangeKind,
  OperationEffect,
  OperationEvent,
  OperationState,
  SlotAction,
  SlotChange,
  SlotStage,
} from '../../src/core/index.ts';
import { OPERATION_TABLE, stepOperation } from '../../src/core/operation.ts';
import type { OperationTable } from '../../src/core/operation-types.ts';

const MOVES = {
  /** The next order is carried out well. */
  succeed: 20,
  /** The next order fails, where it can. */
  fail: 3,
  deliver: 20,
  deliverAny: 3,
  deliverTwice: 3,
  abort: 1,
  deadline: 1,
  /** The daemon dies and comes back: its post is lost, workers live on. */
  restart: 2,
  /** A new holder, or a replacement that was ready, dies and does not come back. */
  relapse: 1,
} as const;
export interface OperationMove {
  readonly move: keyof typeof MOVES;
  readonly pick: number;
}
export interface OperationHistory {
  readonly kind: ChangeKind;
  readonly changes: readonly SlotChange[];
  readonly batchSize: number;
  /** The old release does not boot any more. */
  readonly isDoomed: boolean;
  readonly moves: readonly OperationMove[];
}

const ACTIONS: Readonly<Record<ChangeKind, readonly SlotAction[]>> = {
  start: ['boot'],
  reload: ['replace', 'replace', 'replace', 'boot', 'remove'],
  restart: ['stop-start'],
  scale: ['boot', 'remove'],
  stop: ['remove'],
  delete: ['remove'],
};

const moves = fc.array(
  fc.record({
    move: fc.oneof(
      ...Object.entries(MOVES).map(([move, weight]) => ({
        weight,
        arbitrary: fc.constant(move as keyof typeof MOVES),
      })),
    ),
    pick: fc.nat(1000),
  }),
  { maxLength: 50 },
);

const kinds = fc.oneof(
  { weight: 6, arbitrary: fc.constant('reload' as const) },
  { weight: 2, arbitrary: fc.constant('start' as const) },
  { weight: 2, arbitrary: fc.constant('restart' as const) },
  { weight: 2, arbitrary: fc.constant('scale' as const) },
  { weight: 1, arbitrary: fc.constantFrom('stop' as const, 'delete' as const) },
);

export const operationHistories: fc.Arbitrary<OperationHistory> = kinds.chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    changes: fc
      .array(fc.constantFrom(...ACTIONS[kind]), { minLength: 1, maxLength: 4 })
      .map((actions) => actions.map((action, slot) => ({ slot, action }))),
    batchSize: fc.integer({ min: 1, max: 3 }),
    isDoomed: fc.boolean(),
    moves,
  }),
);

interface Worker {
  readonly release: 'old' | 'new';
  isReady: boolean;
  isAlive: boolean;
}
interface Slot {
  readonly slot: number;
  readonly action: SlotAction;
  holder: Worker | null;
  former: Worker | null;
  replacement: Worker | null;
  /** The last turn whose order was begun, so that a repeated order is carried out once. */
  begunTurn: number;
}
type Order = Exclude<OperationEffect, { readonly type: 'step' | 'finish' }>;

export class OperationWorld {
  state: OperationState;
  readonly visited: Set<string>;
  readonly finishes: Extract<OperationEffect, { type: 'finish' }>[] = [];
  private readonly slots: Slot[];
  private orders: Order[] = [];
  private post: OperationEvent[] = [];
  private hasChanged = false;
  private wasCutShort = false;
  private hasLostHolder = false;
  private readonly history: OperationHistory;
  private readonly table: OperationTable;

  constructor(history: OperationHistory, table: OperationTable = OPERATION_TABLE, visited = new Set<string>()) {
    this.history = history;
    this.table = table;
    this.visited = visited;
    this.state = newOperation(history.kind, history.changes, history.batchSize);
    this.slots = history.changes.map(({ slot, action }) => ({
      slot,
      action,
      holder: action === 'boot' ? null : { release: 'old', isReady: true, isAlive: true },
      former: null,
      replacement: null,
      begunTurn: 0,
    }));
  }

  play({ move, pick }: OperationMove): void {
    const isBegun = this.state.phase !== 'preparing';
    switch (move) {
      case 'succeed':
      case 'fail':
        if (!isBegun) this.step({ type: 'begin' });
        else this.carryOut(pick, move === 'succeed');
        return;
      case 'deliver':
        if (!isBegun) this.step({ type: 'begin' });
        else this.deliver(0, false);
        return;
      case 'deliverAny':
      case 'deliverTwice':
        if (this.post.length > 0) this.deliver(pick % this.post.length, move === 'deliverTwice');
        return;
      case 'abort':
        this.step({ type: 'abort', reason: 'the user asked' });
        return;
      case 'deadline':
        this.wasCutShort = true;
        this.step({ type: 'deadline' });
        return;
      case 'restart':
        this.post = [];
        this.orders = [];
        // An end that is on record is not asked for again.
        this.finishes.pop();
        this.step({ type: 'restored', undone: [] });
        return;
      case 'relapse': {
        const { slot, holder, replacement } = this.slots[pick % this.slots.length]!;
        const victim = replacement?.isReady === true ? replacement : holder;
        if (victim?.release !== 'new' || !victim.isAlive) return;
        victim.isAlive = false;
        this.hasLostHolder = true;
        this.post.push({ type: 'boot-failed', slot, turn: this.turnOf(slot), reason: 'it crashed' });
        return;
      }
    }
  }

  /** Everything is carried out and delivered: then it must have ended, once, and as it says. */
  settle(): void {
    if (this.state.phase === 'preparing') this.step({ type: 'begin' });
    for (let turn = 0; turn < 300; turn++) {
      if (this.post.length > 0) this.deliver(0, false);
      else this.carryOut(0, true);
    }
    this.must(this.finishes.length === 1, `an operation ends exactly once, not ${this.finishes.length} times`);
    this.checkEnd();
  }

  private turnOf(slot: number): number {
    return this.state.slots.find((progress) => progress.slot === slot)?.turn ?? 0;
  }

  private deliver(index: number, isTwice: boolean): void {
    const [message] = this.post.splice(index, 1);
    if (message === undefined) return;
    if (isTwice) this.post.push(message);
    this.step(message);
  }

  private carryOut(pick: number, isWell: boolean): void {
    const [order] = this.orders.splice(pick % Math.max(1, this.orders.length), 1);
    if (order === undefined) return;
    const { turn } = order;
    const at = this.slots.find(({ slot }) => slot === order.slot)!;
    // The machine has moved on: whoever carries orders out drops one that was overtaken.
    if (turn < at.begunTurn) return;
    const answer = { slot: order.slot, turn };
    switch (order.type) {
      case 'boot':
      case 'boot-old': {
        const worker = this.bootedBy(at, order.type);
        const canBoot = isWell && !(this.history.isDoomed && order.type === 'boot-old');
        if (canBoot && worker !== null) worker.isReady = true;
        if (canBoot && worker?.isAlive === true) {
          this.post.push({ ...answer, type: order.type === 'boot' ? 'booted' : 'old-booted' });
        } else {
          const type = order.type === 'boot' ? 'boot-failed' : 'old-boot-failed';
          if (at.replacement !== null && at.replacement === worker) at.replacement.isAlive = false;
          this.post.push({ ...answer, type, reason: 'it exited' });
          // With a start or restart the worker's own machine keeps trying, and may succeed after all.
          const isRetried = at.holder === worker && worker !== null && pick % 2 === 0;
          if (isRetried) this.post.push({ ...answer, type: 'booted' });
          if (isRetried) worker.isReady = true;
        }
        return;
      }
      case 'hand-over':
        at.former = null;
        this.post.push({ ...answer, type: 'drained' });
        return;
      case 'discard':
        at.replacement = null;
        this.post.push({ ...answer, type: 'discarded' });
        return;
      case 'stop':
        at.holder = null;
        this.post.push({ ...answer, type: 'drained' });
        return;
    }
  }

  private bootedBy(at: Slot, type: 'boot' | 'boot-old'): Worker | null {
    const release = type === 'boot' ? 'new' : 'old';
    if (at.replacement?.release === release) return at.replacement;
    return at.holder?.release === release ? at.holder : null;
  }

  private step(event: OperationEvent): void {
    const before = this.state;
    const isStale = 'turn' in event && event.turn !== this.turnOf(event.slot);
    if (!isStale) this.visited.add(`${before.phase} × ${event.type}`);
    const { state, effects } = stepOperation(before, event, this.table);
    this.state = state;
    if (isStale) this.must(state === before && effects.length === 0, 'a stale answer changes nothing');
    // A new slot serves from the moment that it is up.
    if (event.type === 'booted' && !isStale && this.history.changes[event.slot]?.action === 'boot')
      this.hasChanged = true;
    const isRepeat = event.type === 'restored' && before.phase !== 'preparing';
    if (isRepeat) this.checkRepeat(effects);
    for (const effect of effects) this.begin(effect);
    this.check(event);
    if (!isStale) this.checkMeaning(before, event, effects);
  }

  /** What one event must bring about, or leave alone, whatever the table says. */
  private checkMeaning(before: OperationState, event: OperationEvent, effects: readonly OperationEffect[]): void {
    const { state } = this;
    const isOver = ['done', 'failed', 'stuck'].includes(state.phase);
    const isUntouched = state === before && effects.length === 0;
    const isKept = this.history.kind === 'start' || this.history.kind === 'restart';
    const hasMore = before.slots.some(({ stage }) => stage === 'waiting');
    const isPutBack = state.phase === 'reverting' || isOver;
    const reason = this.finishes[0]?.reason ?? state.trouble?.reason ?? '';
    const stage = 'slot' in event ? this.stageOf(before, event.slot) : null;
    if (['done', 'failed', 'stuck'].includes(before.phase)) {
      const isSaidAgain = state === before && effects.length === 1 && effects[0]?.type === 'finish';
      if (event.type === 'restored') this.must(isSaidAgain, 'an end that is not on record is said again');
      else this.must(isUntouched, 'nothing happens after the end');
      return;
    }
    const isBad = event.type === 'boot-failed' || event.type === 'abort' || event.type === 'deadline';
    if (!isBad) this.must(state.trouble === before.trouble, 'trouble has a cause');
    switch (event.type) {
      case 'begin':
      case 'restored':
        if (before.phase === 'preparing') this.must(['booting', 'draining'].includes(state.phase), 'it begins');
        return;
      case 'abort': {
        const isFinal = this.history.kind === 'stop' || this.history.kind === 'delete';
        const isTooLate = isFinal || before.phase === 'reverting' || (before.phase === 'draining' && !hasMore);
        if (isTooLate) this.must(isUntouched, 'it cannot be aborted any more');
        else this.must(isPutBack && reason.startsWith(event.reason), 'an abort is heeded, and is the reason');
        if (before.phase === 'preparing') this.must(this.orders.length === 0, 'nothing is ordered in vain');
        if (before.phase === 'booting' && this.history.kind === 'restart')
          this.must(isOver, 'an abort leaves a restart be');
        return;
      }
      case 'deadline':
        this.must(isPutBack, 'a deadline is heeded');
        if (before.phase === 'draining' && !hasMore) this.must(isOver, 'what was changed to the end is not put back');
        if (before.phase === 'reverting') this.must(isOver, 'a deadline ends putting back');
        else this.must(reason.startsWith('it took too long'), 'the deadline is the reason');
        this.must((this.finishes[0]?.outcome ?? state.trouble?.outcome) !== 'aborted', 'nobody aborted it');
        if (before.phase === 'booting' && isKept) this.must(isOver, 'workers that are slow to start are left to start');
        return;
      case 'booted':
        if (stage === 'booting') this.must(this.stageOf(state, event.slot) !== 'booting', 'a boot is noted');
        else if (stage !== 'down') this.must(isUntouched, 'a boot is noted once');
        return;
      case 'boot-failed':
        if (before.phase === 'reverting' || (isKept && stage !== 'booting'))
          this.must(isUntouched, 'a failure counts once');
        else if (!isKept) this.must(isPutBack && reason.includes('it '), 'a failure puts everything back');
        return;
      case 'drained':
        if (stage === 'ending' || stage === 'stopping') {
          this.must(this.stageOf(state, event.slot) !== stage, 'an end is noted');
        }
        if (stage === 'changed') this.must(isUntouched, 'an end is noted once');
        return;
      case 'old-booted':
        if (stage !== 'reviving') return;
        this.must(
          effects.some((effect) => effect.type === 'hand-over' && effect.slot === event.slot),
          'the old release takes over again once it is ready',
        );
        return;
      case 'old-boot-failed':
      case 'discarded':
        return;
    }
  }

  private stageOf(state: OperationState, slot: number): SlotStage | null {
    return state.slots.find((progress) => progress.slot === slot)?.stage ?? null;
  }

  private checkRepeat(effects: readonly OperationEffect[]): void {
    const turns = effects.filter((effect) => 'turn' in effect).map(({ slot, turn }) => `${slot}/${turn}`);
    for (const at of this.slots) {
      const isOwed = at.former !== null || at.begunTurn === this.turnOf(at.slot);
      const isRepeated = turns.includes(`${at.slot}/${this.turnOf(at.slot)}`);
      if (isRepeated) this.must(isOwed, 'only what was ordered is ordered again');
    }
  }

  /** What an order does at once; the rest takes its time. */
  private begin(effect: OperationEffect): void {
    if (effect.type === 'finish') {
      this.finishes.push(effect);
      return;
    }
    if (effect.type === 'step') {
      this.must(effect.name !== 'defect', `no defect: ${effect.detail}`);
      return;
    }
    this.must(this.finishes.length === 0, 'nothing is ordered after the end');
    this.orders.push(effect);
    const at = this.slots.find(({ slot }) => slot === effect.slot)!;
    // The same order again, after a restart of the daemon.
    if (effect.turn === at.begunTurn) return;
    this.must(effect.turn === at.begunTurn + 1, 'turns count up');
    at.begunTurn = effect.turn;
    switch (effect.type) {
      case 'boot':
        this.must(at.replacement === null && at.former === null, 'two generations in a slot at most');
        if (at.action === 'replace') at.replacement = { release: 'new', isReady: false, isAlive: true };
        else {
          this.must(at.holder === null, 'only an empty slot gets a first holder');
          at.holder = { release: 'new', isReady: false, isAlive: true };
        }
        return;
      case 'boot-old':
        this.must(at.replacement === null && at.former === null, 'two generations in a slot at most, going back too');
        at.replacement = { release: 'old', isReady: false, isAlive: true };
        return;
      case 'hand-over':
        this.must(at.replacement?.isReady === true, 'only a ready replacement takes over');
        at.former = at.holder;
        at.holder = at.replacement;
        at.replacement = null;
        this.hasChanged = true;
        return;
      case 'discard':
        this.must(at.replacement !== null, 'only a replacement is discarded');
        return;
      case 'stop':
        this.must(at.action !== 'replace', 'a slot that is replaced is never emptied');
        this.hasChanged ||= at.action !== 'boot';
        return;
    }
  }

  private check(event: OperationEvent): void {
    this.must(this.finishes.length <= 1, 'an operation ends at most once');
    const isOver = ['done', 'failed', 'stuck'].includes(this.state.phase);
    this.must(isOver === (this.finishes.length === 1), 'an end is announced when it is there');
    if (event.type === 'begin') this.must(this.state.phase !== 'preparing', 'begin begins');
    const booting = this.slots.filter(({ replacement, action }) => replacement !== null && action === 'replace');
    if (this.state.phase === 'booting') {
      this.must(booting.length <= this.history.batchSize, 'no more replacements at a time than the batch');
    }
    for (const { action, holder, slot } of this.slots) {
      if (action !== 'replace') continue;
      this.must(holder !== null, `slot ${slot} always has somebody to route to`);
      this.must(holder?.isAlive === true || this.hasLostHolder, `slot ${slot} routes to a worker that is alive`);
    }
    const isEarly = this.slots.some(({ action, holder }) => action === 'replace' && holder?.release === 'old');
    if (isEarly && this.state.phase !== 'reverting' && !isOver) {
      const isLeaving = this.state.slots.some(({ action, stage }) => action === 'remove' && stage !== 'waiting');
      this.must(!isLeaving, 'nothing is removed before everything is replaced');
    }
    if (event.type === 'deadline' && this.state.phase !== 'reverting')
      this.must(isOver, 'a deadline ends or puts back');
  }

  private checkEnd(): void {
    const { outcome } = this.finishes[0]!;
    const { phase } = this.state;
    const { kind } = this.history;
    if (phase === 'done') {
      this.must(outcome === 'completed', 'done means completed');
      for (const at of this.slots) {
        this.must(at.replacement === null && at.former === null, 'nothing is left over');
        if (at.action === 'remove') this.must(at.holder === null, 'removed slots are empty');
        else this.must(at.holder?.release === 'new', 'every slot has its new holder');
      }
      return;
    }
    this.must(outcome !== 'completed', 'what did not succeed is not called completed');
    if (outcome === 'rolled-back') this.must(this.hasChanged, 'only what was changed can be put back');
    if (outcome === 'aborted')
      this.must(!this.hasChanged || kind === 'start' || kind === 'restart', 'aborted means unchanged');
    if (phase === 'stuck') {
      this.must(outcome === 'failed', 'stuck is a failure');
      return;
    }
    // A deadline that comes while things are put back, or while old ones end, leaves them as they are.
    if (this.wasCutShort || kind === 'restart' || (kind === 'start' && outcome === 'failed')) return;
    for (const at of this.slots) {
      this.must(at.replacement === null && at.former === null, 'nothing is left over from a failed operation');
      if (at.action === 'boot') this.must(at.holder === null, 'a new slot that was put back is empty');
      else this.must(at.holder?.release === 'old', 'a failed operation leaves only old workers');
    }
  }

  private must(holds: boolean, sentence: string): void {
    if (!holds) throw new Error(`does not hold: ${sentence}`);
  }
}

/** Plays one history to its end; throws when something does not hold. */
export const playOperationHistory = (
  history: OperationHistory,
  table?: OperationTable,
  visited?: Set<string>,
): OperationWorld => {
  const world = new OperationWorld(history, table, visited);
  for (const move of history.moves) world.play(move);
  world.settle();
  return world;
};
