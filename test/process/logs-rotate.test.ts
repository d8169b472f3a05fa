/**
 * Rotation of the files of real processes that write as fast as they can: every line once and in order, for readers and
 * followers, whatever step the rotating process is killed at.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compressApart } from '../../src/logs/compress.ts';
import { openLogs, readLogs, type Logs, type LogsOptions, type ReadLogsOptions } from '../../src/logs/index.ts';
import type { Clock, LogLineDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary.ts';

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const KB = 1024;

const open = (home: string, more: Partial<LogsOptions> = {}): Logs =>
  openLogs({
    home,
    isAlive: () => true,
    limitsOf: () => ({ maxSizeBytes: 256 * KB, keep: 1_000, maxAgeMs: null, rotate: 'in-place' }),
    onProblem: (message) => assert.fail(message),
    ...more,
  });

/** Writes numbered lines of many lengths, some megabytes a second, cut without regard for lines, until its stdin ends. */
const ENDLESS = `
  const name = process.argv[1];
  let i = 0, isOver = false, held = Buffer.alloc(0), step = 7;
  process.stdin.on('end', () => { isOver = true; }).resume();
  (function go() {
    let text = '';
    for (let k = 0; k < 100; k++) text += name + ' ' + i++ + ' ' + 'é'.repeat((i * 7919) % 90) + '\\n';
    held = Buffer.concat([held, Buffer.from(text)]);
    while (held.length > 3000) {
      step = (step * 1103515245 + 12345) % 2147483648;
      const part = held.subarray(0, 1 + step % 3000);
      require('fs').writeSync(1, part);
      held = held.subarray(part.length);
    }
    if (!isOver) return setTimeout(go, 5);
    require('fs').writeSync(1, held);
    console.error(i);
  })();`;

interface Writer {
  readonly log: string;
  /** Ends it; resolves with how many lines it wrote. */
  stop(): Promise<number>;
}

function startWriter(logs: Logs, slot: number): Writer {
  const log = logs.openWorker({ app: 'shop', slot, generation: 1, uid: null });
  const child = spawn(process.execPath, ['-e', ENDLESS, String(slot)], { stdio: ['pipe', log.stdout, 'pipe'] });
  log.close();
  const { stdin, stderr } = child;
  assert.ok(stdin && stderr);
  let said = '';
  stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const hasEnded = once(child, 'close');
  return {
    log: log.files[0].path,
    async stop() {
      stdin.end();
      await hasEnded;
      return Number(said);
    },
  };
}

async function read(home: string, options: Partial<ReadLogsOptions> = {}): Promise<LogLineDocument[]> {
  const lines: LogLineDocument[] = [];
  for await (const line of readLogs({ home, apps: ['shop'], clock, ...options })) lines.push(line);
  return lines;
}

function assertWhole(lines: readonly LogLineDocument[], counts: ReadonlyMap<string, number>): void {
  const next = new Map([...counts.keys()].map((writer) => [writer, 0]));
  for (const { line } of lines) {
    const [writer = '', number] = line.split(' ');
    assert.equal(
      Number(number),
      next.get(writer),
      `after ${next.get(writer)} lines of ${writer}: ${line.slice(0, 80)}`,
    );
    next.set(writer, Number(number) + 1);
  }
  assert.deepEqual(next, counts);
}

const archives = (home: string, suffix = /\.(zst|gz)$/): string[] => {
  const directory = join(home, 'logs/shop/archive');
  return readdirSync(directory)
    .filter((name) => suffix.test(name))
    .map((name) => join(directory, name));
};

const STEPS = ['copied', 'synced', 'recorded', 'punched', 'marked'] as const;
const DAEMON = join(import.meta.dirname, '../support/rotating-daemon.ts');

function startDaemon(home: string, keep: number, fatal: string, before: number) {
  const args = [DAEMON, home, 'shop', String(128 * KB), String(keep), fatal, String(before)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  return { child, hasEnded: once(child, 'exit') as Promise<[number | null, string | null]> };
}

describe('rotation in place', () => {
  it('loses and doubles no line for a reader afterwards, nor for a follower meanwhile', async () => {
    await using folder = await temporaryFolder();
    const logs = open(folder.path);
    const end = new AbortController();
    const followed: LogLineDocument[] = [];
    const following = (async () => {
      const lines = readLogs({ home: folder.path, apps: ['shop'], clock, follow: true, signal: end.signal });
      for await (const line of lines) followed.push(line);
    })();
    const writers = [0, 1].map((slot) => startWriter(logs, slot));
    const counts = new Map<string, number>();
    try {
      await eventually('many rotations', () => archives(folder.path).length >= 10, { withinMs: 60_000 });
      for (const [slot, writer] of writers.entries()) counts.set(String(slot), await writer.stop());
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      await eventually('all is followed', () => followed.length >= total, { withinMs: 30_000 });
    } finally {
      // Writers and a follower that nobody ends would keep this process for ever.
      for (const writer of writers) await writer.stop();
      end.abort();
      await following;
    }
    assertWhole(followed, counts);
    await logs.settle();
    logs.close();
    assertWhole(await read(folder.path), counts);
    for (const { log } of writers) {
      const { blocks, size } = statSync(log);
      assert.ok(blocks * 512 < 600 * KB && size > 1_000 * KB, `${blocks * 512} bytes of ${size} are left in the file`);
    }
    // Others can read them too.
    const [archive = ''] = archives(folder.path);
    const text = execFileSync('zstd', ['-dc', archive], { maxBuffer: 64 * KB * KB }).toString();
    assert.match(text, /^[01] 0 é*\n/);
  });

  for (const step of STEPS) {
    it(`leaves every line once and in order where the daemon is killed after a file was ${step}`, async () => {
      await using folder = await temporaryFolder();
      const home = folder.path;
      const keep = step === 'marked' ? 2 : 1_000;
      const logs = open(home, {
        limitsOf: () => ({ maxSizeBytes: Infinity, keep, maxAgeMs: null, rotate: 'in-place' }),
      });
      const writer = startWriter(logs, 0);
      logs.close();
      for (const before of [0, 2, 0]) {
        const { hasEnded } = startDaemon(home, keep, step, before);
        assert.deepEqual(await hasEnded, [null, 'SIGKILL']);
      }
      const { child, hasEnded } = startDaemon(home, keep, 'none', 0);
      const count = await writer.stop();
      child.stdin.end();
      assert.deepEqual(await hasEnded, [0, null]);
      const lines = await read(home);
      if (step === 'marked') {
        // The oldest are gone, and what is left is whole.
        const first = Number(lines[0]?.line.split(' ')[1]);
        assert.ok(first > 0);
        lines.forEach(({ line }, index) => assert.equal(Number(line.split(' ')[1]), first + index, line.slice(0, 80)));
        assert.equal(lines.length, count - first);
        assert.equal(archives(home).length, 2);
        assert.equal(archives(home, /gone$/).length, 1);
      } else assertWhole(lines, new Map([['0', count]]));
      assert.deepEqual(archives(home, /part$/), []);
      const { blocks } = statSync(writer.log);
      assert.ok(blocks * 512 < 300 * KB, `${blocks * 512} bytes are left in the file`);
    });
  }

  it('begins anew where somebody empties the file while no daemon looks, and its writer goes on beyond its old size', async () => {
    await using folder = await temporaryFolder();
    const logs = open(folder.path);
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    writeSync(log.stdout, 'old\n'.repeat(100_000));
    await logs.settle();
    logs.close();
    assert.equal(archives(folder.path).length, 1);
    truncateSync(log.files[0].path);
    writeSync(log.stdout, 'new\n'.repeat(200_000));
    log.close();
    const again = open(folder.path);
    again.watch('shop');
    await again.settle();
    again.close();
    const lines = await read(folder.path);
    assert.equal(lines.length, 200_000);
    assert.ok(lines.every(({ line }) => line === 'new'));
  });

  it('is done with gzip where there is no zstd, and gives the same lines', async () => {
    await using folder = await temporaryFolder();
    const logs = open(folder.path, { format: () => 'gz' });
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    const text = Array.from({ length: 60_000 }, (_, i) => `line ${i}\n`).join('');
    writeSync(log.stdout, text);
    await logs.settle();
    log.close();
    logs.close();
    const [archive = ''] = archives(folder.path, /gz$/);
    const unpacked = execFileSync('gzip', ['-dc', archive], { maxBuffer: 64 * KB * KB }).toString();
    assert.ok(text.startsWith(unpacked) && unpacked.length > 256 * KB);
    assert.equal((await read(folder.path)).map(({ line }) => `${line}\n`).join(''), text);
    assert.deepEqual(
      (await read(folder.path, { lines: 2, grep: /^line 7$/ })).map(({ line }) => line),
      ['line 7'],
    );
  });
});

describe('where the file system cannot free a part of a file', () => {
  it('leaves files alone that are written to, and puts away whole ones that are finished', async () => {
    await using folder = await temporaryFolder();
    let now = Date.now();
    const logs = open(folder.path, {
      punch: () => false,
      isAlive: ({ generation }) => generation === 4,
      clock: { monotonicMs: () => performance.now(), wallMs: () => now },
    });
    const text = (generation: number): string =>
      Array.from({ length: 12_000 }, (_, i) => `${generation} ${i} ${'x'.repeat(90)}\n`).join('');
    const files = [1, 2, 3, 4].map((generation) => {
      const log = logs.openWorker({ app: 'shop', slot: 0, generation, uid: null });
      writeFileSync(log.files[0].path, text(generation));
      log.close();
      return log.files[0];
    });
    await logs.settle();
    assert.deepEqual(readdirSync(logs.directory('shop')).includes('archive'), false, 'nothing is quiet for long yet');
    now += 120_000;
    await logs.settle();
    // What was put away is older than what was not, whenever that was done.
    await logs.settle();
    logs.close();
    // The two newest may yet have to be read by a shipper.
    assert.deepEqual(
      files.map(({ path }) => statSync(path, { throwIfNoEntry: false })?.size ?? 0),
      [0, 0, text(3).length, text(4).length],
    );
    assert.equal((await read(folder.path)).map(({ line }) => `${line}\n`).join(''), [1, 2, 3, 4].map(text).join(''));
    rmSync(folder.path, { recursive: true });
  });
});

describe('emptying the logs of an app', () => {
  it('makes nothing of a rotation that has copied what is gone now, however alike what was written since', async () => {
    await using folder = await temporaryFolder();
    let flushes = 0;
    const logs: Logs = open(folder.path, {
      compress: async (request, onStep) => {
        await compressApart(request, onStep);
        if (flushes > 0) return;
        flushes += 1;
        logs.flush('shop', null);
        writeSync(log.stdout, 'else\n'.repeat(100_000) + same + 'more\n'.repeat(50_000));
      },
    });
    const same = 'same\n'.repeat(100_000);
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    writeSync(log.stdout, same + same);
    await logs.settle();
    log.close();
    logs.close();
    assert.equal(flushes, 1);
    assert.equal(archives(folder.path).length, 1);
    const lines = (await read(folder.path)).map(({ line }) => line);
    assert.equal(lines.length, 250_000);
    assert.equal(lines.filter((line) => line === 'else').length, 100_000);
  });

  it('removes archives with the files, also in the middle of a rotation', async () => {
    await using folder = await temporaryFolder();
    const logs = open(folder.path);
    const writer = startWriter(logs, 0);
    for (let time = 0; time < 3; time += 1) {
      await eventually('a rotation', () => archives(folder.path).length > 0);
      logs.flush('shop', null);
      assert.deepEqual(
        archives(folder.path, /./).filter((name) => !name.endsWith('.part')),
        [],
      );
    }
    const count = await writer.stop();
    await logs.settle();
    logs.close();
    const lines = await read(folder.path);
    // The first may be the end of one that was begun before.
    const numbers = lines.slice(1).map(({ line }) => Number(line.split(' ')[1]));
    numbers.forEach((number, index) => assert.equal(number, (numbers[0] ?? 0) + index));
    assert.equal(numbers.at(-1), count - 1);
    assert.ok(numbers.length < count);
    assert.equal(readFileSync(writer.log).includes('\n'), true);
  });
});
