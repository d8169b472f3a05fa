/**
 * All alerts and all receivers together: judgements and time in, what is to be done out. Pure; the room `alerts/` runs the effects.
 *
 *   judgements --> alert.ts (is it firing?) --> silence.ts (is it told?) --> alert-groups.ts (whom, and when?) --> notify
 *
 * There is one timer: `arm` says when to step again although nothing was judged. Late and doubled ticks do no harm, because every
 * wait is a time in the state. The times are those of one timeline that goes on over restarts, as in `objective.ts`.
 */
import type { AlertDocument, AlertNotificationDocument, ReceiverConfig, SilenceDocument } from '../protocol/index.ts';
import {
  alertDocument,
  alertDueAt,
  type AlertDetail,
  type AlertEnd,
  type AlertEvent,
  type AlertPolicy,
  type AlertState,
  type AlertSubject,
  fingerprintOf,
  newAlert,
  stepAlert,
} from './alert.ts';
import { GROUP_INTERVAL_MS, newReceiver, type ReceiverPlan, type ReceiverState, stepReceiver } from './alert-groups.ts';
import type { Step } from './machine.ts';
import { muteAlerts, silenceChangesAt } from './silence.ts';

/** What was found of a subject just now. */
export interface Judgement {
  readonly subject: AlertSubject;
  readonly policy: AlertPolicy;
  readonly verdict: 'bad' | 'good' | 'unknown';
  /** Told if it is bad. */
  readonly detail: AlertDetail;
}

/** Plain data, to be kept over restarts. */
export interface AlertBook {
  /** By fingerprint. */
  readonly alerts: Readonly<Record<string, AlertState>>;
  /** By the name of the receiver. */
  readonly receivers: Readonly<Record<string, ReceiverState>>;
}

export type AlertBookEvent =
  | { readonly type: 'judged'; readonly at: number; readonly judgements: readonly Judgement[] }
  /** The armed time has come, or silences or receivers have changed. */
  | { readonly type: 'tick'; readonly at: number }
  /** An app, or one worker of it, is no more, nor is what was wrong with it. */
  | { readonly type: 'gone'; readonly at: number; readonly app: string; readonly worker?: string };

export type AlertBookEffect =
  | {
      readonly type: 'report';
      readonly event: 'alert-firing' | 'alert-resolved';
      readonly alert: AlertDocument;
      /** Why it is over; null: it is not. */
      readonly because: AlertEnd | null;
    }
  | { readonly type: 'notify'; readonly receiver: string; readonly notification: AlertNotificationDocument }
  /** In place of the time that was armed before; null: only what is judged can change anything. */
  | { readonly type: 'arm'; readonly at: number | null };

export interface AlertContext {
  readonly receivers: readonly ReceiverPlan[];
  readonly silences: readonly SilenceDocument[];
}

export const newAlertBook = (): AlertBook => ({ alerts: {}, receivers: {} });

/** What was kept, for a daemon that begins at `at`: that nobody judged anything while there was none says nothing. */
export const resumeAlertBook = (book: AlertBook, at: number): AlertBook => ({
  ...book,
  alerts: Object.fromEntries(Object.entries(book.alerts).map(([key, alert]) => [key, { ...alert, heardAt: at }])),
});

/** A receiver as it is configured; `name` must be unique, and the same over restarts. */
export const planReceiver = (name: string, config: ReceiverConfig): ReceiverPlan => {
  const { severities, apps, groupWaitMs, repeatMs } = config;
  return { name, severities, apps, groupWaitMs, repeatMs, groupIntervalMs: Math.max(groupWaitMs, GROUP_INTERVAL_MS) };
};

/** All alerts that are pending or firing, and those that ended not long ago, each with what mutes it. */
export const listAlerts = (
  { alerts }: AlertBook,
  silences: readonly SilenceDocument[],
  at: number,
): readonly AlertDocument[] => {
  const documents = Object.entries(alerts).flatMap(([key, alert]) => alertDocument(alert, key, []) ?? []);
  return muteAlerts(documents, silences, at);
};

export const stepAlertBook = (
  book: AlertBook,
  event: AlertBookEvent,
  context: AlertContext,
): Step<AlertBook, AlertBookEffect> => {
  const { at } = event;
  const alerts: Record<string, AlertState> = {};
  const reports: AlertBookEffect[] = [];
  const take = (key: string, before: AlertState, happened: AlertEvent): void => {
    const { state, effects } = stepAlert(before, happened);
    alerts[key] = state;
    for (const effect of effects) {
      const alert = alertDocument(state, key, []);
      if (alert === null) continue;
      const isFired = effect.type === 'fired';
      const because = isFired ? null : effect.because;
      reports.push({ type: 'report', event: isFired ? 'alert-firing' : 'alert-resolved', alert, because });
    }
  };
  for (const [key, alert] of Object.entries(book.alerts))
    take(key, alert, { type: event.type === 'gone' && isOf(alert.subject, event) ? 'gone' : 'tick', at });
  if (event.type === 'judged')
    for (const { subject, policy, verdict, detail } of event.judgements) {
      const key = fingerprintOf(subject);
      const before = alerts[key];
      // What was never bad needs no memory.
      if (before === undefined && verdict !== 'bad') continue;
      const known = { ...(before ?? newAlert(subject, policy, at)), policy };
      take(key, known, verdict === 'bad' ? { type: 'bad', at, detail } : { type: verdict, at });
    }
  return tellReceivers({ ...book, alerts }, reports, at, context);
};

const isOf = (subject: AlertSubject, gone: { readonly app: string; readonly worker?: string }): boolean =>
  subject.app === gone.app && (gone.worker === undefined || subject.worker === gone.worker);

const tellReceivers = (
  book: AlertBook,
  reports: readonly AlertBookEffect[],
  at: number,
  { receivers, silences }: AlertContext,
): Step<AlertBook, AlertBookEffect> => {
  const documents = listAlerts(book, silences, at);
  const isMuted = (key: string): readonly string[] =>
    documents.find(({ fingerprint }) => fingerprint === key)?.mutedBy ?? [];
  const effects: AlertBookEffect[] = reports.map((effect) =>
    effect.type === 'report'
      ? { ...effect, alert: { ...effect.alert, mutedBy: isMuted(effect.alert.fingerprint) } }
      : effect,
  );
  const dueTimes: (number | null)[] = Object.values(book.alerts).map(alertDueAt);
  const states: Record<string, ReceiverState> = {};
  for (const plan of receivers) {
    const step = stepReceiver(book.receivers[plan.name] ?? newReceiver(), documents, at, plan);
    states[plan.name] = step.state;
    dueTimes.push(step.dueAt);
    for (const notification of step.notifications) effects.push({ type: 'notify', receiver: plan.name, notification });
  }
  const alerts = forget(book.alerts, states, at);
  if (Object.keys(alerts).length > 0) dueTimes.push(...silences.map((silence) => silenceChangesAt(silence, at)));
  const next = Math.min(...dueTimes.map((time) => time ?? Infinity));
  effects.push({ type: 'arm', at: next === Infinity ? null : next });
  return { state: { alerts, receivers: states }, effects };
};

/** An alert that ended is known until it would be a new one if it came again, and its end has been told. */
const forget = (
  alerts: AlertBook['alerts'],
  receivers: AlertBook['receivers'],
  at: number,
): Readonly<Record<string, AlertState>> => {
  const told = new Set(
    Object.values(receivers).flatMap(({ groups }) => Object.values(groups).flatMap((group) => Object.keys(group.told))),
  );
  return Object.fromEntries(
    Object.entries(alerts).filter(([key, { phase, endedAt, policy }]) => {
      if (phase !== 'inactive' || told.has(key)) return true;
      return endedAt !== null && at - endedAt <= policy.flapping.withinMs;
    }),
  );
};
