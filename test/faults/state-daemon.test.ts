/** A real daemon whose state is damaged, cannot be written, or is older than its workers: they go on all the same. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import type { DaemonDocument, EventDocument, OperationListDocument } from '../../src/protocol/index.ts';
import { createClient } from '../../src/client/index.ts';
import { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { noMounts, smallDisk } from '../support/file-systems.ts';
import {
  ask,
  change,
  fixture,
  openPlace,
  pidsOf,
  read,
  readApp,
  service,
  startApp,
  untilApp,
  readyWorkers,
} from '../support/service.ts';
import { freePort, temporaryFolder } from '../support/temporary.ts';

const backupsOf = ({ home }: Drover): readonly string[] => {
  try {
    return readdirSync(join(home, 'backups')).filter((name) => name.endsWith('.db'));
  } catch {
    return [];
  }
};

const eventsOf = async (drover: Drover, type: string): Promise<readonly EventDocument[]> => {
  const { stdout } = await drover.run(['events', '--json']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EventDocument)
    .filter((event) => event.type === type);
};

const FOLLOWED_FOR_MS = 30_000;

/** Follows the events, through the death of the daemon; what it returns waits for the first one of this type. */
const followTo = async ({ home }: Drover, type: string): Promise<() => Promise<EventDocument | undefined>> => {
  const client = createClient({ socketPath: join(home, 'drover.sock') });
  const signal = AbortSignal.timeout(FOLLOWED_FOR_MS);
  const events = client.events({ follow: true }, signal)[Symbol.asyncIterator]();
  await events.next();
  return async () => {
    for (;;) {
      const { value, done } = await events.next();
      if (done === true) return undefined;
      if (value.type !== type) continue;
      await events.return?.();
      return value;
    }
  };
};

const untilBackedUp = async (drover: Drover, what: RegExp): Promise<unknown> =>
  eventually('a backup was taken', () => backupsOf(drover).some((name) => what.test(name)), { withinMs: 20_000 });

/** While the daemon lives, and then kills it: the next one finds no state that it could use. */
async function destroyState(drover: Drover): Promise<DaemonDocument> {
  const { size } = { size: readFileSync(join(drover.home, 'state.db')).length };
  writeFileSync(join(drover.home, 'state.db'), Buffer.alloc(Math.max(size, 4096), 0x5a));
  truncateSync(join(drover.home, 'state.db-wal'), 0);
  return drover.killDaemon();
}

describe('a daemon whose state is damaged', () => {
  it('falls back to its backup, adopts every worker, also those that the backup does not know, and says so', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    await untilBackedUp(drover, /-a1\.db$/);
    // After the backup: other workers, and an app that it does not know at all.
    await drover.json(['restart', 'shop']);
    const latePort = await freePort();
    const lateFile = await startApp(drover, 'late', service(latePort, { instances: 1 }));
    const pids = pidsOf(await readApp(drover, 'shop'));
    const latePids = pidsOf(await readApp(drover, 'late'));
    assert.ok(backupsOf(drover).every((name) => !name.endsWith('-a2.db')));
    const untilRestored = await followTo(drover, 'state-restored');

    const { state } = await destroyState(drover);
    assert.match(state?.fallBack?.reason ?? '', /not a database|malformed/);
    assert.equal(state?.status, 'written');
    const aside = state?.fallBack?.setAside ?? '';
    assert.equal(readFileSync(aside)[0], 0x5a);
    await untilApp(drover, 'shop', 'is served by the same workers', (app) => readyWorkers(app).length === 2);
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), pids);
    assert.deepEqual(
      [pids.includes(Number((await ask(port)).body)), (await ask(latePort)).body],
      [true, String(latePids[0])],
    );

    const [restored] = await eventsOf(drover, 'state-restored');
    assert.match(restored?.reason ?? '', /is used instead/);
    assert.deepEqual(await untilRestored(), restored, 'who follows the events hears of it');
    assert.match(readFileSync(join(drover.home, 'daemon.log'), 'utf8'), /is used instead/);
    const [stray] = await eventsOf(drover, 'worker-stray');
    assert.equal(stray?.data['pid'], latePids[0]);

    // Started again, the app that was not known takes its worker over.
    await drover.start([lateFile]);
    assert.deepEqual(pidsOf(await readApp(drover, 'late')), latePids);
    assert.equal((await drover.reload('shop')).outcome, 'completed');
  });

  it('counts workers of which it has no record as ready as soon as they have told that they have long been', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const stableMs = 3000;
    await startApp(drover, 'shop', service(port, { ready: { stableFor: `${stableMs}ms` } }));
    await untilBackedUp(drover, /-a1\.db$/);
    await drover.json(['restart', 'shop']);
    await destroyState(drover);
    await untilApp(drover, 'shop', 'is served by the same workers', (app) => readyWorkers(app).length === 2);
    const times = async (type: string): Promise<readonly number[]> =>
      (await eventsOf(drover, type)).map(({ at }) => Date.parse(at)).slice(-2);
    const [adopted, ready] = [await times('worker-adopted'), await times('worker-ready')];
    assert.equal(adopted.length, 2);
    assert.ok(Math.max(...ready) - Math.min(...adopted) < stableMs - 500, JSON.stringify({ adopted, ready }));
  });

  it('shows it at the next command, once, and from then on in its status', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await untilBackedUp(drover, /-a1\.db$/);
    // Asked over the socket meanwhile: that is no command, and uses nothing up.
    const { size } = { size: 8192 };
    writeFileSync(join(drover.home, 'state.db'), Buffer.alloc(size));
    truncateSync(join(drover.home, 'state.db-wal'), 0);
    const { pid } = await drover.daemon();
    process.kill(pid ?? 0, 'SIGKILL');
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app).length === 1);
    const first = await drover.run(['ls']);
    assert.match(first.stderr, /^drover: the state's file was not good .* is used instead/m);
    assert.equal((await drover.run(['ls'])).stderr, '');
    assert.match((await drover.run(['daemon', 'status'])).stdout, /fell back +to the backup of/);
  });
});

describe('a daemon whose disk is full', { skip: noMounts }, () => {
  it('goes on supervising, refuses changes, keeps its workers over its own death, and recovers', async () => {
    await using disk = await smallDisk(6 * 1024 * 1024);
    await using drover = new Drover({ path: disk.path, [Symbol.asyncDispose]: async () => {} });
    const port = await freePort();
    await startApp(drover, 'shop', service(port));
    disk.fill();
    const crash = async (): Promise<void> => {
      const [victim = 0] = pidsOf(await readApp(drover, 'shop'));
      process.kill(victim, 'SIGKILL');
      await untilApp(drover, 'shop', 'has two workers again', (app) => {
        const ready = readyWorkers(app);
        return ready.length === 2 && ready.every((worker) => worker.pid !== victim);
      });
    };
    await eventually(
      'the disk is noticed to be full',
      async () => {
        await crash();
        return (await drover.daemon()).state?.status === 'unwritable';
      },
      { withinMs: 60_000 },
    );
    await crash();
    assert.equal((await ask(port)).status, 200);
    const refused = await drover.refusal(1, ['reload', 'shop']);
    assert.equal(refused.code, 'DROVER_STATE_UNWRITABLE');
    assert.match(refused.hint ?? '', /Make room/);
    assert.equal((await drover.refusal(1, ['stop', 'shop'])).code, 'DROVER_STATE_UNWRITABLE');
    const listed = await drover.run(['ls']);
    assert.equal(listed.code, 0);
    assert.match(listed.stderr, /the state cannot be written/);
    assert.equal((await eventsOf(drover, 'state-unwritable')).length, 1);

    // The records of these workers are in the daemon's memory only, and it dies.
    const pids = pidsOf(await readApp(drover, 'shop'));
    await drover.killDaemon();
    await untilApp(drover, 'shop', 'is served by the same workers', (app) => readyWorkers(app).length === 2);
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), pids);

    disk.empty();
    await eventually('the state is written', async () => (await drover.daemon()).state?.status === 'written', {
      withinMs: 20_000,
    });
    assert.equal((await drover.reload('shop')).outcome, 'completed');
  });
});

describe('an operation whose disk becomes full', { skip: noMounts }, () => {
  it('ends all the same, and once more by the next daemon, which does not know that it had', async () => {
    await using disk = await smallDisk(6 * 1024 * 1024);
    await using gates = await temporaryFolder();
    await using drover = new Drover({ path: disk.path, [Symbol.asyncDispose]: async () => {} });
    const gate = join(gates.path, 'boot.gate');
    writeFileSync(gate, '');
    const port = await freePort();
    await startApp(drover, 'shop', service(port, { instances: 1, env: { BOOT_GATE: gate } }));
    await startApp(drover, 'victim', service(await freePort(), { instances: 1 }));
    const [old] = pidsOf(await readApp(drover, 'shop'));
    rmSync(gate);
    const reloading = change(drover, ['reload', 'shop']);
    await untilApp(drover, 'shop', 'has a replacement', ({ workers }) => workers.some(({ pid }) => pid !== old));
    disk.fill();
    await eventually(
      'the disk is noticed to be full',
      async () => {
        const [victim = 0] = pidsOf(await readApp(drover, 'victim'));
        process.kill(victim, 'SIGKILL');
        await untilApp(drover, 'victim', 'is back', (app) => readyWorkers(app).some(({ pid }) => pid !== victim));
        return (await drover.daemon()).state?.status === 'unwritable';
      },
      { withinMs: 60_000 },
    );
    writeFileSync(gate, '');
    const { receipt } = await reloading;
    assert.equal(receipt.outcome, 'completed');
    const operations = async () =>
      (await read<OperationListDocument>(drover, '/v1/operations?app=shop')).operations.filter(
        ({ kind }) => kind === 'reload',
      );
    assert.deepEqual(
      (await operations()).map(({ id, status }) => [id, status]),
      [[receipt.operation, 'done']],
    );

    // What is on the disk has it running still.
    await drover.killDaemon();
    await eventually('it has ended again', async () => (await operations()).every(({ status }) => status === 'done'));
    const app = await untilApp(drover, 'shop', 'has one worker', (each) => readyWorkers(each).length === 1);
    assert.ok(pidsOf(app).every((pid) => pid !== old));
    assert.equal((await ask(port)).status, 200);
    disk.empty();
    await eventually('the state is written', async () => (await drover.daemon()).state?.status === 'written', {
      withinMs: 20_000,
    });
    assert.deepEqual(
      (await operations()).map(({ id, receipt: last }) => [id, last?.outcome]),
      [[receipt.operation, 'completed']],
    );
    // The end and what became of the app are on the disk together.
    assert.equal((await change(drover, ['delete', 'shop'])).receipt.outcome, 'completed');
  });
});

describe('a daemon that is killed while it ends its workers', () => {
  it('has not forgotten that they are wanted', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await startApp(drover, 'slow', { script: fixture('ignores-sigterm.cjs'), instances: 1, drain: { timeout: '5s' } });
    const { pid } = await drover.daemon();
    const stopping = drover.run(['daemon', 'stop']);
    await untilApp(drover, 'slow', 'is being stopped', ({ workers }) => workers[0]?.status !== 'ready');
    process.kill(pid ?? 0, 'SIGKILL');
    await stopping;
    await drover.run(['daemon', 'start']);
    await drover.untilReady('slow', 1);
    const { operations } = await read<OperationListDocument>(drover, '/v1/operations?app=slow');
    const [stop] = operations.filter(({ kind }) => kind === 'stop');
    assert.match(stop?.receipt?.reason ?? '', /killed while it ended its workers/);
    const lastedMs = Date.parse(stop?.endedAt ?? '') - Date.parse(stop?.startedAt ?? '');
    assert.ok(lastedMs > 0);
    assert.ok(Math.abs((stop?.receipt?.durationMs ?? 0) - lastedMs) < 100, 'it lasted from its start to its end');
  });
});

describe('a daemon that begins on a read-only file system', { skip: noMounts }, () => {
  it('starts what is wanted, refuses changes, and writes when it can', async () => {
    await using disk = await smallDisk(16 * 1024 * 1024);
    // What cannot lie in the home lies here.
    await using runtime = await temporaryFolder();
    process.env['XDG_RUNTIME_DIR'] = runtime.path;
    await using drover = new Drover({ path: disk.path, [Symbol.asyncDispose]: async () => {} });
    const port = await freePort();
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    assert.equal((await drover.run(['daemon', 'stop'])).code, 0);
    disk.remountReadOnly();
    const started = await drover.run(['daemon', 'start']);
    assert.equal(started.code, 0, started.stderr);
    await drover.untilReady('shop', 1);
    assert.equal((await ask(port)).status, 200);
    assert.equal((await drover.daemon()).state?.status, 'unwritable');
    assert.equal((await drover.refusal(1, ['stop', 'shop'])).code, 'DROVER_STATE_UNWRITABLE');
    // No lock can be taken there, so a second one asks whether the first answers.
    const second = spawnSync(process.execPath, [join(import.meta.dirname, '..', '..', 'dist', 'daemon', 'main.js')], {
      env: drover.environment(),
      encoding: 'utf8',
    });
    assert.equal(second.status, 1);
    assert.match(second.stderr, /already running/);
    const pids = await drover.pids('shop');
    await drover.killDaemon();
    await drover.untilReady('shop', 1);
    assert.deepEqual(await drover.pids('shop'), pids);
    disk.remountWritable();
    await eventually('the state is written', async () => (await drover.daemon()).state?.status === 'written', {
      withinMs: 20_000,
    });
    assert.equal((await drover.reload('shop')).outcome, 'completed');
  });
});
