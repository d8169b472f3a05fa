import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { MetricRegistry } from './metrics.ts';

const MARKS = fc.constantFrom('"', '\\', '\n', 'n', '{', '}', ',', ' ');
const DISTINCT = fc.uniqueArray(
  fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ unit: MARKS, maxLength: 8 })),
  {
    minLength: 1,
    selector: (value) => value.replaceAll('\u0000', ''),
  },
);

function open() {
  const told: string[] = [];
  return { registry: new MetricRegistry((metric, trouble) => told.push(`${metric}: ${trouble}`)), told };
}

describe('Metrics', () => {
  it('are read as prom-client gives them', async () => {
    const { registry } = open();
    registry.counter('orders_total', 'Orders', ['kind']).inc({ kind: 'new' }, 2);
    registry.gauge('queue', { help: 'Waiting' }).set(4);
    const histogram = registry.histogram('wait_seconds', { help: 'Wait', buckets: [0.1, 1] });
    for (const value of [0.05, 0.1, 0.5, 3]) histogram.observe(value);
    assert.deepEqual(await registry.list(), [
      {
        name: 'orders_total',
        help: 'Orders',
        type: 'counter',
        aggregator: 'sum',
        values: [{ value: 2, labels: { kind: 'new' } }],
      },
      { name: 'queue', help: 'Waiting', type: 'gauge', aggregator: 'sum', values: [{ value: 4, labels: {} }] },
      {
        name: 'wait_seconds',
        help: 'Wait',
        type: 'histogram',
        aggregator: 'sum',
        values: [
          { value: 2, labels: { le: 0.1 }, metricName: 'wait_seconds_bucket' },
          { value: 3, labels: { le: 1 }, metricName: 'wait_seconds_bucket' },
          { value: 4, labels: { le: '+Inf' }, metricName: 'wait_seconds_bucket' },
          { value: 3.65, labels: {}, metricName: 'wait_seconds_sum' },
          { value: 4, labels: {}, metricName: 'wait_seconds_count' },
        ],
      },
    ]);
    assert.match(await registry.text(), /^# HELP queue Waiting\n# TYPE queue gauge\nqueue 4\n/m);
    assert.match(await registry.text(), /^wait_seconds_bucket\{le="\+Inf"\} 4\n/m);
  });

  it('keep at most so many label sets, and count the others as one, told once', async () => {
    const { registry, told } = open();
    const counter = registry.counter('hits_total', { labels: ['path', 'method'], maxSeries: 10 });
    for (let i = 0; i < 100_000; i++) counter.inc({ path: `/${i}`, method: 'GET' });
    const { values } = await counter.read();
    assert.equal(values.length, 11);
    assert.deepEqual(values.at(-1), { value: 99_990, labels: { path: 'other', method: 'other' } });
    assert.deepEqual(told, ['hits_total: it has more than 10 label sets; further ones are counted as `other`']);
  });

  it('take no harm from what is no number, and tell it once', async () => {
    const { registry, told } = open();
    const [counter, gauge, histogram] = [registry.counter('a'), registry.gauge('b'), registry.histogram('c')];
    for (const bad of [NaN, Infinity, -Infinity, '3', null, undefined, {}] as number[]) {
      gauge.set({}, bad);
      histogram.observe({}, bad);
      if (bad !== undefined && bad !== null) counter.inc({}, bad);
    }
    counter.inc({}, -1);
    for (const metric of [counter, gauge]) assert.deepEqual((await metric.read()).values, [{ value: 0, labels: {} }]);
    assert.equal((await histogram.read()).values.at(-1)?.value, 0);
    assert.equal(new Set(told).size, told.length);
    assert.ok(told.includes('a: a counter cannot be decreased; a negative value was left out'));
  });

  it('refuse names, labels and buckets that are none when they are made', () => {
    const { registry } = open();
    for (const name of ['', '1a', 'a-b', 'a b', 'ä', 'a\n'])
      assert.throws(() => registry.counter(name), TypeError, name);
    for (const label of ['', 'a-b', '__name__', '0'])
      assert.throws(() => registry.counter('ok', { labels: [label] }), TypeError, label);
    assert.throws(() => registry.histogram('h', { labels: ['le'] }), TypeError);
    assert.throws(() => registry.counter('twice', { labels: ['a', 'a'] }), TypeError);
    for (const buckets of [[], [2, 1], [1, 1], [1, NaN]])
      assert.throws(() => registry.histogram('h', { buckets }), TypeError);
    assert.throws(() => registry.counter('c', { maxSeries: 0 }), TypeError);
  });

  it('are found again by name and kind, and only by these', () => {
    const { registry } = open();
    assert.equal(registry.counter('a'), registry.counter('a'));
    assert.throws(() => registry.gauge('a'), /a counter called a/);
    assert.equal(registry.remove('a'), true);
    registry.gauge('a');
  });

  it('are bounded in number', () => {
    const { registry } = open();
    assert.throws(() => {
      for (let i = 0; i < 10_000; i++) registry.counter(`c${i}`);
    }, RangeError);
  });

  it('leave out one whose collecting fails', async () => {
    const { registry } = open();
    registry.gauge('bad', { collect: () => assert.fail('no') });
    registry.gauge('good', { collect: async () => registry.gauge('good').set(3) });
    assert.deepEqual(
      (await registry.list()).map(({ name, values }) => [name, values[0]?.value]),
      [['good', 3]],
    );
  });

  it('leave out one whose collecting hangs, do not begin it again meanwhile, and have it again when it has ended', async () => {
    const { registry, told } = open();
    let begun = 0;
    let end = Promise.withResolvers<void>();
    const hangs = (): Promise<void> => {
      begun += 1;
      return end.promise;
    };
    registry.gauge('hangs', { collect: hangs });
    registry.gauge('good');
    const hold = setInterval(() => undefined, 60_000);
    const names = async (): Promise<string[]> => (await registry.list()).map(({ name }) => name);
    assert.deepEqual(await Promise.all([names(), names()]), [['good'], ['good']]);
    assert.deepEqual(await names(), ['good']);
    clearInterval(hold);
    assert.equal(begun, 1);
    assert.match(told.join(), /hangs.*its collect has failed: it has not ended within/);
    end.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    end = Promise.withResolvers();
    end.resolve();
    assert.deepEqual(await names(), ['hangs', 'good']);
    assert.equal(begun, 2);
  });

  it('never throw where something is recorded, whatever it is', () => {
    const { registry } = open();
    const gauge = registry.gauge('g', { labels: ['l'] });
    const mute: unknown = Object.create(null);
    const odd = [
      mute,
      Symbol('x'),
      10n,
      () => 1,
      [],
      {
        toString() {
          throw new Error('no');
        },
      },
      new Proxy({}, { get: () => assert.fail('read') }),
    ];
    for (const value of odd) {
      gauge.set({ l: value as string }, 1);
      gauge.set({ l: 'x' }, value as number);
      registry.histogram('h').observe({}, value as number);
      registry.counter('c').inc({}, value as number);
    }
    for (const help of [5, null, {}] as unknown as string[])
      assert.throws(() => registry.gauge('n', { help }), /help of metric n/);
  });

  it('have a text that gives every label value back, one sample a line', async () => {
    await fc.assert(
      fc.asyncProperty(DISTINCT, async (given) => {
        const { registry } = open();
        const counter = registry.counter('c', { help: given.join('\n'), labels: ['l'] });
        for (const value of given) counter.inc({ l: value });
        const lines = (await registry.text()).slice(0, -1).split('\n');
        assert.equal(lines[1], '# TYPE c counter');
        const back = lines.slice(2).map((line) => {
          const quoted = /^c\{l="((?:[^"\\\n]|\\["\\n])*)"\} 1$/s.exec(line)?.[1];
          assert.ok(quoted !== undefined, JSON.stringify(line));
          return quoted.replaceAll(/\\(["\\n])/g, (_, mark: string) => (mark === 'n' ? '\n' : mark));
        });
        assert.deepEqual(
          back,
          given.map((value) => value.replaceAll('\u0000', '')),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('tell label sets apart whose values hold the separator', async () => {
    const { registry } = open();
    const counter = registry.counter('c', { labels: ['a', 'b'] });
    counter.inc({ a: 'x\u0000', b: 'y' });
    counter.inc({ a: 'x', b: '\u0000y' });
    counter.inc({ a: 'x', b: 'y' }, 1);
    assert.deepEqual((await counter.read()).values, [{ value: 3, labels: { a: 'x', b: 'y' } }]);
  });
});
