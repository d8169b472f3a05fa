/** Somebody else's directory in the place of the runtime directory: who listens there is never asked. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { ownRuntimePath } from '../../src/client/index.ts';
import type { ErrorDocument } from '../../src/protocol/index.ts';
import { COMMAND } from '../support/drover.ts';
import { temporaryFolder } from '../support/temporary.ts';

const STRANGER = 65_534;
const folder = await temporaryFolder();
after(async () => folder[Symbol.asyncDispose]());
process.env['XDG_RUNTIME_DIR'] = folder.path;
const directory = join(folder.path, 'drover');
const script = join(folder.path, 'app.js');
writeFileSync(script, 'setInterval(() => {}, 1000);\n');
const short = join(folder.path, 'home');
const long = join(folder.path, 'h'.repeat(150));

interface Outcome {
  readonly code: number;
  readonly error: ErrorDocument['error'] | undefined;
}

const run = async (home: string, ...args: readonly string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], HOME: '/', DROVER_HOME: home, XDG_RUNTIME_DIR: folder.path };
    execFile(process.execPath, [COMMAND, ...args, '--json'], { env, cwd: '/', timeout: 30_000 }, (failure, stdout) => {
      const code = failure === null ? 0 : Number(failure.code);
      resolve({ code, error: stdout === '' ? undefined : (JSON.parse(stdout) as Partial<ErrorDocument>).error });
    });
  });

describe('a listener on the guessed name in the runtime directory', () => {
  const heard: string[] = [];
  const listeners = [short, long].map((home) => ({
    path: ownRuntimePath(home, 'sock'),
    server: createServer((request, response) => {
      heard.push(String(request.url));
      response.setHeader('content-type', 'application/json').end('{"apps":[]}');
    }),
  }));
  beforeEach(async () => {
    heard.length = 0;
    mkdirSync(directory);
    for (const { server, path } of listeners) await once(server.listen(path), 'listening');
  });
  let count = 0;
  afterEach(async () => {
    for (const { server } of listeners) await new Promise((resolve) => server.close(resolve));
    renameSync(directory, join(folder.path, `was-${(count += 1)}`));
  });

  const assertIgnored = async (reason: RegExp): Promise<void> => {
    assert.equal((await run(short, 'ls')).error?.code, 'DROVER_DAEMON_UNREACHABLE');
    for (const words of [['ls'], ['start', script], ['daemon', 'start']]) {
      const { code, error } = await run(long, ...words);
      assert.deepEqual([code, error?.code], [5, 'DROVER_NOT_ALLOWED'], words.join(' '));
      assert.match(error?.message ?? '', reason);
    }
    assert.deepEqual(heard, []);
  };

  it('is asked where the directory is ours', async () => {
    for (const home of [short, long]) assert.deepEqual(await run(home, 'ls'), { code: 0, error: undefined });
    assert.equal(heard.length, 2);
  });

  const isRoot = process.getuid?.() === 0;
  it(
    'is told nothing where it belongs to another user',
    { skip: isRoot ? false : 'only root can give it away' },
    async () => {
      chownSync(directory, STRANGER, STRANGER);
      await assertIgnored(/drover: it belongs to user 65534\.$/);
    },
  );

  it('is told nothing where others may write in it', async () => {
    chmodSync(directory, 0o777);
    await assertIgnored(/drover: it can be written by others\.$/);
  });

  it('is told nothing where it is a link', async () => {
    const real = join(folder.path, `real-${process.pid}`);
    renameSync(directory, real);
    symlinkSync(real, directory);
    await assertIgnored(/drover: it is a link\.$/);
  });
});
