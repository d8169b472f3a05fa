/** Somebody cleans up under a running daemon: its sockets, or its whole home. It is there, and stays within reach. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ask, fixture, openPlace, pidsOf, readApp, readEvents, startApp, UNDECLARED } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

/**
 * Out of everybody's sight in one step; what is returned removes it. Emptied in its place it would be written into meanwhile:
 * the daemon looks each second whether something is missing, and its copy alone takes longer to remove on a busy machine.
 */
const moveAway = (home: string, path = home): (() => void) => {
  const aside = `${home}.gone`;
  renameSync(path, aside);
  return () => rmSync(aside, { recursive: true });
};

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
    moveAway(drover.home)();
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
    const remove = moveAway(drover.home);
    mkdirSync(drover.home, { mode: 0o700 });
    process.kill(pid ?? 0, 'SIGKILL');
    remove();
    await eventually(
      'another one answers',
      async () => {
        const daemon = await drover.daemon();
        return daemon.running && daemon.pid !== pid;
      },
      // From where it is installed, and with nothing compiled: 12 s beside fifteen others on two cores.
      { withinMs: 30_000 },
    );
    // Its state is gone with the home; the workers are not.
    process.kill(before[0] ?? 0, 0);
    assert.equal((await ask(port)).status, 200);
  });

  it('says which workers write where nobody can read, and what to do about it, as long as that is so', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const quiet = { script: fixture('never-listens.cjs'), cwd: import.meta.dirname, instances: 1 };
    await startApp(drover, 'shop', { script: fixture('service.cjs'), cwd: import.meta.dirname, port, instances: 2 });
    await startApp(drover, 'quiet', quiet);
    assert.doesNotMatch((await drover.run(['ls'])).stderr, /log files/);
    moveAway(drover.home, join(drover.home, 'logs', 'shop'))();
    const events = await eventually('each is told', async () => {
      const told = await readEvents(drover, 'shop', 'output-lost');
      return told.length === 2 && told;
    });
    assert.deepEqual(new Set(events.map(({ worker }) => worker)), new Set(['shop/0', 'shop/1']));
    assert.match(events[0]?.reason ?? '', /`drover reload shop`/);
    assert.match((await drover.run(['logs'])).stderr, /shop\/0, shop\/1 are gone.*`drover reload shop`/);
    assert.equal((await drover.reload('shop')).outcome, 'completed');
    await eventually('nothing is lost any more', async () => !/log files/.test((await drover.run(['ls'])).stderr));
    assert.equal((await readEvents(drover, 'shop', 'output-lost')).length, 2, 'told once each');
    assert.deepEqual(await readEvents(drover, 'quiet', 'output-lost'), []);
  });

  it('writes its log again, and so does the daemon that its guard brings back', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = join(drover.home, 'daemon.log');
    await startApp(drover, 'shop', { script: fixture('service.cjs'), cwd: import.meta.dirname, port, instances: 1 });
    moveAway(drover.home)();
    const contains = (text: string) => () => readFileSync(file, 'utf8').includes(text);
    await eventually('the notice is in it', contains(`${file} was gone and is there again`));
    await eventually('of the others too', contains('drover.sock was gone and is there again'));
    const { pid } = await drover.daemon();
    rmSync(file);
    await eventually('it is there again', () => existsSync(file));
    // Before or after its guard has the new file.
    process.kill(pid ?? 0, 'SIGKILL');
    const next = await eventually('another daemon answers', async () => {
      const daemon = await drover.daemon();
      return daemon.running && daemon.pid !== pid && daemon;
    });
    await eventually('it writes there', contains(`daemon ${next.pid} serves`));
    // Another file in its place is none of its own.
    rmSync(file);
    writeFileSync(file, '');
    await eventually('it moves on', contains('was gone and is there again'));
  });
});
