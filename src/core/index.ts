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
export { newOperation, releaseOf, stepOperation } from './operation.ts';
export type {
  ChangeKind,
  OperationEffect,
  OperationEvent,
  OperationOutcome,
  OperationPhase,
  OperationState,
  OperationStep,
  SlotAction,
  SlotChange,
  SlotProgress,
  SlotStage,
} from './operation-types.ts';
export { newProbe, spreadOf, stepProbe } from './probe.ts';
export type {
  ProbeEffect,
  ProbeEvent,
  ProbeOutcome,
  ProbePhase,
  ProbePolicy,
  ProbeState,
  ProbeStep,
  ProbeVerdict,
} from './probe-types.ts';
export * from './start-order.ts';
export * from './readiness.ts';
export { restAfter } from './restart-limit.ts';
export * from './turns.ts';
export * from './weights.ts';
export { endedWorker, finalExit, newWorker, stepWorker } from './worker.ts';
export type {
  WorkerEffect,
  WorkerEvent,
  WorkerPhase,
  WorkerPolicy,
  WorkerState,
  WorkerStep,
  WorkerTimer,
} from './worker-types.ts';
