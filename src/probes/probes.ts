/**
 * All probes of this daemon. Knows who is watched, how much may be under way at once, and whether the daemon itself was
 * away. What a failed probe leads to is not known here.
 */
import type { ProbeVerdict } from '../core/index.ts';
import type { Clock, ProbeKind } from '../protocol/index.ts';
import { execCheck } from './checks/exec.ts';
import { httpCheck } from './checks/http.ts';
import { tcpCheck } from './checks/tcp.ts';
import type { ProbeChecks, ProbeListener, ProbeResult, ProbeSchedule, WatchedWorker } from './edges.ts';
import { Lanes } from './lanes.ts';
import { StallWatch } from './stall-watch.ts';
import { WorkerProbes } from './worker-probes.ts';

/** The checks of this machine. */
export const systemChecks: ProbeChecks = { http: httpCheck, tcp: tcpCheck, exec: execCheck };

/** Sockets are cheap: the limit is for hosts that hang for as long as long timeouts let them. */
const SOCKETS_AT_ONCE = 256;
/** A fork of the daemon takes milliseconds, and what is run has a machine to share with the workers. */
const COMMANDS_AT_ONCE = 8;

export interface ProbesOptions {
  readonly clock: Clock;
  readonly schedule: ProbeSchedule;
  readonly checks?: ProbeChecks;
  readonly socketsAtOnce?: number;
  readonly commandsAtOnce?: number;
  readonly onDefect: (reason: string) => void;
}

export interface ProbeHandle {
  /** `unknown` until a threshold was reached, and where there is no such probe. */
  verdict(kind: ProbeKind): ProbeVerdict;
  /** Of the last attempt that ended; null before the first. */
  last(kind: ProbeKind): ProbeResult | null;
  /** Asks no more, and frees what is under way. Nothing is told after this. */
  close(): void;
}

export interface Probes {
  /** Begins to ask this worker. A worker that takes its place is watched by a call of its own. */
  watch(worker: WatchedWorker, listener: ProbeListener): ProbeHandle;
  close(): void;
}

export const openProbes = ({
  clock,
  schedule,
  checks = systemChecks,
  socketsAtOnce = SOCKETS_AT_ONCE,
  commandsAtOnce = COMMANDS_AT_ONCE,
  onDefect,
}: ProbesOptions): Probes => {
  const watched = new Set<WorkerProbes>();
  const stalls = new StallWatch({ clock, schedule }, (at) => {
    for (const worker of watched) worker.stalled(at);
  });
  const edges = {
    clock,
    schedule,
    checks,
    onDefect,
    sockets: new Lanes(halfForEach(socketsAtOnce)),
    commands: new Lanes(halfForEach(commandsAtOnce)),
    lookForStall: () => stalls.look(),
  };
  const remove = (worker: WorkerProbes): void => {
    worker.close();
    watched.delete(worker);
    if (watched.size === 0) stalls.stop();
  };
  return {
    watch(worker, listener) {
      const probes = new WorkerProbes(worker, listener, edges);
      if (Object.keys(worker.probes).length > 0) {
        watched.add(probes);
        stalls.start();
      }
      probes.begin();
      return {
        verdict: (kind) => probes.verdict(kind),
        last: (kind) => probes.last(kind),
        close: () => remove(probes),
      };
    },
    close() {
      for (const worker of watched) remove(worker);
    },
  };
};

const halfForEach = (atOnce: number): { readonly atOnce: number; readonly ofOneOwner: number } => ({
  atOnce,
  ofOneOwner: Math.max(1, Math.ceil(atOnce / 2)),
});
