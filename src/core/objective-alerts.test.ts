import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ObjectiveConfig } from '../protocol/index.ts';
import { judgeObjective, newObjective, observeCounts, planObjective } from './objective.ts';
import { duration, judgeObjectiveAlerts } from './objective-alerts.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const OBJECTIVE: ObjectiveConfig = {
  name: 'availability',
  target: 0.999,
  windowMs: 720 * HOUR,
  indicator: { kind: 'availability' },
  minimumEvents: 100,
};

/** Judgements after `healthyMs` without errors and `failingMs` in which this share of events failed. */
const judge = (healthyMs: number, failingMs: number, badShare: number, perMinute = 600) => {
  const plan = planObjective(OBJECTIVE);
  let state = newObjective(plan);
  for (let at = MINUTE; at <= healthyMs + failingMs; at += MINUTE)
    state = observeCounts(state, {
      at,
      forMs: MINUTE,
      good: perMinute * (at <= healthyMs ? 1 : 1 - badShare),
      total: perMinute,
    });
  return judgeObjectiveAlerts('api', plan, judgeObjective(plan, state, healthyMs + failingMs));
};

describe('the alerts of an objective', () => {
  it('are a page and a ticket, whatever rule finds it', () => {
    const [page, ticket] = judge(7 * HOUR, 4 * MINUTE, 0.5);
    assert.deepEqual(page?.subject, {
      name: 'error-budget-burn',
      severity: 'page',
      app: 'api',
      labels: { objective: 'availability' },
    });
    assert.equal(ticket?.subject.severity, 'ticket');
    assert.deepEqual([page?.verdict, ticket?.verdict], ['bad', 'unknown']);
    assert.deepEqual([page?.policy.unheardMs, ticket?.policy.unheardMs], [6 * HOUR + 10_000, 72 * HOUR + 10_000]);
  });

  it('say what they rest on', () => {
    const [{ detail }] = judge(7 * HOUR, 4 * MINUTE, 0.5) as [ReturnType<typeof judge>[number]];
    // The whole window is up to one bucket shorter than it says: 4.63 % of all 720 hours.
    assert.equal(detail.summary, 'api: availability burns its error budget 33 times faster than it may');
    assert.match(
      detail.description,
      /^3\.33 % of 36000 events in 1 h, and 40 % of 3000 in 5 min, were bad; 0\.1 % may be\. 4\.66 % of the error budget of 30 d is spent; at this rate the rest lasts 1\.7 h\.$/,
    );
    assert.deepEqual(
      detail.evidence.map(({ name, threshold, unit }) => [
        name,
        threshold === null ? null : Math.round(10 * threshold) / 10,
        unit,
      ]),
      [
        ['burn, 1 h', 14.4, 'times'],
        ['burn, 5 min', 14.4, 'times'],
        ['burn, 6 h', 6, 'times'],
        ['burn, 30 min', 6, 'times'],
        ['budget spent', 1, 'share'],
      ],
    );
  });

  it('are good where all is calm, and unknown where too little is known', () => {
    assert.deepEqual(
      judge(80 * HOUR, 0, 0).map(({ verdict }) => verdict),
      ['good', 'good'],
    );
    assert.deepEqual(
      judge(5 * MINUTE, 0, 0, 1).map(({ verdict }) => verdict),
      ['unknown', 'unknown'],
    );
  });

  it('name times in their largest unit', () => {
    assert.deepEqual([70_000, 84 * MINUTE, 16.8 * HOUR, 720 * HOUR, 10_000, 500].map(duration), [
      '1.2 min',
      '1.4 h',
      '16.8 h',
      '30 d',
      '10 s',
      '0.5 s',
    ]);
  });
});
