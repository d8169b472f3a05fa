/** `drover startup` on a machine that a real systemd runs. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readVersion } from '../../src/cli/version.ts';
import type { AppListDocument, DaemonDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { ask, fixture, refusalAt } from '../support/service.ts';
import { type Changes, makeVersion } from '../support/next-version.ts';
import { type CommandOutcome, SystemdMachine, whyNoMachine } from '../support/systemd-machine.ts';
import { freePort } from '../support/temporary.ts';

const UNIT = 'drover.service';
const COMMAND = join(import.meta.dirname, '../../bin/drover');
const OWN_VERSION = readVersion();
const skip = whyNoMachine() ?? false;

describe('on a machine that systemd runs', { skip }, () => {
  let machine: SystemdMachine;
  let port: number;
  // Below the checkout, which the machine has as well.
  const versions = join(import.meta.dirname, `../../.cache/versions-${process.pid}`);
  before(async () => {
    machine = await SystemdMachine.boot();
    port = await freePort();
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    rmSync(versions, { recursive: true, force: true });
  });

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

  it('`startup` of a unit that does not start leaves everything as it was, and says why', async () => {
    const started = await machine.run([
      COMMAND,
      'start',
      fixture('service.cjs'),
      '--name',
      'shop',
      '--instances',
      '3',
      '--port',
      String(port),
    ]);
    assert.equal(started.code, 0, started.stderr);
    const before = await workers();
    const folder = `/etc/systemd/system/${UNIT}.d`;
    await machine.get('mkdir', folder);
    await machine.get('sh', '-c', `printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' > ${folder}/fails.conf`);
    const { code, stdout } = await machine.run([process.execPath, COMMAND, 'startup', '--json']);
    assert.equal(code, 1);
    assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'DROVER_SYSTEMCTL');
    assert.notEqual((await machine.run(['ls', `/etc/systemd/system/${UNIT}`])).code, 0);
    const { guardPid, unit } = await machine.drover<DaemonDocument>('daemon', 'status');
    assert.notEqual(guardPid, null);
    assert.equal(unit, null);
    assert.deepEqual(await untilOnline(), before);
    await machine.get('rm', '-r', folder);
  });

  it('`startup` writes and enables the unit, and systemd takes over a daemon with its workers', async () => {
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
    const [pid = 0] = before;
    const locks = await machine.get('grep', '-E', '^(NoNewPrivs|Seccomp):', `/proc/${pid}/status`);
    assert.match(locks, /NoNewPrivs:\s+0/, 'what is locked does not take set-user-id programs from the apps');
    const again = await machine.drover<{ pid: number; tookOver: boolean }>('startup');
    assert.deepEqual([again.pid, again.tookOver], [told.pid, false], 'a second time changes nothing');
  });

  it('kill -9 of the daemon under load loses nothing, and systemd’s store is full again', async () => {
    const before = await untilOnline();
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    for (let kill = 1; kill <= 3; kill++) {
      await load.untilAnswered(50);
      await machine.get('systemctl', 'kill', '--kill-whom=main', '--signal=KILL', UNIT);
      await eventually(
        'systemd has started another',
        async () => {
          const [state, restarts] = [
            await machine.property(UNIT, 'ActiveState'),
            await machine.property(UNIT, 'NRestarts'),
          ];
          return state === 'active' && restarts === String(kill);
        },
        { withinMs: 30_000 },
      );
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

  it('`systemctl reload` upgrades in place, and one that does not come up is followed by the one before', async () => {
    const before = await untilOnline();
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(50);
    const folder = `/etc/systemd/system/${UNIT}.d`;
    await machine.get('mkdir', '-p', folder);
    // As if that version had been installed where the unit looks for one.
    const reloadTo = async (version: string, changes: Changes): Promise<CommandOutcome> => {
      const { root } = makeVersion(versions, version, changes);
      const text = `[Service]\\nExecReload=\\nExecReload=${process.execPath} ${root}/bin/drover daemon upgrade\\n`;
      await machine.get('sh', '-c', `printf '${text}' > ${folder}/next.conf`);
      await machine.get('systemctl', 'daemon-reload');
      return machine.run(['systemctl', 'reload', UNIT]);
    };
    const pid = await machine.property(UNIT, 'MainPID');
    const reloaded = await reloadTo('0.2.0', {});
    assert.equal(reloaded.code, 0, reloaded.stderr);
    const status = await machine.drover<DaemonDocument>('daemon', 'status');
    assert.deepEqual([status.version, String(status.pid), status.unit], ['0.2.0', pid, UNIT]);
    assert.equal(await machine.property(UNIT, 'ActiveState'), 'active');
    assert.deepEqual(await untilOnline(), before);
    const failed = await reloadTo('0.3.0', { atBoot: "throw new Error('broken at boot');" });
    assert.notEqual(failed.code, 0, 'a reload that failed says so');
    await eventually(
      'systemd has started the one before',
      async () => (await machine.drover<DaemonDocument>('daemon', 'status')).upgrade?.outcome === 'rolled-back',
      { withinMs: 30_000, everyMs: 200 },
    );
    assert.equal((await machine.drover<DaemonDocument>('daemon', 'status')).version, '0.2.0');
    assert.deepEqual(await untilOnline(), before);
    await machine.get('systemctl', 'restart', UNIT);
    assert.equal((await machine.drover<DaemonDocument>('daemon', 'status')).version, '0.2.0', 'not what is installed');
    assert.deepEqual(await untilOnline(), before);
    await load.untilAnswered(50);
    assert.deepEqual((await load.stop()).lostByReason, {});
    await machine.get('rm', `${folder}/next.conf`);
    await machine.get('systemctl', 'daemon-reload');
    // The way back that DROVER_DOWNGRADE names.
    await machine.drover('daemon', 'stop', '--keep-workers');
    await machine.get('rm', '/var/lib/drover/versions/current.json');
    assert.equal((await machine.drover<DaemonDocument>('daemon', 'start')).version, OWN_VERSION);
    assert.deepEqual(await untilOnline(), before);
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

  it('a home with an awkward path has a unit of its own, beside the other', async () => {
    const home = "/srv/my shop/it's 50%/$HOME/a;b";
    const inHome = async (...words: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await machine.run([process.execPath, COMMAND, ...words], { DROVER_HOME: home });
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const { unit } = JSON.parse(await inHome('startup', '--json')) as { unit: string };
    assert.equal(unit, 'drover-srv-my-shop-it-s-50-HOME-a-b.service');
    const status = JSON.parse(await inHome('daemon', 'status', '--json')) as DaemonDocument;
    assert.deepEqual([status.home, status.unit], [home, unit]);
    await inHome('startup', '--remove');
    await inHome('daemon', 'stop');
  });

  it('`startup --user` lets the manager of an ordinary user run it', async () => {
    const uid = '65534';
    const runtime = `/run/user/${uid}`;
    await machine.get('install', '-d', '-o', uid, '-m', '700', runtime, '/tmp/nobody');
    await machine.get(
      'systemd-run',
      '--unit=nobody',
      '--property=Type=notify',
      `--property=User=${uid}`,
      '--property=Delegate=yes',
      `--setenv=XDG_RUNTIME_DIR=${runtime}`,
      '--setenv=HOME=/tmp/nobody',
      '/lib/systemd/systemd',
      '--user',
    );
    const as = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'env'];
    const own = [`XDG_RUNTIME_DIR=${runtime}`, 'HOME=/tmp/nobody'];
    const run = async (...words: readonly string[]): Promise<string> => machine.get(...as, ...own, ...words);
    const drover = async (...words: readonly string[]): Promise<string> => run(process.execPath, COMMAND, ...words);
    const app = await freePort();
    const lost = await machine.run([
      ...as,
      'HOME=/tmp/nobody',
      process.execPath,
      COMMAND,
      'startup',
      '--user',
      '--json',
    ]);
    assert.equal(lost.code, 1, 'without a manager to talk to');
    const { error } = JSON.parse(lost.stdout) as { error: { code: string; hint: string } };
    assert.equal(error.code, 'DROVER_SYSTEMCTL');
    assert.match(error.hint, /no manager of its own.*enable-linger/);
    assert.equal(await machine.get('find', '/tmp/nobody/.config', '-type', 'f'), '', 'no unit is left behind');
    await drover('startup', '--user');
    await drover('start', fixture('service.cjs'), '--name', 'mine', '--instances', '2', '--port', String(app));
    const pids = async (): Promise<(number | null)[]> => {
      const { apps } = JSON.parse(await drover('ls', '--json')) as AppListDocument;
      return apps.flatMap(({ workers }) => workers.map(({ pid }) => pid));
    };
    const before = await pids();
    const load = await startLoad({ mode: 'new', port: app, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(50);
    await run('systemctl', '--user', 'kill', '--kill-whom=main', '--signal=KILL', UNIT);
    await eventually(
      'its manager has started another',
      async () => {
        const [restarts, state] = [
          await run('systemctl', '--user', 'show', UNIT, '--property=NRestarts', '--value'),
          await run('systemctl', '--user', 'show', UNIT, '--property=ActiveState', '--value'),
        ];
        return restarts === '1' && state === 'active';
      },
      { withinMs: 30_000 },
    );
    assert.deepEqual(await pids(), before);
    await load.untilAnswered(50);
    assert.deepEqual((await load.stop()).lostByReason, {});
    const status = JSON.parse(await drover('daemon', 'status', '--json')) as DaemonDocument;
    assert.deepEqual([status.unit, status.home], [UNIT, '/tmp/nobody/.local/state/drover']);
    await drover('startup', '--user', '--remove');
    await drover('daemon', 'stop');
  });

  it('a unit of that name that is not Drover’s is left alone', async () => {
    await machine.get('sh', '-c', "printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/drover.service");
    for (const words of [['startup'], ['startup', '--remove']]) {
      const { code, stdout } = await machine.run([process.execPath, COMMAND, ...words, '--json']);
      assert.equal(code, 2);
      assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'DROVER_UNIT_TAKEN');
    }
    assert.match(await machine.get('cat', '/etc/systemd/system/drover.service'), /ExecStart=\/bin\/true/);
  });
});
