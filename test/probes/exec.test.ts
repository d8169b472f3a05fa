import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { commandPids, type WatchedWorker } from '../../src/probes/index.ts';
import type { ProbeConfig, ProbeTarget } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { listChildren, listProcesses, readEnvironment } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { ask, open, probe, worker } from './support/ask.ts';

const exec = (...argv: [string, ...string[]]): ProbeTarget => ({ kind: 'exec', argv });
const sh = (script: string): ProbeTarget => exec('sh', '-c', script);

let marks = 0;
/** Runs a command under a name, and resolves when nothing that carries it is left. */
const run = async (
  target: ProbeTarget,
  config: Partial<ProbeConfig> = {},
  surroundings: Partial<ReturnType<WatchedWorker['surroundings']>> = {},
): ReturnType<typeof ask> => {
  const mark = `PROBE_TEST_${process.pid}_${marks++}=1`;
  const env = { PATH: process.env['PATH'] ?? '', [mark.slice(0, -2)]: '1' };
  const result = await ask(target, config, {
    surroundings: () => ({ cwd: '/', uid: null, gid: null, ...surroundings, env: { ...env, ...surroundings.env } }),
  });
  await eventually(
    'nothing of the command is left',
    () => !listProcesses().some((pid) => readEnvironment(pid).includes(mark)),
  );
  assert.equal(commandPids().size, 0);
  return result;
};

const zombies = (): number[] =>
  listChildren(process.pid).filter((pid) => /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));

describe('an exec probe', () => {
  it('passes with exit code 0, and fails with every other one and with what was printed', async () => {
    assert.deepEqual((await run(sh('echo fine'))).outcome, 'pass');
    assert.equal(
      (await run(sh('echo no database; echo at all >&2; exit 3'))).error,
      'the command ended with code 3: no database at all',
    );
    assert.equal((await run(sh('kill -9 $$'))).error, 'the command ended with SIGKILL');
  });

  it("runs in the worker's directory and with its environment, and with nothing of the daemon's", async () => {
    await using folder = await temporaryFolder();
    process.env['OF_THE_DAEMON'] = '1';
    const { error } = await run(
      sh('pwd; echo $OWN $OF_THE_DAEMON; exit 1'),
      {},
      { cwd: folder.path, env: { OWN: 'mine' } },
    );
    delete process.env['OF_THE_DAEMON'];
    assert.equal(error, `the command ended with code 1: ${folder.path} mine`);
  });

  it(
    "runs as the worker's user",
    { skip: process.getuid?.() !== 0 && 'only root may become another user' },
    async () => {
      const { error } = await run(sh('id -u; id -g; id -G; exit 1'), {}, { uid: 65_534, gid: 65_533 });
      assert.equal(error, 'the command ended with code 1: 65534 65533 65533');
    },
  );

  it('is killed at its timeout with everything that it started, and leaves no zombie', async () => {
    const { outcome, error } = await run(sh('echo begun; sleep 1000 & sleep 1000'), { timeoutMs: 300 });
    assert.equal(outcome, 'fail');
    assert.equal(error, 'the command did not end within 300 ms: begun');
    assert.deepEqual(zombies(), []);
  });

  it('is killed where it ignores every signal that can be ignored', async () => {
    const { error } = await run(sh("trap '' TERM INT HUP; while :; do sleep 1; done"), { timeoutMs: 300 });
    assert.equal(error, 'the command did not end within 300 ms');
  });

  it('does not wait for what the command leaves behind with its output, and ends it', async () => {
    const { outcome, durationMs } = await run(sh('sleep 1000 & exit 0'), { timeoutMs: 30_000 });
    assert.equal(outcome, 'pass');
    assert.ok(durationMs < 30_000);
  });

  it('is not read beyond measure where it prints without end', async () => {
    const before = process.memoryUsage.rss();
    const { outcome, error } = await run(sh('head -c 1000000000 /dev/zero | tr "\\0" x'), { timeoutMs: 1500 });
    assert.equal(outcome, 'fail');
    assert.match(error ?? '', /^the command printed more than a MiB: x+…$/);
    assert.ok((error ?? '').length <= 1000);
    assert.ok(process.memoryUsage.rss() - before < 100 * 1024 ** 2);
    // So little would be through long before its timeout if it were read.
    assert.equal((await run(sh('head -c 50000000 /dev/zero'), { timeoutMs: 2000 })).outcome, 'fail');
  });

  it('may print a lot and pass', async () => {
    assert.equal((await run(sh('head -c 900000 /dev/zero'), { timeoutMs: 10_000 })).outcome, 'pass');
  });

  it('fails where the program, or its directory, does not exist', async () => {
    assert.match(
      (await run(exec('no-such-program'))).error ?? '',
      /could not be started: no-such-program, or its working/,
    );
    assert.match((await run(exec('/etc/passwd'))).error ?? '', /could not be started: .*EACCES/);
    assert.equal((await run(sh('true'), {}, { cwd: '/no/such/folder' })).outcome, 'fail');
  });

  it('says nothing about the worker where its surroundings cannot be read', async () => {
    const { outcome, error } = await ask(
      sh('true'),
      {},
      {
        surroundings: () => {
          throw new Error('the env file is missing');
        },
      },
    );
    assert.equal(outcome, 'missing');
    assert.match(error ?? '', /the env file is missing/);
  });

  it('is one of a few at once, however many workers there are, and all get their turn', async () => {
    await using folder = await temporaryFolder();
    const counter = join(folder.path, 'running');
    const most: number[] = [];
    const probes = open({ commandsAtOnce: 4 });
    const watcher = setInterval(() => most.push(commandPids().size), 5);
    let passes = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    for (let slot = 0; slot < 20; slot++) {
      const app = slot % 2 === 0 ? 'shop' : 'api';
      const target = sh(`echo . >> ${counter}; sleep 0.05`);
      probes.watch(worker({ id: `${app}/${slot}`, probes: { readiness: probe(target, { timeoutMs: 20_000 }) } }), {
        onChange: () => undefined,
        onResult: (_kind, { outcome }) => {
          if (outcome === 'pass') passes += 1;
          if (passes === 20) resolve();
        },
      });
    }
    await promise;
    clearInterval(watcher);
    probes.close();
    assert.ok(Math.max(...most) <= 4, `${Math.max(...most)} at once`);
    assert.ok(Math.max(...most) >= 2, 'and more than one, or this test sees nothing');
    assert.equal(readFileSync(counter, 'utf8').length, 40);
  });

  it('is killed when its worker goes', async () => {
    const probes = open();
    const handle = probes.watch(worker({ probes: { readiness: probe(sh('sleep 1000'), { timeoutMs: 100_000 }) } }), {
      onChange: () => assert.fail('nothing is told'),
      onResult: () => assert.fail('nothing is told'),
    });
    await eventually('the command runs', () => commandPids().size === 1);
    handle.close();
    await eventually('it is gone', () => commandPids().size === 0);
  });
});
