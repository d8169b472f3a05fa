/** What machines are told by a real daemon: its page, its pushes, and who is told when an objective is missed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { AlertsDocument, SloDocument } from '../../src/protocol/index.ts';
import { isInPath } from '../provisions.ts';
import { eventually } from '../support/eventually.ts';
import { ask, fixture, openPlace, writeConfig } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

interface Receiver {
  readonly url: string;
  readonly got: readonly { readonly path: string; readonly body: string }[];
  [Symbol.asyncDispose](): Promise<void>;
}

const openReceiver = async (): Promise<Receiver> => {
  const got: { path: string; body: string }[] = [];
  const server: Server = createServer((request: IncomingMessage, response) => {
    void text(request).then((body) => {
      got.push({ path: request.url ?? '', body });
      response.setHeader('content-type', 'application/x-protobuf');
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** A configuration of one app, and of the daemon. */
const write = (
  drover: Parameters<typeof writeConfig>[0],
  app: Readonly<Record<string, unknown>>,
  daemon: Readonly<Record<string, unknown>>,
): string => {
  const file = writeConfig(drover, { shop: { script: fixture('fails-when-asked.cjs'), instances: 2, ...app } });
  const { apps } = JSON.parse(readFileSync(file, 'utf8')) as { apps: unknown };
  writeFileSync(file, JSON.stringify({ apps, daemon }));
  return file;
};

describe('a daemon that is measured', () => {
  it(
    'has a page that promtool accepts, with what its workers answered',
    { skip: !isInPath('promtool') && 'promtool is not installed' },
    async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      const health = await freePort();
      await drover.start([write(drover, { port }, { health: { port: health } })]);
      for (let asked = 0; asked < 20; asked += 1) await ask(port, asked % 4 === 0 ? '/bad' : '/');
      const page = await eventually('the page counts what was asked', async () => {
        const { body } = await ask(health, '/metrics');
        const values = [...body.matchAll(/^drover_requests_failed_total\{[^}]*\} (\d+)$/gm)].map(([, value]) =>
          Number(value),
        );
        return values.reduce((sum, value) => sum + value, 0) === 5 && body;
      });
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
      assert.equal(status, 0, stdout + stderr);
      assert.match(page, /^nodejs_heap_size_used_bytes\{app="shop",worker="shop\/1"\} \d+$/m);
      assert.match(page, /^drover_alerts_undelivered 0$/m);
      const ofApp = await drover.run(['health', '--json']);
      assert.equal((JSON.parse(ofApp.stdout) as { status: string }).status, 'healthy');
      assert.ok(existsSync(join(drover.home, 'metrics.db')), 'what was measured is kept');
    },
  );

  it('tells a receiver when an objective burns its budget, also after the death of the daemon', async () => {
    await using place = await openPlace();
    await using receiver = await openReceiver();
    const { drover, port } = place;
    const slo = [{ name: 'answers', objective: 99.9, window: '1h', minimumEvents: 10 }];
    const alerts = [{ webhook: `${receiver.url}/hook`, groupWait: 0 }];
    const health = await freePort();
    await drover.start([write(drover, { port, slo }, { alerts, health: { port: health } })]);
    for (let asked = 0; asked < 60; asked += 1) await ask(port, '/bad');
    const message = await eventually(
      'the receiver is told',
      async () => receiver.got.find(({ body }) => body.includes('error-budget-burn')),
      { withinMs: 40_000 },
    );
    const { status, alerts: told } = JSON.parse(message.body) as {
      status: string;
      alerts: readonly { labels: Record<string, string> }[];
    };
    assert.equal(status, 'firing');
    assert.equal(told[0]?.labels['app'], 'shop');
    assert.equal(told[0]?.labels['objective'], 'answers');
    const { apps } = await drover.json<SloDocument>(['slo', 'shop']);
    const [objective] = apps[0]?.objectives ?? [];
    assert.ok(objective !== undefined && objective.bad === 60 && objective.budget.remaining < 1, JSON.stringify(apps));

    const { body: page } = await ask(health, '/metrics');
    assert.match(page, /^drover_slo_objective_ratio\{app="shop",objective="answers"\} 0\.999$/m);
    const documented = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
    const names = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => String(name));
    assert.deepEqual(
      names.filter((name) => !documented.includes(`| \`${name}\` |`)),
      [],
    );
    assert.ok(names.includes('drover_alerts_firing'), names.join());

    const before = receiver.got.length;
    const { pid } = await drover.json<{ pid: number }>(['daemon', 'status']);
    process.kill(pid, 'SIGKILL');
    const document = await eventually('the next daemon knows of the alert', async () => {
      const result = await drover.run(['alerts', '--json']);
      if (result.code !== 0) return false;
      const found = JSON.parse(result.stdout) as AlertsDocument;
      return found.alerts.some(({ status: one }) => one === 'firing') && found;
    });
    assert.deepEqual(document.undelivered, []);
    assert.equal(receiver.got.length, before, 'nothing is told twice');
  });

  it('pushes metrics and events to a collector', async () => {
    await using place = await openPlace();
    await using receiver = await openReceiver();
    const { drover, port } = place;
    await drover.start([write(drover, { port }, { otlp: { endpoint: receiver.url, interval: '1s' } })]);
    await eventually(
      'both have come',
      async () => {
        const paths = new Set(receiver.got.map(({ path }) => path));
        return paths.has('/v1/metrics') && paths.has('/v1/logs');
      },
      { withinMs: 30_000 },
    );
    const all = receiver.got.map(({ body }) => body).join('');
    assert.ok(all.includes('shop/0') && all.includes('nodejs.eventloop.utilization') && all.includes('worker-ready'));
  });
});
