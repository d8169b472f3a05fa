/** Debian's Alertmanager: it takes our alerts as they are, groups them, tells its own receivers, and hears when they are over. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isInPath } from '../provisions.ts';
import { eventually } from '../support/eventually.ts';
import { freePort, temporaryFolder } from '../support/temporary.ts';
import { bad, good, namesOf, openHttpReceiver, openTestAlerts, QUICK, receiverOf, webhook } from './support.ts';

interface GettableAlert {
  readonly fingerprint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly updatedAt: string;
}

interface Alertmanager extends AsyncDisposable {
  readonly url: string;
  list(): Promise<readonly GettableAlert[]>;
}

const PROGRAM = 'prometheus-alertmanager';

/** It tells `hook` what it is told, by its own rules: alerts of an app together, changes after a second. */
async function startAlertmanager(folder: string, port: number, hook: string): Promise<Alertmanager> {
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(
    config,
    JSON.stringify({
      route: { receiver: 'hook', group_by: ['app'], group_wait: '300ms', group_interval: '1s', repeat_interval: '1h' },
      receivers: [{ name: 'hook', webhook_configs: [{ url: hook, send_resolved: true }] }],
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    PROGRAM,
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  await eventually('Alertmanager is ready', async () => (await fetch(`${url}/-/ready`)).ok, { withinMs: 30_000 });
  return {
    url,
    list: async () => (await (await fetch(`${url}/api/v2/alerts`)).json()) as readonly GettableAlert[],
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const skip = isInPath(PROGRAM) ? false : `${PROGRAM} is not installed`;
const alertmanager = (url: string) => receiverOf({ kind: 'alertmanager', url });

describe('an Alertmanager', { skip }, () => {
  it('receives alerts, groups them, and is told when they are over; a silence keeps it quiet', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    await using ours = await openHttpReceiver();
    await using manager = await startAlertmanager(folder.path, await freePort(), hook.url);
    using world = openTestAlerts(folder.path, [alertmanager(manager.url), webhook(ours.url)], {
      ...QUICK,
      timeoutMs: 10_000,
    });
    const endsAt = new Date(Date.now() + 600_000).toISOString();
    const quiet = world.alerts.silence({
      matchers: ['app=quiet'],
      startsAt: null,
      endsAt,
      everyMs: null,
      comment: '',
      createdBy: null,
    });
    const hostile = { 'from hell "\n\\{}': '\u0000\uD800é', '0': '', __proto__x: '"' };
    world.alerts.judge([
      bad('slow', { labels: { objective: 'latency' } }),
      bad('failing', { severity: 'ticket' }),
      bad('slow', { app: 'quiet' }),
      bad('hostile', { app: 'blog', labels: hostile, description: 'x'.repeat(50_000) }),
    ]);
    const listed = await eventually('it has them', async () => {
      const all = await manager.list();
      return all.length === 3 && all;
    });
    assert.deepEqual(namesOf(listed), ['failing', 'hostile', 'slow']);
    const slow = listed.find(({ labels }) => labels['alertname'] === 'slow');
    assert.deepEqual(slow?.labels, { alertname: 'slow', app: 'shop', severity: 'page', objective: 'latency' });
    assert.equal(slow?.annotations['summary'], 'slow is bad');
    assert.ok(Date.parse(slow?.endsAt ?? '') > Date.now() + 200_000, 'it would end by itself at once');

    const told = await eventually('it tells its own receiver', () =>
      hook.received.find(({ body }) => body.groupKey.includes('shop')),
    );
    assert.deepEqual(namesOf(told.body.alerts), ['failing', 'slow']);
    // Our webhooks say the same as Alertmanager's, of the same alerts, in the same words.
    const same = await eventually('our own webhook was told', () =>
      ours.received.find(({ body }) => body.groupKey.includes('shop')),
    );
    const shapeOf = (body: object) => Object.keys(body).sort();
    assert.deepEqual(shapeOf(same.body), shapeOf(told.body));
    assert.deepEqual(shapeOf(same.body.alerts[0] ?? {}), shapeOf(told.body.alerts[0] ?? {}));
    assert.deepEqual(
      same.body.alerts.map(({ fingerprint }) => fingerprint).sort(),
      listed
        .filter(({ labels }) => labels['app'] === 'shop')
        .map(({ fingerprint }) => fingerprint)
        .sort(),
    );
    assert.deepEqual(
      [same.body.alerts[0]?.endsAt, same.body.groupKey],
      [told.body.alerts[0]?.endsAt, told.body.groupKey],
    );

    world.alerts.judge([good('slow', { labels: { objective: 'latency' } }), good('failing', { severity: 'ticket' })]);
    const over = await eventually('it tells that they are over', () =>
      hook.received.find(({ body }) => body.status === 'resolved'),
    );
    assert.deepEqual(over.body.alerts.map(({ labels, status: is }) => `${labels['alertname']} ${is}`).sort(), [
      'failing resolved',
      'slow resolved',
    ]);
    assert.deepEqual(
      (await manager.list()).map(({ labels }) => labels['alertname']),
      ['hostile'],
    );
    assert.ok(!hook.received.some(({ text }) => text.includes('quiet')));

    world.alerts.expireSilence(quiet.id);
    await eventually('it is told what was quiet', () => hook.received.some(({ text }) => text.includes('quiet')));
    assert.deepEqual(world.alerts.deadLetters(), []);
  });

  it('that comes up late is told what fires, and one that lost its memory is told again', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    using world = openTestAlerts(folder.path, [alertmanager(url)], {
      ...QUICK,
      timeoutMs: 10_000,
      retry: { firstMs: 200, mostMs: 200, attempts: 1_000 },
      refreshMs: 300,
    });
    world.alerts.judge([bad('slow')]);
    await eventually('it is not there', () =>
      world.alerts.document().receivers[0]?.lastProblem?.includes('ECONNREFUSED'),
    );
    {
      await using manager = await startAlertmanager(folder.path, port, hook.url);
      await eventually('it has it', async () => (await manager.list()).length === 1);
    }
    await using folder2 = await temporaryFolder();
    await using manager = await startAlertmanager(folder2.path, port, hook.url);
    const [first] = await eventually('it has it again', async () => {
      const all = await manager.list();
      return all.length === 1 && all;
    });
    await eventually('it is refreshed', async () => {
      const [again] = await manager.list();
      return (again?.endsAt ?? '') > (first?.endsAt ?? '') && again?.startsAt === first?.startsAt;
    });
    const [test] = await world.alerts.testFire(null);
    assert.equal(test?.isTaken, true);
    await eventually('it has the test', async () =>
      (await manager.list()).some(({ labels }) => labels['test'] === 'true'),
    );
  });
});
