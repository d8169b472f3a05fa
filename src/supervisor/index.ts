/** The door of `supervisor/`: keeps workers alive. */
export { App } from './app.ts';
export type { AppChange, AppState } from './app-state.ts';
export { adoptWorkers, type AdoptionSources } from './adoption-run.ts';
export { openAgentSocket } from './agent-socket.ts';
export { parseAgentMessage } from './agent-schema.ts';
export { describeApp, describeHealth } from './documents.ts';
export type { Output, Records, SupervisorEdges, Traffic, TrafficPort, WorkerOutput } from './edges.ts';
export { identityOf } from './identity.ts';
export { appEnvironment, workerEnvironment } from './environment.ts';
export type { ResolvedCommand } from './launch.ts';
export { labelOf } from './listen-desk.ts';
export { OperationRun } from './operation-run.ts';
export { canOverlap } from './overlap.ts';
export { REPORT_EVERY_MS } from './spawn-worker.ts';
export { findStrays } from './strays.ts';
export { instancesOf, isVacant, Supervisor } from './supervisor.ts';
export { signalWorker } from './worker-signals.ts';
export type { WorkerHandle } from './worker-handle.ts';
