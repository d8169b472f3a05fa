/** What health needs beside the supervisor: the time, the probes, how the daemon itself has been. */
import type { ProbeHandle } from '../probes/index.ts';
import type { Clock } from '../protocol/index.ts';
import type { App } from '../supervisor/index.ts';
import type { WorkerWatch } from './worker-watch.ts';

export interface HealthEdges {
  readonly clock: Clock;
  /** Small texts that outlive the daemon. */
  readonly memory: { find(key: string): string | undefined; put(key: string, value: string): void };
  /** Since this daemon began. */
  upMs(): number;
  /** What the daemon and its workers may still take under the limits of their control group, and how many workers there are; null: no limit. */
  groupMemory(): { readonly leftBytes: number; readonly workers: number } | null;
  /** A worker of another app is being replaced before it runs out of memory. */
  isRecyclingBeside(app: App): boolean;
  /** Since its own event loop was late for long; null: it never was. */
  sinceStallMs(): number | null;
  /** Begins to ask the probes of a worker; `onChange` whenever a threshold was reached. */
  watchProbes(app: App, watch: WorkerWatch, onChange: () => void): ProbeHandle;
}
