import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AlertDocument, AlertNotificationDocument } from '../protocol/index.ts';
import {
  ALERTMANAGER_KEEPS_MS,
  composeAll,
  composeMessage,
  MOST_MESSAGE_BYTES,
  toPayload,
  toPostableAlerts,
} from './message.ts';

const STARTED = '2026-01-01T00:00:00.000Z';
const document = (fields: Partial<AlertDocument> = {}): AlertDocument => ({
  id: 'f-1',
  fingerprint: 'f',
  name: 'error-budget-burn',
  app: 'shop',
  severity: 'page',
  status: 'firing',
  labels: { objective: 'availability' },
  summary: 'shop burns its budget',
  description: 'Fourteen times too fast.',
  evidence: [{ name: 'burn, 1h', value: 15.123456, threshold: 14.4, unit: 'times' }],
  startedAt: STARTED,
  endsAt: null,
  mutedBy: [],
  ...fields,
});
const notification = (alerts: AlertDocument[], group = 'app=shop'): AlertNotificationDocument => ({
  id: '1',
  group,
  kind: 'firing',
  at: STARTED,
  alerts,
});
const resolved = (fields: Partial<AlertDocument> = {}): AlertDocument =>
  document({ status: 'resolved', endsAt: '2026-01-01T00:05:00.000Z', ...fields });

describe('a message', () => {
  it('has the form of an Alertmanager webhook, version 4', () => {
    const message = composeMessage(notification([resolved({ worker: 'shop/1' }), document()]));
    assert.deepEqual(toPayload(message, 'webhook-abc'), {
      version: '4',
      groupKey: '{}:{app="shop"}',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'webhook-abc',
      groupLabels: { app: 'shop' },
      commonLabels: { alertname: 'error-budget-burn', severity: 'page', app: 'shop', objective: 'availability' },
      commonAnnotations: {
        summary: 'shop burns its budget',
        description: 'Fourteen times too fast.',
        evidence: 'burn, 1h: 15.12 times (limit 14.4)',
      },
      externalURL: '',
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'error-budget-burn', severity: 'page', app: 'shop', objective: 'availability' },
          annotations: message.alerts[0]?.annotations,
          startsAt: STARTED,
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: '',
          // As Debian's Alertmanager 0.25 has it of these labels.
          fingerprint: 'f1fab26dab159c5f',
        },
        {
          status: 'resolved',
          labels: {
            alertname: 'error-budget-burn',
            severity: 'page',
            app: 'shop',
            worker: 'shop/1',
            objective: 'availability',
          },
          annotations: message.alerts[1]?.annotations,
          startsAt: STARTED,
          endsAt: '2026-01-01T00:05:00.000Z',
          generatorURL: '',
          fingerprint: toPayload(message, '').alerts[1]?.fingerprint,
        },
      ],
    });
  });

  it('is resolved only when none of its alerts fires, and tells no pending one', () => {
    const all = composeMessage(notification([resolved(), resolved({ severity: 'ticket' })]));
    assert.equal(toPayload(all, '').status, 'resolved');
    assert.deepEqual(composeMessage(notification([document({ status: 'pending' })])).alerts, []);
  });

  it('of the daemon itself is a group without labels', () => {
    const { groupKey, groupLabels, alerts } = composeMessage(notification([document({ app: null })], 'daemon'));
    assert.deepEqual([groupKey, groupLabels, alerts[0]?.labels['app']], ['{}:{}', {}, undefined]);
  });

  it('lets no label of an app take the place of what Drover says, nor push it out', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`label${index}`, 'x']));
    const [alert] = composeMessage(
      notification([document({ labels: { ...many, alertname: 'forged', app: 'other' } })]),
    ).alerts;
    assert.equal(alert?.labels['alertname'], 'error-budget-burn');
    assert.equal(alert?.labels['app'], 'shop');
    assert.equal(alert?.labels['severity'], 'page');
  });

  it('is bounded; alerts that fire go first, and how many did not fit is said', () => {
    const long = { description: 'x'.repeat(10_000) };
    const alerts = Array.from({ length: 500 }, (_, index) =>
      (index < 480 ? resolved : document)({ ...long, labels: { index: String(index) } }),
    );
    const message = composeMessage(notification(alerts));
    assert.ok(Buffer.byteLength(JSON.stringify(message)) <= MOST_MESSAGE_BYTES + 1_000);
    assert.ok(message.alerts.length > 1 && message.alerts.every(({ endsAt }) => endsAt === null));
    assert.equal(message.truncated + message.alerts.length, 500);
    const small = composeMessage(notification(alerts.map((alert) => ({ ...alert, description: '' }))));
    assert.equal(small.alerts.length, 100);
  });

  it('is followed by others where a receiver must know of each alert', () => {
    const alerts = Array.from({ length: 250 }, (_, index) => document({ labels: { index: String(index) } }));
    const messages = composeAll(notification(alerts));
    assert.deepEqual(
      messages.map((message) => message.alerts.length),
      [100, 100, 50],
    );
    assert.equal(new Set(messages.flatMap((each) => each.alerts.map(({ labels }) => labels['index']))).size, 250);
    assert.deepEqual(composeAll(notification([])), []);
  });

  it('for an Alertmanager ends by itself, and never before it begins', () => {
    const nowMs = Date.parse(STARTED) - 3_600_000;
    const [firing, ended] = toPostableAlerts(
      composeMessage(notification([document(), resolved({ endsAt: '2025-12-31T23:00:00.000Z' })])),
      nowMs,
    );
    assert.equal(Date.parse(firing?.endsAt ?? ''), nowMs + ALERTMANAGER_KEEPS_MS);
    // The clock was set back by an hour since it began.
    assert.equal(firing?.startsAt, firing?.endsAt);
    assert.equal(ended?.startsAt, '2025-12-31T23:00:00.000Z');
  });
});
