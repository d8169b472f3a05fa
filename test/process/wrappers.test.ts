/** Programs that are not Node, and Node behind wrappers: started, reloaded, and gone with everything they started. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { isAlive, listTree } from '../support/processes.ts';
import {
  ask,
  change,
  fixture,
  openPlace,
  pidsOf,
  readApp,
  readyWorkers,
  refusalAt,
  startApp,
  untilAnswering,
  untilApp,
} from '../support/service.ts';

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();

const hasPython = ((): boolean => {
  try {
    execFileSync('python3', ['-c', 'import http.server']);
    return true;
  } catch {
    return false;
  }
})();

describe('`npm start`', () => {
  it('is looked through: the workers are Node itself, as many as wanted, and reload without loss', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    writeFileSync(
      join(drover.home, 'package.json'),
      JSON.stringify({ name: 'shop', scripts: { start: `node ${fixture('service.cjs')}` } }),
    );
    await drover.start(['npm', '--name', 'shop', '--instances', '2', '--port', String(port), '--', 'start']);
    const app = await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
    for (const pid of pidsOf(app)) assert.match(commandOf(pid), /service\.cjs$/);
    assert.deepEqual(
      [...(await untilAnswering(port, 2))].toSorted((a, b) => a - b),
      pidsOf(app),
    );
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    await untilAnswering(port, 2);
  });
});

describe('a wrapper that cannot be looked through', () => {
  it('runs the server as its child, which reloads, and goes with it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const command = ['sh', fixture('traps-and-forks.sh'), 'node', fixture('service.cjs')];
    await startApp(drover, 'shop', { command, port, drain: { timeout: '1s', idleGrace: '100ms' } });
    const [wrapper = 0] = pidsOf(await readApp(drover, 'shop'));
    const server = Number((await ask(port)).body);
    assert.notEqual(server, wrapper);
    assert.ok(listTree(wrapper).includes(server));
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    const next = Number((await ask(port)).body);
    assert.notEqual(next, server);
    await eventually('the old tree is gone', () => !isAlive(wrapper) && !isAlive(server));
    const tree = listTree(pidsOf(await readApp(drover, 'shop'))[0] ?? 0);
    assert.equal((await change(drover, ['stop', 'shop'])).code, 0);
    assert.deepEqual(tree.filter(isAlive), []);
    assert.notEqual(await refusalAt(port), null);
  });

  it('is replaced with its server when the wrapper is killed', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const command = ['sh', fixture('traps-and-forks.sh'), 'node', fixture('service.cjs')];
    await startApp(drover, 'shop', { command, port });
    const [wrapper = 0] = pidsOf(await readApp(drover, 'shop'));
    const server = Number((await ask(port)).body);
    process.kill(wrapper, 'SIGKILL');
    await untilApp(drover, 'shop', 'is back', (app) => readyWorkers(app).some(({ pid }) => pid !== wrapper));
    await eventually('no server of before is left beside the new one', () => !isAlive(server));
    assert.notEqual(Number((await ask(port)).body), server);
  });
});

describe('a program that is not Node', { skip: hasPython ? false : 'python3 is not installed' }, () => {
  const python = (port: number): string[] => ['python3', '-m', 'http.server', String(port), '--bind', '127.0.0.1'];

  it('runs as a single worker, is ready when its port listens, and is gone when stopped', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'files', { command: python(port), port });
    assert.equal((await ask(port)).status, 200);
    const before = pidsOf(await readApp(drover, 'files'));
    assert.equal((await change(drover, ['reload', 'files'])).code, 0);
    assert.equal((await ask(port)).status, 200);
    const after = pidsOf(await readApp(drover, 'files'));
    assert.notDeepEqual(after, before);
    process.kill(after[0] ?? 0, 'SIGKILL');
    await untilApp(drover, 'files', 'is back', (app) => readyWorkers(app).some(({ pid }) => pid !== after[0]));
    assert.equal((await ask(port)).status, 200);
    assert.equal((await change(drover, ['stop', 'files'])).code, 0);
    assert.equal(await refusalAt(port), 'ECONNREFUSED');
  });

  it('is adopted by the next daemon', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'files', { command: python(port), port });
    const before = pidsOf(await readApp(drover, 'files'));
    await drover.killDaemon();
    const app = await untilApp(drover, 'files', 'is online', ({ status }) => status === 'online');
    assert.deepEqual(pidsOf(app), before);
    assert.equal((await change(drover, ['stop', 'files'])).code, 0);
    assert.deepEqual(before.filter(isAlive), []);
  });

  it('cannot have several instances on one port: exit 2 with advice', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const words = ['--name', 'files', '--instances', '2', '--port', String(port), '--', ...python(port)];
    const result = await drover.run(['start', ...words]);
    assert.equal(result.code, 2);
    assert.match(result.stderr, /instance/);
  });
});
