/** What is kept of logs and for how long, what a log shipper sees, and how quickly an old line is found again. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import {
  openLogs,
  readLogs,
  type LogBudget,
  type LogLimits,
  type Logs,
  type LogsOptions,
  type ReadLogsOptions,
} from '../../src/logs/index.ts';
import type { Clock } from '../../src/protocol/index.ts';
import { punchHole } from '../../src/os/index.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary.ts';

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const KB = 1024;
const HOUR_MS = 3_600_000;
const PLENTY: LogBudget = { quotaBytes: Number.MAX_SAFE_INTEGER, minFreeBytes: 0 };

const LIMITS: LogLimits = { maxSizeBytes: 64 * KB, keep: 100, maxAgeMs: null, rotate: 'in-place' };

const open = (home: string, limits: Partial<LogLimits> = {}, more: Partial<LogsOptions> = {}): Logs =>
  openLogs({ home, isAlive: () => true, limitsOf: () => ({ ...LIMITS, ...limits }), budget: () => PLENTY, ...more });

async function read(home: string, options: Partial<ReadLogsOptions> = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const { line } of readLogs({ home, apps: ['shop'], clock, ...options })) lines.push(line);
  return lines;
}

/** Something that does not compress to nothing. */
const noise = (seed: number): string =>
  Array.from({ length: 8 }, (_, i) => (Math.imul(seed + i * 7919, 2_654_435_761) >>> 0).toString(36)).join('');

const text = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `${from + i} ${noise(from + i)}\n`).join('');

/** Writes so many numbered lines in portions, each of which is rotated: about 63 KB of 1000 lines. */
async function writeRotated(logs: Logs, portions: number, slot = 0): Promise<void> {
  const log = logs.openWorker({ app: 'shop', slot, generation: 1, uid: null });
  for (let portion = 0; portion < portions; portion += 1) {
    writeSync(log.stdout, text(portion * 2_000, (portion + 1) * 2_000));
    await logs.settle();
  }
  log.close();
}

const archives = (home: string): string[] =>
  readdirSync(join(home, 'logs/shop/archive')).filter((name) => name.endsWith('.zst'));

function assertOnlyNewest(lines: readonly string[], last: number): void {
  const first = Number(lines[0]?.split(' ')[0]);
  assert.ok(first > 0, 'the oldest are gone');
  assert.deepEqual(
    lines.map((line) => Number(line.split(' ')[0])),
    Array.from({ length: last - first }, (_, i) => first + i),
  );
}

describe('limits of logs', () => {
  it('keep so many archives of each slot and stream, and what is left begins with a whole line', async () => {
    await using folder = await temporaryFolder();
    const logs = open(folder.path, { keep: 2 });
    await writeRotated(logs, 5);
    logs.close();
    assert.equal(archives(folder.path).length, 2);
    assertOnlyNewest(await read(folder.path), 10_000);
    assert.equal((await read(folder.path, { lines: 3 })).length, 3);
  });

  it('remove what is too old, from archives and from the file of a worker that is silent', async () => {
    await using folder = await temporaryFolder();
    let late = 0;
    const later: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() + late };
    const logs = open(folder.path, { maxAgeMs: HOUR_MS, maxSizeBytes: 10_000 * KB }, { clock: later });
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    writeSync(log.stdout, text(0, 5_000));
    await eventually('it is indexed', () => statSync(log.files[0].indexPath, { throwIfNoEntry: false }) !== undefined);
    await logs.settle();
    assert.equal((await read(folder.path)).length, 5_000);
    late = 2 * HOUR_MS;
    await logs.settle();
    assert.ok((await read(folder.path)).length < 100, 'what is left is less than a block');
    assert.ok(statSync(log.files[0].path).blocks * 512 <= 8 * KB);
    writeSync(log.stdout, 'new\n');
    assert.equal((await read(folder.path, { lines: 1 }))[0], 'new');
    log.close();
    logs.close();
  });

  it('remove nothing of what is written after the logs were emptied in the middle of that', async () => {
    await using folder = await temporaryFolder();
    let late = 0;
    let flushes = 0;
    const later: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() + late };
    const bytes = 'x'.repeat(1023) + '\n';
    const logs: Logs = open(
      folder.path,
      { maxAgeMs: HOUR_MS, maxSizeBytes: 100_000 * KB },
      {
        clock: later,
        punch(fd, offset, length) {
          const hasPunched = punchHole(fd, offset, length);
          // Not when it is tried out whether that works at all.
          if (length > 1_000 * KB && flushes === 0) {
            flushes += 1;
            logs.flush('shop', null);
            writeSync(log.stdout, bytes.replaceAll('x', 'y').repeat(20_000));
          }
          return hasPunched;
        },
      },
    );
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    writeSync(log.stdout, bytes.repeat(20_000));
    await eventually('it is indexed', () => statSync(log.files[0].indexPath, { throwIfNoEntry: false }) !== undefined);
    late = 2 * HOUR_MS;
    await logs.settle();
    log.close();
    logs.close();
    assert.equal(flushes, 1);
    const lines = await read(folder.path);
    assert.equal(lines.length, 20_000);
    assert.ok(lines.every((line) => line.startsWith('yyy')));
  });

  it('hold all apps to one quota: the oldest archives go first', async () => {
    await using folder = await temporaryFolder();
    const home = folder.path;
    let budget = PLENTY;
    const logs = open(home, {}, { budget: () => budget });
    await writeRotated(logs, 4);
    const sizes = archives(home).map((name) => statSync(join(home, 'logs/shop/archive', name)).size);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const live = statSync(join(home, 'logs/shop/0.1.out.log')).blocks * 512 + 8 * KB;
    budget = { quotaBytes: live + total * 0.6, minFreeBytes: 0 };
    await logs.settle();
    logs.close();
    assert.ok(archives(home).length < sizes.length && archives(home).length > 0, `${archives(home).length} are left`);
    assertOnlyNewest(await read(home), 8_000);
  });

  it('leave space on the disk: archives go, then files of workers that have ended, never what a living one has', async () => {
    await using folder = await temporaryFolder();
    const home = folder.path;
    let budget = PLENTY;
    const problems: string[] = [];
    const logs = open(
      home,
      {},
      {
        budget: () => budget,
        isAlive: ({ slot }) => slot === 0,
        onProblem: (message) => problems.push(message),
      },
    );
    await writeRotated(logs, 2);
    await writeRotated(logs, 2, 1);
    writeFileSync(join(home, 'logs/shop/1.1.out.log'), 'short\n', { flag: 'a' });
    budget = { quotaBytes: Number.MAX_SAFE_INTEGER, minFreeBytes: Number.MAX_SAFE_INTEGER };
    await logs.settle();
    logs.close();
    assert.deepEqual(archives(home), []);
    const left = readdirSync(join(home, 'logs/shop')).filter((name) => name.endsWith('.log'));
    assert.deepEqual(left, ['0.1.err.log', '0.1.out.log']);
    assert.match(problems[0] ?? '', /nearly full: removed 4 archives and 2 files/);
  });
});

/** A disk of its own, where that is allowed. */
function mountSmallDisk(path: string, bytes: number): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'ignore' }).status === 0;
}

describe('a disk that fills up', () => {
  it('is kept from it by removing archives, and the writer never notices', async (context) => {
    await using folder = await temporaryFolder();
    if (!mountSmallDisk(folder.path, 8_000 * KB)) return context.skip('needs to mount a disk');
    try {
      const budget = { quotaBytes: Number.MAX_SAFE_INTEGER, minFreeBytes: 4_000 * KB };
      const logs = open(folder.path, {}, { budget: () => budget });
      const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
      for (let portion = 0; portion < 20; portion += 1) {
        writeSync(log.stdout, text(portion * 10_000, (portion + 1) * 10_000));
        await logs.settle();
      }
      log.close();
      logs.close();
      assert.ok(statSync(log.files[0].path).size > 9_000 * KB, 'more was written than there is room for');
      assertOnlyNewest(await read(folder.path), 200_000);
    } finally {
      spawnSync('umount', ['-l', folder.path]);
    }
    return undefined;
  });

  it('that is full for the compressor too leaves all lines in the file until there is room', async (context) => {
    await using folder = await temporaryFolder();
    if (!mountSmallDisk(folder.path, 4_000 * KB)) return context.skip('needs to mount a disk');
    try {
      const problems: string[] = [];
      let nowMs = 0;
      const logs = open(
        folder.path,
        {},
        {
          onProblem: (message) => problems.push(message),
          clock: { monotonicMs: () => nowMs, wallMs: () => Date.now() },
        },
      );
      const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
      const ballast = join(folder.path, 'ballast');
      writeSync(log.stdout, text(0, 20_000));
      fillUp(ballast);
      await logs.settle();
      assert.ok(
        problems.some((message) => message.includes('ENOSPC') || message.includes('no space')),
        problems.join(),
      );
      assert.deepEqual((await read(folder.path)).length, 20_000);
      rmSync(ballast);
      nowMs += 20_000;
      await logs.settle();
      log.close();
      logs.close();
      assert.equal(archives(folder.path).length, 1);
      assert.deepEqual((await read(folder.path)).length, 20_000);
    } finally {
      spawnSync('umount', ['-l', folder.path]);
    }
    return undefined;
  });
});

function fillUp(path: string): void {
  for (const size of [64 * KB, 4 * KB])
    try {
      while (true) appendFileSync(path, Buffer.alloc(size, 1));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
}

/** Each takes 20 ms to be seen. */
const LAST_WORDS = 150;

describe("logs.rotate: 'rename'", () => {
  it('shows `tail -F` every line of three generations, once and in order, and touches no file that is followed', async () => {
    await using folder = await temporaryFolder();
    const living = new Set([1]);
    const logs = open(folder.path, { rotate: 'rename' }, { isAlive: ({ generation }) => living.has(generation) });
    const name = join(logs.directory('shop'), 'current/0.out.log');
    const first = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    const tail = spawn('tail', ['-n', '+1', '-F', name], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const seen: string[] = [];
      createInterface({ input: tail.stdout }).on('line', (line) => seen.push(line));
      writeSync(first.stdout, text(0, 3_000));
      await eventually('the first generation', () => seen.length === 3_000);
      for (const generation of [2, 3]) {
        const next = logs.openWorker({ app: 'shop', slot: 0, generation, uid: null });
        living.add(generation);
        const from = (generation - 1) * 3_000;
        // As in a reload: the new one writes already, the old one has something left to say.
        writeSync(next.stdout, text(from, from + 2_000));
        // It goes on for longer than the name would take to move on.
        const old = join(logs.directory('shop'), `0.${generation - 1}.out.log`);
        for (let word = 0; word < LAST_WORDS; word += 1) {
          appendFileSync(old, `last ${generation - 1} ${word}\n`);
          await eventually('the last words', () => seen.at(-1) === `last ${generation - 1} ${word}`);
        }
        living.delete(generation - 1);
        await eventually('the new generation', () => seen.length === from + 2_000 + (generation - 1) * LAST_WORDS);
        writeSync(next.stdout, text(from + 2_000, from + 3_000));
        await eventually('all of it', () => seen.length === from + 3_000 + (generation - 1) * LAST_WORDS);
        next.close();
      }
      const numbers = seen.filter((line) => !line.startsWith('last')).map((line) => Number(line.split(' ')[0]));
      assert.deepEqual(numbers, [...numbers.keys()]);
      assert.deepEqual(readdirSync(logs.directory('shop')).includes('archive'), false);
    } finally {
      tail.kill();
      await once(tail, 'exit');
      first.close();
      logs.close();
    }
  });
});

describe('old lines', () => {
  it('are found by their time without reading the archives before them, and from the end backwards', async () => {
    await using folder = await temporaryFolder();
    const home = folder.path;
    const logs = open(home, { maxSizeBytes: 2_000 * KB });
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    const marks: number[] = [];
    for (let portion = 0; portion < 6; portion += 1) {
      await eventually('time moves on', () => Date.now() > statSync(log.files[0].path).mtimeMs + 150, { everyMs: 10 });
      marks.push(Date.now());
      appendFileSync(log.files[0].path, text(portion * 50_000, (portion + 1) * 50_000));
      const size = (): number => statSync(log.files[0].indexPath, { throwIfNoEntry: false })?.size ?? 0;
      await eventually('it is indexed', () => size() >= (portion + 1) * 12);
      await logs.settle();
    }
    log.close();
    logs.close();
    assert.equal(archives(home).length, 6);
    let bytesRead = 0;
    const options = { onRead: (bytes: number) => (bytesRead += bytes) };
    // The kernel's stamp may be a few milliseconds older than our clock.
    const lines = readLogs({ home, apps: ['shop'], clock, sinceMs: (marks[3] ?? 0) - 15, ...options });
    const { value } = await lines.next();
    await lines.return();
    assert.equal(value?.line.split(' ')[0], '150000');
    assert.ok(bytesRead < 300 * KB, `${bytesRead} bytes for the first line`);
    bytesRead = 0;
    assert.equal((await read(home, { lines: 50_000, ...options }))[0]?.split(' ')[0], '250000');
    assert.ok(bytesRead < 10_000 * KB, `${bytesRead} bytes for the last lines`);
    assert.equal((await read(home, { grep: /^77777 / })).length, 1);
  });
});

describe("the daemon's own log", () => {
  it('is rotated in place, and of its archives five stay', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'daemon.log');
    const logs = open(folder.path);
    for (let time = 0; time < 7; time += 1) {
      appendFileSync(path, Buffer.alloc(11 * KB * KB, 'defect: something\n'));
      await logs.settle();
    }
    appendFileSync(path, 'the end\n');
    logs.close();
    const names = readdirSync(join(folder.path, 'archive'));
    assert.equal(names.filter((name) => name.endsWith('.zst')).length, 5);
    assert.ok(statSync(path).blocks * 512 < 20 * KB);
    assert.ok(readFileSync(path).subarray(-8).toString() === 'the end\n');
  });
});
