/** Receivers that are commands: what they are given, and what becomes of those that fail, hang or talk without end. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ReceiverConfig } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { bad, good, openTestAlerts, QUICK, receiverOf, type WebhookBody } from './support.ts';

const shell = (script: string): ReceiverConfig => receiverOf({ kind: 'command', argv: ['/bin/sh', '-c', script] });
const linesOf = (path: string): string[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
const ONCE = { ...QUICK, timeoutMs: 2_000, retry: { firstMs: 20, mostMs: 20, attempts: 1 } };

describe('a command', () => {
  it('reads the alert as JSON, and has the words of it in its environment', async () => {
    await using folder = await temporaryFolder();
    const [body, env] = [join(folder.path, 'body'), join(folder.path, 'env')];
    process.env['NODE_OPTIONS_TEST'] = 'not for others';
    const script = `cat >> ${body}; env | sort > ${env}.$DROVER_ALERT_STATUS; pwd > ${env}.cwd`;
    using world = openTestAlerts(folder.path, [shell(script)], { ...QUICK, timeoutMs: 5_000 });
    world.alerts.judge([bad('slow', { labels: { objective: 'latency' } })]);
    await eventually('taken', () => world.alerts.document().receivers[0]?.lastTakenAt !== null);
    const told = JSON.parse(linesOf(body)[0] ?? '') as WebhookBody;
    assert.deepEqual([told.status, told.alerts[0]?.labels['objective']], ['firing', 'latency']);
    const variables = Object.fromEntries(linesOf(`${env}.firing`).map((line) => line.split(/=(.*)/s).slice(0, 2)));
    assert.match(variables['DROVER_ALERT_ID'] ?? '', /^command-/);
    const { DROVER_ALERT_NAME, DROVER_ALERT_APP, DROVER_ALERT_SEVERITY, DROVER_ALERT_COUNT, DROVER_ALERT_KIND } =
      variables;
    assert.deepEqual(
      [DROVER_ALERT_NAME, DROVER_ALERT_APP, DROVER_ALERT_SEVERITY, DROVER_ALERT_COUNT, DROVER_ALERT_KIND],
      ['slow', 'shop', 'page', '1', 'firing'],
    );
    assert.equal(variables['DROVER_ALERT_SUMMARY'], 'slow is bad');
    assert.equal(variables['PATH'], process.env['PATH']);
    assert.equal(variables['NODE_OPTIONS_TEST'], undefined);
    assert.deepEqual(linesOf(`${env}.cwd`), ['/']);
    world.alerts.judge([good('slow', { labels: { objective: 'latency' } })]);
    await eventually('told that it is over', () => existsSync(`${env}.resolved`));
  });

  it('that fails is run again, and what it printed is in the dead letter', async () => {
    await using folder = await temporaryFolder();
    const runs = join(folder.path, 'runs');
    using world = openTestAlerts(
      folder.path,
      [shell(`cat > /dev/null; echo $DROVER_ALERT_ID >> ${runs}; echo no route >&2; exit 3`)],
      { ...QUICK, timeoutMs: 5_000 },
    );
    world.alerts.judge([bad('slow')]);
    await eventually('given up', () => world.alerts.deadLetters().length === 1);
    assert.equal(world.alerts.deadLetters()[0]?.error, 'ended with code 3: no route');
    assert.deepEqual([linesOf(runs).length, new Set(linesOf(runs)).size], [4, 1]);
  });

  it('that hangs is killed with all that it started', async () => {
    await using folder = await temporaryFolder();
    const pids = join(folder.path, 'pids');
    const script = `trap '' TERM; (trap '' TERM; echo $$ >> ${pids}; sleep 600) & setsid sleep 600 & echo $! >> ${pids}; echo $$ >> ${pids}; sleep 600; sleep 600`;
    using world = openTestAlerts(folder.path, [shell(script)], { ...ONCE, timeoutMs: 700 });
    world.alerts.judge([bad('slow')]);
    await eventually('given up', () => world.alerts.deadLetters().length === 1);
    assert.match(world.alerts.deadLetters()[0]?.error ?? '', /^was not done within 700 ms and was killed/);
    const started = linesOf(pids).map(Number);
    assert.equal(started.length, 3);
    await eventually('all are gone', () => started.every((pid) => !isAlive(pid)));
  });

  it('is killed when alerts are closed, and what it was told stays on record', async () => {
    await using folder = await temporaryFolder();
    const pids = join(folder.path, 'pids');
    const hanging = shell(`echo $$ >> ${pids}; exec sleep 600`);
    {
      using world = openTestAlerts(folder.path, [hanging], { ...ONCE, timeoutMs: 60_000 });
      world.alerts.judge([bad('slow')]);
      await eventually('it runs', () => linesOf(pids).length === 1);
    }
    await eventually('it is gone', () => !isAlive(Number(linesOf(pids)[0])));
    using again = openTestAlerts(folder.path, [hanging], { ...ONCE, timeoutMs: 60_000 });
    await eventually('it runs again', () => linesOf(pids).length === 2);
    assert.equal(again.alerts.document().receivers[0]?.waiting, 1);
  });

  it('that reads nothing, and prints without end, costs neither memory nor time', async () => {
    await using folder = await temporaryFolder();
    using world = openTestAlerts(folder.path, [shell('head -c 50000000 /dev/zero | tr "\\\\0" x; exit 9')], {
      ...ONCE,
      timeoutMs: 20_000,
    });
    world.alerts.judge(
      Array.from({ length: 300 }, (_, index) => bad(`slow-${index}`, { description: 'x'.repeat(3_000) })),
    );
    await eventually('given up', () => world.alerts.deadLetters().length === 1, { withinMs: 20_000 });
    assert.match(world.alerts.deadLetters()[0]?.error ?? '', /^ended with code 9: x{400,}…$/);
    const test = await world.alerts.testFire(null);
    assert.deepEqual([test[0]?.isTaken, (test[0]?.said.length ?? 0) < 1_000], [false, true]);
  });

  it('that leaves something in the background is done when it ends itself', async () => {
    await using folder = await temporaryFolder();
    const pids = join(folder.path, 'pids');
    using world = openTestAlerts(folder.path, [shell(`sleep 600 & echo $! > ${pids}; echo begun`)], {
      ...ONCE,
      timeoutMs: 30_000,
    });
    const [result] = await world.alerts.testFire(null);
    assert.deepEqual([result?.isTaken, result?.said], [true, 'begun']);
    const [pid] = linesOf(pids).map(Number);
    assert.equal(isAlive(pid ?? 0), true);
    process.kill(pid ?? 0, 'SIGKILL');
  });

  it('that is not there is given up at once, with its name', async () => {
    await using folder = await temporaryFolder();
    const missing = receiverOf({ kind: 'command', argv: ['/no/such/program'] });
    const impossible = receiverOf({ kind: 'command', argv: ['/bin/echo', 'a\0b'] });
    using world = openTestAlerts(folder.path, [missing, impossible]);
    world.alerts.judge([bad('slow')]);
    await eventually('given up', () => world.alerts.deadLetters().length === 2);
    const errors = world.alerts.deadLetters().map(({ error, attempts }) => `${attempts} ${error}`);
    assert.ok(
      errors.some((error) => /^1 could not be started: .*\/no\/such\/program ENOENT$/.test(error)),
      errors.join(),
    );
    assert.ok(
      errors.some((error) => /^1 could not be started: .*null bytes/.test(error)),
      errors.join(),
    );
  });
});
