/** The door of `probes/`: repeated checks of each worker, from outside and from what its agent reports. */
export { commandPids } from './checks/exec.ts';
export { openProbes, systemChecks, type ProbeHandle, type Probes, type ProbesOptions } from './probes.ts';
export type {
  CallOff,
  CheckAnswer,
  CommandQuestion,
  HttpQuestion,
  Place,
  ProbeChecks,
  ProbeListener,
  ProbeResult,
  ProbeSchedule,
  Surroundings,
  WatchedWorker,
} from './edges.ts';
