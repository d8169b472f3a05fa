/** What the agent answers when metrics are collected: of the runtime, by route, and of the app's own. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { ENVELOPE_CMD, type AgentMessage, type AgentSettings, type RouteCounters } from '../../src/protocol/index.ts';
import { parseAgentMessage } from '../../src/supervisor/agent-schema.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';
import { openFakeDaemon, type FakeDaemon, type FakeWorker } from './support/fake-daemon.ts';
import { get } from './support/get.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/instrumented.mjs');

const SETTINGS: AgentSettings = {
  profile: false,
  watchdog: false,
  blockedAfterMs: 1000,
  routes: 4,
  appMetrics: true,
  trace: { enabled: false, logs: false },
};

type Metrics = Extract<AgentMessage, { type: 'metrics' }>;

interface Started {
  readonly worker: FakeWorker;
  readonly port: number;
}

async function start(
  daemon: FakeDaemon,
  node: string,
  env: Readonly<Record<string, string>> = {},
  settings: Partial<AgentSettings> = {},
): Promise<Started> {
  const port = await freePort();
  const worker = await daemon.start({
    app: ['--expose-gc', APP],
    node,
    shards: [daemon.shard({ kind: 'tcp', host: '::', port, v6only: false })],
    env: { PORT: String(port), ...env },
  });
  await worker.said('hello');
  worker.send({ type: 'settings', settings: { ...SETTINGS, ...settings } });
  await worker.printed('listening');
  // It counts by route once it has read its settings.
  worker.send({ type: 'ping', id: 0 });
  await worker.said('pong');
  return { worker, port };
}

const valueOf = ({ app }: Metrics, name: string): number | undefined =>
  app.find((metric) => metric.name === name)?.values[0]?.value;

let questions = 0;

async function collect(worker: FakeWorker): Promise<Metrics> {
  const id = ++questions;
  worker.send({ type: 'collect', id });
  const metrics = await worker.said('metrics', (message) => message.id === id);
  // What the daemon would have refused is no answer.
  assert.deepEqual(parseAgentMessage(metrics).message, metrics);
  return metrics;
}

/** A response may have reached its client before the server knows. */
async function collectRoutes(worker: FakeWorker, count: number): Promise<Metrics> {
  return eventually(`${count} requests by route`, async () => {
    const metrics = await collect(worker);
    const answered = metrics.routes.flatMap(({ byClass }) => byClass).reduce((sum, one) => sum + one, 0);
    return answered === count && metrics;
  });
}

const shown = (routes: readonly RouteCounters[]): string[] =>
  routes.map(({ method, route, byClass }) => `${method} ${route} ${byClass.join(',')}`).toSorted();

underEachNode('Collected', ({ path: node }) => {
  it('are the figures of the runtime', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    await get({ port }, '/');
    await worker.said('report', ({ report }) => report.runtime.uptimeMs > 1500);
    const { detail, app, dropped } = await collect(worker);
    assert.deepEqual([app, dropped], [[], 0]);
    assert.ok(Math.abs(detail.startedAtSeconds * 1000 - (Date.now() - process.uptime() * 1000)) < 600_000);
    assert.ok(
      (detail.virtualBytes ?? 0) > 1e8 && (detail.openDescriptors ?? 0) > 5 && (detail.maxDescriptors ?? 0) > 50,
    );
    assert.ok(detail.heapSpaces.some(({ name, usedBytes }) => name === 'old_space' && usedBytes > 1e5));
    assert.ok(detail.heapLimitBytes > 1e7 && detail.loopIdleSeconds > 0 && detail.loopActiveSeconds > 0);
    assert.ok(Object.keys(detail.resources).length > 0);
    const { lag } = detail;
    assert.ok(lag !== null && lag.min <= lag.p50 && lag.p50 <= lag.p99 && lag.p99 <= lag.max, JSON.stringify(lag));
    assert.ok(detail.agentCpuUs > 0 && detail.agentGaveUp === undefined);
    assert.deepEqual(detail.gc.major.buckets.length, 6);
  });

  it('is the heap after a full collection, and not after a small one', async () => {
    await using daemon = await openFakeDaemon();
    const { worker } = await start(daemon, node);
    worker.send({ type: 'message', payload: 'small gc' });
    await worker.printed('did small gc');
    worker.send({ type: 'report-now', id: 1 });
    const { report } = await worker.said('report', ({ replyTo }) => replyTo === 1);
    assert.equal(report.heapAfterGcBytes, undefined);
    worker.send({ type: 'message', payload: 'gc' });
    const later = await worker.said('report', (message) => message.report.heapAfterGcBytes !== undefined);
    assert.ok((later.report.heapAfterGcBytes ?? 0) > 1e6);
  });

  for (const framework of ['express', 'fastify']) {
    it(`are the routes as ${framework} has them`, async () => {
      await using daemon = await openFakeDaemon();
      const { worker, port } = await start(daemon, node, { FRAMEWORK: framework });
      for (const path of ['/users/anna', '/users/berta?x=1', '/users/carl/breaks', '/files/a/b', '/not/there']) {
        await get({ port }, path);
      }
      const files = framework === 'express' ? '/^\\/files\\/.*$/' : '/files/*';
      assert.deepEqual(shown((await collectRoutes(worker, 5)).routes), [
        `GET ${files} 0,0,1,0,0,0`,
        'GET /users/:id 0,0,2,0,0,0',
        'GET /users/:id/breaks 0,0,0,0,0,1',
        'GET other 0,0,0,0,1,0',
      ]);
    });
  }

  for (const framework of ['koa', 'hono', 'node']) {
    it(`are routes guessed from the paths of ${framework}`, async () => {
      await using daemon = await openFakeDaemon();
      const { worker, port } = await start(daemon, node, { FRAMEWORK: framework });
      await get({ port }, '/users/17');
      await get({ port }, '/users/018f3c9e-7b1a-7c3e-9f00-3b1a7c3e9f00');
      const { routes } = await collectRoutes(worker, 2);
      assert.deepEqual(shown(routes), ['GET /users/:id 0,0,2,0,0,0']);
      assert.equal(
        routes[0]?.latency.filter((_, index) => index % 2 === 1).reduce((sum, one) => sum + one, 0),
        2,
      );
    });
  }

  it('are no more routes than wanted, and none where none are', async () => {
    await using daemon = await openFakeDaemon();
    const { worker, port } = await start(daemon, node);
    for (const path of ['/a', '/b', '/c', '/d', '/e', '/f', '/a', '/nowhere']) await get({ port }, path);
    assert.deepEqual(shown((await collectRoutes(worker, 8)).routes), [
      'GET /a 0,0,2,0,0,0',
      'GET /b 0,0,1,0,0,0',
      'GET /c 0,0,1,0,0,0',
      'GET /d 0,0,1,0,0,0',
      'GET other 0,0,2,0,1,0',
    ]);
    worker.send({ type: 'settings', settings: { ...SETTINGS, routes: 0 } });
    worker.send({ type: 'ping', id: 1 });
    await worker.said('pong', ({ id }) => id === 1);
    await get({ port }, '/a');
    assert.ok(shown((await collect(worker)).routes).includes('GET /a 0,0,2,0,0,0'));
    const none = await start(daemon, node, {}, { routes: 0 });
    await get({ port: none.port }, '/a');
    assert.deepEqual((await collect(none.worker)).routes, []);
  });

  for (const loads of ['require', 'import']) {
    it(`are the metrics of the app's prom-client, by ${loads}`, async () => {
      await using daemon = await openFakeDaemon();
      const { worker } = await start(daemon, node, { LOADS: loads });
      const { app, dropped } = await collect(worker);
      assert.equal(dropped, 0);
      assert.deepEqual(app.map(({ name, type }) => `${type} ${name}`).toSorted(), [
        'counter orders_total',
        'gauge odd',
        'histogram wait_seconds',
      ]);
      const orders = app.find(({ name }) => name === 'orders_total');
      assert.deepEqual(orders, {
        name: 'orders_total',
        help: 'Orders',
        type: 'counter',
        aggregator: 'sum',
        values: [{ value: 3, labels: { kind: 'small' } }],
      });
      const wait = app.find(({ name }) => name === 'wait_seconds');
      assert.ok(
        wait?.values.some(({ metricName, labels }) => metricName === 'wait_seconds_bucket' && labels['le'] === 2),
      );
    });
  }

  it('is everything but the metric that throws or hangs, which is named, nor too much of what floods', async () => {
    await using daemon = await openFakeDaemon();
    for (const [registry, said] of [
      ['throws', /throws: no/],
      ['hangs', /hangs: it has not answered/],
    ] as const) {
      const { worker } = await start(daemon, node, { LOADS: 'require', REGISTRY: registry });
      for (let asked = 0; asked < 2; asked++) {
        const { app, trouble } = await collect(worker);
        assert.deepEqual(app.map(({ name }) => name).toSorted(), ['odd', 'orders_total', 'wait_seconds']);
        assert.match((trouble ?? []).join('\n'), said);
        assert.match((trouble ?? []).join('\n'), /registry: /, 'and how it failed as a whole, each time');
      }
    }
    const { worker } = await start(daemon, node, { LOADS: 'require', REGISTRY: 'floods' });
    const { app, dropped } = await collect(worker);
    const count = app.reduce((sum, { values }) => sum + values.length, 0);
    assert.equal(count, 10_000);
    assert.ok(dropped > 10_000);
  });

  it('is nothing of a registry that cannot even be looked at, and a label without words ends no worker', async () => {
    await using daemon = await openFakeDaemon();
    const trapped = await start(daemon, node, { LOADS: 'require', REGISTRY: 'traps' });
    const { app, trouble } = await collect(trapped.worker);
    assert.deepEqual(app, []);
    assert.match((trouble ?? []).join('\n'), /registry: trapped/);
    const mute = await start(daemon, node, { LOADS: 'require', REGISTRY: 'mute' });
    const answer = await collect(mute.worker);
    assert.deepEqual(answer.app.map(({ name }) => name).toSorted(), ['mute', 'odd', 'orders_total', 'wait_seconds']);
    assert.equal(answer.dropped, 1);
    await get({ port: mute.port }, '/');
  });

  it('fits into what a daemon takes, whatever is in it, and is asked less often where it holds the event loop', async () => {
    await using daemon = await openFakeDaemon();
    const { worker } = await start(daemon, node, { LOADS: 'require', REGISTRY: 'swells' }, { routes: 10_000 });
    const swollen = await collect(worker);
    const bytes = Buffer.byteLength(JSON.stringify({ cmd: ENVELOPE_CMD, m: swollen }));
    assert.ok(bytes > 500_000 && bytes < 1024 * 1024, String(bytes));
    assert.ok(swollen.dropped > 1000);
    const slow = await start(daemon, node, { LOADS: 'require', REGISTRY: 'blocks' });
    const first = await collect(slow.worker);
    const second = await collect(slow.worker);
    assert.equal(valueOf(first, 'blocks'), 1);
    assert.equal(valueOf(second, 'blocks'), 1, 'it was not asked again');
    assert.match((second.trouble ?? []).join(), /holds the event loop/);
  });

  it('is nothing of the app where its metrics are not wanted', async () => {
    await using daemon = await openFakeDaemon();
    const { worker } = await start(daemon, node, { LOADS: 'require' }, { appMetrics: false });
    assert.deepEqual((await collect(worker)).app, []);
  });
});
