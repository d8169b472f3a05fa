/** `daemon stop --keep-workers`, then a start with another version: the same guarantees as an upgrade in place. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DaemonDocument, ErrorDocument } from '../../src/protocol/index.ts';
import { MIGRATIONS } from '../../src/store/index.ts';
import type { NextVersion } from '../support/next-version.ts';
import { change } from '../support/service.ts';
import { daemonEvents, MIGRATION, openServed, schemaOf, upgradeOf, type Served, versionOf } from './upgrade-support.ts';

const startWith = async ({ drover }: Served, next: NextVersion) => {
  assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
  const result = await next.run(drover, ['daemon', 'start', '--json']);
  return { ...result, document: JSON.parse(result.stdout) as DaemonDocument & ErrorDocument };
};

describe('a start with another version, workers kept', () => {
  it('of a later one adopts the workers and migrates the state', async () => {
    await using served = await openServed();
    const { drover } = served;
    const { code, document, stderr } = await startWith(served, served.make('0.2.0', { migration: MIGRATION }));
    assert.deepEqual([code, document.version, stderr], [0, '0.2.0', '']);
    assert.deepEqual(upgradeOf(document), ['0.1.0', '0.2.0', 'completed']);
    assert.equal(schemaOf(drover), MIGRATIONS.length + 1);
    await served.assertUntouched();
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    await served.endLoad();
  });

  for (const [what, changes, told] of [
    ['fails its self-test', { atSelfTest: "throw new Error('of no use');" }, /self-test.*of no use/],
    ['throws at its start', { atBoot: "throw new Error('broken at boot');" }, /did not come up/],
    [
      'throws after it has migrated the state',
      { migration: MIGRATION, atStep: { step: 'boot-recovered', code: "throw new Error('broken after it');" } },
      /did not come up/,
    ],
    ['hangs at its start', { atBoot: 'setInterval(() => {}, 1e6); await new Promise(() => {});' }, /did not come up/],
  ] as const) {
    it(`of one that ${what} starts the one before, and says so`, async () => {
      await using served = await openServed();
      const { drover } = served;
      const next = served.make('0.2.0', changes);
      const { code, document, stderr } = await startWith(served, next);
      assert.deepEqual([code, document.version], [0, '0.1.0']);
      assert.match(stderr, told);
      await served.assertUntouched();
      assert.equal(schemaOf(drover), MIGRATIONS.length);
      if (!('atSelfTest' in changes)) {
        assert.deepEqual(upgradeOf(await drover.daemon()), ['0.1.0', '0.2.0', 'rolled-back']);
        assert.equal((await daemonEvents(drover, 'daemon-upgrade-failed')).length, 1);
        const again = await startWith(served, next);
        assert.equal(again.document.version, '0.1.0');
        assert.match(again.stderr, /did not come up when it was tried/, 'it is not tried again by itself');
        await served.assertUntouched();
      }
      await served.endLoad();
    });
  }

  it('of an older one is refused, and the workers go on', async () => {
    await using served = await openServed();
    const { drover } = served;
    const { code, document } = await startWith(served, served.make('0.0.9'));
    assert.deepEqual([code, document.error.code], [1, 'DROVER_DOWNGRADE']);
    assert.equal((await drover.run(['daemon', 'status', '--json'])).code, 4);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    assert.equal(await versionOf(drover), '0.1.0');
    await served.assertUntouched();
    await served.endLoad();
  });

  it('of an older one that no record forbids is refused by the state, which the later one has changed', async () => {
    await using served = await openServed();
    const { drover } = served;
    const next = served.make('0.2.0', { migration: MIGRATION });
    assert.equal((await startWith(served, next)).document.version, '0.2.0');
    await drover.run(['daemon', 'stop', '--keep-workers']);
    rmSync(join(drover.home, 'versions/current.json'));
    const refused = await drover.run(['daemon', 'start', '--json']);
    const { error } = JSON.parse(refused.stdout) as ErrorDocument;
    assert.deepEqual([refused.code, error.code], [4, 'DROVER_DAEMON_START']);
    assert.match(error.message, /was written by a newer Drover.*0\.2\.0 had it last/);
    assert.equal((await next.run(drover, ['daemon', 'start'])).code, 0);
    await served.assertUntouched();
    await served.endLoad();
  });
});
