/** Messages: what one receiver is told at once, and what that looks like in the payload of a webhook. */
import type {
  AlertDocument,
  AlertEvidence,
  AlertMessage,
  AlertNotificationDocument,
  ToldAlert,
} from '../protocol/index.ts';
import { commonOf, fingerprintOf, toLabelName, toTold } from './labels.ts';

export const MOST_ALERTS = 100;
export const MOST_MESSAGE_BYTES = 64 * 1024;

/** Go's zero time, by which Alertmanager says that an alert has not ended. */
const NOT_ENDED = '0001-01-01T00:00:00Z';

/**
 * The alert as receivers know it. Its evidence stands in the annotations: numbers that change must not make it another alert.
 */
const toAlert = (alert: AlertDocument): ToldAlert => {
  const { name, app, worker, severity, summary, description, evidence } = alert;
  const own = {
    alertname: name,
    severity,
    ...(app === null ? {} : { app }),
    ...(worker === undefined ? {} : { worker }),
  };
  return toTold({
    // Our own words first, so that the bounds leave them there, and last, so that no label of an app takes their place.
    labels: { ...own, ...alert.labels, ...own },
    annotations: {
      summary,
      description,
      ...(evidence.length === 0 ? {} : { evidence: evidence.map(describe).join('; ') }),
    },
    startsAt: alert.startedAt,
    endsAt: alert.endsAt,
  });
};

const describe = ({ name, value, threshold, unit }: AlertEvidence): string => {
  const limit = threshold === null ? '' : ` (limit ${round(threshold)})`;
  return `${name}: ${value === null ? 'unknown' : round(value)} ${unit}${limit}`;
};

const round = (value: number): string => String(Number(value.toPrecision(4)));

/** Pending alerts are left out, and of the rest those that do not fit, first those that have ended; how many is said. */
export const composeMessage = ({ group, kind, alerts }: AlertNotificationDocument): AlertMessage => {
  const told = alerts.filter(({ status }) => status !== 'pending').map(toAlert);
  const ordered = told.sort((a, b) => Number(a.endsAt !== null) - Number(b.endsAt !== null));
  const kept: ToldAlert[] = [];
  let bytes = 0;
  for (const alert of ordered) {
    bytes += Buffer.byteLength(JSON.stringify(alert));
    // One alert is always told: its labels and annotations are bounded by themselves.
    if (kept.length > 0 && (kept.length === MOST_ALERTS || bytes > MOST_MESSAGE_BYTES)) break;
    kept.push(alert);
  }
  const groupLabels = toGroupLabels(group);
  return {
    groupKey: groupKeyOf(groupLabels),
    groupLabels,
    kind,
    alerts: kept,
    truncated: ordered.length - kept.length,
  };
};

/** The same in as many messages as it takes, for a receiver that must know of each alert: all of them fire. */
export const composeAll = (notification: AlertNotificationDocument): AlertMessage[] => {
  const messages: AlertMessage[] = [];
  for (let left = notification.alerts; left.length > 0;) {
    const message = composeMessage({ ...notification, alerts: left });
    messages.push({ ...message, truncated: 0 });
    left = left.slice(message.alerts.length);
  }
  return messages;
};

/** `app=api` as labels. */
const toGroupLabels = (group: string): Readonly<Record<string, string>> => {
  const at = group.indexOf('=');
  return at <= 0 ? {} : { [toLabelName(group.slice(0, at))]: group.slice(at + 1) };
};

/** As Alertmanager writes it: the route (we have one, without matchers), and the labels of the group. */
const groupKeyOf = (labels: Readonly<Record<string, string>>): string =>
  `{}:{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')}}`;

/**
 * One message in place of two that follow each other in a group, the first of which nobody has had: what fires is in the second,
 * and what had ended by the first and did not begin again is told as well.
 */
export const mergeMessages = (older: AlertMessage, newer: AlertMessage): AlertMessage => {
  const known = new Set(newer.alerts.map(({ labels }) => fingerprintOf(labels)));
  const ended = older.alerts.filter(({ labels, endsAt }) => endsAt !== null && !known.has(fingerprintOf(labels)));
  const room = Math.max(0, MOST_ALERTS - newer.alerts.length);
  return {
    ...newer,
    alerts: [...newer.alerts, ...ended.slice(0, room)],
    truncated: newer.truncated + Math.max(0, ended.length - room),
  };
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
      labels,
      annotations,
      startsAt: new Date(startsAtMs).toISOString(),
      endsAt: new Date(endsAtMs).toISOString(),
    };
  });
