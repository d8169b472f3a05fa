/**
 * Worker processes as the supervisor sees them: started, signalled, looked at, and heard of when they end. The system's
 * are in `system-processes.ts`; a simulation has its own.
 */
import type { ObservedProcess } from '../core/index.ts';
import type { ListenAddress, WorkerRecord } from '../protocol/index.ts';
import type { AgentLink, LinkListener } from './agent-link.ts';
import type { LaunchRequest } from './launch.ts';
import type { Stray, StrayQuestion } from './strays.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface StartedProcess {
  /** Null: the system made none, and {@link onFailure} tells why. */
  readonly pid: number | null;
  /** Start time in clock ticks since boot: with the pid it names the process for ever. */
  readonly startTicks: number;
  /** To its agent; null behind a wrapper, whose agent connects by itself. */
  readonly link: AgentLink | null;
  readonly onEnd: (told: (code: number | null, signal: string | null) => void) => void;
  readonly onFailure: (told: (reason: string) => void) => void;
}

/** A duplicate of a listening socket of a worker; whoever takes it closes it, or hands it on. */
export interface TakenListener {
  readonly fd: number;
  readonly inode: number;
  readonly close: () => void;
}

export interface Processes {
  /** Throws what makes a start fail before there is a process. */
  start(request: Omit<LaunchRequest, 'channel'>, listener: LinkListener): StartedProcess;
  /** The process that carries this mark, for one that was started when its daemon died. Null: there is none. */
  find(spawn: string): { readonly pid: number; readonly startTicks: number } | null;
  /** Processes that say they are workers of this home, and have no record. */
  findStrays(question: StrayQuestion): readonly Stray[];
  /** What the world knows of the process that a record names. `socketPath` is this daemon's, for agents. */
  observe(record: WorkerRecord, here: { readonly bootId: string; readonly socketPath: string }): ObservedProcess;
  /** The channel of a worker that an earlier daemon started: what was kept of it, else its own copy; null: not to be had. */
  regainLink(pid: number, kept: number | null, listener: LinkListener): AgentLink | null;
  /** Tells when a process ends that is not our child. Throws when it has ended already. */
  watchEnd(pid: number, told: (code: number | null, signal: string | null) => void): void;
  /** Returns false when there is nobody to signal. */
  signal(handle: WorkerHandle, signal: NodeJS.Signals): boolean;
  /** A program without an agent and all it started: a shell in front of it would not pass the signal on. */
  signalTree(handle: WorkerHandle, signal: NodeJS.Signals): void;
  /**
   * Ends what a worker left behind. `politely`: by SIGTERM first, and SIGKILL later. Resolves when nothing is left, or
   * cannot be looked for; null at once when there was nothing. Never fails.
   */
  sweep(handle: WorkerHandle, politely: boolean): Promise<void> | null;
  /** What it and its descendants listen on. */
  listeners(handle: WorkerHandle): readonly { readonly inode: number; readonly address: ListenAddress }[];
  /** With sockets of which addresses it was started. */
  bootAddresses(handle: WorkerHandle): readonly ListenAddress[];
  /** Duplicates of their sockets on this address: of each its own shard, and those of siblings that it covers for. */
  takeListeners(handles: readonly WorkerHandle[], address: ListenAddress): Map<WorkerHandle, readonly TakenListener[]>;
  /** The kernel's count of processes that it killed for want of memory; null where it does not tell. */
  oomKills(): number | null;
}
