/**
 * What is kept of an operation at each of its steps, so that a daemon that finds it unfinished goes on with it: the state
 * of its machine, what it was asked, and its receipt so far.
 */
import type { OperationState } from '../core/index.ts';
import type { OperationKind, ReceiptStep } from '../protocol/index.ts';
import type { AppChange } from './app-state.ts';
import type { OperationPlan } from './operation-run.ts';
import type { ReceiptMemory } from './receipt.ts';

/** Raised when the shape changes: what another version wrote is not guessed at. */
const FORMAT = 1;

export interface OperationMemory {
  readonly format: typeof FORMAT;
  readonly machine: OperationState;
  readonly plan: OperationPlan;
  readonly steps: readonly ReceiptStep[];
  readonly receipt: ReceiptMemory;
}

/** An operation that an earlier daemon began and did not end. */
export interface UnfinishedOperation {
  readonly id: string;
  readonly kind: OperationKind;
  readonly startedAtMs: number;
  readonly memory: OperationMemory;
}

export const memoryOf = (parts: Omit<OperationMemory, 'format'>): OperationMemory => ({ format: FORMAT, ...parts });

/** Null where this version cannot go on with it. */
export const readMemory = (state: unknown): OperationMemory | null => {
  const memory = state as Partial<OperationMemory> | null;
  return memory?.format === FORMAT ? (memory as OperationMemory) : null;
};

/** What the operation makes of its app. */
export const changeOf = ({ plan }: OperationMemory): AppChange => plan.detail;
