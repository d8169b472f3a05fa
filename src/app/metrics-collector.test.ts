import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { describe, it } from 'node:test';
import { MetricsCollector, trendOf } from './metrics-collector.ts';

describe('A metrics collector', () => {
  it('counts requests by how they ended', () => {
    const server = new EventEmitter();
    const collector = new MetricsCollector({ server: server as unknown as Server }).start();
    const responses = [200, 404, 500, 200].map((statusCode, index) =>
      Object.assign(new EventEmitter(), { statusCode, writableFinished: index < 3 }),
    );
    for (const response of responses) server.emit('request', {}, response);
    assert.equal(collector.snapshot().requests.inFlight, 4);
    assert.deepEqual([collector.snapshot().latencyMs, collector.snapshot().requests.errorShare], [null, null]);
    for (const response of responses) response.emit('close');
    const { requests, latencyMs, memory } = collector.snapshot();
    assert.deepEqual(
      [requests.inFlight, requests.answered, requests.failed, requests.aborted, requests.errorShare],
      [0, 3, 1, 1, 1 / 3],
    );
    assert.ok(latencyMs !== null && latencyMs.p50 <= latencyMs.p99);
    assert.ok(memory.rssMB > memory.heapUsedMB && memory.heapUsedMB > 0);
    collector.stop();
    server.emit('request', {}, responses[0]);
    assert.deepEqual(collector.snapshot().requests.inFlight, 0, 'no more once it is stopped');
    assert.equal(server.listenerCount('request'), 0);
  });

  it('finds all HTTP/1 of the process where it is given no server', async () => {
    const collector = new MetricsCollector().start();
    const statuses = [200, 503];
    const servers = statuses.map((status) => createServer((_, response) => response.writeHead(status).end('answer')));
    for (const server of servers) {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();
    }
    // The client has its answer before the server sees that it has.
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
    const { answered, failed, inFlight } = collector.snapshot().requests;
    assert.deepEqual([answered, failed, inFlight], [2, 1, 0]);
    collector.stop();
  });

  it('tells a trend by the slope of all measurements', () => {
    const slices = [10, 12, 14, 16].map((heapUsedMB) => ({ durationMs: 30_000, heapUsedMB }));
    assert.equal(trendOf(slices), 4);
    assert.equal(trendOf(slices.slice(2)), null);
  });

  it('refuses a window shorter than its interval', () => {
    assert.throws(() => new MetricsCollector({ window: 10, interval: 100 }), TypeError);
    assert.throws(() => new MetricsCollector({ interval: 0 }), TypeError);
  });
});
