/** The words of the self-healing ladder (`healing.ts`): its phases, what it is told, what it asks for. */
import type { AppConfig } from '../protocol/index.ts';
import type { Trouble, TroubleKind } from './worker-health.ts';
import type { Each, Step } from './machine.ts';

/**
 * `waiting`: something is wrong, and something else forbids to act. `proving`: something was done, and it is to be seen
 * whether that helps. `backoff`: it did not.
 */
export type HealPhase = 'well' | 'waiting' | 'recovering' | 'replacing' | 'proving' | 'backoff' | 'quarantined';

export type HealTimer = 'recover' | 'prove' | 'backoff';

export interface HealAttempt {
  readonly at: number;
  readonly action: 'recover' | 'replace';
  readonly generation: number;
  readonly key: string;
  readonly reason: string;
  /** What became of it; null while it lasts. */
  readonly outcome: string | null;
  /** False: the trouble came back. Null: not known, or not yet. */
  readonly hasHelped: false | null;
}

/** What is known beside the reason, kept for whoever looks into it: figures, the last block, failing checks. */
export type HealEvidence = Readonly<Record<string, unknown>>;

export type HealTrouble = Trouble & {
  readonly since: number;
  /** When most workers had the same last, where that speaks for a cause outside of them; null: they never had. */
  readonly sharedAt: number | null;
  readonly evidence: HealEvidence;
};

/** One slot. */
export interface HealSlot {
  readonly phase: HealPhase;
  readonly generation: number;
  /** Counts what was asked for and armed: an answer or timer of an earlier turn is stale. */
  readonly turn: number;
  /** What is wrong, or was when something was done about it; null while it is well. */
  readonly trouble: HealTrouble | null;
  /** Replacements in a row that did not help. */
  readonly failures: number;
  /** The hook of this very worker has been asked since it was well last. */
  readonly hasAskedHook: boolean;
  /** What was done, oldest first; the last few. */
  readonly attempts: readonly HealAttempt[];
  /** What forbade to act, as it was told last. */
  readonly held: string | null;
}

/** One app; plain data. */
export interface HealState {
  readonly slots: Readonly<Record<number, HealSlot>>;
  /** When workers were replaced, within the last hour. */
  readonly replacedAt: readonly number[];
  /** Replacements that did not help: what for, which slot, when; within the last hour. */
  readonly unhelpful: readonly { readonly key: string; readonly slot: number; readonly at: number }[];
}

interface OfSlot {
  readonly at: number;
  readonly slot: number;
}
interface OfWorker extends OfSlot {
  readonly generation: number;
}
interface Answer extends OfSlot {
  readonly turn: number;
}

export type HealEvent =
  /** Something is wrong with the slot's worker; said again at every look as long as it is. */
  | Each<'unwell', OfWorker & { readonly trouble: Trouble; readonly evidence: HealEvidence }>
  | Each<'well', OfWorker>
  /** Another worker holds the slot, not because the ladder asked for it: it crashed, or an operation changed it. */
  | Each<'renewed', OfWorker>
  /** Answers to `recover`. */
  | Each<'recovered', Answer & { readonly outcome: 'recovered' | 'failed' | 'no-hook'; readonly detail: string | null }>
  /** Answers to `replace`: the new worker serves, and the old one drains or is gone; or there is no new one. */
  | Each<'replaced', Answer & { readonly generation: number }>
  | Each<'replace-failed', Answer & { readonly reason: string }>
  /** A person, or an operation that a person asked for, has looked after it: what went wrong before does not count any more. */
  | Each<'release', OfSlot>
  | Each<'timer', Answer & { readonly timer: HealTimer }>;

interface Concerns {
  readonly slot: number;
  readonly generation: number;
}

export type HealEffect =
  /** Run the app's recover hook in the worker; answered by `recovered`. */
  | (Concerns & { readonly type: 'recover'; readonly turn: number; readonly reason: string })
  /** Start a successor, hand over when it is ready, drain the worker; answered by `replaced` or `replace-failed`. */
  | (Concerns & { readonly type: 'replace'; readonly turn: number; readonly reason: string })
  | {
      readonly type: 'arm';
      readonly slot: number;
      readonly timer: HealTimer;
      readonly afterMs: number;
      readonly turn: number;
    }
  | { readonly type: 'disarm'; readonly slot: number; readonly timer: HealTimer }
  | (Concerns & {
      readonly type: 'report';
      readonly event: 'worker-recovering' | 'worker-recycled' | 'worker-quarantined' | 'heal-held-back' | 'defect';
      readonly reason: string;
      /** What it is about; null: the slot is well. */
      readonly trouble: TroubleKind | null;
      /** What is known of the trouble, and what was done about it before: for the event's data. */
      readonly evidence: HealEvidence;
      readonly attempts: readonly HealAttempt[];
    });

export type HealStep = Step<HealState, HealEffect>;

export type HealPolicy = Omit<AppConfig['heal'], never> & {
  /** Within this time after the start of the daemon, or a stall of its own loop, nothing is done. */
  readonly settleMs: number;
  /** How long a trouble that others may have as well has to last: they show it within a period of the probe. */
  readonly patienceMs: Readonly<Record<TroubleKind, number>>;
  /** What most workers had is nobody's own until one has had it alone for this long: they get well one after the other. */
  readonly aloneMs: number;
  /** How long a worker must be well after something was done before that is taken to have helped. */
  readonly proveMs: Readonly<Record<TroubleKind, number>>;
  /** After a replacement that did not help. */
  readonly backoff: { readonly initialMs: number; readonly factor: number; readonly maxMs: number };
};

/** What the app and the daemon are doing now. */
export interface HealSituation {
  /** Slots that the app should have. */
  readonly slots: number;
  /** Those without a ready worker. */
  readonly unready: readonly number[];
  /** What is wrong with which slot, as seen at one look: all of the app's. */
  readonly troubles: readonly { readonly slot: number; readonly key: string }[];
  /** An operation of the app that is under way, in words; null: none. */
  readonly operation: string | null;
  /** Since the daemon started, and since its own event loop was late; null: it never was. */
  readonly daemonUpMs: number;
  readonly sinceStallMs: number | null;
  /** The worker of the event's slot has a recover hook. */
  readonly canRecover: boolean;
}

/** What a transition knows beside the slot. */
export interface HealContext {
  readonly slot: number;
  /** What forbids to act; null: nothing. */
  readonly held: { readonly reason: string; readonly isTold: boolean } | null;
  /** What is wrong by now: what the event says, with its past. */
  readonly trouble: HealTrouble | null;
  readonly canRecover: boolean;
  readonly policy: HealPolicy;
}

export type HealColumn = Exclude<HealEvent['type'], 'timer'> | `timer:${HealTimer}`;
type EventOf<Column extends HealColumn> = Column extends `timer:${string}`
  ? Extract<HealEvent, { type: 'timer' }>
  : Extract<HealEvent, { type: Column }>;
export type SlotStep = Step<HealSlot, HealEffect>;
export type HealTransition<Column extends HealColumn = HealColumn> = (
  slot: HealSlot,
  event: EventOf<Column>,
  context: HealContext,
) => SlotStep;
export type HealTable = {
  readonly [Phase in HealPhase]: {
    readonly [Column in HealColumn]: (slot: HealSlot, event: EventOf<Column>, context: HealContext) => SlotStep;
  };
};
