import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { hostileApps } from '../../../test/metrics/hostile-apps.ts';
import { parsePage, type ParsedFamily } from '../../../test/metrics/parse-page.ts';
import { app, collected, counter, detail, gauge, histogram, report, worker } from '../../../test/metrics/readings.ts';
import type { AppMetric } from '../../protocol/index.ts';
import { PROM_CLIENT_NAMES } from './catalogue.ts';
import { Exposition, METRICS_SCOPES, type ExpositionLimits, type MetricsScope, type Page } from './exposition.ts';
import type { AppReading } from './reading.ts';

const OPEN = 'application/openmetrics-text;version=1.0.0';

interface Asked {
  readonly scope?: MetricsScope;
  readonly app?: string | null;
  readonly accept?: string | null;
  readonly exposition?: Exposition;
}

const write = (apps: readonly AppReading[], asked: Asked = {}): Page => {
  const { scope = 'mixed', app: only = null, accept = null, exposition = new Exposition() } = asked;
  return exposition.write({ apps, daemon: null }, { scope, app: only, accept }, 0);
};
const parsed = (apps: readonly AppReading[], asked: Asked = {}): Map<string, ParsedFamily> =>
  parsePage(asRead(write(apps, asked).body), asked.accept === OPEN ? 'openmetrics' : 'text');
const valuesOf = (families: ReadonlyMap<string, ParsedFamily>, name: string): [string, number][] =>
  (families.get(name)?.series ?? []).map(({ labels, value }) => [
    Object.entries(labels)
      .map((pair) => pair.join('='))
      .join(),
    value,
  ]);
/** As it comes out of the wire: half a surrogate pair is another character there. */
const asRead = (body: string): string => Buffer.from(body).toString();

/** Two workers that each say this of the app's own metrics. */
const pair = (first: readonly AppMetric[], second: readonly AppMetric[]): AppReading[] => [
  app([worker(0, { collected: collected(first) }), worker(1, { collected: collected(second) })]),
];

describe('the page of metrics', () => {
  it("has all of prom-client's default names", () => {
    // As prom-client 15.1.3 lists them.
    const names = `process_cpu_user_seconds_total process_cpu_system_seconds_total process_cpu_seconds_total
      process_start_time_seconds process_resident_memory_bytes process_virtual_memory_bytes process_heap_bytes process_open_fds
      process_max_fds nodejs_eventloop_lag_seconds nodejs_eventloop_lag_min_seconds nodejs_eventloop_lag_max_seconds
      nodejs_eventloop_lag_mean_seconds nodejs_eventloop_lag_stddev_seconds nodejs_eventloop_lag_p50_seconds
      nodejs_eventloop_lag_p90_seconds nodejs_eventloop_lag_p99_seconds nodejs_active_resources nodejs_active_resources_total
      nodejs_active_handles nodejs_active_handles_total nodejs_active_requests nodejs_active_requests_total
      nodejs_heap_size_total_bytes nodejs_heap_size_used_bytes nodejs_external_memory_bytes nodejs_heap_space_size_total_bytes
      nodejs_heap_space_size_used_bytes nodejs_heap_space_size_available_bytes nodejs_version_info nodejs_gc_duration_seconds`.split(
      /\s+/,
    );
    const families = parsed([app([worker(0, { pid: process.pid })])]);
    // The data segment is only to be seen under Linux.
    const missing = names.filter((name) => !families.has(name));
    assert.deepEqual(missing, process.platform === 'linux' ? [] : ['process_heap_bytes']);
    assert.deepEqual([...PROM_CLIENT_NAMES].sort(), names.toSorted());
  });

  it('is the same when others have their turn in between, whatever they do to it', async () => {
    const many = Array.from({ length: 9_000 }, (_, at) => ({ value: at, labels: { at: String(at) } }));
    const metric: AppMetric = { name: 'hits_total', help: '', type: 'counter', aggregator: 'sum', values: many };
    const apps = pair([metric], [metric]);
    const input = { apps, daemon: null };
    const request = { accept: null, scope: 'mixed', app: null } as const;
    const exposition = new Exposition();
    let turns = 0;
    const page = await exposition.writeInTurns(input, request, 0, async () => {
      turns += 1;
      await Promise.resolve();
      // The daemon has taken in a newer state: one of the workers has ended.
      if (turns === 3) exposition.take([app([worker(0, { collected: collected([metric]) })])]);
    });
    assert.ok(turns > 8, `${turns} turns`);
    assert.deepEqual(page, new Exposition().write(input, request, 0));
  });

  it('shows each worker, or the app, by the same names and never both', () => {
    const apps = [app([worker(0), worker(1)])];
    assert.deepEqual(valuesOf(parsed(apps), 'process_resident_memory_bytes'), [
      ['app=shop,worker=shop/0', 64_000_000],
      ['app=shop,worker=shop/1', 64_000_000],
    ]);
    const whole = parsed(apps, { scope: 'app' });
    assert.deepEqual(valuesOf(whole, 'process_resident_memory_bytes'), [['app=shop', 128_000_000]]);
    assert.deepEqual(valuesOf(whole, 'nodejs_eventloop_lag_p99_seconds'), [['app=shop', 0.012]]);
    assert.equal(whole.has('process_start_time_seconds'), false, 'as with prom-client');
    assert.deepEqual(valuesOf(whole, 'nodejs_version_info'), [
      ['app=shop,version=v24.21.0,major=24,minor=21,patch=0', 1],
    ]);
  });

  it('shows what a blocked worker said before', () => {
    const exposition = new Exposition();
    write([app([worker(0, { collected: collected([counter('orders_total', 3)]) })])], { exposition });
    const families = parsed([app([worker(0, { collected: null })])], { exposition });
    assert.deepEqual(valuesOf(families, 'orders_total'), [['app=shop', 3]]);
    assert.deepEqual(valuesOf(families, 'process_open_fds'), [['app=shop,worker=shop/0', 25]]);
  });

  it('shows the newer of two workers in one slot', () => {
    const old = worker(0, { report: report({ runtime: { ...report().runtime, rssBytes: 1 } }) });
    assert.deepEqual(valuesOf(parsed([app([old, worker(0, { spawn: 'newer' })])]), 'process_resident_memory_bytes'), [
      ['app=shop,worker=shop/0', 64_000_000],
    ]);
  });

  it('is OpenMetrics for whom it prefers', () => {
    const apps = pair([counter('orders_total', 3), counter('visits', 4)], []);
    const { contentType } = write(apps, { accept: OPEN });
    assert.equal(contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    const families = parsed(apps, { accept: OPEN });
    assert.equal(families.get('orders')?.type, 'counter');
    // Its name would have to end in `_total`: it keeps the one that the app gave it.
    assert.equal(families.get('visits')?.type, 'unknown');
    assert.equal(families.get('visits')?.series[0]?.name, 'visits');
    assert.equal(parsed(apps).get('visits')?.type, 'counter');
  });

  it('names whose metrics they are, unless it is of one app', () => {
    const apps = [...pair([counter('orders_total', 3)], []), { ...app([worker(0)]), app: 'blog' }];
    assert.deepEqual(valuesOf(parsed(apps), 'orders_total'), [['app=shop', 3]]);
    const one = parsed(apps, { app: 'shop' });
    assert.deepEqual(valuesOf(one, 'orders_total'), [['', 3]]);
    assert.deepEqual(valuesOf(one, 'drover_app_workers'), [['app=shop', 2]]);
    assert.equal(parsed(apps, { app: 'nobody' }).size, 0);
  });
});

describe("the app's own metrics", () => {
  it('are put together by their aggregators', () => {
    for (const [aggregator, expected] of [
      ['sum', 13],
      ['first', 3],
      ['min', 3],
      ['max', 10],
      ['average', 6.5],
    ] as const) {
      const apps = pair([gauge('level', 3, aggregator)], [gauge('level', 10, aggregator)]);
      assert.deepEqual(valuesOf(parsed(apps), 'level'), [['app=shop', expected]], aggregator);
    }
    assert.equal(parsed(pair([gauge('level', 3, 'omit')], [gauge('level', 4, 'omit')])).has('level'), false);
  });

  it('add histograms up bucket by bucket, exactly', () => {
    const apps = pair([histogram('work', [0.1, 1], [1, 2, 3], 4)], [histogram('work', [0.1, 1], [10, 20, 30], 40)]);
    assert.deepEqual(valuesOf(parsed(apps), 'work'), [
      ['app=shop,le=0.1', 11],
      ['app=shop,le=1', 33],
      ['app=shop,le=+Inf', 66],
      ['app=shop', 44],
      ['app=shop', 66],
    ]);
  });

  it('keep histograms of other buckets apart, by worker, and say so', () => {
    const apps = pair([histogram('work', [0.1, 1], [1, 2, 3], 4)], [histogram('work', [0.5, 1], [10, 20, 30], 40)]);
    const page = write(apps);
    assert.deepEqual(page.problems, [{ app: 'shop', metric: 'work', kind: 'different-buckets', count: 2 }]);
    const values = valuesOf(parsePage(page.body, 'text'), 'work');
    assert.deepEqual(values.slice(0, 2), [
      ['app=shop,worker=shop/0,le=0.1', 1],
      ['app=shop,worker=shop/0,le=1', 3],
    ]);
    assert.equal(values.length, 10);
  });

  it('keep summaries apart: a sum of medians is none', () => {
    const summary = (value: number): AppMetric => ({
      name: 'size',
      help: '',
      type: 'summary',
      aggregator: 'sum',
      values: [
        { value, labels: { quantile: 0.5 } },
        { value: 10, labels: {}, metricName: 'size_sum' },
        { value: 2, labels: {}, metricName: 'size_count' },
      ],
    });
    assert.deepEqual(valuesOf(parsed(pair([summary(5)], [summary(7)])), 'size').slice(0, 2), [
      ['app=shop,worker=shop/0,quantile=0.5', 5],
      ['app=shop,worker=shop/0', 10],
    ]);
  });

  it('never fall when a worker is replaced, or its registry is reset', () => {
    const exposition = new Exposition();
    const total = (orders: number, spawn: string, work: readonly number[]): [number, number] => {
      const metrics = [counter('orders_total', orders), histogram('work', [1], work, 1)];
      const families = parsed([app([worker(0, { spawn, collected: collected(metrics) })])], { exposition });
      return [valuesOf(families, 'orders_total')[0]?.[1] ?? -1, valuesOf(families, 'work').at(-1)?.[1] ?? -1];
    };
    assert.deepEqual(total(100, 'a', [5, 5]), [100, 10]);
    assert.deepEqual(total(2, 'b', [1, 0]), [102, 11]);
    assert.deepEqual(total(7, 'b', [1, 2]), [107, 13]);
    assert.deepEqual(total(1, 'b', [1, 0]), [108, 14]);
  });

  it('still have what only an ended worker had counted', () => {
    const exposition = new Exposition();
    const failed = counter('orders_total', 4, { status: 'failed' });
    const write1 = (spawn: string, metrics: AppMetric[]) =>
      parsed([app([worker(0, { spawn, collected: collected(metrics) })])], { exposition });
    write1('a', [failed]);
    const families = write1('b', [counter('orders_total', 1, { status: 'paid' })]);
    assert.deepEqual(valuesOf(families, 'orders_total'), [
      ['app=shop,status=paid', 1],
      ['app=shop,status=failed', 4],
    ]);
  });

  it('lose against names of ours, and say so, unless prom-client collects them by itself', () => {
    const page = write(
      pair(
        [
          gauge('drover_connections_open', 99),
          gauge('process_open_fds', 99),
          gauge('http_server_request_duration_seconds_sum', 1),
        ],
        [],
      ),
    );
    assert.deepEqual(
      page.problems.map(({ metric, kind }) => [metric, kind]),
      [
        ['drover_connections_open', 'clash'],
        ['http_server_request_duration_seconds_sum', 'clash'],
      ],
    );
    const families = parsePage(page.body, 'text');
    assert.ok(valuesOf(families, 'drover_connections_open').every(([, value]) => value === 3));
    assert.ok(valuesOf(families, 'process_open_fds').every(([, value]) => value === 25));
  });

  it('are left out where workers, or apps, have them as other types', () => {
    const workers = write(pair([counter('a_total', 1)], [gauge('a_total', 5)]));
    assert.deepEqual(workers.problems, [{ app: 'shop', metric: 'a_total', kind: 'type-conflict', count: 1 }]);
    const apps = [
      ...pair([counter('a_total', 1)], []),
      { ...app([worker(0, { spawn: 'other', collected: collected([gauge('a_total', 5)]) })]), app: 'blog' },
    ];
    assert.deepEqual(write(apps).problems, [{ app: 'blog', metric: 'a_total', kind: 'type-conflict', count: 1 }]);
    assert.deepEqual(valuesOf(parsed(apps, { app: 'blog' }), 'a_total'), [['', 5]]);
  });

  it('keep labels of theirs that have our names under another', () => {
    const apps = pair([counter('a_total', 1, { app: 'x', exported_app: 'y' })], []);
    assert.deepEqual(valuesOf(parsed(apps), 'a_total'), [['app=shop,exported_exported_app=x,exported_app=y', 1]]);
    assert.deepEqual(valuesOf(parsed(apps, { app: 'shop' }), 'a_total'), [['app=x,exported_app=y', 1]]);
  });

  it('have whatever text in their labels and help, escaped, and the same after the wire', () => {
    const metrics = ['back\\slash', '"quoted"', 'line\nend', '\\n', '\r', '\uD800', '\uDC00x', 'zero\0'].map(
      (kind, at) => ({
        ...counter(`a${at}_total`, at, { kind }),
        help: `\\ " \n ${kind}`,
      }),
    );
    // Both are the same once they have been sent: then there is one.
    const twins = {
      ...counter('twin_total', 1),
      values: ['\uD800', '\uD801'].map((kind) => ({ value: 1, labels: { kind } })),
    };
    for (const accept of [null, OPEN]) {
      const families = parsed(pair([...metrics, twins], []), { accept, app: 'shop' });
      const kinds = metrics.map(
        ({ name }) => families.get(accept === null ? name : name.slice(0, -6))?.series[0]?.labels['kind'],
      );
      assert.deepEqual(kinds, ['back\\slash', '"quoted"', 'line\nend', '\\n', '\r', '\uFFFD', '\uFFFDx', 'zero\uFFFD']);
      assert.equal(families.get(accept === null ? 'twin_total' : 'twin')?.series.length, 1);
    }
  });

  it('are bounded: with 100,000 values of a label the page stays small and says what is missing', () => {
    const limits: ExpositionLimits = { seriesPerApp: 10_000, valuesPerApp: 100_000 };
    const values = Array.from({ length: 100_000 }, (_, user) => ({ value: 1, labels: { user: `user-${user}` } }));
    const metric: AppMetric = {
      name: 'by_user_total',
      help: 'x'.repeat(1_000_000),
      type: 'counter',
      aggregator: 'sum',
      values,
    };
    const exposition = new Exposition(limits);
    const page = write(pair([metric], [metric]), { exposition });
    assert.ok(page.body.length < 1_000_000, `${page.body.length}`);
    const families = parsePage(page.body, 'text');
    assert.equal(valuesOf(families, 'by_user_total').length, 10_000);
    assert.deepEqual(page.problems, [{ app: 'shop', metric: 'by_user_total', kind: 'too-many', count: 180_000 }]);
    const leftOut = valuesOf(families, 'drover_metrics_left_out').find(([labels]) =>
      labels.endsWith('reason=too-many'),
    );
    assert.equal(leftOut?.[1], 180_000);
  });

  it('are bounded over time, where labels come and go', () => {
    const exposition = new Exposition({ seriesPerApp: 100, valuesPerApp: 1_000 });
    for (let round = 0; round < 12; round += 1) {
      const values = Array.from({ length: 50 }, (_, at) => ({ value: 1, labels: { request: `${round}-${at}` } }));
      const metric: AppMetric = { name: 'a_total', help: '', type: 'counter', aggregator: 'sum', values };
      const families = parsed([app([worker(0, { collected: collected([metric]) })])], { exposition });
      assert.ok(valuesOf(families, 'a_total').length <= 100);
    }
  });

  it('make a page that parses, whatever they are', () => {
    fc.assert(
      fc.property(
        hostileApps,
        fc.constantFrom(...METRICS_SCOPES),
        fc.constantFrom(null, OPEN),
        (apps, scope, accept) => {
          const exposition = new Exposition();
          // Twice: what is remembered of the first time must not spoil the second.
          parsed(apps, { scope, accept, exposition });
          parsed(apps, { scope, accept, exposition, app: 'app0' });
        },
      ),
      { numRuns: 10 },
    );
  });

  it('add up to what their workers say, in whatever order these come and go', () => {
    const life = fc.array(fc.record({ slot: fc.nat({ max: 2 }), add: fc.nat({ max: 9 }), replace: fc.boolean() }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(life, (steps) => {
        const exposition = new Exposition();
        const slots = [0, 1, 2].map((slot) => ({ slot, spawn: `${slot}-0`, count: 0 }));
        let expected = 0;
        for (const [number, { slot, add, replace }] of steps.entries()) {
          const one = slots[slot];
          assert.ok(one !== undefined);
          if (replace) Object.assign(one, { spawn: `${slot}-${number + 1}`, count: 0 });
          one.count += add;
          expected += add;
          const workers = slots.map((each) =>
            worker(each.slot, { spawn: each.spawn, collected: collected([counter('a_total', each.count)]) }),
          );
          assert.deepEqual(valuesOf(parsed([app(workers)], { exposition }), 'a_total'), [['app=shop', expected]]);
        }
      }),
      { numRuns: 5 },
    );
  });
});

describe('routes', () => {
  it('are added up over workers, with their latency in the buckets of OpenTelemetry', () => {
    const families = parsed([app([worker(0), worker(1)])]);
    const { series = [] } = families.get('http_server_request_duration_seconds') ?? {};
    const count = series.find(({ name, labels }) => name.endsWith('_count') && labels['http_route'] === '/users');
    assert.equal(count?.value, 6);
    const below = (le: string) =>
      series.find(({ labels }) => labels['http_route'] === '/users' && labels['le'] === le)?.value;
    assert.deepEqual([below('0.005'), below('0.25'), below('0.5'), below('+Inf')], [4, 4, 6, 6]);
    const failed = families
      .get('drover_route_responses_total')
      ?.series.find(({ labels }) => labels['http_route'] === '/users' && labels['http_response_status_code'] === '5xx');
    assert.equal(failed?.value, 4);
  });

  it('beyond the limit are counted together, and those that have a row keep it', () => {
    const exposition = new Exposition();
    const many = (from: number) =>
      Array.from({ length: 50 }, (_, at) => ({
        method: 'GET',
        route: `/r${from + at}`,
        byClass: [0, 0, 1, 0, 0, 0],
        latency: [112, 1],
      }));
    const page = (from: number) =>
      parsed([app([worker(0, { collected: collected([], { routes: many(from) }) })], { routes: 10 })], { exposition });
    page(0);
    const { series = [] } = page(5).get('drover_route_responses_total') ?? {};
    const ok = series.filter(({ labels }) => labels['http_response_status_code'] === '2xx');
    assert.equal(ok.length, 11);
    const other = ok.find(({ labels }) => labels['http_route'] === 'other');
    // 10 to 54; of the ten that have a row five are in the second list, the others are still there.
    assert.equal(other?.value, 45);
    assert.ok(ok.filter((one) => one !== other).every(({ value }) => value === 1));
  });

  it('have quantiles of the last minutes, not since the start', () => {
    const exposition = new Exposition();
    const quantiles = (latency: number[], at: number): (number | null)[] => {
      const one = { method: 'GET', route: '/', byClass: [0, 0, 1, 0, 0, 0], latency };
      exposition.take([app([worker(0, { collected: collected([], { routes: [one] }) })])]);
      const [row] = exposition.routes('shop', at);
      return [row?.recent.requests ?? null, row?.recent.p50Ms ?? null];
    };
    // A thousand fast ones, then ten slow ones.
    assert.equal(quantiles([112, 1_000], 0)[0], 1_000);
    const [requests, p50 = 0] = quantiles([112, 1_000, 242, 10], 30_000);
    assert.equal(requests, 10);
    assert.ok(Number(p50) > 250 && Number(p50) < 350, `${p50}`);
    assert.equal(quantiles([112, 1_000, 242, 10], 130_000)[0], 10);
    assert.equal(quantiles([112, 1_000, 242, 10], 260_000)[0], 0);
  });

  it('of a method that nobody knows are _OTHER', () => {
    const one = { method: 'GE"T\n', route: '/', byClass: [0, 0, 1, 0, 0, 0], latency: [112, 1] };
    const families = parsed([app([worker(0, { collected: collected([], { routes: [one] }) })])]);
    assert.equal(families.get('drover_route_responses_total')?.series[0]?.labels['http_request_method'], '_OTHER');
  });
});

describe('a worker without details', () => {
  it('shows what its report has', () => {
    const families = parsed([app([worker(0, { collected: null, node: null })])]);
    assert.ok(families.has('process_resident_memory_bytes'));
    assert.equal(families.has('nodejs_gc_duration_seconds'), false);
    assert.equal(families.has('nodejs_version_info'), false);
  });

  it('is no reason to forget those that have some', () => {
    const families = parsed([
      app([worker(0, { collected: null }), worker(1, { collected: collected([], { detail: detail({ lag: null }) }) })]),
    ]);
    assert.deepEqual(valuesOf(families, 'process_open_fds'), [['app=shop,worker=shop/1', 25]]);
  });
});
