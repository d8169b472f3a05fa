/** What an operation reaches of its app: the hands with which it changes slots, and where it writes down what came of it. */
import type { OperationOutcome } from '../core/index.ts';
import type { OperationKind } from '../protocol/index.ts';
import type { SupervisorEdges } from './edges.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** What an operation does to the slots of its app. Each returns the tenant whose answer is awaited; null: there is none. */
export interface SlotHands {
  boot(slot: number, release: 'new' | 'old', order: string): Tenant;
  bootReplacement(slot: number, release: 'new' | 'old', order: string): Tenant;
  handOver(slot: number): Tenant | null;
  discard(slot: number): Tenant | null;
  stop(slot: number): Tenant | null;
  /** Nobody is left in it. */
  isEmpty(slot: number): boolean;
  /** Its holder was not booted for such an order, and nobody is there to replace it. */
  isUnchanged(slot: number, order: string): boolean;
  /** Its holder is of another release than this one. */
  isOfAnother(slot: number, release: number): boolean;
}

/** The app that is changed. */
export interface OperationHost {
  readonly app: string;
  readonly edges: SupervisorEdges;
  readonly slots: SlotHands;
  liveHandles(): readonly WorkerHandle[];
  /** Writes down what the operation has made of the app; together with its end, or one of them could be missing. */
  conclude(kind: OperationKind, outcome: OperationOutcome): void;
}
