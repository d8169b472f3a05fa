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
export {
  ALERT_POLICY,
  alertDocument,
  fingerprintOf,
  type AlertDetail,
  type AlertEnd,
  type AlertPolicy,
  type AlertState,
  type AlertSubject,
} from './alert.ts';
export * from './alert-book.ts';
export { groupOf, newReceiver, stepReceiver, type ReceiverPlan, type ReceiverState } from './alert-groups.ts';
export {
  ANOMALY_POLICIES,
  newAnomaly,
  stepAnomaly,
  type AnomalyMeasure,
  type AnomalyPolicy,
  type AnomalyState,
  type AnomalyStep,
  type Baseline,
} from './anomaly.ts';
export { appStatus, WORKER_STATUS, type AppSituation, type SlotStatus } from './app-status.ts';
export * from './availability.ts';
export { burnRulesFor, detectionTimeMs, RESOLUTION_MS, type BurnRule } from './burn-rules.ts';
export { countsBetween, type Counters, type CountSpan } from './counts.ts';
export * from './exit.ts';
export type { Step } from './machine.ts';
export * from './objective.ts';
export { judgeObjectiveAlerts, OBJECTIVE_ALERT } from './objective-alerts.ts';
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
export { isSilenceActive, isSilenceOver, matches, muteAlerts, silenceChangesAt } from './silence.ts';
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
export * from './budgets.ts';
export * from './checks.ts';
export * from './degrade.ts';
export { HEAL_POLICY, healPhaseOf, keepSlots, newHealing, stepHealing } from './healing.ts';
export type {
  HealAttempt,
  HealEffect,
  HealEvent,
  HealEvidence,
  HealPhase,
  HealPolicy,
  HealSituation,
  HealSlot,
  HealState,
  HealStep,
  HealTimer,
} from './healing-types.ts';
export { appHealth } from './app-health.ts';
export type { AppFacts, AppHealth } from './app-health.ts';
export { hostHealth } from './host-health.ts';
export type { HostFacts } from './host-health.ts';
export { HEALTH_POLICY } from './worker-health.ts';
export type { HealthPolicy, ProbeFact, Trouble, TroubleKind, WorkerFacts, WorkerHealth } from './worker-health.ts';
export * from './loop-watch.ts';
export {
  forecastAgainst,
  forecastMemory,
  heapLimitOf,
  MEMORY_POLICY,
  newMemory,
  noteMemory,
  type MemoryForecast,
  type MemoryLimit,
  type MemoryPolicy,
  type MemorySample,
  type MemorySource,
  type MemoryState,
} from './memory-forecast.ts';
export type { OutlierSample, VerdictKind } from './outlier-evidence.ts';
export * from './outliers.ts';
export * from './recycling.ts';
export { workersIn } from './worker-share.ts';
export {
  isCorrelationIdle,
  newCorrelation,
  stepCorrelation,
  type CorrelationState,
  type CorrelationStep,
} from './correlation.ts';
