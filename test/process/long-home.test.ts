/**
 * Homes whose path leaves no room for that of a socket: a daemon starts there like elsewhere, its sockets in the
 * runtime directory, and finds its workers again.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { DaemonDocument } from '../../src/protocol/index.ts';
import { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { ask, fixture, UNDECLARED, writeConfig } from '../support/service.ts';
import { freePort, temporaryFolder } from '../support/temporary.ts';

const runtime = await temporaryFolder('runtime');
process.env['XDG_RUNTIME_DIR'] = runtime.path;
after(async () => runtime[Symbol.asyncDispose]());

/** A Drover whose home has a path of so many bytes. */
const openLong = async (bytes: number): Promise<Drover> => {
  const folder = await temporaryFolder();
  const home = join(folder.path, 'h'.repeat(bytes - folder.path.length - 1));
  mkdirSync(home);
  return new Drover({ path: home, [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose]() });
};

const runtimeNames = (): readonly string[] => {
  const directory = join(runtime.path, 'drover');
  return existsSync(directory)
    ? readdirSync(directory).flatMap((name) => (name.endsWith('.run') ? readdirSync(join(directory, name)) : [name]))
    : [];
};

describe('a home of 150 bytes', () => {
  it('has a daemon that starts, dies and comes back, with workers that have a channel and such that come by its socket', async () => {
    const ports = [await freePort(), await freePort()];
    {
      await using drover = await openLong(150);
      const wrapped = { command: ['sh', '-c', `"$0" "$1"; exit $?`, process.execPath, fixture('service.cjs')] };
      const file = writeConfig(drover, {
        shop: { script: fixture('service.cjs'), port: ports[0], instances: 2 },
        wrapped: { ...wrapped, instances: 1, env: { PORT: String(ports[1]) }, ...UNDECLARED },
      });
      await drover.start([file]);
      const before = [...(await drover.pids('shop')), ...(await drover.pids('wrapped'))];
      assert.equal(before.length, 3);
      assert.ok(runtimeNames().includes('agents.sock'), 'where agents come to');

      await drover.killDaemon();
      await drover.untilReady('shop', 2);
      await drover.untilReady('wrapped', 1);
      assert.deepEqual([...(await drover.pids('shop')), ...(await drover.pids('wrapped'))], before, 'they stay');
      await eventually('its agent has come back', async () => {
        const [worker] = (await drover.app('wrapped')).workers;
        return worker?.heapUsedBytes !== null;
      });
      for (const name of ['shop', 'wrapped']) {
        const { outcome, requests } = await drover.reload(name);
        assert.deepEqual([outcome, requests.lost], ['completed', 0], name);
      }
      for (const port of ports) assert.equal((await ask(port)).status, 200);
      assert.equal((await drover.run(['daemon', 'stop'])).code, 0);
    }
    assert.deepEqual(runtimeNames(), [], 'nothing is left there');
    assert.deepEqual(
      readdirSync(join(runtime.path, 'drover')).filter((name) => name.endsWith('.run')),
      [],
    );
  });
});

describe('a home of 150 bytes whose daemon was started with a runtime directory of its session', () => {
  it('has one daemon for every caller, whatever runtime directory that one has', async () => {
    const port = await freePort();
    await using elsewhere = await temporaryFolder('elsewhere');
    await using session = await temporaryFolder('session');
    await using drover = await openLong(150);
    const started = { env: { XDG_RUNTIME_DIR: session.path } };
    // As cron and `sudo` have it, and as another session would.
    const others = [{ env: { XDG_RUNTIME_DIR: '' } }, { env: { XDG_RUNTIME_DIR: elsewhere.path } }];
    const file = writeConfig(drover, { shop: { script: fixture('service.cjs'), port, instances: 1 } });
    await drover.start([file], started);
    const { pid } = await drover.json<DaemonDocument>(['daemon', 'status'], started);
    for (const options of others) {
      const status = await drover.json<DaemonDocument>(['daemon', 'status'], options);
      assert.deepEqual([status.running, status.pid], [true, pid]);
      assert.equal((await drover.run(['daemon', 'start'], options)).code, 0);
      assert.equal((await drover.json<DaemonDocument>(['daemon', 'status'], options)).pid, pid, 'no second one');
    }
    assert.deepEqual(readdirSync(elsewhere.path), []);

    const [other = {}] = others.slice(1);
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'], other)).code, 0);
    assert.equal((await drover.run(['daemon', 'start'], other)).code, 0);
    assert.equal((await drover.pids('shop')).length, 1);
    assert.deepEqual(readdirSync(elsewhere.path), [], 'the next one goes on where agents were told to come');

    // The session is over, and systemd has removed its directory.
    assert.equal((await drover.run(['daemon', 'stop'], other)).code, 0);
    rmSync(join(session.path, 'drover'), { recursive: true, force: true });
    assert.equal((await drover.run(['daemon', 'start'], other)).code, 0);
    assert.deepEqual(readdirSync(elsewhere.path), ['drover']);
    assert.equal((await drover.json<DaemonDocument>(['daemon', 'status'], started)).running, true);
  });
});

describe('a home in which only the names of private sockets are too long', () => {
  it('keeps its agents where they were told to come, and has private sockets elsewhere', async () => {
    const port = await freePort();
    await using drover = await openLong(88);
    const file = writeConfig(drover, { shop: { script: fixture('service.cjs'), port, instances: 1 } });
    await drover.start([file]);
    assert.deepEqual(readdirSync(join(drover.home, 'run')), ['agents.sock']);
    assert.equal(runtimeNames().filter((name) => /^[0-9a-f]{16}\.sock$/.test(name)).length, 1);
  });
});
