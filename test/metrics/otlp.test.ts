/**
 * What is pushed, as a collector sees it: a server of our own that decodes with the official definitions (of an older
 * release of OpenTelemetry, made with another protobuf library than what sends).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { openOtlpPush, type OtlpPush } from '../../src/metrics/index.ts';
import { app, collected, worker } from './readings.ts';

interface Decoder {
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: object): Record<string, unknown>;
}

const load = createRequire(join(import.meta.dirname, 'proto', 'package.json'));
const definitions = load('@opentelemetry/otlp-transformer/build/src/generated/root') as {
  opentelemetry: {
    proto: {
      collector: {
        metrics: { v1: { ExportMetricsServiceRequest: Decoder } };
        logs: { v1: { ExportLogsServiceRequest: Decoder } };
      };
    };
  };
};
const { metrics: metricsProto, logs: logsProto } = definitions.opentelemetry.proto.collector;

interface Value {
  stringValue?: string;
  intValue?: number;
  doubleValue?: number;
}
interface KeyValue {
  key: string;
  value: Value;
}
interface DataPoint {
  attributes: KeyValue[];
  startTimeUnixNano: string;
  timeUnixNano: string;
  asDouble?: number;
  count?: number;
  sum?: number;
  bucketCounts?: number[];
  explicitBounds?: number[];
}
interface Metric {
  name: string;
  unit: string;
  sum?: { dataPoints: DataPoint[]; isMonotonic: boolean; aggregationTemporality: string };
  gauge?: { dataPoints: DataPoint[] };
  histogram?: { dataPoints: DataPoint[] };
}
interface MetricsRequest {
  resourceMetrics: { resource: { attributes: KeyValue[] }; scopeMetrics: { scope: object; metrics: Metric[] }[] }[];
}
interface LogsRequest {
  resourceLogs: {
    resource: { attributes: KeyValue[] };
    scopeLogs: {
      logRecords: {
        body: Value;
        severityText: string;
        timeUnixNano: string;
        attributes: KeyValue[];
        eventName: string;
      }[];
    }[];
  }[];
}

const attributesOf = (list: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.doubleValue]));

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
};

describe('the push over OTLP', () => {
  let server: Server;
  let endpoint: string;
  let answers: number[];
  let requests: { path: string; headers: IncomingMessage['headers']; message: unknown }[];

  before(async () => {
    server = createServer((request, response) => {
      void readBody(request).then((bytes) => {
        const path = request.url ?? '';
        const decoder =
          path === '/v1/metrics' ? metricsProto.v1.ExportMetricsServiceRequest : logsProto.v1.ExportLogsServiceRequest;
        const message = decoder.toObject(decoder.decode(bytes), { longs: Number, enums: String, arrays: true });
        requests.push({ path, headers: request.headers, message });
        response.writeHead(answers.shift() ?? 200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    answers = [];
    requests = [];
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const open = async (change: { readonly endpoint?: string; readonly timeoutMs?: number } = {}): Promise<OtlpPush> =>
    openOtlpPush({
      endpoint,
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
      requests.map(({ path }) => path),
      ['/v1/metrics', '/v1/metrics'],
    );
    const [first] = requests;
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

  it('sends events as logs of the app that they are about', async () => {
    const push = await open();
    push.event({
      seq: 7,
      at: '2026-11-27T08:00:00.000Z',
      app: 'shop',
      worker: 'shop/1',
      type: 'worker-blocked',
      reason: 'nothing answered for 800 ms',
      data: { durationMs: 800 },
    });
    push.event({ seq: 8, at: '2026-11-27T08:00:01.000Z', app: null, type: 'daemon-started', reason: null, data: {} });
    await push.close();
    const logs = requests.map(({ message }) => (message as LogsRequest).resourceLogs[0]);
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
      'drover.event.data': '{"durationMs":800}',
    });
    assert.equal(of('drover')?.scopeLogs[0]?.logRecords[0]?.severityText, 'INFO');
  });

  it('tries again where the collector is busy, and says so where it refuses', async () => {
    answers = [503, 200];
    const push = await open();
    await push.push([app([worker(0)])], 1_790_000_060_000);
    assert.equal(requests.length, 2, 'one was answered 503');
    assert.equal(push.condition.trouble, null);
    answers = [400];
    await push.push([app([worker(0), worker(1)])], 1_790_000_070_000);
    assert.equal(requests.length, 3, 'what was refused is not sent again, nor is what would follow');
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
    const names = requests.map(({ message }) =>
      (message as MetricsRequest).resourceMetrics[0]?.scopeMetrics[0]?.metrics.map(({ name }) => name),
    );
    assert.ok(names[0]?.includes('process.memory.usage') && !names[0].includes('v8js.gc.duration'));
    assert.ok(names[1]?.includes('v8js.gc.duration') && !names[1].includes('http.server.request.duration'));
  });
});
