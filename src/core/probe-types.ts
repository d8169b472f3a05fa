/** The words of a probe's machine (`probe.ts`): its phases, what it is told, what it asks for. */
import type { ProbeConfig, ProbeKind } from '../protocol/index.ts';
import type { Each, Step } from './machine.ts';

export type ProbePhase = 'idle' | 'gated' | 'waiting' | 'asking' | 'done';

/** `unknown`: neither threshold was reached since the worker is watched. */
export type ProbeVerdict = 'unknown' | 'passed' | 'failed';

/** `missing`: nothing is known, neither good nor bad: no report came, or this side could not ask. */
export type ProbeOutcome = 'pass' | 'fail' | 'missing';

export interface ProbeState {
  readonly phase: ProbePhase;
  /** Of the worker's spawn; 0 before the first one. */
  readonly generation: number;
  readonly verdict: ProbeVerdict;
  /** Number of the attempt that is waited for or under way, over all generations. */
  readonly attempt: number;
  /** When that attempt is, or was, due. */
  readonly dueAt: number;
  /** A place of the grid that attempts keep to; the others are whole periods from it. */
  readonly gridAt: number;
  /** No attempt before this time: the worker's start and the initial delay. */
  readonly notBefore: number;
  /** Up to this time missing data says nothing against the worker. */
  readonly graceUntil: number;
  /** This process did not run for some time while the attempt was under way: its failure may be our own. */
  readonly isDoubtful: boolean;
  /** Since something else came: passes in a row, failures in a row, and misses among or after these failures. */
  readonly passes: number;
  readonly failures: number;
  readonly misses: number;
}

interface Timed {
  readonly at: number;
}
interface Bound extends Timed {
  readonly generation: number;
}
interface Numbered extends Bound {
  readonly attempt: number;
}

export type ProbeEvent =
  /** A worker is there, a new one or one that this daemon has found. */
  | Each<
      'begin',
      Bound & {
        /** When the worker was started; its initial delay counts from there. */
        readonly startedAt: number;
        /** It waits for the startup probe of its worker. */
        readonly isGated: boolean;
        /** What an earlier daemon, or an earlier configuration, had found. */
        readonly known: ProbeVerdict;
      }
    >
  /** The startup probe of the worker has passed. */
  | Each<'started', Bound>
  | Each<'timer', Numbered>
  | Each<'result', Numbered & { readonly outcome: ProbeOutcome; readonly detail: string | null }>
  /** This process itself did not run for a time that matters: its timers came late. */
  | Each<'stalled', Timed>
  /** The worker goes, or nobody asks any more. */
  | Each<'close', Bound>;

export type ProbeEffect =
  /** The timer of this attempt, in place of every earlier one. */
  | { readonly type: 'arm'; readonly afterMs: number; readonly generation: number; readonly attempt: number }
  | { readonly type: 'disarm' }
  /** Answered by `result` with the same numbers. */
  | { readonly type: 'ask'; readonly generation: number; readonly attempt: number }
  /** The attempt under way is of no interest any more: free what it holds. */
  | { readonly type: 'call-off'; readonly generation: number; readonly attempt: number }
  | {
      readonly type: 'changed';
      readonly generation: number;
      readonly verdict: Exclude<ProbeVerdict, 'unknown'>;
      readonly detail: string | null;
    }
  | { readonly type: 'report'; readonly event: 'defect'; readonly reason: string };

export interface ProbePolicy extends Pick<
  ProbeConfig,
  'initialDelayMs' | 'periodMs' | 'successThreshold' | 'failureThreshold'
> {
  readonly kind: ProbeKind;
  /** The probe's own place within a period, from 0 to below 1. */
  readonly spread: number;
}

export type ProbeStep = Step<ProbeState, ProbeEffect>;
export type ProbeColumn = ProbeEvent['type'];
type EventOf<Column extends ProbeColumn> = Extract<ProbeEvent, { type: Column }>;
export type ProbeTransition<Column extends ProbeColumn = ProbeColumn> = (
  state: ProbeState,
  event: EventOf<Column>,
  policy: ProbePolicy,
) => ProbeStep;
export type ProbeTable = {
  readonly [Phase in ProbePhase]: {
    // Spelt out: as `ProbeTransition<Column>` TypeScript would refuse a transition that takes more events.
    readonly [C in ProbeColumn]: (state: ProbeState, event: EventOf<C>, policy: ProbePolicy) => ProbeStep;
  };
};
