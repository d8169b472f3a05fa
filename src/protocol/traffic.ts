/** What `supervisor/` and `net/` say to each other about who accepts where. */
import type { Lane } from './documents.ts';

/** A worker that accepts on its slot's shards of all the app's ports. */
export interface ShardHolder {
  /** `app/slot#generation`. */
  readonly id: string;
  readonly app: string;
  readonly slot: number;
  readonly lane: Lane;
  /** The process that accepts; null when it is not known. */
  readonly pid: number | null;
  /** Whether it listens on this port: an app may give some of its workers ports that the others do not have. */
  readonly serves: (key: string) => boolean;
  /** Accept on a sibling's shard as well, until told otherwise. */
  readonly cover: (key: string, slot: number, fd: number) => void;
  readonly uncover: (key: string, slot: number) => void;
}

export interface ShardView {
  readonly slot: number;
  readonly lane: Lane;
  /** Share of new connections, 0–100. */
  readonly weight: number;
  readonly acceptQueue: number | null;
  /** Id of the holder that accepts from it in its worker's place. */
  readonly coveredBy: string | null;
}
