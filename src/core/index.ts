/** The door of `core/`: every decision, pure. No `node:` imports, no clock, no I/O, no `async`. */
export {
  judgeRecord,
  newAdoption,
  stepAdoption,
  type AdoptionEffect,
  type AdoptionEvent,
  type AdoptionPhase,
  type AdoptionPolicy,
  type AdoptionState,
  type AdoptionStep,
  type AdoptionVerdict,
  type ObservedProcess,
  type WorkerRecord,
} from './adoption.ts';
export { appStatus, WORKER_STATUS, type AppSituation, type SlotStatus } from './app-status.ts';
export * from './availability.ts';
export * from './exit.ts';
export type { Step } from './machine.ts';
export {
  newOperation,
  releaseOf,
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
export * from './start-order.ts';
export * from './readiness.ts';
export * from './turns.ts';
export * from './weights.ts';
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
