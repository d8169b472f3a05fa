/** What the delivery of alerts needs from other rooms, as narrow interfaces; `daemon/` supplies the real ones, tests their own. */
import type {
  Clock,
  DeadLetterRecord,
  DeliveryRecord,
  EventInput,
  ReceiverConfig,
  SilenceDocument,
} from '../protocol/index.ts';

/** The part of the state that is written here. Its types and promises are those of `store/alerts.ts`. */
export interface DeliveryStore {
  /** Several writes of what has happened, on the disk all or none, and together; never refused. `work` must not await. */
  keepTogether(work: () => void): void;
  /** What is written in `work` is on the disk when this returns, or nothing is and it throws. `work` must not await. */
  transaction<Result>(work: () => Result): Result;
  readonly alerts: {
    readonly states: {
      put(kind: 'alert' | 'receiver', id: string, state: unknown): void;
      remove(kind: 'alert' | 'receiver', id: string): void;
      list(kind: 'alert' | 'receiver'): readonly { readonly id: string; readonly state: unknown }[];
    };
    readonly deliveries: {
      putWaiting(receiver: string, deliveries: readonly DeliveryRecord[]): void;
      listWaiting(): readonly DeliveryRecord[];
      bury(delivery: DeadLetterRecord): void;
      listDead(): readonly DeadLetterRecord[];
      findDead(id: string): DeadLetterRecord | undefined;
      removeDead(id: string): boolean;
    };
    readonly silences: {
      put(silence: SilenceDocument, forgetBeforeMs: number): void;
      list(): readonly SilenceDocument[];
    };
  };
}

export interface Waits {
  /** Calls back once after `ms`, of which it may hold no process alive; returns what calls it off. */
  background(ms: number, call: () => void): () => void;
}

export interface AlertsEdges {
  readonly store: DeliveryStore;
  readonly clock: Clock;
  readonly schedule: Waits;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** A new name for a silence, in letters, digits and `-`; never given twice. */
  readonly newId: () => string;
  /** Whom to tell, as configured now. Asked again at each change. */
  readonly receivers: () => readonly ReceiverConfig[];
  /** Given `alert-firing`, `alert-resolved` and `alert-undelivered`, for the history and whoever follows it. */
  readonly onEvent: (event: EventInput) => void;
  /** Of this process: a few variables of it go to commands (`run-command.ts`). */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}
