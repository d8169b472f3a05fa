/** The words of an operation's machine (`operation.ts`): its phases and stages, what it is told, what it asks for. */
import type { Each, Step } from './machine.ts';

export type OperationPhase = 'preparing' | 'booting' | 'draining' | 'reverting' | 'done' | 'failed' | 'stuck';
export type OperationOutcome = 'completed' | 'failed' | 'rolled-back' | 'aborted';
export type ChangeKind = 'start' | 'reload' | 'restart' | 'scale' | 'stop' | 'delete';

/** `replace`: start before stop. `stop-start`: stop before start. `boot`: nobody is there yet. `remove`: nobody will be. */
export type SlotAction = 'replace' | 'boot' | 'remove' | 'stop-start';

/**
 * Where a slot is. Some stages wait for the answer to an effect:
 * `booting` · `ending` (the old holder drains after a hand-over) · `stopping` · `discarding` ·
 * `recalled` (handed over or stopping, to be put back as soon as its old holder is gone) · `reviving` (the old release
 * boots) · `returning` (the old release took over again, the new one drains) · `withdrawing` (a new slot goes again) ·
 * `abandoning` (the old release did not boot and is ended).
 * The others are at rest: `waiting` · `booted` · `stopped` · `changed` (as asked) · `kept` (as before) ·
 * `down` (did not boot; its worker is still retried) · `lost` (could not be put back).
 */
export type SlotStage =
  | 'waiting'
  | 'booting'
  | 'booted'
  | 'ending'
  | 'stopping'
  | 'stopped'
  | 'changed'
  | 'discarding'
  | 'recalled'
  | 'reviving'
  | 'returning'
  | 'withdrawing'
  | 'abandoning'
  | 'kept'
  | 'down'
  | 'lost';

export interface SlotProgress {
  readonly slot: number;
  readonly action: SlotAction;
  readonly stage: SlotStage;
  /** Counts the effects sent to this slot: an answer to an earlier one is stale. */
  readonly turn: number;
}

export interface OperationState {
  readonly phase: OperationPhase;
  readonly kind: ChangeKind;
  /** How many slots boot at a time; at least 1. */
  readonly batchSize: number;
  readonly slots: readonly SlotProgress[];
  /** How it will end, and why, once something went wrong. */
  readonly trouble: { readonly outcome: OperationOutcome; readonly reason: string } | null;
  /** How it ended: a daemon that dies before that is on record has to say it again. */
  readonly end: { readonly outcome: OperationOutcome; readonly reason: string | null } | null;
}

export interface SlotChange {
  readonly slot: number;
  readonly action: SlotAction;
}

interface Answer {
  readonly slot: number;
  /** The turn of the last effect that was carried out for the slot. */
  readonly turn: number;
}

export type OperationEvent =
  | Each<'begin' | 'deadline'>
  /**
   * A new daemon goes on. `undone`: slots whose hand-over is on record, was not carried out, and cannot be any more,
   * because the replacement has gone meanwhile; and those that are changed on record, and have a worker of another release:
   * a daemon that could not write that down has put them back.
   */
  | Each<'restored', { readonly undone: readonly number[] }>
  | Each<'abort', { readonly reason: string }>
  /** The replacement is ready to serve. */
  | Each<'booted' | 'old-booted', Answer>
  /** It will not serve: it ended or timed out before it was ready, or after the hand-over did not come back. `reason` names the worker. */
  | Each<'boot-failed' | 'old-boot-failed', Answer & { readonly reason: string }>
  /** The former holder is gone (after `hand-over`), or the slot is empty (after `stop`). */
  | Each<'drained', Answer>
  /** The replacement is gone. */
  | Each<'discarded', Answer>;

/** After a daemon restart an effect may be sent a second time with the same turn: carrying it out twice is once. */
export type OperationEffect =
  /** Boot a replacement (or the first holder) from the new release; answered by `booted` or `boot-failed`. */
  | { readonly type: 'boot'; readonly slot: number; readonly turn: number }
  /** The replacement becomes the holder and accepts, the former holder drains; answered by `drained`. */
  | { readonly type: 'hand-over'; readonly slot: number; readonly turn: number }
  /** End the replacement, which never had traffic; answered by `discarded`, also when there is none. */
  | { readonly type: 'discard'; readonly slot: number; readonly turn: number }
  /** End the holder; answered by `drained`, also when there is none. */
  | { readonly type: 'stop'; readonly slot: number; readonly turn: number }
  /** Boot a replacement from the old release; answered by `old-booted` or `old-boot-failed`. */
  | { readonly type: 'boot-old'; readonly slot: number; readonly turn: number }
  /** A line of the receipt. */
  | {
      readonly type: 'step';
      readonly name: string;
      readonly slot: number | null;
      readonly outcome: 'done' | 'failed';
      readonly detail: string | null;
    }
  /** The end, sent once; again only to a daemon that has found it not to be on record. */
  | { readonly type: 'finish'; readonly outcome: OperationOutcome; readonly reason: string | null };

export type OperationStep = Step<OperationState, OperationEffect>;
export type OperationColumn = OperationEvent['type'];
type EventOf<Column extends OperationColumn> = Extract<OperationEvent, { type: Column }>;
export type OperationTransition<Column extends OperationColumn = OperationColumn> = (
  state: OperationState,
  event: EventOf<Column>,
) => OperationStep;
export type OperationTable = {
  readonly [Phase in OperationPhase]: {
    // Spelt out: as `OperationTransition<Column>` TypeScript would refuse a transition that takes more events.
    readonly [Column in OperationColumn]: (state: OperationState, event: EventOf<Column>) => OperationStep;
  };
};
