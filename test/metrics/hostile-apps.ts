/** Apps whose workers say anything at all, and things that are nearly right, which are worse. */
import * as fc from 'fast-check';
import type { AppReading, Collected } from '../../src/metrics/index.ts';
import { app, collected, worker } from './readings.ts';

const NAMES = [
  'a',
  'a_total',
  'a_count',
  'a_bucket',
  'a_sum',
  'a_created',
  'b',
  'b:c',
  'process_resident_memory_bytes',
  'nodejs_gc_duration_seconds',
  'drover_requests_served',
  'http_server_request_duration_seconds',
  'drover_route_duration_seconds_sum',
  '9a',
  'ä',
  'a b',
  'a{b="c"}',
  '__proto__',
  'constructor',
  '',
  'x\n# TYPE a gauge',
];
const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 10 }));
const labelName = fc.oneof(
  fc.constantFrom('le', 'quantile', 'app', 'worker', 'exported_app', '__name__', '__proto__', 'a', 'ä', 'a-b', ''),
  fc.string({ maxLength: 5 }),
);
const labelValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '',
    '"',
    '\\',
    '\n',
    '\r\n',
    '\0',
    '\uD800',
    '\uDC00x',
    '+Inf',
    '0.1',
    '1',
    '1e1',
    ' 1',
    'NaN',
    'x'.repeat(5_000),
  ),
  fc.integer(),
  fc.constantFrom(null, NaN, 0.1, 1, true, {}, [], undefined),
);
const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.double(),
  fc.nat(),
  fc.constantFrom(null, NaN, Infinity, -Infinity, -1, -0, 1e308, '1', undefined, {}),
);
const labels = fc.oneof(
  fc.array(fc.tuple(labelName, labelValue), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs) as unknown),
  fc.constantFrom(null, undefined, [], 'x', { a: '1' }, { a: 1 }, {}),
);

const plainValues = fc.array(fc.record({ value, labels }, { requiredKeys: [] }), { maxLength: 5 });
/** Values as a histogram or a summary has them, and then one of them changed. */
const compoundValues = (metric: string): fc.Arbitrary<unknown[]> =>
  fc
    .record({
      bounds: fc.array(fc.oneof(fc.constantFrom<unknown>(0.1, 1, 5, '10', 'x', '+Inf', ' 1', 1, '1.0'), fc.double()), {
        maxLength: 4,
      }),
      counts: fc.array(fc.oneof(fc.nat({ max: 9 }), value as fc.Arbitrary<number>), { minLength: 6, maxLength: 6 }),
      last: fc.constantFrom('le', 'quantile'),
      more: labels,
    })
    .map(({ bounds, counts, last, more }) => {
      const rest = typeof more === 'object' && more !== null ? more : {};
      return [
        ...bounds.map((bound, at) => ({
          value: counts[at],
          labels: { ...rest, [last]: bound },
          metricName: `${metric}_bucket`,
        })),
        { value: counts[4], labels: rest, metricName: `${metric}_sum` },
        { value: counts[5], labels: rest, metricName: `${metric}_count` },
      ];
    });

const metric = name.chain((metricName) =>
  fc.record({
    name: fc.oneof(fc.constant<unknown>(metricName), fc.constantFrom(null, 5)),
    help: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom<unknown>('a\nb', '\\', '\r', null, 'x'.repeat(100_000)),
    ),
    type: fc.constantFrom<unknown>(
      'counter',
      'gauge',
      'histogram',
      'summary',
      'counter',
      'gauge',
      'histogram',
      'info',
      null,
    ),
    aggregator: fc.constantFrom<unknown>('sum', 'first', 'min', 'max', 'average', 'omit', 'median', null),
    values: fc.oneof(plainValues, compoundValues(metricName), fc.constantFrom<unknown>(null, 'x', [null], [5])),
  }),
);

const answer = fc.array(metric, { maxLength: 6 }).map((metrics) => collected(metrics as Collected['app']));

export const hostileApps: fc.Arbitrary<AppReading[]> = fc
  .array(fc.array(fc.oneof(answer, fc.constant(null)), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  .map((apps) =>
    apps.map((answers, number) => ({
      ...app(
        answers.map((one, slot) =>
          worker(slot, { worker: `app${number}/${slot}`, spawn: `${number}-${slot}`, collected: one }),
        ),
      ),
      app: `app${number}`,
    })),
  );
