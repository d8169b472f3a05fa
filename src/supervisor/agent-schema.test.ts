import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detail } from '../../test/metrics/readings.ts';
import { parseAgentMessage } from './agent-schema.ts';

const metricsWith = (values: unknown): unknown => ({
  type: 'metrics',
  id: 1,
  detail: detail(),
  routes: [],
  app: [{ name: 'hits', help: '', type: 'counter', aggregator: 'sum', values }],
  dropped: 0,
});
const isTaken = (values: unknown): boolean => parseAgentMessage(metricsWith(values)).message !== null;

describe("an app's own metrics in a message", () => {
  const figure = { value: 1, labels: { user: 'a', status: 200 } };

  it('are figures with labels, or no numbers', () => {
    assert.ok(isTaken([]));
    assert.ok(isTaken([figure, { ...figure, value: null }, { ...figure, metricName: 'hits_sum' }]));
    assert.ok(isTaken(Array.from({ length: 10_000 }, () => figure)));
  });

  it('are refused where they are anything else, or too many', () => {
    const long = 'x'.repeat(1001);
    for (const values of [
      null,
      {},
      [null],
      [1],
      [{ labels: {} }],
      [{ value: '1', labels: {} }],
      [{ value: 1 }],
      [{ value: 1, labels: null }],
      [{ value: 1, labels: ['a'] }],
      [{ value: 1, labels: { user: null } }],
      [{ value: 1, labels: { user: {} } }],
      [{ value: 1, labels: { user: long } }],
      [{ value: 1, labels: { [long]: 'a' } }],
      [{ value: 1, labels: {}, metricName: 7 }],
      Array.from({ length: 10_001 }, () => figure),
    ])
      assert.equal(isTaken(values), false, JSON.stringify(values)?.slice(0, 100));
  });
});
