/** Upgrades under a service manager: it hears of them, keeps what is to be kept, and starts what is to be started. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { makeVersion } from '../support/next-version.ts';
import { ServiceManager } from '../support/service-manager.ts';
import { openPlace, PATIENT, pidsOf, readApp, service, startApp, untilApp } from '../support/service.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { MIGRATION, upgradeOf, versionOf } from './upgrade-support.ts';

const BEGIN = join(import.meta.dirname, '../../dist/daemon-bundle/begin.js');
const isOnline = ({ status }: { readonly status: string }): boolean => status === 'online';

interface Orphaned extends AsyncDisposable {
  /** For versions. */
  readonly folder: string;
  readonly drover: Drover;
  /** The pids of its workers. */
  readonly before: readonly number[];
}

/** An app runs, and its daemon has ended without it. */
async function openOrphaned(): Promise<Orphaned> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await temporaryFolder('versions'));
  const { drover, port } = stack.use(await openPlace());
  await startApp(drover, 'shop', service(port));
  const before = pidsOf(await readApp(drover, 'shop'));
  await drover.run(['daemon', 'stop', '--keep-workers']);
  const all = stack.move();
  return { folder, drover, before, [Symbol.asyncDispose]: async () => all.disposeAsync() };
}

describe('under a service manager', () => {
  it('the daemon goes on from its copy, is upgraded in place, and comes back as what it was', async () => {
    await using folder = await temporaryFolder('versions');
    await using place = await openPlace();
    // Less than a start takes would be too little; far less than a test.
    await using manager = new ServiceManager(place.drover, { main: BEGIN, watchdogMs: 10_000 });
    const { drover, port } = place;
    await manager.start();
    await startApp(drover, 'shop', service(port, PATIENT));
    const before = pidsOf(await readApp(drover, 'shop'));
    const pid = manager.mainPid;
    const started = await drover.daemon();
    assert.deepEqual([started.pid, started.program?.isCopy, started.unit], [pid, true, 'drover-test.service']);
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(30);

    const next = makeVersion(folder.path, '0.2.0', { migration: MIGRATION });
    const upgraded = await next.run(drover, ['daemon', 'upgrade']);
    assert.equal(upgraded.code, 0, upgraded.stderr);
    assert.equal(manager.mainPid, pid);
    const reloading = manager.told.findIndex(({ fields }) => fields['RELOADING'] === '1');
    assert.match(manager.told[reloading]?.fields['MONOTONIC_USEC'] ?? '', /^\d+$/);
    assert.ok(
      manager.told.slice(reloading).some((told) => told.fields['READY'] === '1' && told.pid === pid),
      'it is ready again',
    );
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before);

    await manager.kill();
    assert.equal(await versionOf(drover), '0.2.0', 'not the one that is installed');
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before);

    const broken = makeVersion(folder.path, '0.3.0', {
      migration: MIGRATION,
      atBoot: "throw new Error('broken at boot');",
    });
    const { code } = await broken.run(drover, ['daemon', 'upgrade']);
    assert.equal(code, 7);
    assert.deepEqual(upgradeOf(await drover.daemon()), ['0.2.0', '0.3.0', 'rolled-back']);
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before);
    await load.untilAnswered(30);
    assert.deepEqual((await load.stop()).lostByReason, {});
  });

  it('a later version that is installed is tried at a start, and not when the daemon comes back', async () => {
    await using orphaned = await openOrphaned();
    const { folder, drover, before } = orphaned;
    const next = makeVersion(folder, '0.2.0', { migration: MIGRATION });
    await using manager = new ServiceManager(drover, { main: join(next.root, 'dist/daemon-bundle/begin.js') });
    await manager.start();
    assert.equal(await versionOf(drover), '0.2.0');
    assert.deepEqual(upgradeOf(await drover.daemon()), ['0.1.0', '0.2.0', 'completed']);
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before);
  });

  it('a later version that boots is not put back by a command that starts one meanwhile', async () => {
    await using orphaned = await openOrphaned();
    const { folder, drover, before } = orphaned;
    const next = makeVersion(folder, '0.2.0', {
      migration: MIGRATION,
      atBoot: `{
        const { existsSync, writeFileSync } = process.getBuiltinModule('node:fs');
        writeFileSync(process.env.DROVER_HOME + '/boots', '');
        while (!existsSync(process.env.DROVER_HOME + '/go-on')) await new Promise((resolve) => setTimeout(resolve, 5));
      }`,
    });
    await using manager = new ServiceManager(drover, { main: join(next.root, 'dist/daemon-bundle/begin.js') });
    const starting = manager.start();
    await eventually('it boots', () => existsSync(join(drover.home, 'boots')));
    const command = next.spawn(drover, ['daemon', 'start']);
    let said = '';
    command.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(command, 'close');
    await eventually(
      'it waits, or is done',
      () => said.includes('is starting the daemon') || command.exitCode !== null,
    );
    writeFileSync(join(drover.home, 'go-on'), '');
    await starting;
    assert.deepEqual([(await ended)[0], await versionOf(drover)], [0, '0.2.0'], said);
    assert.deepEqual(upgradeOf(await drover.daemon()), ['0.1.0', '0.2.0', 'completed']);
    assert.equal((await drover.daemon()).pid, manager.mainPid);
    const [lock = ''] = readdirSync(join(drover.home, 'versions')).filter((name) => name.endsWith('.lock'));
    assert.match(readFileSync(join(drover.home, 'versions', lock), 'utf8'), /"holders":\[\]/, 'nobody starts it now');
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before);
  });

  it('one that does not come up at a start is followed by the one before', async () => {
    await using orphaned = await openOrphaned();
    const { folder, drover, before } = orphaned;
    const next = makeVersion(folder, '0.2.0', { atBoot: "throw new Error('broken at boot');" });
    await using manager = new ServiceManager(drover, { main: join(next.root, 'dist/daemon-bundle/begin.js') });
    manager.launch();
    const status = await eventually(
      'the one before serves',
      async () => {
        const now = await drover.daemon();
        return now.running && now;
      },
      { withinMs: 30_000 },
    );
    assert.deepEqual(upgradeOf(status), ['0.1.0', '0.2.0', 'rolled-back']);
    assert.deepEqual(pidsOf(await untilApp(drover, 'shop', 'is online', isOnline)), before);
  });
});
