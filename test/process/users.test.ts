/** Who runs what: workers as another user under a daemon of root, and a daemon that is nobody special. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { lookupUser } from '../../src/os/index.ts';
import type { AppListDocument, DaemonDocument, ReceiptDocument } from '../../src/protocol/index.ts';
import type { CommandResult } from '../support/drover.ts';
import { homeFor, NOBODY, runAs, whyNoOtherUser } from '../support/other-user.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import {
  ask,
  change,
  fixture,
  openPlace,
  pidsOf,
  readApp,
  readyWorkers,
  service,
  startApp,
  untilAnswering,
  untilApp,
  writeConfig,
} from '../support/service.ts';

/** Of administrators, on many systems. */
const GROUPS = [4, 27];
const isRoot = process.getuid?.() === 0;
const skip = isRoot ? false : 'only root can become somebody else';

describe('user:', { skip }, () => {
  it('runs the workers as that user; reload, crash and the daemon’s death change nothing about it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    // Not in the home, which nobody but its owner may enter.
    await startApp(drover, 'shop', service(port, { user: 'nobody', cwd: tmpdir() }));
    const userOf = async (): Promise<unknown> => JSON.parse((await ask(port, '/user')).body);
    const { uid } = (await userOf()) as { uid: number };
    assert.equal(uid, NOBODY);
    const load = await startLoad({ mode: 'new', port, connections: 4, pauseMs: [5, 20] });
    await load.untilAnswered(30);
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    const before = pidsOf(await readApp(drover, 'shop'));
    await drover.killDaemon();
    const app = await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
    assert.deepEqual(pidsOf(app), before);
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    await load.untilAnswered(30);
    const report = await load.stop();
    assert.deepEqual(report.lostByReason, {});
    const [victim = 0] = pidsOf(await readApp(drover, 'shop'));
    process.kill(victim, 'SIGKILL');
    await untilApp(drover, 'shop', 'is back', (one) => readyWorkers(one).length === 2 && !pidsOf(one).includes(victim));
    for (let round = 0; round < 4; round++) assert.equal(((await userOf()) as { uid: number }).uid, NOBODY);
  });

  it('does not give that user what a deleted app of the same name has printed', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const settings = { script: fixture('writes-lines.cjs'), port, instances: 1, env: { LINES: '2' } };
    await startApp(drover, 'shop', settings);
    await drover.delete('shop');
    await startApp(drover, 'shop', { ...settings, user: 'nobody', cwd: tmpdir() });
    const [worker = 0] = pidsOf(await readApp(drover, 'shop'));
    const read = (uid: number) => spawnSync('cat', [`/proc/${worker}/fd/1`], { uid, gid: uid, encoding: 'utf8' });
    assert.match(read(0).stdout, /line 0/);
    assert.match(read(NOBODY).stderr, /Permission denied/);
  });

  it('gives the workers the environment of that user, unless the file says otherwise', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const settings = { user: 'nobody', cwd: tmpdir(), instances: 1, inheritEnv: true, env: { LOGNAME: 'mine' } };
    await startApp(drover, 'shop', service(port, settings), {
      env: { HOME: drover.home, USER: 'root', LOGNAME: 'root', SHELL: '/bin/false' },
    });
    const { home, shell } = lookupUser('nobody') ?? assert.fail('there is no nobody');
    const seen = await Promise.all(
      ['HOME', 'USER', 'SHELL', 'LOGNAME'].map(async (name) => (await ask(port, `/env/${name}`)).body),
    );
    assert.deepEqual(seen, [home, 'nobody', shell, 'mine']);
  });

  it('gives the workers the main group of that user, and none of those that the daemon is in', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const before = process.getgroups?.() ?? [];
    // What is started here has them too.
    process.setgroups?.([...before, ...GROUPS]);
    try {
      await startApp(drover, 'shop', service(port, { user: 'nobody', cwd: tmpdir(), instances: 1 }));
    } finally {
      process.setgroups?.(before);
    }
    const { pid } = await drover.daemon();
    const own = /^Groups:(.*)$/m
      .exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      ?.trim()
      .split(' ')
      .map(Number);
    for (const group of GROUPS) assert.ok(own?.includes(group), 'the daemon is in them');
    const { gid } = lookupUser('nobody') ?? assert.fail('there is no nobody');
    assert.deepEqual(JSON.parse((await ask(port, '/user')).body), { uid: NOBODY, gid, groups: [gid] });
  });

  it('that is not there is exit 2 and names it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, { shop: service(port, { user: 'nobody-of-that-name' }) });
    const error = await drover.refusal(2, ['start', file]);
    assert.match(error.message, /nobody-of-that-name/);
    assert.deepEqual(await drover.list().catch(() => []), []);
  });

  it('that is another one in the file now is the one of the next workers', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { cwd: tmpdir() }));
    const file = writeConfig(drover, { shop: service(port, { user: 'nobody', cwd: tmpdir() }) }, 'shop');
    assert.equal((await change(drover, ['apply', file])).receipt.outcome, 'completed');
    await untilAnswering(port, 2);
    for (let round = 0; round < 4; round++)
      assert.equal((JSON.parse((await ask(port, '/user')).body) as { uid: number }).uid, NOBODY);
  });
});

describe('a user that is gone', () => {
  it('keeps the workers of that app from starting, and nothing else', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    await startApp(drover, 'other', { script: fixture('hello.cjs'), env: { PORT: '0' } });
    await drover.run(['daemon', 'stop']);
    const database = new DatabaseSync(join(drover.home, 'state.db'));
    // Without its digest, as a row from before there were any: else the change would be taken for damage.
    database.exec(
      `UPDATE apps SET config_json = json_set(config_json, '$.user', 'gone'), digest = NULL WHERE name = 'shop'`,
    );
    database.close();
    const { code, stderr } = await drover.run(['daemon', 'start']);
    assert.equal(code, 0, stderr);
    await untilApp(drover, 'other', 'is online', ({ status }) => status === 'online');
    const shop = await untilApp(
      drover,
      'shop',
      'has failed to start',
      ({ workers }) => workers[0]?.status === 'backoff',
    );
    assert.match(shop.workers[0]?.reason ?? '', /There is no user "gone"/);
  });
});

describe('a daemon without privileges', { skip: whyNoOtherUser() }, () => {
  it('serves, reloads and comes back, at the level that anybody has', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const home = homeFor(drover, NOBODY);
    const run = async (...args: string[]): Promise<CommandResult> => runAs(NOBODY, home, args);
    const json = async <Document>(...args: string[]): Promise<Document> => {
      const result = await run(...args, '--json');
      assert.equal(result.code, 0, result.stdout + result.stderr);
      return JSON.parse(result.stdout) as Document;
    };
    try {
      const file = writeConfig(drover, { shop: service(port, { instances: 3 }) });
      const started = await run('start', file);
      assert.equal(started.code, 0, started.stderr);
      const status = await json<DaemonDocument>('daemon', 'status');
      assert.equal(status.dispatch, 'classic');
      await untilAnswering(port, 3);
      const load = await startLoad({ mode: 'new', port, connections: 4, pauseMs: [5, 20] });
      await load.untilAnswered(30);
      const receipt = await json<ReceiptDocument>('reload', 'shop');
      assert.deepEqual({ outcome: receipt.outcome, lost: receipt.requests.lost }, { outcome: 'completed', lost: 0 });
      process.kill(status.pid ?? 0, 'SIGKILL');
      await eventually('another daemon has the workers', async () => {
        const { apps } = await json<AppListDocument>('ls');
        return apps[0]?.status === 'online' && (await json<DaemonDocument>('daemon', 'status')).pid !== status.pid;
      });
      await load.untilAnswered(30);
      const report = await load.stop();
      assert.deepEqual(report.lostByReason, {});
      assert.equal(JSON.parse((await ask(port, '/user')).body).uid, NOBODY);
    } finally {
      await run('daemon', 'stop');
    }
  });

  it('does not listen to other users', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    chmodSync(drover.home, 0o755);
    const { code, stderr } = await runAs(NOBODY, drover.home, ['ls']);
    assert.equal(code, 5, stderr);
    assert.equal((await ask(port)).status, 200);
  });
});
