/** What a daemon finds when it comes back: pids that are others' by now, another boot, what ended meanwhile, old sockets. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readEnvironment, startTicks } from '../../src/os/index.ts';
import { BOOT_VARIABLE, SPAWN_VARIABLE, type AgentBoot } from '../../src/protocol/index.ts';
import { editState, endTogether, readState, startBystander } from '../support/daemon-deaths.ts';
import { COMMAND, type Drover } from '../support/drover.ts';
import { NOBODY, whyNoOtherUser } from '../support/other-user.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive } from '../support/processes.ts';
import { freePort } from '../support/temporary.ts';
import {
  ask,
  askSocket,
  openPlace,
  pidsOf,
  readApp,
  readEvents,
  readyWorkers,
  refusalAt,
  service,
  startApp,
  untilApp,
} from '../support/service.ts';

const startDaemon = async (drover: Drover): Promise<void> => {
  const { code, stderr } = await drover.run(['daemon', 'start']);
  assert.equal(code, 0, stderr);
};

describe('a record whose pid is another process’s by now', () => {
  for (const [what, hasItsStart] of [
    ['with another start time', false],
    ['with the same start time, and marked as another worker', true],
  ] as const) {
    it(`${what}: that one is left alone, and the worker is replaced`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      await startApp(drover, 'shop', service(port, { instances: 1 }));
      const [worker = 0] = pidsOf(await readApp(drover, 'shop'));
      await endTogether(drover, [worker]);
      await using bystander = await startBystander(hasItsStart ? { [SPAWN_VARIABLE]: 'another' } : {});
      const { pid } = bystander;
      assert.equal(editState(drover, 'UPDATE workers SET pid = :pid', { pid }), 1);
      if (hasItsStart) editState(drover, 'UPDATE workers SET start_ticks = :ticks', { ticks: startTicks(pid) });
      await startDaemon(drover);
      await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app).length === 1);
      assert.notEqual(Number((await ask(port)).body), pid);
      const exits = await readEvents(drover, 'shop', 'worker-exited');
      assert.match(exits[0]?.reason ?? '', /its pid belongs to another process now/);
      for (const args of [
        ['reload', 'shop'],
        ['stop', 'shop'],
        ['delete', 'shop'],
        ['daemon', 'stop'],
      ])
        assert.equal((await drover.run(args)).code, 0, args.join(' '));
      assert.deepEqual([isAlive(pid), bystander.signals], [true, []]);
    });
  }
});

describe('a copy of a home', () => {
  it('leaves the workers to the daemon of the other one, as long as that lives', async () => {
    await using place = await openPlace();
    await using copy = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 2 }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const copyState = (): void => {
      for (const name of readdirSync(copy.drover.home)) rmSync(join(copy.drover.home, name), { recursive: true });
      for (const name of ['state.db', 'state.db-wal'])
        cpSync(join(drover.home, name), join(copy.drover.home, name), { force: true });
    };
    copyState();
    await startDaemon(copy.drover);
    const exits = await eventually('the copy says whose they are', async () => {
      const events = await readEvents(copy.drover, 'shop', 'worker-exited');
      return events.length >= 2 && events;
    });
    assert.match(exits[0]?.reason ?? '', /the daemon of another home, of which this one is a copy/);
    assert.equal((await copy.drover.run(['daemon', 'stop'])).code, 0);
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before);
    assert.ok(before.includes(Number((await ask(port)).body)));
    // Once that one is gone, this may be its home, that was moved.
    await endTogether(drover);
    copyState();
    await startDaemon(copy.drover);
    assert.deepEqual(pidsOf(await readApp(copy.drover, 'shop')), before);
    assert.equal((await copy.drover.run(['daemon', 'stop'])).code, 0);
    assert.deepEqual(before.filter(isAlive), []);
  });
});

describe('a process that says it is a worker, and has no record', () => {
  const pretend = async (app: string, by: { readonly worker: string; readonly uid?: number }): Promise<void> => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [worker = 0] = pidsOf(await readApp(drover, 'shop'));
    const boot = JSON.parse(readEnvironment(worker)?.[BOOT_VARIABLE] ?? '') as AgentBoot;
    await endTogether(drover, [worker]);
    const told = { ...boot, worker: by.worker, spawn: 'made-up', generation: 50 };
    const env = { [BOOT_VARIABLE]: JSON.stringify(told), [SPAWN_VARIABLE]: 'made-up' };
    await using bystander = await startBystander(env, by.uid);
    await startDaemon(drover);
    const back = await untilApp(drover, app, 'is back', (each) => readyWorkers(each).length === 1);
    assert.notEqual(pidsOf(back)[0], bystander.pid);
    assert.equal(Number((await ask(port)).body), pidsOf(back)[0]);
    assert.deepEqual(await readEvents(drover, 'shop', 'worker-adopted'), []);
    assert.equal((await drover.run(['delete', 'shop'])).code, 0);
    assert.deepEqual([isAlive(bystander.pid), bystander.signals], [true, []]);
  };

  it('is not believed where another user runs it', { skip: whyNoOtherUser() }, async () => {
    await pretend('shop', { worker: 'shop/0', uid: NOBODY });
  });

  it('is not believed, nor keeps a daemon from coming up, where no worker would say that', async () => {
    await pretend('shop', { worker: 'shop/x' });
  });
});

/** Why another boot cannot be pretended here, for `skip`; false where it can. */
const whyNoOtherBoot = (): string | false => {
  const { status, stderr, error } = spawnSync('unshare', ['--mount', 'true'], { encoding: 'utf8' });
  return status === 0 ? false : `no namespace for mounts: ${error?.message ?? stderr.trim()}`;
};

/** Starts a daemon for which the machine was restarted. */
const startAfterReboot = async (drover: Drover): Promise<void> => {
  const bootId = join(drover.home, 'boot-id');
  writeFileSync(bootId, `${randomUUID()}\n`);
  const mounted = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
  const words = ['--mount', 'sh', '-c', mounted, bootId, process.execPath, COMMAND, 'daemon', 'start'];
  await promisify(execFile)('unshare', words, { env: drover.environment(), cwd: drover.home });
};

describe('after a restart of the machine', { skip: whyNoOtherBoot() }, () => {
  it('what is wanted starts, what was stopped does not, and nobody is taken for a worker', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const stoppedPort = await freePort();
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await startApp(drover, 'idle', service(stoppedPort, { instances: 1 }));
    assert.equal((await drover.run(['stop', 'idle'])).code, 0);
    const workers = pidsOf(await readApp(drover, 'shop'));
    await endTogether(drover, workers);
    // The same pid, start time and mark, as chance may have it: only the boot tells it from the worker.
    const spawn = String(readState(drover, 'SELECT spawn FROM workers'));
    await using bystander = await startBystander({ [SPAWN_VARIABLE]: spawn });
    const { pid } = bystander;
    const changed = editState(drover, 'UPDATE workers SET pid = :pid, start_ticks = :ticks', {
      pid,
      ticks: startTicks(pid),
    });
    assert.equal(changed, 1);
    await startAfterReboot(drover);
    await untilApp(drover, 'shop', 'is online', (app) => readyWorkers(app).length === 1);
    assert.notEqual(Number((await ask(port)).body), pid);
    assert.equal((await readApp(drover, 'idle')).status, 'stopped');
    assert.equal(await refusalAt(stoppedPort), 'ECONNREFUSED');
    const exits = await readEvents(drover, 'shop', 'worker-exited');
    assert.match(exits[0]?.reason ?? '', /the machine was restarted/);
    assert.equal((await drover.run(['stop', 'shop'])).code, 0);
    assert.deepEqual([isAlive(pid), bystander.signals], [true, []]);
  });
});

describe('a worker that died while no daemon looked', () => {
  it('is noted with its end and replaced; the others stay', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const [dead = 0, living = 0] = pidsOf(await readApp(drover, 'shop'));
    await endTogether(drover, [dead]);
    assert.equal(Number((await ask(port)).body), living, 'the other one serves');
    await startDaemon(drover);
    const app = await untilApp(drover, 'shop', 'has two workers', (each) => readyWorkers(each).length === 2);
    const pids = pidsOf(app);
    assert.deepEqual([pids.includes(living), pids.includes(dead)], [true, false]);
    const exits = await readEvents(drover, 'shop', 'worker-exited');
    assert.deepEqual(
      exits.map(({ reason, data }) => [reason, data['pid']]),
      [['it ended while the daemon was away', dead]],
    );
    assert.equal((await drover.run(['daemon', 'stop'])).code, 0);
    const left = readdirSync(join(drover.home, 'run')).filter((name) => name.endsWith('.sock'));
    assert.deepEqual(left, [], 'nothing of it is left');
  });
});

describe('the socket of a daemon that was killed', () => {
  it('is told from a daemon that answers, and taken over by the next one', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await endTogether(drover);
    const socket = join(drover.home, 'drover.sock');
    assert.ok(existsSync(socket), 'nobody was left to remove it');
    await assert.rejects(askSocket(socket), { code: 'ECONNREFUSED' });
    assert.equal((await drover.refusal(4, ['ls'])).code, 'DROVER_DAEMON_UNREACHABLE');
    // What starts a daemon where there is none is not misled by it either.
    const started = await drover.run(['start', 'shop']);
    assert.equal(started.code, 0, started.stderr);
    assert.equal((await drover.run(['ls'])).code, 0);
    assert.equal((await ask(port)).status, 200);
  });
});
