/** What becomes of alerts when the daemon goes and comes back: nothing is lost, and nothing is told as if it were new. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { seeded } from '../support/random.ts';
import { openSmallDisk, whyNoSmallDisk } from '../support/small-disk.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { bad, good, hangUp, openHttpReceiver, openTestAlerts, stall, status, webhook } from './support.ts';

const SUPPORT = join(import.meta.dirname, 'support.ts');
const ROUNDS = 25;

/** A daemon that finds something wrong again and again, and says so once it is on record. */
const judging = (folder: string, url: string, round: number): string => `
  import { writeSync } from 'node:fs';
  import { setTimeout } from 'node:timers/promises';
  import { bad, openTestAlerts, webhook } from ${JSON.stringify(SUPPORT)};
  const { alerts } = openTestAlerts(${JSON.stringify(folder)}, [webhook(${JSON.stringify(url)})], {
    retry: { firstMs: 5, mostMs: 20, attempts: 1_000 }, timeoutMs: 50, groupIntervalMs: 1,
  });
  writeSync(1, 'open\\n');
  for (let nth = 0; ; nth += 1) {
    const name = 'alert-${round}-' + nth;
    alerts.judge([bad(name, { app: 'app-' + (nth % 3) })]);
    writeSync(1, name + '\\n');
    await setTimeout(3);
  }`;

async function runAndKill(source: string, lines: number, afterMs: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', source],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) setTimeout(() => child.kill('SIGKILL'), afterMs);
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return said.slice(1);
}

describe('a daemon that is killed', () => {
  it(`while it tells alerts to a receiver that fails, ${ROUNDS} times, has lost none, and tells each with one key`, async () => {
    await using folder = await temporaryFolder();
    const random = seeded(5);
    await using hook = await openHttpReceiver((response, nth, request) => {
      const dice = random();
      (dice < 0.2 ? hangUp : dice < 0.3 ? stall : dice < 0.5 ? status(500) : status(200))(response, nth, request);
    });
    const judged: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1)
      judged.push(
        ...(await runAndKill(
          judging(folder.path, hook.url, round),
          2 + Math.floor(random() * 8),
          Math.floor(random() * 20),
        )),
      );
    hook.answer = status(200);
    using world = openTestAlerts(folder.path, [webhook(hook.url)]);
    await eventually('all is told', () => world.alerts.document().receivers[0]?.waiting === 0, { withinMs: 30_000 });
    assert.ok(judged.length > ROUNDS);
    const texts = Map.groupBy(hook.received, ({ key }) => key);
    const told = new Set(hook.received.flatMap(({ body }) => body.alerts.map(({ labels }) => labels['alertname'])));
    assert.deepEqual(
      judged.filter((name) => !told.has(name)),
      [],
      'some were never told',
    );
    for (const [key, all] of texts)
      assert.equal(new Set(all.map(({ text }) => text)).size, 1, `${key} was told differently`);
    assert.ok(hook.received.length > texts.size, 'no kill and no failure met a message');
    // Each message is about something new: one that was told before as news has no second key.
    const known = new Map<string, string>();
    for (const { key, body } of hook.received) {
      const names = body.alerts.map(({ labels }) => labels['alertname'] ?? '');
      const fresh = names.filter((name) => !known.has(name) || known.get(name) === key);
      assert.ok(fresh.length > 0, `${key} tells nothing new`);
      for (const name of fresh) known.set(name, key);
    }
    assert.deepEqual(world.alerts.deadLetters(), []);
  });
});

describe('a daemon that comes back', () => {
  it('tells nothing again that was told, and still tells its end', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver();
    {
      using world = openTestAlerts(folder.path, [webhook(hook.url)]);
      world.alerts.judge([bad('slow')]);
      await eventually('told', () => world.alerts.document().receivers[0]?.waiting === 0 && hook.received.length === 1);
    }
    using world = openTestAlerts(folder.path, [webhook(hook.url)]);
    assert.deepEqual(
      world.alerts.document().alerts.map(({ name, status: is }) => [name, is]),
      [['slow', 'firing']],
    );
    for (let round = 0; round < 5; round += 1) world.alerts.judge([bad('slow')]);
    // What is told meanwhile comes behind anything that it would tell again.
    world.alerts.judge([bad('other', { app: 'blog' })]);
    await eventually('the other one was told', () => hook.received.length === 2);
    assert.equal(hook.received[1]?.body.groupKey, '{}:{app="blog"}');
    world.alerts.judge([good('slow')]);
    await eventually('its end was told', () => hook.received.length === 3);
    assert.deepEqual([hook.received[2]?.body.status, hook.received[2]?.body.alerts.length], ['resolved', 1]);
    assert.deepEqual(
      world.events.map(({ type, app }) => `${type} ${app}`),
      ['alert-firing blog', 'alert-resolved shop'],
    );
  });

  it('still has what waits, what was given up, and silences', async () => {
    await using folder = await temporaryFolder();
    await using hook = await openHttpReceiver(status(400));
    await using later = await openHttpReceiver(status(500));
    const receivers = [webhook(hook.url), webhook(later.url)];
    let silence = '';
    {
      using world = openTestAlerts(folder.path, receivers, { retry: { firstMs: 30_000, mostMs: 30_000, attempts: 9 } });
      world.alerts.judge([bad('slow')]);
      await eventually('one failed and one was refused', () =>
        world.alerts.document().receivers.every(({ lastProblem }) => lastProblem !== null),
      );
      const endsAt = new Date(Date.now() + 60_000).toISOString();
      const asked = { matchers: ['app=blog'], startsAt: null, endsAt, everyMs: null, comment: '', createdBy: null };
      silence = world.alerts.silence(asked).id;
    }
    later.answer = status(200);
    using world = openTestAlerts(folder.path, receivers);
    assert.deepEqual(
      world.alerts.document().silences.map(({ id }) => id),
      [silence],
    );
    world.alerts.judge([bad('slow', { app: 'blog' })]);
    assert.deepEqual(world.alerts.document().alerts.find(({ app }) => app === 'blog')?.mutedBy, [silence]);
    assert.deepEqual(
      world.alerts.deadLetters().map(({ error }) => error),
      ['answered 400'],
    );
    await eventually('told', () => later.received.length === 2 && world.alerts.document().receivers[1]?.waiting === 0);
    assert.equal(later.received[0]?.key, later.received[1]?.key);
  });
});

describe('a full disk', () => {
  it(
    'keeps no alert from being told, forgets none that waits, and refuses only silences',
    { skip: whyNoSmallDisk() },
    async () => {
      using disk = openSmallDisk(4 * 1024 * 1024);
      const folder = join(disk.path, 'home');
      mkdirSync(folder);
      await using hook = await openHttpReceiver();
      await using deaf = await openHttpReceiver(status(500));
      const receivers = [webhook(hook.url), webhook(deaf.url)];
      {
        using world = openTestAlerts(folder, receivers, {
          retry: { firstMs: 30_000, mostMs: 30_000, attempts: 9 },
          groupIntervalMs: 1,
        });
        world.alerts.judge([bad('before')]);
        await eventually('told', () => world.alerts.document().receivers[0]?.waiting === 0);
        disk.fill();
        for (let nth = 0; nth < 20; nth += 1)
          world.alerts.judge([bad(`slow-${nth}`, { app: `app-${nth}`, description: 'x'.repeat(3_000) })]);
        await eventually('all are told', () => hook.received.length === 21);
        assert.notEqual(world.store.condition.trouble, null, 'the disk took it all');
        const endsAt = new Date(Date.now() + 60_000).toISOString();
        const asked = { matchers: ['app=blog'], startsAt: null, endsAt, everyMs: null, comment: '', createdBy: null };
        assert.throws(() => world.alerts.silence(asked), { code: 'DROVER_STATE_UNWRITABLE' });
        assert.deepEqual(world.alerts.document().silences, []);
        await eventually('nothing waits for the one', () => world.alerts.document().receivers[0]?.waiting === 0);
        assert.equal(world.alerts.document().receivers[1]?.waiting, 21);
        disk.free();
      }
      deaf.answer = status(200);
      using world = openTestAlerts(folder, receivers);
      await eventually('all are told to the other', () => world.alerts.document().receivers[1]?.waiting === 0, {
        withinMs: 40_000,
      });
      assert.equal(new Set(deaf.received.map(({ key }) => key)).size, 21);
      assert.equal(hook.received.length, 21);
    },
  );
});
