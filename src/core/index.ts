/** The door of `core/`: every decision, pure. No `node:` imports, no clock, no I/O, no `async`. */
export * from './availability.ts';
export * from './exit.ts';
export type { Step } from './machine.ts';
export {
  newOperation,
  stepOperation,
  type ChangeKind,
  type OperationEffect,
  type OperationEvent,
  type OperationOutcome,
  type OperationPhase,
  type OperationState,
  type OperationStep,
  type SlotAction,
  type SlotChange,
  type SlotProgress,
  type SlotStage,
} from './operation.ts';
export {
  newWorker,
  stepWorker,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerPhase,
  type WorkerPolicy,
  type WorkerState,
  type WorkerStep,
  type WorkerTimer,
} from './worker.ts';
export * from './weights.ts';
