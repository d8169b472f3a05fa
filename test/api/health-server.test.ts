/** `daemon.health`: bare health and metrics over plain HTTP, and nothing else. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { serveHealth, type HealthServer, type HealthSource } from '../../src/api/index.ts';
import type { HealthDocument, HealthStatus, WorkerHealthDocument } from '../../src/protocol/index.ts';

const worker = (id: string, change: Partial<WorkerHealthDocument> = {}): WorkerHealthDocument => ({
  id,
  status: 'healthy',
  reason: 'a secret reason',
  isRunning: true,
  isLooping: false,
  checks: [],
  eventLoop: { delayMs: null, utilization: null, blockedMs: null, isBlocked: false },
  ejectedUntil: null,
  weight: 50,
  ...change,
});

const blocked = { delayMs: null, utilization: null, blockedMs: 900, isBlocked: true };

const document = (status: HealthStatus, workers: readonly WorkerHealthDocument[]): HealthDocument => ({
  status,
  apps: [{ name: 'shop', status, reason: 'a secret reason', level: 'normal', workers }],
});

describe('health over plain HTTP', () => {
  let server: HealthServer;
  let health: HealthDocument;
  let source: HealthSource;

  beforeEach(async () => {
    health = document('healthy', [worker('shop/0'), worker('shop/1')]);
    source = {
      health: () => health,
      metrics: async ({ accept, scope, app }) =>
        app === 'nobody'
          ? null
          : {
              type: accept?.includes('openmetrics') ? 'openmetrics' : 'text/plain',
              text: scope === 'mixed' && app === null ? 'up 1\n' : `${scope} of ${app}\n`,
            },
    };
    server = await serveHealth(
      { host: '127.0.0.1', port: 0 },
      { health: () => source.health(), metrics: (question) => source.metrics(question) },
    );
  });
  afterEach(() => server.close());

  const get = async (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.port}${path}`, init);
  const codes = async (...paths: readonly string[]): Promise<number[]> =>
    Promise.all(paths.map(async (path) => (await get(path)).status));

  it('says whether all is well, and no more than that', async () => {
    const answer = await get('/health');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'application/health+json');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(await answer.text(), '{"status":"pass"}\n');
    health = document('degraded', [worker('shop/0')]);
    assert.equal(await (await get('/health/shop')).text(), '{"status":"warn"}\n');
    health = document('critical', [worker('shop/0')]);
    assert.deepEqual(
      await codes('/health', '/healthz', '/readyz', '/health/shop/ready', '/livez'),
      [503, 503, 503, 503, 200],
    );
  });

  it('tells a blocked worker from its siblings, and an app is alive while one of them is', async () => {
    health = document('degraded', [worker('shop/0', { eventLoop: blocked, weight: 0 }), worker('shop/1')]);
    assert.deepEqual(await codes('/health/shop/0/live', '/health/shop/1/live', '/health/shop/live'), [503, 200, 200]);
    assert.deepEqual(await codes('/health/shop/0/ready', '/health/shop/1/ready'), [503, 200]);
    health = document('critical', [worker('shop/0', { eventLoop: blocked })]);
    assert.deepEqual(await codes('/health/shop/live'), [503]);
  });

  it('counts a failed liveness probe, and a worker that is not there, as not alive', async () => {
    const liveness = { name: 'liveness', status: 'fail', critical: true, durationMs: 1 } as const;
    health = document('critical', [worker('shop/0', { checks: [liveness] }), worker('shop/1', { isRunning: false })]);
    assert.deepEqual(await codes('/health/shop/0/live', '/health/shop/1/live', '/health/shop/live'), [503, 503, 503]);
  });

  it('has metrics in the format that is asked for', async () => {
    const answer = await get('/metrics', { headers: { accept: 'application/openmetrics-text' } });
    assert.equal(answer.headers.get('content-type'), 'openmetrics');
    assert.equal(await answer.text(), 'up 1\n');
  });

  it('has the page that is asked for', async () => {
    assert.equal(await (await get('/metrics?scope=app&app=shop')).text(), 'app of shop\n');
    assert.deepEqual(await codes('/metrics?app=nobody', '/metrics?scope=bogus', '/metrics?'), [404, 400, 200]);
  });

  it('is ready while somebody serves, whatever is wanted, and where workers have no shares', async () => {
    const starting = { isRunning: false, status: 'degraded' } as const;
    health = document('degraded', [worker('shop/0', starting), worker('shop/1', starting)]);
    assert.deepEqual(await codes('/health/shop/ready', '/health/shop/0/ready', '/health/shop'), [503, 503, 200]);
    health = document('healthy', []);
    assert.deepEqual(await codes('/health/shop/ready', '/health/shop'), [503, 200]);
    health = document('healthy', [worker('shop/0', { weight: 0 })]);
    assert.deepEqual(await codes('/health/shop/ready', '/health/shop/0/ready'), [200, 200]);
  });

  it('has nothing else, and changes nothing', async () => {
    const paths = [
      '/',
      '/v1/apps',
      '/health/nobody',
      '/health/shop/7',
      '/health/__proto__',
      '/constructor',
      '//',
      '/health/shop/0/x',
    ];
    assert.deepEqual(
      await codes(...paths),
      paths.map(() => 404),
    );
    const answer = await get('/health', { method: 'POST', body: 'x' });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get('allow'), 'GET, HEAD');
    assert.equal(await (await get('/health', { method: 'HEAD' })).text(), '');
  });

  it('answers when the daemon cannot tell, and after what is no HTTP', async () => {
    const whole = source;
    source = {
      ...source,
      health: () => {
        throw new Error('a secret reason');
      },
    };
    const answer = await get('/health');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(await answer.text(), /secret/);
    const socket = connect(server.port, '127.0.0.1');
    socket.end('\0\0\0 no http\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    source = whole;
    assert.equal((await get('/health')).status, 200);
  });
});
