/** Somebody cleans up under a running daemon: its sockets, or its whole home. It is there, and stays within reach. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ask, fixture, openPlace, pidsOf, readApp, startApp, UNDECLARED } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

describe('a daemon whose home is removed', () => {
  it('answers again, is the same one, and carries out what is asked, with agents that come by its socket', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const port = await freePort();
    // Behind a wrapper the agent has no channel and comes by the daemon's socket.
    const command = ['sh', fixture('traps-and-forks.sh'), process.execPath, fixture('service.cjs')];
    // Its configuration lies in the home that is removed; what it needs itself does not.
    const settings = { command, cwd: import.meta.dirname, instances: 1, env: { PORT: String(port) }, ...UNDECLARED };
    await startApp(drover, 'shop', settings);
    const { pid } = await drover.daemon();
    const before = pidsOf(await readApp(drover, 'shop'));
    rmSync(drover.home, { recursive: true });
    await eventually('it answers again', async () => (await drover.daemon()).pid === pid);
    assert.equal((await ask(port)).status, 200);
    assert.equal((await drover.reload('shop')).outcome, 'completed');
    const after = pidsOf(await readApp(drover, 'shop'));
    assert.deepEqual([after.length, after.filter((each) => before.includes(each))], [1, []]);
    const { pid: next } = await drover.killDaemon();
    assert.notEqual(next, pid);
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), after, 'the next daemon knows them');
  });

  it('and that is killed before it could make them again is followed by another one all the same', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const port = await freePort();
    await startApp(drover, 'shop', { script: fixture('service.cjs'), cwd: import.meta.dirname, port, instances: 1 });
    const before = pidsOf(await readApp(drover, 'shop'));
    const { pid } = await drover.daemon();
    for (const name of readdirSync(drover.home)) rmSync(join(drover.home, name), { recursive: true, force: true });
    process.kill(pid ?? 0, 'SIGKILL');
    await eventually('another one answers', async () => {
      const daemon = await drover.daemon();
      return daemon.running && daemon.pid !== pid;
    });
    // Its state is gone with the home; the workers are not.
    process.kill(before[0] ?? 0, 0);
    assert.equal((await ask(port)).status, 200);
  });
});
