/** Old copies are removed when nobody waits, and never what an upgrade is about to become. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, mock } from 'node:test';
import { tidyLater } from '../../src/daemon/upgrade/settle.ts';
import { notePending, removeOld, type Program } from '../../src/program/index.ts';
import { endTogether } from '../support/daemon-deaths.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive } from '../support/processes.ts';
import { openPlace, pidsOf, readApp, service, startApp } from '../support/service.ts';
import { temporaryFolder } from '../support/temporary.ts';

const makeCopy = (home: string, version: string): Program => {
  const root = join(home, 'versions', version);
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'program.json'), JSON.stringify({ version, isSynced: false }));
  return { version, root, node: join(root, 'node'), options: [], main: join(root, 'main.js'), isCopy: true };
};

/** Begins to tidy up at once: the clock stands still but for that. */
const tidyNow = (home: string, own: Program, tested: Program | null = null): (() => void) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const log = (line: string): void => assert.fail(line);
    const untidy = tidyLater({ home, own, log, tested: () => tested });
    mock.timers.tick(5_000);
    return untidy;
  } finally {
    mock.timers.reset();
  }
};

const isSynced = ({ root }: Program): boolean => readFileSync(join(root, 'program.json'), 'utf8').includes('true');

describe('tidying up', () => {
  it('removes old copies, and keeps one that tests itself', async () => {
    await using home = await temporaryFolder('tidy');
    const [own, old, next] = ['0.3.0', '0.2.0', '0.4.0'].map((version) => makeCopy(home.path, version));
    assert.ok(own && old && next);
    tidyNow(home.path, own, next);
    await eventually('the old one is gone', () => !existsSync(old.root));
    assert.ok(existsSync(next.root));
  });

  it('keeps the one that a worker has its agent from, also where its title hides its command line', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const script = join(drover.home, 'titled.cjs');
    writeFileSync(
      script,
      "process.title = 'x'.repeat(500); require('node:http').createServer((_, r) => r.end()).listen(process.env.PORT);",
    );
    await startApp(drover, 'shop', { ...service(port, { instances: 1 }), script });
    const [worker = 0] = pidsOf(await readApp(drover, 'shop'));
    const versions = join(drover.home, 'versions');
    await eventually('the title is set', () => readFileSync(`/proc/${worker}/cmdline`, 'latin1').startsWith('xxx'));
    assert.ok(!readFileSync(`/proc/${worker}/cmdline`, 'latin1').includes(versions));
    // Where nothing but the worker has it in use.
    await endTogether(drover);
    assert.deepEqual(removeOld(drover.home, []), []);
    process.kill(worker, 'SIGKILL');
    await eventually('it is gone', () => !isAlive(worker));
    assert.equal(removeOld(drover.home, []).length, 1);
  });

  it('keeps both programs of an upgrade that has not ended', async () => {
    await using home = await temporaryFolder('tidy');
    const [from, to, old] = ['0.2.0', '0.3.0', '0.1.0'].map((version) => makeCopy(home.path, version));
    assert.ok(from && to && old);
    notePending(home.path, { id: 'x', from, to, atMs: 0, problem: null });
    assert.deepEqual(removeOld(home.path, []), [old.root]);
  });

  it('ends where it is when an upgrade begins, also once it has begun itself', async () => {
    await using home = await temporaryFolder('tidy');
    const [own, next] = ['0.3.0', '0.4.0'].map((version) => makeCopy(home.path, version));
    assert.ok(own && next);
    tidyNow(home.path, own)();
    await eventually('its copy is on the disk', () => isSynced(own));
    // What would follow needs two more answers of the file system; this is more than enough of them.
    for (let turn = 0; turn < 200; turn++) await stat(own.root);
    assert.ok(existsSync(next.root));
  });
});
