/** Messages: what one receiver is told at once, and what that looks like in the payload of a webhook. */
import type { AlertMessage, ToldAlert } from '../protocol/index.ts';
import { commonOf, fingerprintOf } from './labels.ts';

export const MOST_ALERTS = 100;
export const MOST_MESSAGE_BYTES = 64 * 1024;

/** Go's zero time, by which Alertmanager says that an alert has not ended. */
const NOT_ENDED = '0001-01-01T00:00:00Z';

/** Alerts of one app are one group; those of the host are another. */
export const groupOf = (alert: ToldAlert): Pick<AlertMessage, 'groupKey' | 'groupLabels'> => {
  const app = alert.labels['app'];
  return app === undefined
    ? { groupKey: '{}:{}', groupLabels: {} }
    : { groupKey: `{}:{app=${JSON.stringify(app)}}`, groupLabels: { app } };
};

/** The first alerts that fit, those that fire before those that have ended; how many did not is said. */
export const composeMessage = (
  group: Pick<AlertMessage, 'groupKey' | 'groupLabels'>,
  alerts: readonly ToldAlert[],
): AlertMessage => {
  const ordered = [...alerts].sort((a, b) => Number(a.endsAt !== null) - Number(b.endsAt !== null));
  const kept: ToldAlert[] = [];
  let bytes = 0;
  for (const alert of ordered) {
    bytes += Buffer.byteLength(JSON.stringify(alert));
    // One alert is always told: its labels and annotations are bounded by themselves.
    if (kept.length > 0 && (kept.length === MOST_ALERTS || bytes > MOST_MESSAGE_BYTES)) break;
    kept.push(alert);
  }
  return { ...group, alerts: kept, truncated: alerts.length - kept.length };
};

export const statusOf = ({ alerts }: AlertMessage): 'firing' | 'resolved' =>
  alerts.some(({ endsAt }) => endsAt === null) ? 'firing' : 'resolved';

/**
 * The body of a webhook, and what a command reads: the payload of Alertmanager's webhooks, version 4, so that what was
 * written for those understands it (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
 */
export const toPayload = (message: AlertMessage, receiver: string) => ({
  version: '4',
  groupKey: message.groupKey,
  truncatedAlerts: message.truncated,
  status: statusOf(message),
  receiver,
  groupLabels: message.groupLabels,
  commonLabels: commonOf(message.alerts.map(({ labels }) => labels)),
  commonAnnotations: commonOf(message.alerts.map(({ annotations }) => annotations)),
  // There is no page of ours to go to; receivers expect the key.
  externalURL: '',
  alerts: message.alerts.map(({ labels, annotations, startsAt, endsAt }) => ({
    status: endsAt === null ? 'firing' : 'resolved',
    labels,
    annotations,
    startsAt,
    endsAt: endsAt ?? NOT_ENDED,
    generatorURL: '',
    fingerprint: fingerprintOf(labels),
  })),
});

/** For how long an Alertmanager takes an alert to be firing that it hears nothing more of. */
export const ALERTMANAGER_KEEPS_MS = 5 * 60_000;

/** The body of `POST /api/v2/alerts`. Firing alerts end by themselves some time after `nowMs` (wall clock), unless sent again. */
export const toPostableAlerts = (message: AlertMessage, nowMs: number) =>
  message.alerts.map(({ labels, annotations, startsAt, endsAt }) => {
    const endsAtMs = endsAt === null ? nowMs + ALERTMANAGER_KEEPS_MS : Date.parse(endsAt);
    // It refuses all of them where one begins after its end, which a clock that was set back brings about.
    const startsAtMs = Math.min(Date.parse(startsAt), endsAtMs);
    return {
      labels: 'alertname' in labels ? labels : { alertname: 'Drover', ...labels },
      annotations,
      startsAt: new Date(startsAtMs).toISOString(),
      endsAt: new Date(endsAtMs).toISOString(),
    };
  });
