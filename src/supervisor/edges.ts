/**
 * What the supervisor needs from other rooms, as narrow interfaces; `daemon/` supplies the real ones, tests their own.
 * The supervisor itself knows neither sockets, nor SQLite, nor files.
 */
import type {
  AppConfig,
  Clock,
  EventInput,
  Lane,
  ListenAddress,
  OperationKind,
  PortRecord,
  ReceiptDocument,
  RequestKey,
  DispatchLevel,
  ShardHolder,
  ShardView,
  WorkerRecord,
  WorkerRecordKey,
  WorkerRole,
} from '../protocol/index.ts';
import type { ResolvedCommand } from './launch.ts';
import type { OomKills } from './oom-kills.ts';
import type { Processes } from './processes.ts';
import type { Schedule } from './schedule.ts';

/** A port of an app as the data path keeps it. */
export interface TrafficPort {
  readonly key: string;
  readonly address: ListenAddress;
  readonly declared: boolean;
  /** The public listening socket of a slot; made when missing. */
  shard(slot: number): { readonly fd: number };
  /** Whether a new worker of this slot would be given a socket that is there already. */
  hasShard(slot: number): boolean;
  /** Whether its shard of that slot is one of these sockets; true where all workers have one. */
  isShardAmong(slot: number, inodes: ReadonlySet<number>): boolean;
  /** Whether one of its sockets is the one behind this inode. */
  hasSocket(inode: number): boolean;
  /** A listening Unix socket for one worker's private server on this port; null where none can be made. */
  privateSocket(slot: number, worker: string): { readonly fd: number; readonly path: string } | null;
  /** Where that worker is reached alone; null where it was given no socket. */
  findPrivatePath(slot: number, worker: string): string | null;
  /** Weight 0, wait for the last handshakes, let a sibling empty the queue, then close. */
  giveUp(slot: number): Promise<void>;
  /** Whether one of its sockets is the one behind this inode. */
  hasSocket(inode: number): boolean;
}

export interface Traffic {
  readonly level: DispatchLevel;
  /** Throws DROVER_PORT_TAKEN naming the holder. */
  openPort(request: {
    readonly app: string;
    readonly address: ListenAddress;
    readonly uid: number | null;
    readonly sticky: boolean;
    readonly declared: boolean;
    /** Its own workers listen there already, on sockets that could not be taken from them. */
    readonly joinsOwn: boolean;
  }): TrafficPort;
  adoptPort(request: {
    readonly app: string;
    readonly address: ListenAddress;
    readonly fd: number;
    readonly slot: number;
    readonly sticky: boolean;
  }): TrafficPort;
  findPort(app: string, address: ListenAddress): TrafficPort | null;
  ports(app: string): readonly TrafficPort[];
  attach(holder: ShardHolder): void;
  detach(holderId: string): void;
  reportLoad(
    app: string,
    slot: number,
    lane: Lane,
    load: { readonly utilization: number; readonly connections: number; readonly requestsPerSecond: number },
  ): void;
  /** 1 is a full share of the lane, 0 takes the worker off rotation. */
  setSlotFactor(app: string, slot: number, lane: Lane, factor: number): void;
  view(app: string): readonly { readonly key: string; readonly shards: readonly ShardView[] }[];
  closePort(app: string, key: string): void;
  closeApp(app: string): void;
}

/**
 * The part of the state that the supervisor writes, each time before it acts. What somebody asked for is refused where
 * it cannot be written (`begin`, in a `transaction`); what only notes down what happened never throws: a worker that
 * crashed is started again on a full disk as well.
 */
export interface Records {
  /** What is written in `work` is on the disk when this returns, or nothing is and it throws. `work` must not await. */
  transaction<Result>(work: () => Result): Result;
  /** Several writes of what has happened, on the disk all or none, and together; never refused. `work` must not await. */
  keepTogether(work: () => void): void;
  readonly workers: {
    put(record: WorkerRecord): void;
    setPhase(key: WorkerRecordKey, phase: string): void;
    setRole(key: WorkerRecordKey, role: WorkerRole): void;
    remove(key: WorkerRecordKey): void;
  };
  readonly ports: {
    put(record: PortRecord): void;
    remove(app: string, key: string): void;
    list(app: string): readonly PortRecord[];
  };
  readonly operations: {
    /** Throws where it cannot be written. */
    begin(operation: NewOperation): { readonly id: string };
    /** For what nobody asked for and must go on: never refused. */
    beginUnasked(operation: NewOperation): { readonly id: string };
    advance(id: string, phase: string, state: unknown): void;
    end(id: string, phase: string, receipt: ReceiptDocument): void;
  };
  readonly events: { append(event: EventInput): number };
}

interface NewOperation {
  readonly kind: OperationKind;
  readonly app: string;
  readonly phase: string;
  readonly state: unknown;
  /** On record together with it. */
  readonly request?: RequestKey | null;
}

export interface WorkerOutput {
  readonly stdoutFd: number;
  readonly stderrFd: number;
  close(): void;
}

export interface Output {
  open(app: string, slot: number, generation: number): WorkerOutput;
  /** The last lines that a worker wrote, for a failure that must be explained at once. */
  lastLines(app: string, slot: number, generation: number, count: number): Promise<readonly string[]>;
  /** What a worker that has just crashed printed last, for the event: bounded, and read at once. */
  lastWords(app: string, slot: number, generation: number): readonly string[];
}

export interface SupervisorEdges {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly processes: Processes;
  readonly oomKills: OomKills;
  readonly traffic: Traffic;
  readonly records: Records;
  readonly output: Output;
  readonly resolveCommand: (config: AppConfig) => Promise<ResolvedCommand>;
  readonly newId: () => string;
  readonly agentPath: string;
  /** The same for workers of other users, who may not enter the home. */
  readonly othersAgentPath: string;
  /** Workers outlive the daemon, which comes back for them; else they end with it. */
  readonly keepsWorkers: boolean;
  readonly socketPath: string;
  readonly bootId: string;
  /** The set of descriptors that must outlive the daemon changed. */
  readonly onDescriptorsChanged: () => void;
}
