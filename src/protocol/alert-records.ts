/**
 * Alerts as they are delivered, and what is on record of that: written by `store/`, meant by `alerts/`. Times with `AtMs` are
 * milliseconds of the wall clock, those without ISO 8601.
 */
import type { AlertNotificationDocument } from './alert-documents.ts';

/** One alert in a message. Label names fit `[a-zA-Z_][a-zA-Z0-9_]*`; the same labels are the same alert. */
export interface ToldAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  /** Null: it fires. */
  readonly endsAt: string | null;
}

/** What one receiver is told at once: alerts of one group. */
export interface AlertMessage {
  /** Of the group in the whole of its life, such as `{}:{app="shop"}`. */
  readonly groupKey: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly kind: AlertNotificationDocument['kind'];
  readonly alerts: readonly ToldAlert[];
  /** Alerts of the group that did not fit. */
  readonly truncated: number;
}

/** A message that a receiver has not taken yet. */
export interface DeliveryRecord {
  /** The same in every attempt, and told to the receiver: it can leave out what it has had. */
  readonly id: string;
  /** See `receiver-id.ts` in `alerts/`. */
  readonly receiver: string;
  /** Orders the deliveries of a receiver; grows. */
  readonly place: number;
  readonly createdAtMs: number;
  /** Attempts that failed. */
  readonly attempts: number;
  readonly nextAtMs: number;
  /** Of the last attempt; null before it. */
  readonly error: string | null;
  readonly message: AlertMessage;
}

/** One that was given up. */
export interface DeadLetterRecord extends DeliveryRecord {
  readonly deadAtMs: number;
}
