/** What commands and the API say of alerts, beyond the alerts themselves. Times are ISO 8601. */
import type { ReceiverConfig } from './app-config.ts';
import type { AlertDocument, SilenceDocument } from './documents.ts';

export interface ReceiverDocument {
  /** Such as `webhook-3fa9c2`; stays as long as its target does. */
  readonly id: string;
  readonly kind: ReceiverConfig['target']['kind'];
  /** Without what may be a secret in it. */
  readonly address: string;
  /** Messages that it has not taken yet. */
  readonly waiting: number;
  /** Null: nothing since the daemon began. */
  readonly lastTakenAt: string | null;
  /** Null once it has taken something since. */
  readonly lastProblem: string | null;
}

/** A message that was given up. */
export interface UndeliveredDocument {
  readonly id: string;
  readonly receiver: string;
  readonly app: string | null;
  /** Names of its alerts, each once. */
  readonly names: readonly string[];
  readonly status: 'firing' | 'resolved';
  readonly createdAt: string;
  readonly givenUpAt: string;
  readonly attempts: number;
  readonly error: string | null;
}

/** `drover alerts`. */
export interface AlertsDocument {
  /** Pending, firing, and those that ended not long ago. */
  readonly alerts: readonly AlertDocument[];
  readonly receivers: readonly ReceiverDocument[];
  /** Also those that begin later, and those that ended in the last seven days. */
  readonly silences: readonly SilenceDocument[];
  /** Oldest first. */
  readonly undelivered: readonly UndeliveredDocument[];
}

/** `drover alerts test`, for one receiver. */
export interface AlertTestDocument {
  readonly receiver: string;
  readonly address: string;
  readonly isTaken: boolean;
  /** What came back, or what went wrong, in words. */
  readonly said: string;
  readonly durationMs: number;
}

/** `drover alerts test`: what each receiver said to a test alert. */
export interface AlertTestsDocument {
  readonly receivers: readonly AlertTestDocument[];
}

/** `drover alerts silence`: what is asked for. Matchers as `app=shop`, `severity!=page`, `name=error-*`; times as ISO 8601. */
export interface SilenceRequest {
  readonly matchers: readonly string[];
  /** Null: now. */
  readonly startsAt: string | null;
  readonly endsAt: string;
  /** It comes again so often after its start; null: once. */
  readonly everyMs: number | null;
  readonly comment: string;
}
