/** `drover daemon upgrade`: the daemon becomes another version, or stays what it is, and the workers do not notice. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type {
  DaemonDocument,
  ErrorDocument,
  EventDocument,
  LogLineDocument,
  OperationListDocument,
} from '../../src/protocol/index.ts';
import type { CommandResult } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { uninstall } from '../support/next-version.ts';
import { isAlive, listChildren } from '../support/processes.ts';
import { ask, change, fixture, openPlace, pidsOf, read, readApp, service, startApp } from '../support/service.ts';
import { MIGRATIONS } from '../../src/store/index.ts';
import { daemonEvents, MIGRATION, openServed, schemaOf, upgradeOf, versionOf } from './upgrade-support.ts';

const errorOf = ({ stdout }: CommandResult): ErrorDocument['error'] => (JSON.parse(stdout) as ErrorDocument).error;
const UPGRADE = ['daemon', 'upgrade', '--json'];

describe('an upgrade in place', () => {
  it('to a version with another schema keeps pid, workers and requests', async () => {
    await using served = await openServed();
    const { drover } = served;
    const next = served.make('0.2.0', { migration: MIGRATION });
    const { code, stdout, stderr } = await next.run(drover, UPGRADE);
    assert.equal(code, 0, stderr);
    const status = JSON.parse(stdout) as DaemonDocument;
    assert.deepEqual([status.pid, status.version], [served.daemonPid, '0.2.0']);
    assert.deepEqual(upgradeOf(status), ['0.1.0', '0.2.0', 'completed']);
    assert.equal(schemaOf(drover), MIGRATIONS.length + 1);
    assert.equal(stderr, '', 'whoever upgrades is not told to upgrade');
    await served.assertUntouched();
    assert.equal((await daemonEvents(drover, 'daemon-upgraded')).length, 1);
    assert.equal((await daemonEvents(drover, 'daemon-recovered')).length, 0);
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed', 'commands work after');
    await served.endLoad();
  });

  it('leaves no dead children behind, and tells how an adopted worker ends', async () => {
    await using served = await openServed();
    const { drover } = served;
    await served.make('0.2.0').run(drover, UPGRADE);
    const isZombie = (pid: number): boolean => /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    await eventually('the old guard was collected', () => !listChildren(served.daemonPid).some(isZombie));
    const [pid = 0] = served.workers;
    process.kill(pid, 'SIGKILL');
    const exit = await eventually('its end is told', async () => {
      const events = await read<string>(drover, '/v1/daemon').then(async () => daemonEvents(drover, 'worker-exited'));
      return events.at(-1);
    });
    assert.match(exit.reason ?? '', /SIGKILL/, 'its parent knows');
    await eventually('nobody is left unburied', () => !listChildren(served.daemonPid).some(isZombie));
  });

  it('goes on with a change that is under way, and who waits for it hears of its end', async () => {
    await using place = await openPlace();
    await using served = await openServed();
    const { drover, port } = place;
    const gate = join(drover.home, 'boot.gate');
    writeFileSync(gate, '');
    await startApp(drover, 'shop', service(port, { env: { BOOT_GATE: gate } }));
    rmSync(gate);
    const reloading = change(drover, ['reload', 'shop']);
    await eventually('the reload boots', async () => {
      const { operations } = await read<OperationListDocument>(drover, '/v1/operations?app=shop');
      return operations.some(({ kind, phase }) => kind === 'reload' && phase === 'booting');
    });
    const { code } = await served.make('0.2.0', { migration: MIGRATION }).run(drover, UPGRADE);
    assert.equal(code, 0);
    writeFileSync(gate, '');
    const { receipt } = await reloading;
    assert.equal(receipt.outcome, 'completed');
    assert.ok(receipt.steps.some(({ name }) => name === 'resumed'));
    assert.equal(pidsOf(await readApp(drover, 'shop')).length, 2);
  });

  it('cuts nobody off who follows logs and events, and every line comes once, also through rotation', async () => {
    await using place = await openPlace();
    await using served = await openServed();
    const { drover, port } = place;
    // Rotated every second or two.
    const logs = { maxSize: '64KB', keep: 100 };
    await startApp(drover, 'shop', { script: fixture('prints-steadily.cjs'), port, instances: 2, logs });
    const followed = { logs: '', events: '' };
    const followers = (['logs', 'events'] as const).map((what) => {
      const follower = drover.spawn([what, '-f', '--json', '--lines', '5']);
      follower.stdout?.on('data', (chunk: Buffer) => (followed[what] += chunk.toString()));
      return follower;
    });
    try {
      const lines = <Document>(what: 'logs' | 'events'): Document[] =>
        followed[what]
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Document);
      await eventually('both follow', () => lines('logs').length > 50 && lines('events').length > 2);
      assert.equal((await served.make('0.2.0').run(drover, UPGRADE)).code, 0);
      const before = lines('logs').length;
      await eventually('lines go on', () => lines('logs').length > before + 200);
      await eventually('the upgrade is among the events', () =>
        lines<EventDocument>('events').some(({ type }) => type === 'daemon-upgraded'),
      );
      const seqs = lines<EventDocument>('events').map(({ seq }) => seq);
      assert.deepEqual(seqs, [...new Set(seqs)], 'no event twice');
      for (const pid of pidsOf(await readApp(drover, 'shop'))) {
        const numbers = lines<LogLineDocument>('logs')
          .map(({ line }) => new RegExp(`^line (\\d+) of ${pid} `).exec(line)?.[1])
          .flatMap((number) => (number === undefined ? [] : [Number(number)]));
        const [first = 0] = numbers;
        assert.deepEqual(
          numbers,
          numbers.map((_, index) => first + index),
          `each line of ${pid} once, in order`,
        );
      }
    } finally {
      for (const follower of followers) follower.kill();
    }
  });

  it('refuses no client meanwhile', async () => {
    await using served = await openServed();
    const { drover } = served;
    const next = served.make('0.2.0');
    const over = new AbortController();
    let answered = 0;
    const asking = (async () => {
      while (!over.signal.aborted) {
        await read<DaemonDocument>(drover, '/v1/daemon');
        answered += 1;
      }
    })();
    assert.equal((await next.run(drover, UPGRADE)).code, 0);
    over.abort();
    await asking;
    assert.ok(answered > 10);
  });

  it('is called off by who wants the daemon to end', async () => {
    await using served = await openServed();
    const { drover } = served;
    // A client that stalls in the middle of its request holds the API for a second.
    const stalled = connect(join(drover.home, 'drover.sock'));
    stalled.write('POST /v1/plan HTTP/1.1\r\nhost: drover\r\ncontent-length: 10\r\n\r\n{');
    stalled.on('error', () => {});
    const upgrading = served.make('0.2.0', { migration: MIGRATION }).run(drover, UPGRADE);
    await eventually('it is about to become the other', () =>
      readFileSync(join(drover.home, 'daemon.log'), 'utf8').includes('becomes 0.2.0'),
    );
    process.kill(served.daemonPid, 'SIGTERM');
    await eventually('it has ended', () => !isAlive(served.daemonPid), { withinMs: 30_000 });
    stalled.destroy();
    assert.deepEqual(served.workers.filter(isAlive), [], 'with its workers, as ever');
    assert.equal(existsSync(join(drover.home, 'versions/upgrade.json')), false);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    assert.equal(await versionOf(drover), '0.1.0');
    const { code, stdout } = await upgrading;
    assert.equal(code, 1);
    assert.match(stdout, /DROVER_ABORTED/);
  });

  it('is not made where the daemon runs that version already', async () => {
    await using served = await openServed();
    const { drover } = served;
    const { code, stdout } = await drover.run(['daemon', 'upgrade']);
    assert.equal(code, 0);
    assert.match(stdout, /runs 0\.1\.0 already/);
    assert.equal((await drover.daemon()).pid, served.daemonPid);
  });

  it('is made twice, and only the last two versions stay', async () => {
    await using served = await openServed();
    const { drover } = served;
    for (const version of ['0.2.0', '0.3.0']) {
      const next = served.make(version);
      assert.equal((await next.run(drover, UPGRADE)).code, 0);
      uninstall(next);
    }
    await served.assertUntouched();
    await drover.killDaemon();
    assert.equal(await versionOf(drover), '0.3.0', 'what is installed is not needed any more');
    await served.assertUntouched();
    await served.endLoad();
  });
});

describe('an upgrade that is refused', () => {
  it('because the new version fails its self-test changes nothing', async () => {
    await using served = await openServed();
    const { drover } = served;
    const before = await drover.daemon();
    for (const [version, changes, problem] of [
      ['0.2.0', { atSelfTest: "throw new Error('of no use');" }, /of no use/],
      ['0.3.0', { migration: 'ALTER TABLE nowhere ADD COLUMN synthetic TEXT' }, /nowhere/],
    ] as const) {
      const result = await served.make(version, changes).run(drover, UPGRADE);
      const { code, message } = errorOf(result);
      assert.deepEqual([result.code, code], [1, 'DROVER_UPGRADE_REFUSED']);
      assert.match(message, problem);
    }
    const after = await drover.daemon();
    assert.deepEqual([after.pid, after.startedAt], [before.pid, before.startedAt]);
    await served.endLoad();
  });

  it('because it is a downgrade says so', async () => {
    await using served = await openServed();
    const { drover } = served;
    const result = await served.make('0.0.9').run(drover, UPGRADE);
    assert.deepEqual([result.code, errorOf(result).code], [1, 'DROVER_DOWNGRADE']);
    assert.match(errorOf(result).message, /0\.0\.9 is older than 0\.1\.0/);
    assert.equal((await drover.daemon()).pid, served.daemonPid);
  });
});

describe('a version that does not come up', () => {
  for (const [what, changes] of [
    ['throws at its start', { atBoot: "throw new Error('broken at boot');" }],
    [
      'throws after it has migrated the state',
      {
        migration: MIGRATION,
        atStep: { step: 'boot-recovered', code: "throw new Error('broken after its migration');" },
      },
    ],
    ['hangs at its start', { atBoot: 'setInterval(() => {}, 1e6); await new Promise(() => {});' }],
    [
      'hangs after it has migrated the state',
      { migration: MIGRATION, atStep: { step: 'boot-opened', code: 'await new Promise(() => {});' } },
    ],
  ] as const) {
    it(`because it ${what} is followed by the old one, workers untouched`, async () => {
      await using served = await openServed({ DROVER_BOOT_SECONDS: '3' });
      const { drover } = served;
      const result = await served.make('0.2.0', changes).run(drover, UPGRADE);
      assert.deepEqual([result.code, errorOf(result).code], [7, 'DROVER_UPGRADE_PUT_BACK'], result.stderr);
      const status = await drover.daemon();
      assert.equal(status.version, '0.1.0');
      assert.deepEqual(upgradeOf(status), ['0.1.0', '0.2.0', 'rolled-back']);
      await served.assertUntouched();
      assert.equal(schemaOf(drover), MIGRATIONS.length, 'the state is the old one’s again');
      assert.equal((await daemonEvents(drover, 'daemon-upgrade-failed')).length, 1);
      assert.equal((await daemonEvents(drover, 'state-restored')).length, 0);
      assert.equal((await daemonEvents(drover, 'daemon-upgrading')).length, 1, 'what happened before is not lost');
      // The way to a version that works stays open.
      const good = await served.make('0.3.0', { migration: MIGRATION }).run(drover, UPGRADE);
      assert.equal(good.code, 0, good.stdout);
      assert.equal(await versionOf(drover), '0.3.0');
      assert.equal((await daemonEvents(drover, 'state-restored')).length, 0);
      await served.assertUntouched();
      await served.endLoad();
      assert.equal((await ask(served.port)).status, 200);
    });
  }
});

describe('a command of another version than the daemon', () => {
  it('warns once, on stderr, and names the command', async () => {
    await using served = await openServed();
    const { drover } = served;
    const newer = await served.make('0.2.0').run(drover, ['show', 'shop', '--json']);
    assert.equal(newer.code, 0);
    assert.equal((JSON.parse(newer.stdout) as { name: string }).name, 'shop');
    assert.deepEqual(newer.stderr.match(/drover daemon upgrade/g)?.length, 1);
    assert.equal(newer.stderr.trim().split('\n').length, 1);
    const older = await served.make('0.0.9').run(drover, ['ls']);
    assert.match(older.stderr, /an older one/);
    assert.equal((await drover.run(['ls'])).stderr, '', 'the same version has nothing to say');
  });
});
