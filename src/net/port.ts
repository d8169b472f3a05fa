/** A port of an app, as the rest of Drover sees it. */
import type { Lane, ListenAddress, ShardView } from '../protocol/index.ts';

export interface ShardSocket {
  readonly fd: number;
  readonly inode: number;
}

export interface PrivateSocket {
  readonly fd: number;
  readonly path: string;
}

export interface Port {
  /** Unique among the ports of all apps. */
  readonly key: string;
  readonly app: string;
  readonly address: ListenAddress;
  readonly declared: boolean;
  /** The public listening socket of a slot; made when missing. The port keeps the descriptor open. */
  shard(slot: number, lane?: Lane): ShardSocket;
  hasShard(slot: number, lane?: Lane): boolean;
  /** Whether the shard of that slot is one of these sockets; true where all workers have one. */
  isShardAmong(slot: number, inodes: ReadonlySet<number>): boolean;
  /** Whether one of its sockets is the one behind this inode. */
  hasSocket(inode: number): boolean;
  /** Weight 0, past the last handshakes, a sibling empties the queue, then closed. Asking for the shard again stops it. */
  giveUp(slot: number, lane?: Lane): Promise<void>;
  /** A listening Unix socket for one worker's private server on this port; null where none can be made. */
  privateSocket(slot: number, worker: string): PrivateSocket | null;
  /** Where that worker is reached alone; null where it was given no socket. */
  findPrivatePath(slot: number, worker: string): string | null;
  /** Whether one of its sockets is the one behind this inode. */
  hasSocket(inode: number): boolean;
}

export interface PortView {
  readonly key: string;
  readonly address: ListenAddress;
  readonly declared: boolean;
  readonly shards: readonly ShardView[];
}

/** A descriptor that should outlive the daemon, under a name that {@link parseKeptName} understands. */
export interface KeptDescriptor {
  readonly name: string;
  readonly fd: number;
}

/** What the data path asks of a port, over what others may. */
export interface ManagedPort extends Port {
  /** Somebody began or stopped accepting, or a weight was changed from outside. */
  refresh(): void;
  /** Looks at the queues, moves weight, covers; tells in how many milliseconds to look again, null for never. */
  poll(): number | null;
  view(): PortView;
  keep(): readonly KeptDescriptor[];
  /** Lets go of the descriptors: whoever else holds them goes on. */
  close(): void;
  /** Ends the port for everybody; only once nobody accepts on it any more. */
  end(): void;
}
