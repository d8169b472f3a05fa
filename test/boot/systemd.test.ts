/** `drover startup` on a machine that a real systemd runs. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { AppListDocument, DaemonDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { ask, fixture, refusalAt } from '../support/service.ts';
import { SystemdMachine, whyNoMachine } from '../support/systemd-machine.ts';
import { freePort } from '../support/temporary.ts';

const UNIT = 'drover.service';
const skip = whyNoMachine() ?? false;

describe('on a machine that systemd runs', { skip }, () => {
  let machine: SystemdMachine;
  let port: number;
  before(async () => {
    machine = await SystemdMachine.boot();
    port = await freePort();
  });
  after(async () => machine[Symbol.asyncDispose]());

  const workers = async (): Promise<(number | null)[]> => {
    const { apps } = await machine.drover<AppListDocument>('ls');
    return apps.flatMap((app) => app.workers.map(({ pid }) => pid));
  };
  const untilOnline = async (): Promise<(number | null)[]> =>
    eventually(
      'the app is online',
      async () => {
        const { apps } = await machine.drover<AppListDocument>('ls');
        return apps[0]?.status === 'online' && apps[0].workers.map(({ pid }) => pid);
      },
      { withinMs: 40_000, everyMs: 200 },
    );

  it('`startup` writes and enables the unit, and systemd takes over a daemon with its workers', async () => {
    const { code, stderr } = await machine.run(
      [process.execPath, join(import.meta.dirname, '../../bin/drover'), 'start', fixture('service.cjs')].concat([
        '--name',
        'shop',
        '--instances',
        '3',
        '--port',
        String(port),
      ]),
    );
    assert.equal(code, 0, stderr);
    const before = await workers();
    assert.notEqual((await machine.drover<DaemonDocument>('daemon', 'status')).guardPid, null);
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(50);
    const told = await machine.drover<{ file: string; enabled: boolean; tookOver: boolean; pid: number }>('startup');
    assert.deepEqual([told.file, told.enabled, told.tookOver], ['/etc/systemd/system/drover.service', true, true]);
    assert.equal(await machine.property(UNIT, 'MainPID'), String(told.pid));
    assert.equal(await machine.get('systemctl', 'is-enabled', UNIT), 'enabled');
    const status = await machine.drover<DaemonDocument>('daemon', 'status');
    assert.deepEqual([status.unit, status.guardPid], [UNIT, null]);
    assert.deepEqual(await untilOnline(), before);
    await load.untilAnswered(50);
    assert.deepEqual((await load.stop()).lostByReason, {});
    const again = await machine.drover<{ pid: number; tookOver: boolean }>('startup');
    assert.deepEqual([again.pid, again.tookOver], [told.pid, false], 'a second time changes nothing');
  });

  it('kill -9 of the daemon under load loses nothing, and systemd’s store is full again', async () => {
    const before = await untilOnline();
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    for (let kill = 1; kill <= 3; kill++) {
      await load.untilAnswered(50);
      await machine.get('systemctl', 'kill', '--kill-whom=main', '--signal=KILL', UNIT);
      await eventually('systemd has started another', async () => {
        const [state, restarts] = [
          await machine.property(UNIT, 'ActiveState'),
          await machine.property(UNIT, 'NRestarts'),
        ];
        return state === 'active' && restarts === String(kill);
      });
      assert.deepEqual(await untilOnline(), before);
    }
    await load.untilAnswered(50);
    assert.deepEqual((await load.stop()).lostByReason, {});
    // A shard and a private socket for each of three workers, and the list; channels too where they were not given up
    // in a take-over.
    assert.ok(Number(await machine.property(UNIT, 'NFileDescriptorStore')) >= 7);
    await eventually(
      'systemctl status tells what runs',
      async () => (await machine.property(UNIT, 'StatusText')) === '3 workers of 1 app',
    );
  });

  it('`systemctl restart` and `daemon-reexec` leave the workers serving', async () => {
    const before = await untilOnline();
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(50);
    const pid = await machine.property(UNIT, 'MainPID');
    await machine.get('systemctl', 'restart', UNIT);
    assert.notEqual(await machine.property(UNIT, 'MainPID'), pid);
    assert.equal(await machine.property(UNIT, 'Result'), 'success');
    assert.deepEqual(await untilOnline(), before);
    await machine.get('systemctl', 'daemon-reexec');
    await machine.get('systemctl', 'kill', '--kill-whom=main', '--signal=KILL', UNIT);
    assert.deepEqual(await untilOnline(), before);
    await load.untilAnswered(50);
    assert.deepEqual((await load.stop()).lostByReason, {});
  });

  it('a frozen daemon is replaced by the watchdog', async () => {
    const before = await untilOnline();
    await machine.get('mkdir', '-p', `/etc/systemd/system/${UNIT}.d`);
    await machine.get(
      'sh',
      '-c',
      `printf '[Service]\\nWatchdogSec=2\\nTimeoutStopSec=2\\n' > /etc/systemd/system/${UNIT}.d/quick.conf`,
    );
    await machine.get('systemctl', 'daemon-reload');
    await machine.get('systemctl', 'restart', UNIT);
    const pid = await machine.property(UNIT, 'MainPID');
    await machine.get('kill', '-STOP', pid);
    await eventually(
      'another daemon runs',
      async () =>
        (await machine.property(UNIT, 'ActiveState')) === 'active' && (await machine.property(UNIT, 'MainPID')) !== pid,
      { withinMs: 30_000 },
    );
    assert.deepEqual(await untilOnline(), before);
  });

  it('`systemctl stop` ends the apps politely, however long they drain, and the next boot brings them back', async () => {
    // TimeoutStopSec is 2 s here.
    const slow = ask(port, '/slow/6000');
    await ask(port);
    await machine.get('systemctl', 'stop', UNIT);
    assert.equal((await slow).status, 200);
    assert.equal(await machine.property(UNIT, 'Result'), 'success');
    assert.equal(await machine.property(UNIT, 'ActiveState'), 'inactive');
    assert.equal(await refusalAt(port), 'ECONNREFUSED');
    assert.equal(await machine.property(UNIT, 'TasksCurrent'), '[not set]');
    await machine.get('systemctl', 'start', 'multi-user.target');
    await untilOnline();
    assert.equal((await ask(port)).status, 200);
  });

  it('`daemon stop` keeps it down, and the command starts it as the unit again', async () => {
    const before = await untilOnline();
    await machine.drover('daemon', 'stop', '--keep-workers');
    assert.equal(await machine.property(UNIT, 'ActiveState'), 'inactive');
    assert.equal((await ask(port)).status, 200);
    const { unit, pid } = await machine.drover<DaemonDocument>('daemon', 'start');
    assert.deepEqual([unit, String(pid)], [UNIT, await machine.property(UNIT, 'MainPID')]);
    assert.deepEqual(await untilOnline(), before);
  });

  it('`startup --remove` removes it, and the daemon goes on with its workers and a guard of its own', async () => {
    const before = await untilOnline();
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(50);
    const told = await machine.drover<{ removed: boolean }>('startup', '--remove');
    assert.equal(told.removed, true);
    assert.equal((await machine.run(['systemctl', 'cat', UNIT])).code, 1);
    const status = await machine.drover<DaemonDocument>('daemon', 'status');
    assert.equal(status.unit, null);
    assert.notEqual(status.guardPid, null);
    assert.deepEqual(await untilOnline(), before);
    await load.untilAnswered(50);
    assert.deepEqual((await load.stop()).lostByReason, {});
    const nothing = await machine.drover<{ removed: boolean }>('startup', '--remove');
    assert.equal(nothing.removed, false);
  });

  it('a unit of that name that is not Drover’s is left alone', async () => {
    await machine.get('sh', '-c', "printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/drover.service");
    for (const words of [['startup'], ['startup', '--remove']]) {
      const { code, stdout } = await machine.run([
        process.execPath,
        join(import.meta.dirname, '../../bin/drover'),
        ...words,
        '--json',
      ]);
      assert.equal(code, 2);
      assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'DROVER_UNIT_TAKEN');
    }
    assert.match(await machine.get('cat', '/etc/systemd/system/drover.service'), /ExecStart=\/bin\/true/);
  });
});
