/** All faults. */
import type { Fault } from './fault.ts';
import { AGENTS } from './faults/agents.ts';
import { BOOTS } from './faults/boots.ts';
import { CLIENTS } from './faults/clients.ts';
import { DAEMON_SIGNALS } from './faults/daemon-signals.ts';
import { DISK } from './faults/disk.ts';
import { OPERATIONS } from './faults/operations.ts';
import { STATE } from './faults/state.ts';
import { WORKER_ITSELF } from './faults/worker-itself.ts';
import { WORKER_SIGNALS } from './faults/worker-signals.ts';

export const FAULTS: readonly Fault[] = [
  ...WORKER_SIGNALS,
  ...WORKER_ITSELF,
  ...BOOTS,
  ...DAEMON_SIGNALS,
  ...OPERATIONS,
  ...AGENTS,
  ...CLIENTS,
  ...DISK,
  ...STATE,
];
