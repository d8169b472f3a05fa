/** What rooms of the daemon hand to one another and a later daemon reads again: written by `store/`, meant by `supervisor/`. */
import type { ListenAddress } from './agent.ts';
import type { EventType, Lane, PortDocument } from './documents.ts';
import type { Exit } from './exit.ts';

export interface WorkerRecordKey {
  readonly app: string;
  readonly slot: number;
  readonly generation: number;
}

export interface WorkerRecord extends WorkerRecordKey {
  readonly lane: Lane;
  readonly release: number;
  /** 0 from the moment at which it is about to be started until it has a pid. */
  readonly pid: number;
  /** With `bootId` it tells this process from a later one of the same pid. */
  readonly startTicks: number;
  readonly bootId: string;
  /** Token of the spawn, present in the environment of every descendant. */
  readonly spawn: string;
  readonly startedAtMs: number;
  /** Phase of its machine (`core/worker.ts`); `store/` does not interpret it. */
  readonly phase: string;
  readonly restarts: number;
  readonly role: WorkerRole;
  /** The order that it was booted for, as `operation:turn`; null where no operation asked for it. */
  readonly order: string | null;
  /** How it ended, of one that ended for good by the restart policy; null while it runs. */
  readonly exit: Exit | null;
}

/**
 * What a worker is in its slot: it has the traffic, it will get it from another one, or it is on its way out.
 */
export type WorkerRole = 'holder' | 'replacement' | 'leaving';

export interface PortRecord {
  readonly app: string;
  /** The key that `net/` gave it; unique within the app. */
  readonly key: string;
  readonly address: ListenAddress;
  readonly declared: boolean;
  /** The n-th `listen(0)` of the app, or null for a port that was asked for by number. */
  readonly randomIndex: number | null;
  /** Slots whose workers have held it; empty where that is not known. */
  readonly slots: readonly number[];
  readonly protocol: PortDocument['protocol'];
  readonly firstHeldAtMs: number;
}

/** A request that may be sent again, because its sender cannot know whether it arrived (`Idempotency-Key`). */
export interface RequestKey {
  readonly key: string;
  /** Of everything that was asked: the same key with another one is another request. */
  readonly digest: string;
}

export interface EventInput {
  /** Null for what concerns the daemon. */
  readonly app: string | null;
  readonly worker?: string | null;
  readonly type: EventType;
  readonly reason?: string | null;
  readonly data?: Readonly<Record<string, unknown>>;
  /** Of the events of an operation: whom it changes. Not kept; `core/correlation.ts` goes by it. */
  readonly operation?: { readonly id: string; readonly slots: readonly number[]; readonly isAsked: boolean };
}
