/** What spreads the connections of one port over its shards: one interface, a file for each level. */
import type { DispatchLevel } from '../protocol/index.ts';

export interface Member {
  /** Stays the same over restarts of the daemon. */
  readonly id: string;
  readonly fd: number;
  readonly inode: number;
}

export interface Share {
  readonly member: Member;
  /** Relative to the others of the port; 0 takes no new connections. */
  readonly weight: number;
}

export interface Dispatch {
  readonly level: DispatchLevel;
  /** A socket joined the group. It gets connections once it has a share. */
  add(member: Member): void;
  /** Our descriptor of this socket was closed; others may still hold it. */
  remove(member: Member): void;
  /** Puts the shares in force. All members are named. Where turns are taken, each is worth `run` connections in a row. */
  apply(shares: readonly Share[], run: number): void;
  /** What each member was given so far, modulo 2³²; null where nobody counts. */
  countGiven(): ((member: Member) => number) | null;
  /** Tries again what the kernel could not do yet; false while something is left to try. */
  settle(): boolean;
  /** Where the member stands in the kernel's order, for the next daemon; null where that does not matter. */
  positionOf(member: Member): number | null;
  close(): void;
}
