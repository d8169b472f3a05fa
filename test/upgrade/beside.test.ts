/**
 * Two commands that start the daemon at the same time after an install: one decides and tries, the other one waits for
 * what comes of it, and neither takes the other's try for one that failed.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MIGRATIONS } from '../../src/store/index.ts';
import { eventually } from '../support/eventually.ts';
import { makeVersion, type NextVersion } from '../support/next-version.ts';
import { listProcesses } from '../support/processes.ts';
import { openPlace } from '../support/service.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { daemonEvents, MIGRATION, openServed, schemaOf, type Served, upgradeOf, versionOf } from './upgrade-support.ts';

const START = ['daemon', 'start'];

/** In the code of a version: files in the home tell how far it is, and let it go on. */
const GATES = `
  const { existsSync, readFileSync, writeFileSync } = process.getBuiltinModule('node:fs');
  const at = (name) => process.env.DROVER_HOME + '/' + name;
  const until = async (isSo) => { while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5)); };`;

/** The first self-test waits for the test, and one beside it until the version has come up. */
const SELF_TESTS = `{${GATES}
  const hasComeUp = () =>
    JSON.parse(readFileSync(at('versions/current.json'), 'utf8')).program.version === '0.2.0' &&
    !existsSync(at('versions/upgrade.json'));
  const isFirst = !existsSync(at('first-test'));
  writeFileSync(at(isFirst ? 'first-test' : 'second-test'), '');
  await until(isFirst ? () => existsSync(at('go-on')) : hasComeUp);
}`;

const BOOT = `{${GATES}
  writeFileSync(at('boots'), '');
  await until(() => existsSync(at('go-on')));
}`;

/** A command that can be looked at while it runs. */
const follow = (served: Served, next: NextVersion) => {
  const child = next.spawn(served.drover, START);
  let said = '';
  let code: number | null = null;
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => {
    child.on('close', (exit) => {
      code = exit;
      resolve();
    });
  });
  return { child, ended, said: () => said, code: () => code };
};

const isThere = ({ drover }: Served, name: string): boolean => existsSync(join(drover.home, name));
/** Processes that are or want to be its daemon; a guard is a shell. */
const daemonsOf = ({ drover }: Served): readonly number[] =>
  listProcesses().filter((pid) =>
    /^[^\0]*\/node\0.*daemon-bundle\/main\.js\0$/.test(readCommandLine(pid, drover.home)),
  );
const readCommandLine = (pid: number, home: string): string => {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return text.includes(`${home}/versions/`) ? text : '';
  } catch {
    // It ended.
    return '';
  }
};
const servedLast = (home: string): unknown =>
  (JSON.parse(readFileSync(join(home, 'versions/current.json'), 'utf8')) as { readonly program: unknown }).program;
const open = ({ drover }: Served): void => writeFileSync(join(drover.home, 'go-on'), '');

describe('two starts of a later version at the same time', () => {
  it('are one try: the version that came up is not put back by the next start', async () => {
    await using served = await openServed();
    const { drover } = served;
    const next = served.make('0.2.0', { migration: MIGRATION, atSelfTest: SELF_TESTS });
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
    const first = follow(served, next);
    await eventually('the first one tests', () => isThere(served, 'first-test'));
    const second = follow(served, next);
    await eventually(
      'the second one waits, or tests as well',
      () => second.said().includes('is starting the daemon') || isThere(served, 'second-test'),
    );
    open(served);
    await Promise.all([first.ended, second.ended]);
    assert.deepEqual([first.code(), second.code()], [0, 0], first.said() + second.said());
    await eventually('no second daemon waits for the home', () => daemonsOf(served).length === 1);
    assert.equal(await versionOf(drover), '0.2.0');
    assert.equal((await next.run(drover, ['daemon', 'stop', '--keep-workers'])).code, 0);
    const again = await next.run(drover, START);
    assert.deepEqual([again.code, again.stderr], [0, '']);
    assert.deepEqual(upgradeOf(await drover.daemon()), ['0.1.0', '0.2.0', 'completed']);
    assert.equal(schemaOf(drover), MIGRATIONS.length + 1, 'and its state is the one that it had');
    assert.equal(isThere(served, 'second-test'), false, 'one decides');
    await served.assertUntouched();
    await served.endLoad();
  });

  for (const [what, isKilled] of [
    ['that boots', false],
    ['that boots, and whose command was killed', true],
  ] as const) {
    it(`do not start the one before beside one ${what}`, async () => {
      await using served = await openServed();
      const { drover } = served;
      const next = served.make('0.2.0', { migration: MIGRATION, atBoot: BOOT });
      assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
      const first = follow(served, next);
      await eventually('it boots', () => isThere(served, 'boots'));
      if (isKilled) {
        first.child.kill('SIGKILL');
        await first.ended;
      }
      const second = follow(served, next);
      await eventually(
        'the second one waits, or is done',
        () => second.said().includes('is starting the daemon') || second.code() !== null,
      );
      open(served);
      await Promise.all([first.ended, second.ended]);
      assert.deepEqual([first.code(), second.code()], [isKilled ? null : 0, 0], first.said() + second.said());
      assert.deepEqual(upgradeOf(await drover.daemon()), ['0.1.0', '0.2.0', 'completed']);
      assert.equal((await daemonEvents(drover, 'daemon-upgrade-failed')).length, 0);
      await served.assertUntouched();
      await served.endLoad();
    });
  }
});

describe('a start of a later version while a guard brings back the one before', () => {
  it('leaves it at that, and holds nothing against the version that was not tried', async () => {
    await using served = await openServed();
    const { drover } = served;
    const next = served.make('0.2.0', { migration: MIGRATION, atBoot: BOOT });
    const { guardPid } = await drover.daemon();
    process.kill(guardPid ?? 0, 'SIGSTOP');
    process.kill(served.daemonPid, 'SIGKILL');
    const start = follow(served, next);
    await eventually('it boots', () => isThere(served, 'boots'));
    process.kill(guardPid ?? 0, 'SIGCONT');
    await start.ended;
    assert.equal(start.code(), 0, start.said());
    open(served);
    await eventually('it has found the home taken', () => daemonsOf(served).length === 1);
    const daemon = await drover.daemon();
    assert.deepEqual([daemon.version, daemon.upgrade], ['0.1.0', null]);
    assert.equal(isThere(served, 'versions/upgrade.json'), false);
    assert.equal((await daemonEvents(drover, 'daemon-upgrade-failed')).length, 0);
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
    assert.equal((await next.run(drover, START)).code, 0);
    assert.deepEqual(upgradeOf(await drover.daemon()), ['0.1.0', '0.2.0', 'completed']);
    await served.assertUntouched();
    await served.endLoad();
  });
});

describe('a version that finds the home taken', () => {
  it('is not said to be unable to come up', async () => {
    await using place = await openPlace();
    await using folder = await temporaryFolder('versions');
    const { drover } = place;
    assert.equal((await drover.run(START)).code, 0);
    const { root, version } = makeVersion(folder.path, '0.2.0');
    const main = join(root, 'dist/daemon-bundle/main.js');
    const to = { version, root, node: process.execPath, options: [], main, isCopy: false };
    const note = JSON.stringify({ id: 'start-1', from: servedLast(drover.home), to, atMs: 1, problem: null });
    const file = join(drover.home, 'versions/upgrade.json');
    writeFileSync(file, note);
    const second = spawn(process.execPath, [main], { env: drover.environment(), stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    second.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(second, 'close');
    assert.match(said, /already running/);
    assert.equal(readFileSync(file, 'utf8'), note);
    rmSync(file);
  });
});

describe('a note of a try that stayed', () => {
  it('says nothing where that version is on record as the one that served', async () => {
    await using served = await openServed();
    const { drover } = served;
    const next = served.make('0.2.0', { migration: MIGRATION });
    const note = join(drover.home, 'versions/upgrade.json');
    assert.equal((await drover.run(['daemon', 'stop', '--keep-workers'])).code, 0);
    const from = servedLast(drover.home);
    assert.equal((await next.run(drover, START)).code, 0);
    const to = servedLast(drover.home);
    const problem = 'A daemon is already running';
    writeFileSync(note, JSON.stringify({ id: 'start-1', from, to, atMs: 1, problem }));
    assert.equal((await next.run(drover, ['daemon', 'stop', '--keep-workers'])).code, 0);
    const again = await next.run(drover, START);
    assert.deepEqual([again.code, again.stderr], [0, '']);
    assert.equal(await versionOf(drover), '0.2.0');
    assert.equal(existsSync(note), false, 'it is removed');
    assert.equal(schemaOf(drover), MIGRATIONS.length + 1);
    await served.assertUntouched();
    await served.endLoad();
  });
});
