/** What is pushed, as a collector sees it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { openOtlpPush, type OtlpPush } from '../../src/metrics/index.ts';
import type { AppMetric } from '../../src/protocol/index.ts';
import {
  attributesOf,
  openOtlpReceiver,
  type LogsRequest,
  type MetricsRequest,
  type OtlpReceiver,
} from '../support/otlp.ts';
import { app, collected, counter, gauge, histogram, worker } from './readings.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('the push over OTLP', () => {
  let receiver: OtlpReceiver;

  before(async () => {
    receiver = await openOtlpReceiver();
  });
  beforeEach(() => {
    receiver.answers.length = 0;
    receiver.requests.length = 0;
  });
  after(async () => receiver[Symbol.asyncDispose]());

  const open = async (change: { readonly endpoint?: string; readonly timeoutMs?: number } = {}): Promise<OtlpPush> =>
    openOtlpPush({
      endpoint: receiver.endpoint,
      headers: { 'x-token': 'of-a-test' },
      version: '0.1.0',
      hostName: 'host-1',
      versionOf: (name) => (name === 'shop' ? '2.3.4' : null),
      ...change,
    });

  it('sends each worker as a resource of its own, with the names and units of the semantic conventions', async () => {
    const push = await open();
    await push.push([app([worker(0, { pid: 4711 }), worker(1)])], 1_790_000_060_000);
    await push.close();
    assert.deepEqual(
      receiver.requests.map(({ path }) => path),
      ['/v1/metrics', '/v1/metrics'],
    );
    const [first] = receiver.requests;
    assert.equal(first?.headers['content-type'], 'application/x-protobuf');
    assert.equal(first.headers['x-token'], 'of-a-test');
    const { resourceMetrics } = first.message as MetricsRequest;
    assert.equal(resourceMetrics.length, 1);
    assert.deepEqual(attributesOf(resourceMetrics[0]?.resource.attributes ?? []), {
      'service.name': 'shop',
      'service.instance.id': 'shop/0',
      'host.name': 'host-1',
      'service.version': '2.3.4',
      'process.pid': 4711,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': '24.21.0',
    });
    const metrics = resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
    const byName = new Map(metrics.map((metric) => [metric.name, metric]));
    assert.deepEqual(
      metrics.map(({ name, unit }) => `${name} ${unit}`),
      [
        'process.cpu.time s',
        'process.memory.usage By',
        'process.memory.virtual By',
        'process.unix.file_descriptor.count {file_descriptor}',
        'process.uptime s',
        'nodejs.eventloop.utilization 1',
        'nodejs.eventloop.time s',
        ...['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map((name) => `nodejs.eventloop.delay.${name} s`),
        'v8js.gc.duration s',
        'v8js.memory.heap.space.size By',
        'v8js.memory.heap.used By',
        'v8js.memory.heap.space.available_size By',
        'v8js.memory.heap.space.physical_size By',
        'v8js.resource.active {resource}',
        'http.server.active_requests {request}',
        'http.server.request.duration s',
        'drover.responses {response}',
      ],
    );
    const cpu = byName.get('process.cpu.time')?.sum;
    assert.equal(cpu?.isMonotonic, true);
    assert.equal(cpu.aggregationTemporality, 'AGGREGATION_TEMPORALITY_CUMULATIVE');
    assert.deepEqual(
      cpu.dataPoints.map(({ attributes, asDouble }) => [attributesOf(attributes)['cpu.mode'], asDouble]),
      [
        ['user', 1.5],
        ['system', 0.25],
      ],
    );
    // From the start of the worker to the reading.
    assert.equal(Number(cpu.dataPoints[0]?.startTimeUnixNano), 1_790_000_000e9);
    assert.equal(Number(cpu.dataPoints[0]?.timeUnixNano), 1_790_000_060e9);
    // `false` is not written on the wire.
    assert.notEqual(byName.get('process.memory.usage')?.sum?.isMonotonic, true);
    assert.equal(byName.get('process.memory.usage')?.sum?.dataPoints[0]?.asDouble, 64_000_000);
    assert.equal(byName.get('nodejs.eventloop.utilization')?.gauge?.dataPoints[0]?.asDouble, 0.25);
    const [duration] = byName.get('http.server.request.duration')?.histogram?.dataPoints ?? [];
    assert.deepEqual(attributesOf(duration?.attributes ?? []), {
      'http.request.method': 'GET',
      'http.route': '/users/:id',
    });
    assert.equal(duration?.count, 9);
    assert.deepEqual(
      duration.explicitBounds,
      [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    );
    assert.deepEqual(duration.bucketCounts, [9, ...Array.from({ length: 14 }, () => 0)]);
    const pauses = (byName.get('v8js.gc.duration')?.histogram?.dataPoints ?? []).map(
      ({ attributes, count, bucketCounts }) => [attributesOf(attributes)['v8js.gc.type'], count, bucketCounts],
    );
    assert.deepEqual(pauses.slice(0, 2), [
      ['major', 2, [1, 1, 0, 0, 0]],
      ['minor', 5, [5, 0, 0, 0, 0]],
    ]);
    assert.equal(push.condition.pushed, 2);
  });

  it('sends what the app itself counts beside it, under the names and labels of the app', async () => {
    const push = await open();
    const summary: AppMetric = {
      name: 'wait_seconds',
      help: 'Waits.',
      type: 'summary',
      aggregator: 'sum',
      values: [
        { value: 0.25, labels: { quantile: 0.5 } },
        { value: 2, labels: { quantile: 0.99 } },
        { value: 12.5, labels: {}, metricName: 'wait_seconds_sum' },
        { value: 40, labels: {}, metricName: 'wait_seconds_count' },
      ],
    };
    const own = [
      counter('orders_total', 7, { kind: 'new', tries: 2 }),
      gauge('queue_length', -3, 'max'),
      histogram('order_seconds', [0.1, 1], [4, 2, 1], 5.5),
      summary,
      // Drover pushes that itself, as process.cpu.time; and what nobody could read is left out.
      counter('process_cpu_seconds_total', 1),
      counter('below_zero', -1),
    ];
    await push.push([app([worker(0, { collected: collected(own) })])], 1_790_000_060_000);
    await push.close();
    const [{ message } = assert.fail('nothing was pushed')] = receiver.requests;
    const { resourceMetrics } = message as MetricsRequest;
    const scopes = resourceMetrics[0]?.scopeMetrics ?? [];
    assert.deepEqual(
      scopes.map(({ scope }) => scope.name),
      ['drover', 'drover.app'],
    );
    const metrics = scopes[1]?.metrics ?? [];
    const byName = new Map(metrics.map((metric) => [metric.name, metric]));
    assert.deepEqual(
      [...byName.keys()],
      ['orders_total', 'queue_length', 'order_seconds', 'wait_seconds', 'wait_seconds_count', 'wait_seconds_sum'],
    );
    const orders = byName.get('orders_total')?.sum;
    assert.equal(orders?.isMonotonic, true);
    assert.equal(orders.aggregationTemporality, 'AGGREGATION_TEMPORALITY_CUMULATIVE');
    const [point] = orders.dataPoints;
    assert.deepEqual([attributesOf(point?.attributes ?? []), point?.asDouble], [{ kind: 'new', tries: '2' }, 7]);
    assert.equal(Number(point?.startTimeUnixNano), 1_790_000_000e9);
    assert.equal(byName.get('queue_length')?.gauge?.dataPoints[0]?.asDouble, -3);
    const seconds = byName.get('order_seconds')?.histogram?.dataPoints[0];
    assert.deepEqual(
      [seconds?.explicitBounds, seconds?.bucketCounts, seconds?.count, seconds?.sum],
      [[0.1, 1], [4, 2, 1], 7, 5.5],
    );
    assert.deepEqual(
      byName.get('wait_seconds')?.gauge?.dataPoints.map((one) => [attributesOf(one.attributes), one.asDouble]),
      [
        [{ quantile: '0.5' }, 0.25],
        [{ quantile: '0.99' }, 2],
      ],
    );
    assert.equal(byName.get('wait_seconds_count')?.sum?.dataPoints[0]?.asDouble, 40);
    assert.equal(byName.get('wait_seconds_sum')?.sum?.dataPoints[0]?.asDouble, 12.5);
  });

  it('sends events as logs of the app that they are about', async () => {
    const push = await open();
    push.event({
      seq: 7,
      at: '2026-11-27T08:00:00.000Z',
      app: 'shop',
      worker: 'shop/1',
      type: 'worker-blocked',
      reason: 'nothing answered for 800 ms',
      data: { durationMs: 800, correlation: TRACE },
    });
    push.event({ seq: 8, at: '2026-11-27T08:00:01.000Z', app: null, type: 'daemon-started', reason: null, data: {} });
    await push.close();
    const logs = receiver.requests.map(({ message }) => (message as LogsRequest).resourceLogs[0]);
    const of = (name: string) =>
      logs.find((one) => attributesOf(one?.resource.attributes ?? [])['service.name'] === name);
    const [record] = of('shop')?.scopeLogs[0]?.logRecords ?? [];
    assert.equal(record?.severityText, 'WARN');
    assert.equal(record.body.stringValue, 'nothing answered for 800 ms');
    assert.equal(Number(record.timeUnixNano), Date.parse('2026-11-27T08:00:00.000Z') * 1e6);
    assert.deepEqual(attributesOf(record.attributes), {
      'drover.event.seq': 7,
      'drover.event.type': 'worker-blocked',
      'drover.app': 'shop',
      'service.instance.id': 'shop/1',
      'drover.event.data': `{"durationMs":800,"correlation":"${TRACE}"}`,
    });
    assert.deepEqual(
      receiver
        .logRecords()
        .map(({ traceId }) => traceId)
        .toSorted(),
      ['', TRACE],
      'what belongs together is one trace',
    );
    assert.equal(of('drover')?.scopeLogs[0]?.logRecords[0]?.severityText, 'INFO');
  });

  it('tries again where the collector is busy, and says so where it refuses', async () => {
    receiver.answers.push(503, 200);
    const push = await open();
    await push.push([app([worker(0)])], 1_790_000_060_000);
    assert.equal(receiver.requests.length, 2, 'one was answered 503');
    assert.equal(push.condition.trouble, null);
    receiver.answers.push(400);
    await push.push([app([worker(0), worker(1)])], 1_790_000_070_000);
    assert.equal(receiver.requests.length, 3, 'what was refused is not sent again, nor is what would follow');
    assert.match(push.condition.trouble ?? '', /400|Bad Request/i);
    await push.push([app([worker(0)])], 1_790_000_080_000);
    assert.equal(push.condition.trouble, null);
    await push.close();
  });

  it('gives up on a collector that does not answer, and piles nothing up meanwhile', async () => {
    const silent = createServer(() => undefined);
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    let arrived = 0;
    silent.on('request', () => (arrived += 1));
    const push = await open({
      endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`,
      timeoutMs: 200,
    });
    const pending = push.push([app([worker(0), worker(1), worker(2)])], 1);
    for (let times = 0; times < 100; times += 1) await push.push([app([worker(0)])], 2);
    await pending;
    assert.ok(push.condition.trouble !== null);
    assert.ok(arrived >= 1 && arrived <= 6, `${arrived} requests`);
    await push.close();
    silent.closeAllConnections();
    silent.close();
  });

  it('sends a worker without an agent that tells details as far as it goes', async () => {
    const push = await open();
    await push.push([app([worker(0, { collected: null, node: null })])], 1_790_000_060_000);
    await push.push([app([worker(0, { collected: collected([], { routes: [] }) })])], 1_790_000_060_000);
    await push.close();
    const names = receiver.requests.map(({ message }) =>
      (message as MetricsRequest).resourceMetrics[0]?.scopeMetrics[0]?.metrics.map(({ name }) => name),
    );
    assert.ok(names[0]?.includes('process.memory.usage') && !names[0].includes('v8js.gc.duration'));
    assert.ok(names[1]?.includes('v8js.gc.duration') && !names[1].includes('http.server.request.duration'));
  });
});
