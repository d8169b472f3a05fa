/** The daemon dies, ends, and comes back; the workers do not mind. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DaemonDocument } from '../../src/protocol/index.ts';
import { endTogether } from '../support/daemon-deaths.ts';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { isAlive, listProcesses, readEnvironment, readProgram } from '../support/processes.ts';
import {
  ask,
  askSocket,
  change,
  fixture,
  openPlace,
  PATIENT,
  pidsOf,
  readApp,
  readEvents,
  readyWorkers,
  refusalAt,
  service,
  startApp,
  UNDECLARED,
  untilAnswering,
  untilApp,
  writeConfig,
} from '../support/service.ts';

describe('a daemon that is killed', () => {
  it('comes back by itself, adopts the same workers, and nothing is lost', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 3, ...PATIENT }));
    const before = pidsOf(await readApp(drover, 'shop'));
    const loads = await Promise.all([
      startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] }),
      startLoad({ mode: 'kept', port, connections: 5, pauseMs: [5, 20] }),
    ]);
    await Promise.all(loads.map(async (load) => load.untilAnswered(50)));
    await drover.killDaemon();
    const app = await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
    assert.deepEqual(pidsOf(app), before);
    assert.equal((await readEvents(drover, 'shop', 'worker-adopted')).length, 3);
    const reload = await change(drover, ['reload', 'shop']);
    const scale = await change(drover, ['scale', 'shop', '2']);
    assert.deepEqual(
      [reload.receipt.outcome, scale.receipt.outcome],
      ['completed', 'completed'],
      'commands work after',
    );
    assert.equal(reload.receipt.requests.lost, 0);
    await Promise.all(loads.map(async (load) => load.untilAnswered(50)));
    const reports = await Promise.all(loads.map(async (load) => load.stop()));
    assert.deepEqual(
      reports.map(({ lostByReason }) => lostByReason),
      [{}, {}],
    );
  });

  it('twice comes back twice, with the same workers', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const before = pidsOf(await readApp(drover, 'shop'));
    for (let kill = 0; kill < 2; kill++) {
      await drover.killDaemon();
      const app = await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
      assert.deepEqual(pidsOf(app), before);
    }
    await untilAnswering(port, 2);
  });

  it('replaces a worker that died while it was away, and kills it with its tree when asked to stop', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const [first = 0, second = 0] = pidsOf(await readApp(drover, 'shop'));
    const { pid, guardPid } = await drover.daemon();
    // The guard is stopped, so that the worker's death surely falls into the daemon's absence.
    process.kill(guardPid ?? 0, 'SIGSTOP');
    process.kill(pid ?? 0, 'SIGKILL');
    process.kill(first, 'SIGKILL');
    // Nobody can cover the dead worker's socket now; what comes in waits in its queue.
    const asked = Promise.all([ask(port), ask(port)]);
    process.kill(guardPid ?? 0, 'SIGCONT');
    assert.deepEqual(
      (await asked).map(({ status }) => status),
      [200, 200],
    );
    await untilApp(
      drover,
      'shop',
      'has two workers',
      (app) => readyWorkers(app).length === 2 && pidsOf(app).includes(second) && !pidsOf(app).includes(first),
    );
    const pids = pidsOf(await readApp(drover, 'shop'));
    assert.equal((await change(drover, ['stop', 'shop'])).code, 0);
    assert.deepEqual(pids.filter(isAlive), [], 'adopted workers end like others');
    assert.equal(await refusalAt(port), 'ECONNREFUSED');
  });

  it('brings back a worker that dies after it was adopted, with its cause', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [pid = 0] = pidsOf(await readApp(drover, 'shop'));
    await drover.killDaemon();
    process.kill(pid, 'SIGKILL');
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app).some((each) => each.pid !== pid));
    const exits = await readEvents(drover, 'shop', 'worker-exited');
    // Only a new kernel tells anybody but the parent how a process ended.
    assert.match(exits[0]?.reason ?? '', /SIGKILL|unknown/);
  });

  it('replaces a worker that does not answer it, start before stop', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1, drain: { timeout: '1s' } }));
    const [frozen = 0] = pidsOf(await readApp(drover, 'shop'));
    process.kill(frozen, 'SIGSTOP');
    await drover.killDaemon();
    const app = await untilApp(
      drover,
      'shop',
      'is replaced',
      ({ workers }) => workers.length === 1 && workers[0]?.ready === true && workers[0].pid !== frozen,
      { withinMs: 40_000 },
    );
    assert.equal(Number((await ask(port)).body), pidsOf(app)[0]);
    assert.equal(isAlive(frozen), false);
    const [hung] = await readEvents(drover, 'shop', 'worker-hung');
    assert.match(hung?.reason ?? '', /did not answer/);
  });

  it('keeps a worker that was stopped by itself stopped, until it is started', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 2 }));
    assert.equal((await drover.run(['stop', 'shop/1'])).code, 0);
    await drover.killDaemon();
    await untilApp(drover, 'shop', 'has been taken over', ({ workers }) => workers.some(({ slot }) => slot === 0));
    assert.deepEqual(
      readyWorkers(await readApp(drover, 'shop')).map(({ slot }) => slot),
      [0],
    );
    assert.equal((await drover.run(['start', 'shop'])).code, 0);
    const after = await readApp(drover, 'shop');
    assert.equal(readyWorkers(after).length, 2, JSON.stringify(after.workers));
    await drover.killDaemon();
    await eventually('both are adopted', async () => readyWorkers(await readApp(drover, 'shop')).length === 2);
  });

  it('keeps what was stopped stopped', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await drover.run(['stop', 'shop']);
    await drover.killDaemon();
    assert.equal((await readApp(drover, 'shop')).status, 'stopped');
    assert.equal(await refusalAt(port), 'ECONNREFUSED');
  });
});

describe('`daemon stop`', () => {
  it('ends the other workers too where one of them is being stopped already, and leaves that one stopped', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 2 }));
    const before = await readApp(drover, 'shop');
    // Whichever answers, one of the two drains while the other has nothing to do.
    const slow = ask(port, '/slow/1500');
    await ask(port);
    assert.equal((await drover.run(['stop', 'shop/1', '--no-wait'])).code, 0);
    assert.equal((await drover.run(['daemon', 'stop'], { timeoutMs: 20_000 })).code, 0);
    assert.equal((await slow).status, 200);
    assert.deepEqual(pidsOf(before).filter(isAlive), []);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    const back = await eventually('the other one is back', async () => {
      const app = await readApp(drover, 'shop');
      return readyWorkers(app).length > 0 && app;
    });
    // Not even started.
    assert.deepEqual(
      back.workers.filter(({ pid }) => pid !== null).map(({ slot }) => slot),
      [0],
    );
  });

  it('ends everything where a reload is being broken off by a stop', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 2, ...PATIENT }));
    const before = pidsOf(await readApp(drover, 'shop'));
    // The reload waits for this one; so does who breaks it off.
    const slow = ask(port, '/slow/1500');
    await ask(port);
    assert.equal((await drover.run(['reload', 'shop', '--no-wait'])).code, 0);
    await eventually('a worker drains', async () => (await readEvents(drover, 'shop', 'worker-draining')).length > 0);
    const [stop, end] = await Promise.all([
      drover.run(['stop', 'shop']),
      drover.run(['daemon', 'stop'], { timeoutMs: 20_000 }),
    ]);
    assert.equal(end.code, 0, end.stderr);
    assert.equal((await slow).status, 200);
    assert.deepEqual(before.filter(isAlive), []);
    assert.equal(stop.code === 0 || stop.code === 4, true, stop.stderr);
    const log = readFileSync(join(drover.home, 'daemon.log'), 'utf8');
    assert.doesNotMatch(log, /defect/);
  });

  it('ends the workers politely; the next start brings the apps back', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const before = pidsOf(await readApp(drover, 'shop'));
    const slow = ask(port, '/slow/500');
    await ask(port);
    assert.equal((await drover.run(['daemon', 'stop'])).code, 0);
    assert.equal((await slow).status, 200);
    assert.deepEqual(before.filter(isAlive), []);
    assert.equal(existsSync(join(drover.home, 'drover.sock')), false);
    assert.equal((await drover.run(['ls'])).code, 4, 'queries do not start a daemon');
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
    await untilAnswering(port, 2);
  });

  it('waits for an app that is being stopped already, and ends with it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [pid = 0] = pidsOf(await readApp(drover, 'shop'));
    const slow = ask(port, '/slow/1500');
    await ask(port);
    assert.equal((await drover.run(['stop', 'shop', '--no-wait'])).code, 0);
    assert.equal((await drover.run(['daemon', 'stop'], { timeoutMs: 20_000 })).code, 0);
    assert.equal((await slow).status, 200);
    assert.equal(isAlive(pid), false);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    assert.equal((await readApp(drover, 'shop')).status, 'stopped', 'what was asked for before stays asked for');
  });

  it('with --keep-workers leaves them serving, and the next daemon adopts them', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(50);
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
    await load.untilAnswered(50);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    const app = await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
    assert.deepEqual(pidsOf(app), before);
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    await load.untilAnswered(50);
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
  });
});

describe('a daemon that was started by a Node with options of its own', () => {
  it('does not have them, nor do those that follow it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const preload = join(drover.home, 'preload.cjs');
    writeFileSync(preload, '');
    const file = writeConfig(drover, { shop: service(port, { instances: 1 }) }, 'shop');
    await drover.start([file], { env: { NODE_OPTIONS: `--require ${preload}` } });
    rmSync(preload);
    const { pid } = await drover.killDaemon();
    assert.doesNotMatch(readEnvironment(pid ?? 0), /NODE_OPTIONS/);
  });
});

describe('a daemon that is only coming back', () => {
  it('is stopped by `daemon stop`, which waits for it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const before = pidsOf(await readApp(drover, 'shop'));
    process.kill((await drover.daemon()).pid ?? 0, 'SIGKILL');
    const { code, stdout } = await drover.run(['daemon', 'stop']);
    assert.deepEqual([code, stdout], [0, 'Stopped.\n']);
    assert.deepEqual(before.filter(isAlive), []);
    assert.equal((await drover.run(['daemon', 'stop'])).stdout, 'It was not running.\n');
  });

  it('is ended by `daemon stop` with its workers also where its guard does nothing any more', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [worker = 0] = pidsOf(await readApp(drover, 'shop'));
    const { pid, guardPid } = await drover.daemon();
    process.kill(guardPid ?? 0, 'SIGSTOP');
    const { code, stdout } = await drover.run(['daemon', 'stop']);
    assert.deepEqual([code, stdout], [0, 'Stopped.\n']);
    assert.deepEqual(
      [pid, guardPid, worker].filter((each) => isAlive(each ?? 0)),
      [],
    );
  });

  it('is ended by `daemon stop` also where it cannot start, and is not brought back', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const [worker = 0] = pidsOf(await readApp(drover, 'shop'));
    const { pid } = await drover.daemon();
    process.kill(pid ?? 0, 'SIGSTOP');
    rmSync(join(drover.home, 'state.db'));
    rmSync(join(drover.home, 'backups'), { recursive: true, force: true });
    mkdirSync(join(drover.home, 'state.db'));
    process.kill(pid ?? 0, 'SIGKILL');
    const { code, stdout } = await drover.run(['daemon', 'stop'], { timeoutMs: 60_000 });
    assert.equal(code, 0);
    assert.match(stdout, /its log says why/);
    assert.deepEqual(shellsOf(drover.home), []);
    // Nobody could read what it belongs to.
    assert.equal(isAlive(worker), true);
    process.kill(worker, 'SIGKILL');
  });

  it('is ended by `daemon stop`, with its workers, also where it cannot serve', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const workers = pidsOf(await readApp(drover, 'shop'));
    const { pid } = await drover.daemon();
    process.kill(pid ?? 0, 'SIGSTOP');
    const socket = join(drover.home, 'drover.sock');
    rmSync(socket);
    mkdirSync(join(socket, 'full'), { recursive: true });
    process.kill(pid ?? 0, 'SIGKILL');
    const { code, stdout } = await drover.run(['daemon', 'stop'], { timeoutMs: 60_000 });
    assert.equal(code, 0);
    assert.match(stdout, /its log says why/);
    assert.deepEqual([shellsOf(drover.home), workers.filter(isAlive)], [[], []]);
  });
});

describe('a daemon that is killed before it has a guard of its own', () => {
  it('is followed by another one, with the same workers and their sockets', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, PATIENT));
    const before = pidsOf(await readApp(drover, 'shop'));
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(50);
    const { pid, guardPid } = await drover.daemon();
    process.kill(pid ?? 0, 'SIGKILL');
    // The guard becomes the next daemon; stopped at once, it can have no guard yet.
    const guard = guardPid ?? 0;
    await eventually('the guard becomes a daemon', () => readProgram(guard) !== 'sh', { everyMs: 1 });
    process.kill(guard, 'SIGKILL');
    const app = await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
    assert.deepEqual(pidsOf(app), before);
    await load.untilAnswered(50);
    const report = await load.stop();
    assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
    await eventually('nobody stands by any more', async () => {
      const { guardPid: own, pid: daemon } = await drover.daemon();
      return shellsOf(drover.home).every((shell) => shell === own) && daemon !== guard;
    });
  });
});

describe('a daemon that was frozen while workers started', () => {
  it('does not blame them for what it could not hear', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gate = join(drover.home, 'boot.gate');
    const settings = service(port, { instances: 2, env: { BOOT_GATE: gate }, ready: { timeout: '1500ms' } });
    const starting = drover.run(['start', writeConfig(drover, { shop: settings }, 'shop'), '--json']);
    await eventually('both are started', async () => (await pidsIn(drover)).length === 2);
    const { pid } = await drover.daemon();
    process.kill(pid ?? 0, 'SIGSTOP');
    writeFileSync(gate, '');
    await new Promise((resolve) => setTimeout(resolve, 3500));
    process.kill(pid ?? 0, 'SIGCONT');
    const { code, stdout } = await starting;
    assert.equal(code, 0, stdout);
    assert.deepEqual(await readEvents(drover, 'shop', 'worker-start-timeout'), []);
  });
});

const pidsIn = async (drover: Drover): Promise<number[]> => {
  try {
    return pidsOf(await readApp(drover, 'shop'));
  } catch {
    return []; // Neither daemon nor app is there yet.
  }
};

/** Guards of this home, and copies that stand by. */
const shellsOf = (home: string): number[] =>
  listProcesses().filter((pid) => readProgram(pid) === 'sh' && readEnvironment(pid).includes(home));

describe('`daemon stop --keep-workers` of an app on a Unix path', () => {
  it('leaves the path in its place, and the next daemon adopts it', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const path = join(drover.home, 'shop.sock');
    await startApp(drover, 'shop', { script: fixture('service.cjs'), env: { PORT: path }, ...UNDECLARED });
    const { body } = await askSocket(path);
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
    assert.equal((await askSocket(path)).body, body);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
    assert.deepEqual(
      (await readEvents(drover, 'shop', 'descriptors-regained')).map(({ reason }) => reason),
      ['1 socket and 1 channel from the workers themselves'],
    );
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    assert.notEqual((await askSocket(path)).body, body);
    await change(drover, ['stop', 'shop']);
    assert.equal(existsSync(path), false);
  });
});

describe('a daemon that finds no state that can be read', () => {
  it('says so, also where a stranger has the pid of one that was killed', async () => {
    await using place = await openPlace();
    const { drover } = place;
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    const { pid } = await drover.daemon();
    await endTogether(drover);
    const file = join(drover.home, 'daemon.pid');
    writeFileSync(file, readFileSync(file, 'utf8').replace(String(pid), String(process.pid)));
    for (const name of ['state.db-wal', 'backups']) rmSync(join(drover.home, name), { recursive: true, force: true });
    writeFileSync(join(drover.home, 'state.db'), 'no state at all '.repeat(1024));
    const { message } = await drover.refusal(4, ['daemon', 'start']);
    assert.match(message, /state in .* cannot be read/);
    assert.doesNotMatch(message, /already running/);
  });
});

describe('a second daemon on the same home', () => {
  it('is refused, and the first one is not disturbed', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    const { pid } = await drover.daemon();
    const entry = join(import.meta.dirname, '..', '..', 'src', 'daemon', 'main.ts');
    const second = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
      env: drover.environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    second.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [code] = (await once(second, 'close')) as [number];
    assert.equal(code, 1);
    assert.match(errors, new RegExp(`already running.*pid ${pid}`));
    assert.equal((await drover.json<DaemonDocument>(['daemon', 'status'])).pid, pid);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0, 'asking for one that runs is fine');
    assert.equal((await ask(port)).status, 200);
  });
});
