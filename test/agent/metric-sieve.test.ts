import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseAgentMessage } from '../../src/supervisor/agent-schema.ts';
import { Sieve } from '../../src/agent/metric-sieve.ts';
import { detail } from '../metrics/readings.ts';

const trap = (): never => {
  throw new Error('trap');
};
const ODD: readonly unknown[] = [
  null,
  undefined,
  5,
  'x',
  10n,
  Symbol('s'),
  Object.create(null),
  { toString: trap },
  [],
  NaN,
  -Infinity,
  'x'.repeat(10_000),
  '\0'.repeat(900),
  '\uD800'.repeat(900),
  'é'.repeat(900),
  '"\\\n',
];
const odd = fc.constantFrom(...ODD);
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), odd);
const labels = fc.oneof(fc.dictionary(fc.string({ maxLength: 5 }), text, { noNullPrototype: true }), odd);
const value = fc.oneof(fc.record({ value: fc.oneof(fc.double(), odd), labels, metricName: text }), odd);
const metric = fc.oneof(
  fc.record({
    name: fc.oneof(fc.constantFrom('a', 'b'), text),
    help: text,
    type: fc.oneof(fc.constantFrom('counter', 'gauge', 'histogram', 'summary'), odd),
    aggregator: text,
    values: fc.oneof(fc.array(value, { maxLength: 6 }), odd),
  }),
  odd,
);

describe('What is kept of metrics', () => {
  it('is what a daemon takes, and never more bytes than there is room for, whatever the app says', () => {
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 12 }), fc.integer({ min: 0, max: 20_000 }), (list, room) => {
        const sieve = new Sieve(room);
        sieve.take([list]);
        const text = JSON.stringify(sieve.metrics);
        assert.ok(Buffer.byteLength(text) <= room + 2, `${Buffer.byteLength(text)} of ${room}`);
        const message = { type: 'metrics', id: 1, detail: detail(), routes: [], app: JSON.parse(text) as unknown };
        const parsed = parseAgentMessage({ ...message, dropped: sieve.dropped });
        assert.notEqual(parsed.message, null, JSON.stringify(parsed));
      }),
    );
  });

  it('is nothing of what throws when it is looked at', () => {
    const proxy = new Proxy({}, { get: trap, ownKeys: trap, has: trap });
    const sieve = new Sieve(10_000);
    const head = { name: 'a', help: '', type: 'gauge' };
    const values = [proxy, { value: 1, labels: proxy }, { value: 1, labels: { x: proxy } }, { value: 2, labels: {} }];
    sieve.take([[proxy, { ...head, help: proxy, values: [] }, { ...head, values: proxy }, { ...head, values }]]);
    assert.deepEqual(
      sieve.metrics.map((one) => one.values.map(({ value: kept }) => kept)),
      [[2]],
    );
    assert.equal(sieve.dropped, 6);
  });

  it('is what comes first of 100,000, without taking the room of others, and the rest is counted', () => {
    const values = Array.from({ length: 100_000 }, (_, index) => ({ value: index, labels: { who: `u${index}` } }));
    const sieve = new Sieve(10_000_000);
    const small = { help: '', type: 'gauge', values: [{ value: 1, labels: {} }] };
    const kept = sieve.take([
      [
        { name: 'a', help: '', type: 'gauge', values },
        { ...small, name: 'b' },
      ],
      [{ ...small, name: 'c' }],
    ]);
    const names = kept.map((list) => list.map(({ name, values: all }) => `${name} ${all.length}`));
    assert.deepEqual(names, [['b 1', 'a 9998'], ['c 1']]);
    assert.equal(sieve.dropped, 90_002);
  });

  it('is all of it where there is room', () => {
    const good = {
      name: 'a_total',
      help: 'é',
      type: 'counter',
      aggregator: 'sum',
      values: [{ value: 3, labels: { kind: 'x', n: 4 } }],
    };
    const sieve = new Sieve(1000);
    sieve.take([[good]]);
    assert.deepEqual(JSON.parse(JSON.stringify(sieve.metrics)), [good]);
    assert.equal(sieve.dropped, 0);
  });
});
