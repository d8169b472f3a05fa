/** Webhooks that take what they are told, and that do all that a receiver can do instead. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { eventually } from '../support/eventually.ts';
import { freePort, temporaryFolder } from '../support/temporary.ts';
import {
  bad,
  firstly,
  good,
  hangUp,
  namesOf,
  openHttpReceiver,
  openTestAlerts,
  QUICK,
  receiverOf,
  stall,
  status,
  webhook,
} from './support.ts';

describe('a webhook', () => {
  it('is told alerts of an app together, once, and then that they are over', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    const headers = { Authorization: 'Bearer secret', 'Content-Type': 'text/plain' };
    using world = openTestAlerts(folder.path, [webhook(hook.url, { groupWaitMs: 100, headers })]);
    world.alerts.judge([bad('slow')]);
    world.alerts.judge([bad('failing'), bad('other', { app: 'blog' })]);
    for (let round = 0; round < 5; round += 1) world.alerts.judge([bad('slow'), bad('failing')]);
    await eventually('both groups were told', () => hook.received.length === 2);
    const shop = hook.received.find(({ body }) => body.groupKey === '{}:{app="shop"}');
    assert.ok(shop !== undefined);
    assert.deepEqual([shop.body.status, namesOf(shop.body.alerts)], ['firing', ['failing', 'slow']]);
    assert.equal(shop.headers['authorization'], 'Bearer secret');
    assert.equal(shop.headers['content-type'], 'application/json');
    assert.equal(shop.headers['user-agent'], 'drover/9.9.9');
    assert.match(shop.key, /^"webhook-[0-9a-f]{6}-[\d.]+-\d+"$/);

    world.alerts.judge([good('slow')]);
    await eventually('one is over', () => hook.received.length === 3);
    const half = hook.received[2]?.body;
    assert.deepEqual(
      half?.alerts.map(({ labels, status: is }) => [labels['alertname'], is]),
      [
        ['failing', 'firing'],
        ['slow', 'resolved'],
      ],
    );
    assert.equal(half?.status, 'firing');
    world.alerts.forget('shop');
    await eventually('the rest is over', () => hook.received.length === 4);
    assert.deepEqual(
      [hook.received[3]?.body.status, namesOf(hook.received[3]?.body.alerts ?? [])],
      ['resolved', ['failing']],
    );
    assert.equal(new Set(hook.received.map(({ key }) => key)).size, 4);
    assert.deepEqual(world.events.map(({ type, app }) => `${type} ${app}`).sort(), [
      'alert-firing blog',
      'alert-firing shop',
      'alert-firing shop',
      'alert-resolved shop',
      'alert-resolved shop',
    ]);
    await eventually('nothing waits', () => world.alerts.document().receivers[0]?.waiting === 0);
  });

  it('that answers 500, hangs up or stalls is told again, the same with the same key', async () => {
    for (const [what, answer] of Object.entries({ status: status(500), hangUp, stall })) {
      await using folder = await temporaryFolder();
      await using hook = await openHttpReceiver(firstly(2, answer));
      using world = openTestAlerts(folder.path, [webhook(hook.url)]);
      world.alerts.judge([bad('slow')]);
      await eventually(what, () => world.alerts.document().receivers[0]?.waiting === 0);
      assert.equal(hook.received.length, 3, what);
      assert.equal(new Set(hook.received.map(({ key }) => key)).size, 1, what);
      assert.equal(new Set(hook.received.map(({ text }) => text)).size, 1, what);
      assert.deepEqual(world.alerts.deadLetters(), []);
    }
  });

  it('that is not there yet is told when it is', async () => {
    await using folder = await temporaryFolder();
    const port = await freePort();
    using world = openTestAlerts(folder.path, [webhook(`http://127.0.0.1:${port}/hook`)]);
    world.alerts.judge([bad('slow')]);
    await eventually('it failed', () => /ECONNREFUSED/.test(world.alerts.document().receivers[0]?.lastProblem ?? ''));
    await using hook = await openHttpReceiver(status(204), port);
    await eventually('told', () => hook.received.length === 1);
    await eventually('no problem is left', () => world.alerts.document().receivers[0]?.lastProblem === null);
  });

  it('that stalls holds up no other, whatever it was asked first', async () => {
    await using folder = await temporaryFolder();
    await using slow = await openHttpReceiver(stall);
    await using quick = await openHttpReceiver();
    using world = openTestAlerts(folder.path, [webhook(slow.url), webhook(quick.url)], {
      timeoutMs: 60_000,
      groupIntervalMs: 1,
    });
    world.alerts.judge([bad('one')]);
    await eventually('the slow one has it', () => slow.received.length === 1);
    world.alerts.judge([bad('two', { app: 'blog' })]);
    await eventually('the quick one has both', () => quick.received.length === 2);
    assert.equal(slow.received.length, 1);
    assert.deepEqual(
      world.alerts.document().receivers.map(({ waiting }) => waiting),
      [2, 0],
    );
  });

  it('that asks for patience gets it', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver(firstly(1, status(429, { 'retry-after': '1' })));
    using world = openTestAlerts(folder.path, [webhook(hook.url)]);
    world.alerts.judge([bad('slow')]);
    await eventually('told again', () => hook.received.length === 2);
    const [first, second] = hook.received;
    assert.ok((second?.atMs ?? 0) - (first?.atMs ?? 0) >= 990);
  });

  it('that redirects is not followed: nobody else gets the message or the header fields', async () => {
    await using folder = await temporaryFolder();
    await using other = await openHttpReceiver();
    await using hook = await openHttpReceiver(status(307, { location: other.url }));
    using world = openTestAlerts(folder.path, [webhook(hook.url, { headers: { authorization: 'secret' } })]);
    world.alerts.judge([bad('slow')]);
    const [dead] = await eventually('given up', () => {
      const letters = world.alerts.deadLetters();
      return letters.length > 0 && letters;
    });
    assert.match(dead?.error ?? '', /answered 307: it redirects to http:\/\/127\.0\.0\.1:\d+\/hook; name that address/);
    assert.deepEqual([hook.received.length, other.received.length, dead?.attempts], [1, 0, 1]);
    assert.deepEqual(world.events.at(-1)?.type, 'alert-undelivered');
  });

  it('that refuses is told once; what it refused can be tried again, with the same key, or dropped', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver(status(400, {}, 'no such channel'));
    using world = openTestAlerts(folder.path, [webhook(hook.url)]);
    world.alerts.judge([bad('slow'), bad('slow', { app: 'blog' })]);
    await eventually('given up', () => world.alerts.deadLetters().length === 2);
    assert.equal(hook.received.length, 2);
    const [first, second] = world.alerts.deadLetters();
    assert.equal(first?.error, 'answered 400: no such channel');
    const [shown] = world.alerts.document().undelivered;
    assert.deepEqual(
      [shown?.id, shown?.names, shown?.status, shown?.attempts, shown?.error],
      [first?.id, ['slow'], 'firing', 1, 'answered 400: no such channel'],
    );
    hook.answer = status(200);
    world.alerts.retry(first?.id ?? '');
    await eventually('told', () => hook.received.length === 3);
    assert.equal(hook.received[2]?.key, hook.received.find(({ key }) => key === `"${first?.id}"`)?.key);
    assert.equal(hook.received[2]?.key, `"${first?.id}"`);
    world.alerts.drop(second?.id ?? '');
    assert.deepEqual(world.alerts.deadLetters(), []);
    for (const id of [first?.id ?? '', second?.id ?? '']) {
      assert.throws(() => world.alerts.retry(id), { code: 'DROVER_DELIVERY_UNKNOWN' });
      assert.throws(() => world.alerts.drop(id), { code: 'DROVER_DELIVERY_UNKNOWN' });
    }
  });

  it('that fails to the end leaves a dead letter and an event that say why', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver(status(503, {}, 'x'.repeat(100_000)));
    using world = openTestAlerts(folder.path, [webhook(hook.url)]);
    world.alerts.judge([bad('slow')]);
    await eventually('given up', () => world.alerts.deadLetters().length === 1);
    const [dead] = world.alerts.deadLetters();
    assert.deepEqual([hook.received.length, dead?.attempts], [4, 4]);
    assert.match(dead?.error ?? '', /^answered 503: x+…$/);
    assert.ok((dead?.error?.length ?? 0) < 1_000);
    const event = world.events.at(-1);
    assert.deepEqual([event?.type, event?.app, event?.data?.['attempts']], ['alert-undelivered', 'shop', 4]);
  });

  it('whose answer never ends is not listened to for ever', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver((response) => {
      response.writeHead(200);
      const more = (): void => void (response.destroyed || response.write('x'.repeat(1_000), () => setImmediate(more)));
      more();
    });
    using world = openTestAlerts(folder.path, [webhook(hook.url)]);
    world.alerts.judge([bad('slow')]);
    await eventually('taken', () => world.alerts.document().receivers[0]?.lastTakenAt !== null);
    assert.equal(hook.received.length, 1);
  });

  it('is told thousands of alerts in one bounded message', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    using world = openTestAlerts(folder.path, [webhook(hook.url)]);
    const many = Array.from({ length: 3_000 }, (_, index) =>
      bad('slow', {
        labels: { route: `/${index}`, 'from hell "\n\\': '\u0000\uD800' },
        description: 'x'.repeat(20_000),
      }),
    );
    world.alerts.judge(many);
    await eventually('told', () => hook.received.length === 1, { withinMs: 30_000 });
    const [{ text, body } = { text: '', body: null }] = hook.received;
    assert.ok(text.length < 100_000, String(text.length));
    assert.equal((body?.truncatedAlerts ?? 0) + (body?.alerts.length ?? 0), 1_000);
    world.alerts.judge(many);
    assert.equal(world.alerts.document().alerts.length, 1_000);
    const [undelivered, ...others] = world.events.filter(({ type }) => type === 'alert-undelivered');
    assert.match(undelivered?.reason ?? '', /^there are 1000 alerts, and 2000 more are not taken up/);
    assert.equal(others.length, 0);
  });

  it('that is configured away leaves what waited as dead letters, and cannot be tried', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver(stall);
    using world = openTestAlerts(folder.path, [webhook(hook.url)], { timeoutMs: 60_000 });
    world.alerts.judge([bad('slow')]);
    await eventually('being told', () => hook.received.length === 1);
    world.configure([]);
    const [dead] = world.alerts.deadLetters();
    assert.equal(dead?.error, 'its receiver is not configured any more');
    assert.throws(() => world.alerts.retry(dead?.id ?? ''), { code: 'DROVER_RECEIVER_UNKNOWN' });
    assert.equal(world.alerts.deadLetters().length, 1);
    hook.answer = status(200);
    world.configure([webhook(hook.url)]);
    world.alerts.retry(dead?.id ?? '');
    await eventually('told', () => hook.received.length >= 2 && world.alerts.document().receivers[0]?.waiting === 0);
    assert.ok(hook.received.some(({ key }) => key === `"${dead?.id}"`));
  });
});

describe('the address of a webhook', () => {
  it('may have a name and a password, which no list shows', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    using world = openTestAlerts(folder.path, [webhook(hook.url.replace('//', '//ann:p%40ss@'))]);
    const [result] = await world.alerts.testFire(null);
    assert.equal(result?.isTaken, true);
    assert.equal(hook.received[0]?.headers.authorization, `Basic ${btoa('ann:p@ss')}`);
    assert.doesNotMatch(JSON.stringify([result, world.alerts.document()]), /p%?4?0?@?ss|ann/);
  });

  it('of an Alertmanager may have a path, below which its API is', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    using world = openTestAlerts(folder.path, [receiverOf({ kind: 'alertmanager', url: hook.url })]);
    assert.equal((await world.alerts.testFire(null))[0]?.isTaken, true);
    assert.equal(hook.received[0]?.path, '/hook/api/v2/alerts');
  });

  it('may be one with TLS, whose certificate is looked at', async () => {
    await using folder = await temporaryFolder();
    const pem = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'localhost.pem'), 'utf8');
    const server = createSecureServer({ key: pem, cert: pem }, (_, response) => void response.end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    using world = openTestAlerts(folder.path, [webhook(`https://localhost:${port}/`)], { ...QUICK, timeoutMs: 10_000 });
    const known = getCACertificates('default');
    try {
      const [refused] = await world.alerts.testFire(null);
      assert.match(refused?.said ?? '', /certificate/);
      setDefaultCACertificates([pem]);
      const [taken] = await world.alerts.testFire(null);
      assert.deepEqual([taken?.isTaken, taken?.said], [true, '200']);
    } finally {
      setDefaultCACertificates(known);
      server.close();
    }
  });

  it('comes with header fields that HTTP takes, or the message is given up with the reason', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    using world = openTestAlerts(folder.path, [webhook(hook.url, { headers: { 'x-team': 'web\r\nx-forged: 1' } })]);
    world.alerts.judge([bad('slow')]);
    await eventually('given up', () => world.alerts.deadLetters().length === 1);
    assert.match(world.alerts.deadLetters()[0]?.error ?? '', /Invalid character in header content/);
    assert.equal(hook.received.length, 0);
  });
});

describe('a silence', () => {
  it('keeps what it matches quiet until it ends; then what still fires is told', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    using world = openTestAlerts(folder.path, [webhook(hook.url)]);
    const silence = world.alerts.silence({
      matchers: ['app=shop', 'name=slow*'],
      startsAt: null,
      endsAt: new Date(Date.now() + 60_000).toISOString(),
      everyMs: null,
      comment: 'known',
      createdBy: 'ann',
    });
    world.alerts.judge([bad('slow-route'), bad('slow-route', { app: 'blog' })]);
    await eventually('the other one was told', () => hook.received.length === 1);
    assert.equal(hook.received[0]?.body.groupKey, '{}:{app="blog"}');
    const muted = world.alerts.document().alerts.find(({ app }) => app === 'shop');
    assert.deepEqual([muted?.status, muted?.mutedBy], ['firing', [silence.id]]);
    world.alerts.expireSilence(silence.id);
    await eventually('told', () => hook.received.length === 2);
    assert.equal(hook.received[1]?.body.groupKey, '{}:{app="shop"}');
  });

  it('that ends by itself lets go of it as well, and a maintenance window begins by itself', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    using world = openTestAlerts(folder.path, [webhook(hook.url)]);
    const from = Date.now();
    const window = (name: string, startMs: number, endMs: number) =>
      world.alerts.silence({
        matchers: [`name=${name}`],
        startsAt: new Date(from + startMs).toISOString(),
        endsAt: new Date(from + endMs).toISOString(),
        everyMs: null,
        comment: '',
        createdBy: null,
      });
    window('short', 0, 500);
    window('later', 300, 60_000);
    world.alerts.judge([bad('short')]);
    assert.equal(world.alerts.document().alerts[0]?.mutedBy.length, 1);
    await eventually('told at its end', () => hook.received.length === 1);
    assert.ok(Date.now() >= from + 500);
    world.alerts.judge([bad('later')]);
    assert.deepEqual(
      world.alerts
        .document()
        .alerts.map(({ name, mutedBy }) => `${name} ${mutedBy.length}`)
        .sort(),
      ['later 1', 'short 0'],
    );
  });
});

describe('a test alert', () => {
  it('goes to the receiver at once, past silences and what waits, and what came back is said', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver(status(202, {}, 'queued'));
    await using stalling = await openHttpReceiver(stall);
    using world = openTestAlerts(folder.path, [webhook(hook.url, { severities: ['page'] }), webhook(stalling.url)]);
    const results = await world.alerts.testFire(null);
    assert.deepEqual(
      results.map(({ isTaken, said }) => [isTaken, said]),
      [
        [true, '202 queued'],
        [false, 'did not answer within 400 ms'],
      ],
    );
    const [alert] = hook.received[0]?.body.alerts ?? [];
    assert.deepEqual([alert?.labels['alertname'], alert?.labels['test']], ['drover-test', 'true']);
    assert.match(alert?.annotations['summary'] ?? '', /^This is a test/);
    assert.deepEqual([world.alerts.deadLetters(), world.alerts.document().alerts], [[], []]);
    const id = world.alerts.document().receivers[0]?.id ?? '';
    assert.equal((await world.alerts.testFire(id)).length, 1);
    await assert.rejects(world.alerts.testFire('webhook-none'), { code: 'DROVER_RECEIVER_UNKNOWN' });
  });
});
