/** The daemon is killed in the middle of an upgrade, at each step that has a name, on one home and under one load. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { readApp, untilApp } from '../support/service.ts';
import { MIGRATION, openServed, versionOf } from './upgrade-support.ts';

/** In the order in which they come, and the version that goes on when the daemon dies there. */
const STEPS = [
  ['upgrade-tested', '0.1.0'],
  ['upgrade-noted', '0.1.0'],
  ['upgrade-api-held', '0.1.0'],
  ['upgrade-guarded', '0.1.0'],
  ['upgrade-closed', '0.1.0'],
  ['boot-began', '0.1.0'],
  ['boot-opened', '0.1.0'],
  ['boot-recovered', '0.1.0'],
  ['boot-served', '0.1.0'],
  ['boot-settled', '0.2.0'],
] as const;

describe('an upgrade whose daemon is killed', () => {
  it('at any step ends with a daemon that runs, with the same workers and no request lost', async () => {
    const folder = await import('../support/temporary.ts').then(async ({ temporaryFolder }) =>
      temporaryFolder('steps'),
    );
    await using steps = folder;
    const file = join(steps.path, 'die-at');
    await using served = await openServed({ DROVER_DIE_AT: file });
    const { drover } = served;
    const next = served.make('0.2.0', { migration: MIGRATION });
    for (const [step, version] of STEPS) {
      writeFileSync(file, step);
      const { pid } = await drover.daemon();
      const { code } = await next.run(drover, ['daemon', 'upgrade', '--json']);
      assert.ok(!existsSync(file), `it came to ${step}`);
      const status = await eventually(
        `a daemon is back after ${step}`,
        async () => {
          const now = await drover.daemon();
          return now.running && now;
        },
        { withinMs: 30_000 },
      );
      assert.equal(status.version, version, step);
      assert.notEqual(status.pid, pid, 'another process, which its guard started');
      assert.ok(version === '0.1.0' ? code !== 0 : true, `${step}: ${code}`);
      await eventually('the upgrade has ended', () => !existsSync(join(drover.home, 'versions/upgrade.json')));
      await served.assertUntouched();
    }
    assert.equal(await versionOf(drover), '0.2.0');
    await served.endLoad();
    assert.equal((await readApp(drover, 'shop')).status, 'online');
    await untilApp(drover, 'shop', 'has restarted nobody', ({ workers }) =>
      workers.every(({ restarts }) => restarts === 0),
    );
  });
});
