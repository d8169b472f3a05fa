/**
 * Alerts, from what was judged to what was taken by whom: the book decides what is told to whom and when, queues deliver it
 * (one for each receiver, so that a slow one holds up nobody), and what no receiver took is kept for a person to look at.
 *
 * Refuses nothing that is judged; only what an operator asks for can be refused.
 */
import { planReceiver, type Judgement } from '../core/index.ts';
import {
  DroverError,
  type AlertMessage,
  type AlertsDocument,
  type AlertTestDocument,
  type DeadLetterRecord,
  type SilenceDocument,
  type UndeliveredDocument,
} from '../protocol/index.ts';
import { MOST_KNOWN, runBook, type NotifyEffect, type ReportEffect } from './book-run.ts';
import type { AlertsEdges } from './edges.ts';
import { composeAll, composeMessage, statusOf } from './message.ts';
import { nameReceivers, type NamedReceiver } from './receiver-id.ts';
import { inWords, ReceiverQueue, REFRESH_MS } from './receiver-queue.ts';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts';
import { DEFAULT_TIMEOUT_MS, sender } from './send.ts';
import { openSilences, type NewSilence } from './silences.ts';
import { testNotification } from './test-notification.ts';

export interface Alerts {
  /** What was found just now; to be called at each evaluation. */
  judge(judgements: readonly Judgement[]): void;
  /** An app, or one worker of it, is no more: its alerts are over. */
  forget(app: string, worker?: string): void;
  /** Receivers are configured anew: what waits for those that are gone is given up. */
  reconfigure(): void;
  /** All that there is to say: alerts, receivers, silences, and what was given up. */
  document(): AlertsDocument;
  /** Throws DROVER_SILENCE_INVALID, and DROVER_STATE_UNWRITABLE on a full disk. */
  silence(silence: NewSilence): SilenceDocument;
  /** Throws DROVER_SILENCE_UNKNOWN, and DROVER_STATE_UNWRITABLE on a full disk. */
  expireSilence(id: string): SilenceDocument;
  /**
   * Tells one receiver, or (null) each of them, a test alert at once: silences, severities and what waits make no difference, and
   * there is one attempt. Throws DROVER_RECEIVER_UNKNOWN.
   */
  testFire(receiver: string | null): Promise<readonly AlertTestDocument[]>;
  /** What was given up, oldest first, with what it says. */
  deadLetters(): readonly DeadLetterRecord[];
  /** Tries it again from the beginning. Throws DROVER_DELIVERY_UNKNOWN, DROVER_RECEIVER_UNKNOWN, DROVER_STATE_UNWRITABLE. */
  retry(id: string): void;
  /** Throws DROVER_DELIVERY_UNKNOWN, DROVER_STATE_UNWRITABLE. */
  drop(id: string): void;
  /** Breaks off what is being told. What waits is on record. */
  close(): void;
}

export interface AlertsOptions {
  readonly retry?: RetryPolicy;
  /** Of one attempt. */
  readonly timeoutMs?: number;
  /** Only given by tests: in place of those of `core/alert-groups.ts` and `receiver-queue.ts`. */
  readonly groupIntervalMs?: number;
  readonly refreshMs?: number;
}

export const openAlerts = (
  edges: AlertsEdges,
  {
    retry = DEFAULT_RETRY,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    groupIntervalMs,
    refreshMs = REFRESH_MS,
  }: AlertsOptions = {},
): Alerts => {
  const { store, clock, schedule, random, newId, onEvent } = edges;
  const { deliveries } = store.alerts;
  const send = sender({ timeoutMs, version: edges.version, env: edges.env });
  const silences = openSilences(store);
  const queues = new Map<string, ReceiverQueue>();
  const tests = new Set<AbortController>();

  const bury = (delivery: DeadLetterRecord, address: string): void => {
    deliveries.bury(delivery);
    onEvent({
      app: delivery.message.groupLabels['app'] ?? null,
      type: 'alert-undelivered',
      reason: delivery.error,
      data: { receiver: delivery.receiver, address, delivery: delivery.id, attempts: delivery.attempts },
    });
  };
  const firingOf = (id: string): AlertMessage[] =>
    book.toldTo(id).flatMap(({ group, alerts }) => composeAll({ id: '', group, kind: 'repeat', at: '', alerts }));
  const openQueue = (receiver: NamedReceiver): ReceiverQueue => {
    const waiting = deliveries.listWaiting().filter((each) => each.receiver === receiver.id);
    return new ReceiverQueue(receiver, waiting, {
      clock,
      schedule,
      random,
      send,
      retry,
      refreshMs,
      firing: () => firingOf(receiver.id),
      // Not together, which would wait for the disk: a message that is given up is one row that changes, and what else may be
      // lost with the machine (that an attempt failed, or was taken) is found out again.
      record: (left, dead) => {
        for (const delivery of dead) bury(delivery, receiver.address);
        deliveries.putWaiting(receiver.id, left);
      },
    });
  };
  /** What waits for receivers that are not configured any more, of an earlier daemon too. */
  const giveUpLost = (): void => {
    const nowMs = clock.wallMs();
    const lost = Map.groupBy(
      deliveries.listWaiting().filter(({ receiver }) => !queues.has(receiver)),
      ({ receiver }) => receiver,
    );
    if (lost.size === 0) return;
    store.keepTogether(() => {
      for (const [receiver, left] of lost) {
        deliveries.putWaiting(receiver, []);
        for (const each of left)
          bury({ ...each, error: 'its receiver is not configured any more', deadAtMs: nowMs }, '');
      }
    });
  };
  const configure = (): void => {
    const named = nameReceivers(edges.receivers());
    const kept = new Set(named.map(({ id }) => id));
    for (const [id, queue] of queues) {
      if (kept.has(id)) continue;
      queue.close();
      queues.delete(id);
    }
    for (const receiver of named) {
      const queue = queues.get(receiver.id);
      if (queue === undefined) queues.set(receiver.id, openQueue(receiver));
      else queue.receiver = receiver;
    }
    giveUpLost();
  };
  const notify = ({ receiver, notification }: NotifyEffect): void => {
    const queue = queues.get(receiver);
    // An Alertmanager repeats by itself what it is told to be firing.
    const isKept = queue?.receiver.config.target.kind === 'alertmanager' && notification.kind === 'repeat';
    if (!isKept) queue?.push(composeMessage(notification), `${receiver}-${notification.id}`);
  };
  const report = ({ event, alert, because }: ReportEffect): void => {
    const { id, name, app, worker, severity, summary, startedAt, mutedBy, labels } = alert;
    onEvent({
      app,
      ...(worker === undefined ? {} : { worker }),
      type: event,
      reason: summary,
      data: { alert: id, name, severity, labels, startedAt, mutedBy, ...(because === null ? {} : { because }) },
    });
  };
  const book = runBook({
    store,
    clock,
    schedule,
    notify,
    report,
    overflow: (count) =>
      onEvent({
        app: null,
        type: 'alert-undelivered',
        reason: `there are ${MOST_KNOWN} alerts, and ${count} more are not taken up until some are over`,
      }),
    context: () => ({
      receivers: [...queues.values()].map(({ receiver: { id, config } }) => ({
        ...planReceiver(id, config),
        ...(groupIntervalMs === undefined ? {} : { groupIntervalMs }),
      })),
      silences: silences.list(),
    }),
  });
  const find = (id: string): ReceiverQueue => {
    const queue = queues.get(id);
    if (queue === undefined)
      throw new DroverError('DROVER_RECEIVER_UNKNOWN', { receiver: id, configured: queues.size });
    return queue;
  };
  const test = async ({ receiver }: ReceiverQueue): Promise<AlertTestDocument> => {
    const nowMs = clock.wallMs();
    const beganAt = clock.monotonicMs();
    const controller = new AbortController();
    tests.add(controller);
    const message = composeMessage(testNotification(new Date(nowMs).toISOString(), newId()));
    const id = `${receiver.id}-test-${newId()}`;
    try {
      const outcome = await send({ receiver, id, message, nowMs, signal: controller.signal });
      const durationMs = Math.round(clock.monotonicMs() - beganAt);
      const { id: name, address } = receiver;
      return { receiver: name, address, isTaken: outcome.kind === 'taken', said: inWords(outcome), durationMs };
    } finally {
      tests.delete(controller);
    }
  };

  configure();
  // What was due while there was no daemon.
  book.step({ type: 'tick' });
  return {
    judge: (judgements) => book.judge(judgements),
    forget: (app, worker) => book.step({ type: 'gone', app, ...(worker === undefined ? {} : { worker }) }),
    reconfigure() {
      configure();
      book.step({ type: 'tick' });
    },
    document: () => ({
      alerts: book.list(),
      receivers: [...queues.values()].map(({ receiver: { id, address, config }, status }) => {
        const { waiting, lastTakenAtMs, lastProblem } = status;
        const lastTakenAt = lastTakenAtMs === null ? null : isoOf(lastTakenAtMs);
        return { id, kind: config.target.kind, address, waiting, lastTakenAt, lastProblem };
      }),
      silences: silences.list(),
      undelivered: deliveries.listDead().map(toUndelivered),
    }),
    silence(asked) {
      const silence = silences.add(asked, newId(), clock.wallMs());
      book.step({ type: 'tick' });
      return silence;
    },
    expireSilence(id) {
      const silence = silences.expire(id, clock.wallMs());
      book.step({ type: 'tick' });
      return silence;
    },
    testFire: async (receiver) => Promise.all((receiver === null ? [...queues.values()] : [find(receiver)]).map(test)),
    deadLetters: () => deliveries.listDead(),
    retry(id) {
      const dead = deliveries.findDead(id);
      if (dead === undefined) throw new DroverError('DROVER_DELIVERY_UNKNOWN', { delivery: id });
      const queue = find(dead.receiver);
      try {
        // The row of the dead letter becomes that of what waits.
        store.transaction(() => queue.pushAgain(dead.message, id));
      } catch (error) {
        queue.withdraw(id);
        throw error;
      }
    },
    drop(id) {
      if (!deliveries.removeDead(id)) throw new DroverError('DROVER_DELIVERY_UNKNOWN', { delivery: id });
    },
    close() {
      book.close();
      for (const queue of queues.values()) queue.close();
      for (const controller of tests) controller.abort();
    },
  };
};

const isoOf = (ms: number): string => new Date(ms).toISOString();

const toUndelivered = (delivery: DeadLetterRecord): UndeliveredDocument => ({
  id: delivery.id,
  receiver: delivery.receiver,
  app: delivery.message.groupLabels['app'] ?? null,
  names: [...new Set(delivery.message.alerts.map(({ labels }) => labels['alertname'] ?? ''))],
  status: statusOf(delivery.message),
  createdAt: isoOf(delivery.createdAtMs),
  givenUpAt: isoOf(delivery.deadAtMs),
  attempts: delivery.attempts,
  error: delivery.error,
});
