/**
 * Apps that treat the path of their Unix socket as theirs alone: they unlink it before they listen, or on their way out.
 * All workers share the socket behind it, so what one of them removes is put back, and clients hardly notice.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ReceiptDocument } from '../../src/protocol/index.ts';
import { endTogether } from '../support/daemon-deaths.ts';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { homeFor, NOBODY, runAs, whyNoOtherUser } from '../support/other-user.ts';
import { startPathClients, type PathReport } from '../support/path-clients.ts';
import { temporaryFolder } from '../support/temporary.ts';
import {
  askSocket,
  change,
  fixture,
  openPlace,
  type Place,
  pidsOf,
  readApp,
  readEvents,
  readyWorkers,
  type Settings,
  startApp,
  UNDECLARED,
  untilApp,
  writeConfig,
} from '../support/service.ts';

/** A folder for the socket alone, and its path. */
const openFolder = (drover: Drover): { readonly folder: string; readonly path: string } => {
  const folder = join(drover.home, 'sockets');
  mkdirSync(folder);
  return { folder, path: join(folder, 'app.sock') };
};

const app = (path: string, when: string, env: Readonly<Record<string, string>> = {}): Settings => ({
  script: fixture('unlinks-its-path.cjs'),
  env: { PORT: path, WHEN: when, ...env },
  instances: 2,
  ...UNDECLARED,
});

const untilBothAnswer = async (path: string): Promise<ReadonlySet<string>> => {
  const pids = new Set<string>();
  await eventually('both workers answer', async () => pids.add((await askSocket(path)).body).size === 2);
  return pids;
};

/** The path was away only while somebody had just removed it: nobody was refused, or failed twice over a long time. */
const assertHardlyNoticed = (t: TestContext, report: PathReport): void => {
  const { answered, failures, longestGapMs } = report;
  t.diagnostic(`${answered} answered, failed: ${JSON.stringify(failures)}, longest gap ${longestGapMs.toFixed(1)} ms`);
  const { ENOENT: _, ...others } = failures;
  assert.deepEqual(others, {}, 'nobody was refused or cut');
  assert.ok(longestGapMs < 2000, `a client was away for ${longestGapMs} ms`);
};

/** A change that must come about. */
const complete = async (drover: Drover, args: readonly string[]): Promise<ReceiptDocument> => {
  const { receipt } = await change(drover, args);
  assert.equal(receipt.outcome, 'completed', receipt.reason ?? '');
  return receipt;
};

const isTwoReady = (place: Place): Promise<unknown> =>
  untilApp(place.drover, 'shop', 'has two workers', (each) => readyWorkers(each).length === 2);

describe('an app that unlinks its path', () => {
  for (const when of ['first', 'last', 'first,last']) {
    it(`(${when}) is reloaded, loses workers and is scaled under clients that hardly notice`, async (t) => {
      await using place = await openPlace();
      const { drover } = place;
      const { folder, path } = openFolder(drover);
      await startApp(drover, 'shop', app(path, when));
      const before = await untilBothAnswer(path);
      const inode = lstatSync(path).ino;
      chmodSync(path, 0o606);
      await using clients = startPathClients(path);
      await clients.untilAnswered(50);
      assert.equal((await complete(drover, ['reload', 'shop'])).requests.lost, 0);
      await clients.untilAnswered(50);
      await complete(drover, ['scale', 'shop', '3']);
      await complete(drover, ['scale', 'shop', '2']);
      await clients.untilAnswered(50);
      assertHardlyNoticed(t, await clients.stop());
      const after = await untilBothAnswer(path);
      assert.ok([...after].every((pid) => !before.has(pid)));
      assert.deepEqual([lstatSync(path).ino, lstatSync(path).mode & 0o777], [inode, 0o606]);
      // One that is killed removes nothing, and the one that takes its place removes what the others serve on.
      process.kill(Number([...after][0]), 'SIGKILL');
      await untilApp(drover, 'shop', 'has replaced it', (each) => {
        const pids = readyWorkers(each).map(({ pid }) => String(pid));
        return pids.length === 2 && pids.every((pid) => pid !== [...after][0]);
      });
      await untilBothAnswer(path);
      assert.deepEqual(await readEvents(drover, 'shop', 'port-taken'), []);
      assert.deepEqual(await readEvents(drover, 'shop', 'port-vanished'), []);
      await complete(drover, ['stop', 'shop']);
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  it('finds it there when it listens, also while the daemon is frozen', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const { path } = openFolder(drover);
    const gate = join(drover.home, 'gate');
    writeFileSync(gate, '');
    await startApp(drover, 'shop', { ...app(path, 'first', { GATE: gate, MODE: '600' }), instances: 1 });
    const [old] = pidsOf(await readApp(drover, 'shop'));
    rmSync(gate);
    const reload = drover.json<ReceiptDocument>(['reload', 'shop']);
    const spawned = await untilApp(drover, 'shop', 'has started another worker', ({ workers }) =>
      workers.some(({ pid }) => pid !== null && pid !== old),
    );
    const young = spawned.workers.find(({ pid }) => pid !== null && pid !== old)?.pid ?? 0;
    const inode = lstatSync(path).ino;
    const { pid: daemon } = await drover.daemon();
    assert.ok(daemon !== null);
    process.kill(daemon, 'SIGSTOP');
    try {
      // It is unlinked and put back within one tick: only the file's change time tells of it.
      const changed = lstatSync(path, { bigint: true }).ctimeNs;
      writeFileSync(gate, '');
      await eventually('the new worker has listened', () => lstatSync(path, { bigint: true }).ctimeNs > changed);
      assert.equal(lstatSync(path).ino, inode);
    } finally {
      process.kill(daemon, 'SIGCONT');
    }
    assert.equal((await reload).outcome, 'completed');
    assert.equal((await askSocket(path)).body, String(young));
  });

  it('with its whole folder is reached by the path again as soon as its next worker listens', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const { folder, path } = openFolder(drover);
    await startApp(drover, 'shop', { ...app(path, 'folder'), instances: 1 });
    const before = (await askSocket(path)).body;
    for (let round = 0; round < 2; round++) {
      await complete(drover, ['reload', 'shop']);
      assert.notEqual((await askSocket(path)).body, before);
    }
    await complete(drover, ['stop', 'shop']);
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('the path of an app', () => {
  it('that was removed while no daemon lived is put back by the next one, for the same workers', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const { folder, path } = openFolder(drover);
    await startApp(drover, 'shop', app(path, 'first,last'));
    const before = await untilBothAnswer(path);
    const inode = lstatSync(path).ino;
    // Nothing kept the socket but the workers, nor the second name but itself.
    await endTogether(drover);
    unlinkSync(path);
    await assert.rejects(askSocket(path), { code: 'ENOENT' });
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    assert.deepEqual(await untilBothAnswer(path), before);
    assert.equal(lstatSync(path).ino, inode);
    await isTwoReady(place);
    await complete(drover, ['reload', 'shop']);
    await untilBothAnswer(path);
    await complete(drover, ['delete', 'shop']);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('outlives a daemon that is killed in the middle of a reload by apps that remove it', async (t) => {
    await using place = await openPlace();
    const { drover } = place;
    const { folder, path } = openFolder(drover);
    await startApp(drover, 'shop', app(path, 'first,last'));
    const before = await untilBothAnswer(path);
    await using clients = startPathClients(path);
    await clients.untilAnswered(50);
    const reload = change(drover, ['reload', 'shop']);
    await untilApp(drover, 'shop', 'has a new worker', ({ workers }) =>
      workers.some(({ pid, ready }) => ready && pid !== null && !before.has(String(pid))),
    );
    await drover.killDaemon();
    assert.equal((await reload).receipt.outcome, 'completed');
    await clients.untilAnswered(50);
    const report = await clients.stop();
    t.diagnostic(`${report.answered} answered, failed: ${JSON.stringify(report.failures)}`);
    assert.deepEqual(
      Object.keys(report.failures).filter((code) => code !== 'ENOENT'),
      [],
    );
    const after = await untilBothAnswer(path);
    assert.ok([...after].every((pid) => !before.has(pid)));
    await complete(drover, ['stop', 'shop']);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('that another program has taken is left to it, which is told, and leads to the app again once it has gone', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const { folder, path } = openFolder(drover);
    await startApp(drover, 'shop', app(path, ''));
    const pids = await untilBothAnswer(path);
    // In one step: what is only free for a moment is put back before anybody else can have it.
    const other = createServer((_request, response) => response.end('other')).listen(join(folder, 'other.sock'));
    await once(other, 'listening');
    renameSync(join(folder, 'other.sock'), path);
    const taken = await eventually('it is told', async () => (await readEvents(drover, 'shop', 'port-taken'))[0]);
    assert.match(taken.reason ?? '', new RegExp(`^${path} was removed, and .* is there now`));
    await complete(drover, ['reload', 'shop']);
    assert.equal((await askSocket(path)).body, 'other');
    assert.equal((await readEvents(drover, 'shop', 'port-taken')).length, 1);
    other.close();
    unlinkSync(path);
    await eventually('it leads to the app again', async () => !pids.has((await askSocket(path)).body));
    const opened = await readEvents(drover, 'shop', 'port-opened');
    assert.equal(opened.at(-1)?.reason, `${path} leads to shop again`);
    await complete(drover, ['stop', 'shop']);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('goes with both its names when the daemon stops its workers, and stays when it does not', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const { folder, path } = openFolder(drover);
    await startApp(drover, 'shop', app(path, 'last'));
    const pids = await untilBothAnswer(path);
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
    assert.equal(readdirSync(folder).length, 2);
    assert.deepEqual(await untilBothAnswer(path), pids);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    await isTwoReady(place);
    unlinkSync(path);
    await eventually('it is there again', () => existsSync(path));
    assert.equal((await drover.run(['daemon', 'stop'])).code, 0);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('under drover run is put back as well, and goes with both names at the end', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const { folder, path } = openFolder(drover);
    const file = writeConfig(drover, { shop: app(path, 'first,last') });
    const foreground = drover.spawn(['run', file]);
    const ended = once(foreground, 'exit');
    try {
      const pids = await untilBothAnswer(path);
      process.kill(Number([...pids][0]), 'SIGTERM');
      await eventually('another worker answers', async () => !pids.has((await askSocket(path)).body));
    } finally {
      foreground.kill('SIGTERM');
      await ended;
    }
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('the path of an app with a user of its own', { skip: whyNoOtherUser() }, () => {
  it('keeps that user and its mode when one of its workers has removed it', async (t) => {
    await using place = await openPlace();
    const { drover } = place;
    // Not in the home, which nobody but its owner may enter.
    await using outside = await temporaryFolder();
    const folder = outside.path;
    const path = join(folder, 'app.sock');
    chownSync(folder, NOBODY, NOBODY);
    await startApp(drover, 'shop', { ...app(path, 'first,last'), user: 'nobody', cwd: folder });
    await untilBothAnswer(path);
    chmodSync(path, 0o660);
    const { ino, uid, mode } = lstatSync(path);
    assert.equal(uid, NOBODY);
    await using clients = startPathClients(path);
    await clients.untilAnswered(50);
    await complete(drover, ['reload', 'shop']);
    await clients.untilAnswered(50);
    assertHardlyNoticed(t, await clients.stop());
    const after = lstatSync(path);
    assert.deepEqual([after.ino, after.uid, after.mode], [ino, uid, mode]);
    await complete(drover, ['stop', 'shop']);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('under a daemon of that user is put back as well', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const home = homeFor(drover, NOBODY);
    const folder = join(home, 'sockets');
    const path = join(folder, 'app.sock');
    mkdirSync(folder);
    chownSync(folder, NOBODY, NOBODY);
    const run = async (...args: string[]): Promise<void> => {
      const result = await runAs(NOBODY, home, args);
      assert.equal(result.code, 0, result.stdout + result.stderr);
    };
    try {
      await run('start', writeConfig(drover, { shop: app(path, 'first,last') }));
      const before = await untilBothAnswer(path);
      await run('reload', 'shop');
      const after = await untilBothAnswer(path);
      assert.ok([...after].every((pid) => !before.has(pid)));
      await run('stop', 'shop');
      assert.deepEqual(readdirSync(folder), []);
    } finally {
      await run('daemon', 'stop');
    }
  });
});
