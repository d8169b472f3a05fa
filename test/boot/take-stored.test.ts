/** What a service manager hands back, read in a process that was started with it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../support/temporary.ts';

const SOURCE = JSON.stringify(
  join(import.meta.dirname, '..', '..', 'src', 'daemon', 'service-manager', 'take-stored.ts'),
);
const PROGRAM = `
  import { fstatSync } from 'node:fs';
  import { takeStored } from ${SOURCE};
  const taken = takeStored(process.env, process.pid);
  const isOpen = (fd) => { try { fstatSync(fd); return true; } catch { return false; } };
  const left = Object.keys(process.env).filter((name) => name.startsWith('LISTEN_'));
  process.stdout.write(JSON.stringify({ taken, left, open: [3, 4, 5, 6, 7].filter(isOpen) }));`;

interface Answer {
  readonly taken: {
    readonly descriptors: readonly { readonly name: string; readonly fd: number }[];
    readonly hasServed: boolean;
    readonly deaths: number;
    readonly names: readonly string[];
    readonly sequence: number;
  } | null;
  readonly left: readonly string[];
  readonly open: readonly number[];
}

async function startWith(given: readonly (readonly [name: string, fd: number])[], pid = '$$'): Promise<Answer> {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', PROGRAM];
  const child = spawn('/bin/sh', ['-c', `export LISTEN_PID=${pid}; exec "$@"`, 'sh', ...node], {
    env: {
      ...process.env,
      LISTEN_FDS: String(given.length),
      LISTEN_FDNAMES: given.map(([name]) => name).join(':'),
    },
    stdio: ['ignore', 'pipe', 'inherit', ...given.map(([, fd]) => fd)],
  });
  return JSON.parse(await text(child.stdout!)) as Answer;
}

describe('what a service manager stored', () => {
  it('is known by the newest list; what that does not name is closed', async () => {
    await using folder = await temporaryFolder();
    const open = (name: string, content: unknown): number => {
      writeFileSync(join(folder.path, name), JSON.stringify(content));
      return openSync(join(folder.path, name), 'r');
    };
    const [kept, forgotten, foreign] = [open('kept', 1), open('forgotten', 2), open('foreign', 3)];
    const inodeOf = (fd: number): number => fstatSync(fd).ino;
    const entry = (name: string, fd: number) => ({ name, inode: inodeOf(fd) });
    const long = `["net",{"app":"shop","path":"a:b"},"${'x'.repeat(300)}"]`;
    const old = { descriptors: [entry('old', kept), entry('old too', forgotten)], hasServed: true, deaths: 0 };
    const lists = [
      open('list-9', old),
      open('list-10', { descriptors: [entry(long, kept)], hasServed: false, deaths: 2 }),
    ] as const;
    const answer = await startWith([
      ['drover-list-10', lists[1]],
      [`drover-${inodeOf(kept)}`, kept],
      ['drover-list-9', lists[0]],
      [`drover-${inodeOf(forgotten)}`, forgotten],
      ['somebody-else', foreign],
    ]);
    assert.deepEqual(answer.taken?.descriptors, [{ name: long, fd: 4 }]);
    assert.deepEqual([answer.taken?.hasServed, answer.taken?.deaths, answer.taken?.sequence], [false, 2, 10]);
    assert.equal(answer.taken?.names.length, 4, 'all of ours, so that they can be removed');
    assert.deepEqual(
      answer.open.filter((fd) => fd < 7),
      [4],
      'one is ours to keep',
    );
    assert.deepEqual(answer.left, [], 'the next program does not take them for its own');
    for (const fd of [kept, forgotten, foreign, ...lists]) closeSync(fd);
  });

  it('is nothing when it was meant for another process', async () => {
    await using folder = await temporaryFolder();
    writeFileSync(join(folder.path, 'file'), '1');
    const fd = openSync(join(folder.path, 'file'), 'r');
    const answer = await startWith([['drover-list-1', fd]], '1');
    assert.equal(answer.taken, null);
    assert.deepEqual(answer.left, []);
    closeSync(fd);
  });
});
