/** The daemon's own copy: what it survives, what is made of a home that takes none, and what is removed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { DaemonDocument } from '../../src/protocol/index.ts';
import { removeOld } from '../../src/program/index.ts';
import { COMMAND, Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { makeVersion, uninstall } from '../support/next-version.ts';
import { ask, openPlace, pidsOf, readApp, service, startApp, untilApp, writeConfig } from '../support/service.ts';
import { temporaryFolder } from '../support/temporary.ts';

const MEMORY = '/dev/shm';
const hasMemory = existsSync(MEMORY);

const copiesIn = (home: string): string[] =>
  readdirSync(join(home, 'versions'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

describe('the daemon’s own copy', () => {
  it('is all that it needs: what was installed may go', async () => {
    await using place = await openPlace();
    await using folder = await temporaryFolder('versions');
    const { drover, port } = place;
    const installed = makeVersion(folder.path, '0.2.0');
    const file = writeConfig(drover, { shop: service(port) }, 'shop');
    assert.equal((await installed.run(drover, ['start', file])).code, 0);
    uninstall(installed);
    const before = pidsOf(await readApp(drover, 'shop'));
    const status = await drover.killDaemon();
    assert.equal(status.version, '0.2.0');
    const app = await untilApp(drover, 'shop', 'is online', (one) => one.status === 'online');
    assert.deepEqual(pidsOf(app), before);
    // New workers load the agent, logs are searched by a thread of its own, and the API described by a late import.
    process.kill(before[0] ?? 0, 'SIGKILL');
    await untilApp(drover, 'shop', 'is whole again', (one) => pidsOf(one).length === 2 && one.status === 'online');
    assert.equal((await drover.run(['logs', 'shop', '--grep', '(a|b)+c'])).code, 0);
    assert.equal((await ask(port)).status, 200);
  });

  it('is made once, shares its Node with the installed one, and is known by its own name', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await drover.run(['daemon', 'start']);
    const { program } = await drover.daemon();
    assert.equal(program?.isCopy, true);
    const copies = copiesIn(drover.home);
    assert.equal(copies.length, 1);
    assert.equal(program.directory, join(drover.home, 'versions', copies[0] ?? ''));
    assert.equal(statSync(join(program.directory, 'node')).ino, statSync(process.execPath).ino, 'no second 120 MB');
    await drover.run(['daemon', 'stop']);
    await drover.run(['daemon', 'start']);
    assert.deepEqual(copiesIn(drover.home), copies);
  });

  it(
    'goes on with another Node where it could not share its own, and that was removed',
    { skip: !hasMemory },
    async () => {
      // Another file system than the Node's: the copy only has a link to it.
      const folder = mkdtempSync(join(MEMORY, 'drover-'));
      const remove = async (): Promise<void> => rmSync(folder, { recursive: true });
      await using drover = new Drover({ path: folder, [Symbol.asyncDispose]: remove });
      await using other = await temporaryFolder('node');
      const node = join(other.path, 'node');
      linkSync(process.execPath, node);
      await promisify(execFile)(node, [COMMAND, 'daemon', 'start'], { env: drover.environment(), cwd: folder });
      assert.equal((await drover.daemon()).program?.node, node);
      rmSync(node);
      const status = await drover.killDaemon();
      assert.deepEqual([status.program?.isCopy, status.program?.node], [true, process.execPath]);
    },
  );

  it('that was half made is of no harm, and is swept away', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const draft = join(drover.home, 'versions', '.unfinished-999999999-0.1.0');
    mkdirSync(join(draft, 'dist'), { recursive: true });
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    assert.equal((await drover.daemon()).program?.isCopy, true);
    await eventually('it is swept away', () => !existsSync(draft), { withinMs: 20_000 });
  });

  it('that a loss of power may have torn is made anew', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await drover.run(['daemon', 'start']);
    const { program } = await drover.daemon();
    await drover.run(['daemon', 'stop']);
    const file = join(program?.directory ?? '', 'program.json');
    // As it would be found: not on the disk for certain, and of another boot of the machine.
    writeFileSync(file, JSON.stringify({ ...torn(file), bootId: 'another', isSynced: false }));
    writeFileSync(join(program?.directory ?? '', 'dist/daemon-bundle/main.js'), '');
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    assert.equal((await drover.daemon()).program?.directory, program?.directory);
  });

  it('is not made in a home that takes none: the daemon runs from where it is installed, and says so', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    // A file where the folder would be: as good as a disk that takes nothing, also for root.
    writeFileSync(join(drover.home, 'versions'), '');
    await startApp(drover, 'shop', service(port));
    const status = await drover.daemon();
    assert.equal(status.program?.isCopy, false);
    assert.match(status.program.reason ?? '', /takes no copy/);
    assert.match((await drover.run(['daemon', 'status'])).stdout, /where it is installed/);
    const { code, stdout } = await drover.run(['daemon', 'upgrade', '--json']);
    assert.equal(code, 1);
    assert.match(stdout, /DROVER_UPGRADE_IMPOSSIBLE/);
    const again = await drover.killDaemon();
    assert.equal(again.program?.isCopy, false);
  });
});

describe('old copies', () => {
  it('are removed, but not those that somebody still runs from', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const { program } = await drover.json<DaemonDocument>(['daemon', 'status']);
    const old = join(drover.home, 'versions', '0.0.1-unused');
    mkdirSync(old);
    assert.deepEqual(removeOld(drover.home, []), [old], 'the workers’ agent lies in the other one');
    assert.ok(existsSync(program?.directory ?? ''));
  });
});

const torn = (file: string): object => JSON.parse(readFileSync(file, 'utf8')) as object;
