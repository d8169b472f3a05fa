/** What commands, receivers and the API are told of alerts. Times are ISO 8601. */
import type { ReceiverConfig, Severity } from './app-config.ts';

/** A value that an alert rests on, beside the one that it is held against. */
export interface AlertEvidence {
  /** Such as `burn, 1h` or `events`. */
  readonly name: string;
  /** Null: not known at that time. */
  readonly value: number | null;
  /** Null: only told, not judged. */
  readonly threshold: number | null;
  readonly unit: 'times' | 'share' | 'ms' | 'bytes' | 'per-second' | 'count' | 'z';
}

/** One time that something is wrong, from its beginning to its end. */
export interface AlertDocument {
  /** `<fingerprint>-<start>`: of this time only. */
  readonly id: string;
  /** Of its name, severity, app, worker and labels: the same each time that this goes wrong. 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly name: string;
  /** Null: it concerns the daemon or the host. */
  readonly app: string | null;
  /** `app/slot`, where it concerns one worker. */
  readonly worker?: string;
  readonly severity: Severity;
  /** `pending`: bad, but not for long enough to be told. */
  readonly status: 'pending' | 'firing' | 'resolved';
  /** What tells alerts of one name apart, beyond app and worker: `objective`, `window`, … */
  readonly labels: Readonly<Record<string, string>>;
  /** One line. */
  readonly summary: string;
  readonly description: string;
  readonly evidence: readonly AlertEvidence[];
  /** When it went bad. */
  readonly startedAt: string;
  /** Null while it lasts. */
  readonly endsAt: string | null;
  /** Ids of silences that keep it from being told, and of the alert that says it already; empty: it is told. */
  readonly mutedBy: readonly string[];
}

/** What a receiver is told at one time: all alerts of a group that are new, over, or due to be told again. */
export interface AlertNotificationDocument {
  /** The same when it is delivered again, so that a receiver can tell. */
  readonly id: string;
  /** What its alerts have in common: `app=api`. */
  readonly group: string;
  /** `resolved`: all that was told of the group is over. `repeat`: nothing is new, but it still fires. */
  readonly kind: 'firing' | 'resolved' | 'repeat' | 'test';
  readonly at: string;
  /** Firing ones first; those that ended since the group was last told come with `endsAt`. */
  readonly alerts: readonly AlertDocument[];
}

/** While it lasts, alerts that it matches are not told; they are still seen. */
export interface SilenceDocument {
  readonly id: string;
  /** All of them must match. */
  readonly matchers: readonly AlertMatcher[];
  readonly startsAt: string;
  /** Of a maintenance window that comes again: of its first time. */
  readonly endsAt: string;
  /** It comes again so often after its start; null: once. */
  readonly everyMs: number | null;
  readonly comment: string;
  readonly createdBy: string | null;
}

export interface AlertMatcher {
  /** `app`, `worker`, `name`, `severity`, or a label. */
  readonly label: string;
  /** `glob`: `*` stands for any characters. */
  readonly kind: 'is' | 'is-not' | 'glob';
  readonly value: string;
}

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
