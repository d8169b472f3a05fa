import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppHealthDocument, HealthStatus } from '../protocol/index.ts';
import { judgeHealthAlerts } from './alert-feed.ts';

const judged = (
  status: HealthStatus,
  running: readonly boolean[],
  looping: readonly boolean[] = [],
): Record<string, string> => {
  const app: AppHealthDocument = {
    name: 'shop',
    status,
    reason: null,
    level: 'normal',
    workers: running.map((isRunning, slot) => ({
      id: `shop/${slot}`,
      status,
      reason: null,
      checks: [],
      eventLoop: { delayMs: null, utilization: null, blockedMs: null, isBlocked: false },
      isRunning,
      isLooping: looping[slot] ?? false,
      ejectedUntil: null,
      weight: 50,
    })),
  };
  return Object.fromEntries(judgeHealthAlerts([app]).map(({ subject, verdict }) => [subject.name, verdict]));
};

describe('what alerts are told of the health of an app', () => {
  it('is one thing at a time: what is critical does not begin nor end that it is degraded', () => {
    assert.deepEqual(judged('healthy', [true, true]), { 'app-critical': 'good', 'app-degraded': 'good' });
    assert.deepEqual(judged('degraded', [true, false]), { 'app-critical': 'good', 'app-degraded': 'bad' });
    assert.deepEqual(judged('critical', [true, false]), { 'app-critical': 'bad', 'app-degraded': 'unknown' });
  });

  it('is not that all is well again as long as no worker has started', () => {
    assert.equal(judged('degraded', [false, false])['app-critical'], 'unknown');
    assert.equal(judged('healthy', [false, false])['app-critical'], 'good', 'it was stopped');
  });

  it('is not that a crash loop is over while those who are back have not held out', () => {
    const unknown = { 'app-critical': 'unknown', 'app-degraded': 'unknown' };
    assert.deepEqual(judged('degraded', [true, false], [true, true]), unknown);
    const served = { 'app-critical': 'good', 'app-degraded': 'bad' };
    assert.deepEqual(judged('degraded', [true, true], [true, false]), served, 'another worker serves');
  });
});
