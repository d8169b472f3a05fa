/** A dependency of all workers is down: the app is degraded and says why, and nothing is restarted for it. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { describe, it } from 'node:test';
import { Illness, illService, readHealth, untilHealth } from '../support/health.ts';
import { startLoad } from '../support/load/index.ts';
import { openPlace, pidsOf, readApp, readEvents, startApp } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';
import { eventually } from '../support/eventually.ts';

/** A server that may be closed and opened again on its port. */
class Database implements AsyncDisposable {
  readonly port: number;
  #server: Server | null = null;

  constructor(port: number) {
    this.port = port;
  }

  async open(): Promise<void> {
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    this.#server = server;
    return new Promise((resolve) => server.listen(this.port, '127.0.0.1', () => resolve()));
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    return new Promise((resolve) => (server === null ? resolve() : server.close(() => resolve())));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

describe('a dependency that is down', () => {
  it('degrades the app, restarts nobody, and is told to the app', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    await using database = new Database(await freePort());
    await database.open();
    const env = { DATABASE: String(database.port), CHECK_MS: '500' };
    await startApp(drover, 'shop', illService(port, illness, { instances: 3, env }));
    await untilHealth(drover, 'shop', 'is checked', ({ status, workers }) => {
      const isPassing = workers.every(({ checks }) =>
        checks.some(({ name, status: is }) => name === 'database' && is === 'pass'),
      );
      return status === 'healthy' && isPassing;
    });
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await startLoad({ mode: 'kept', port, connections: 6, pauseMs: [10, 30] });
    await load.untilAnswered(50);

    await database.close();
    const during = await untilHealth(drover, 'shop', 'is degraded', ({ status }) => status !== 'healthy');
    assert.equal(during.status, 'degraded', during.reason ?? '');
    const shared = await untilHealth(drover, 'shop', 'is cache-only', ({ level }) => level === 'cache-only');
    assert.equal(shared.status, 'degraded');
    assert.match(shared.reason ?? '', /database is down for [23] of 3 workers.*ECONNREFUSED/);
    assert.ok(shared.workers.every(({ weight }) => weight > 0));
    await untilHealth(drover, 'shop', 'shows it in every worker', ({ workers }) =>
      workers.every(({ status, reason }) => status === 'degraded' && /database is down/.test(reason ?? '')),
    );
    await eventually('the app was told', async () => {
      const { stdout } = await drover.run(['logs', 'shop']);
      return [...stdout.matchAll(/degrade cache-only database is down/g)].length === 3;
    });
    await load.untilAnswered(50);

    await database.open();
    await untilHealth(
      drover,
      'shop',
      'is healthy again',
      ({ status, workers }) => status === 'healthy' && workers.every((worker) => worker.status === 'healthy'),
    );
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before, 'nobody was restarted');
    const events = await readEvents(drover, 'shop');
    const about = events.filter(({ type }) => type.startsWith('health-') || type === 'degrade-changed');
    const words = about.map(({ type, data }) => `${type} ${String(data['to'] ?? data['level'])}`);
    assert.deepEqual(words.slice(-3), [
      'health-changed degraded',
      'degrade-changed cache-only',
      'health-changed healthy',
    ]);
    assert.deepEqual(
      events.filter(({ type }) => ['worker-recovering', 'worker-exited', 'worker-quarantined'].includes(type)),
      [],
    );
  });

  it('is noticed without any traffic as well', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const illness = new Illness(drover);
    await using database = new Database(await freePort());
    await database.open();
    const env = { DATABASE: String(database.port), CHECK_MS: '500' };
    await startApp(drover, 'shop', illService(port, illness, { env }));
    await untilHealth(drover, 'shop', 'is checked', ({ workers }) =>
      workers.every(({ checks }) => checks.some(({ status }) => status === 'pass')),
    );
    await database.close();
    // Well below the ten seconds after which an idle worker reports.
    const during = await untilHealth(
      drover,
      'shop',
      'is told as down',
      ({ reason }) => /database is down/.test(reason ?? ''),
      {
        withinMs: 6000,
      },
    );
    assert.equal(during.status, 'degraded');
    assert.equal((await readHealth(drover, 'shop')).workers.length, 2);
  });
});
