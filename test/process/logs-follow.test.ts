/**
 * Reading and following the output of real processes that write as they like: nothing lost, nothing doubled, in order,
 * while files are emptied, generations come and go, and the index is away.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, openSync, closeSync, readdirSync, statSync, writeSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Logs, openLogs, readLogs, type ReadLogsOptions } from '../../src/logs/index.ts';
import type { Clock, LogLineDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary.ts';

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** Writes numbered lines as fast as it can, in pieces that are cut without regard for lines. */
const FLOOD = `
  const [name, count, seed] = process.argv.slice(1);
  let text = '';
  for (let i = 0; i < count; i++) text += name + ' ' + i + ' ' + 'é'.repeat((i * 7919) % 90) + '\\n';
  const bytes = Buffer.from(text);
  let at = 0, step = Number(seed);
  (function go() {
    for (let k = 0; k < 20 && at < bytes.length; k++) {
      step = (step * 1103515245 + 12345) % 2147483648;
      const size = 1 + (step % 700);
      require('fs').writeSync(1, bytes, at, Math.min(size, bytes.length - at));
      at += size;
    }
    if (at < bytes.length) setImmediate(go);
  })();`;

/** Resolves when the writer has ended; listening for that from the start, because it may be quick. */
async function flood(logs: Logs, slot: number, generation: number, count: number): Promise<void> {
  const log = logs.openWorker({ app: 'shop', slot, generation, uid: null });
  const args = ['-e', FLOOD, `${slot}.${generation}`, String(count), String(slot + 1)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', log.stdout, log.stderr] });
  log.close();
  await once(child, 'exit');
}

/** Writes numbered lines until its stdin ends. */
const ENDLESS = `
  let i = 0, isOver = false;
  process.stdin.on('end', () => { isOver = true; }).resume();
  (function go() {
    for (let k = 0; k < 200; k++) require('fs').writeSync(1, process.argv[1] + ' ' + i++ + ' ' + 'x'.repeat(80) + '\\n');
    if (!isOver) setImmediate(go);
  })();`;

async function read(home: string, options: Partial<ReadLogsOptions> = {}): Promise<LogLineDocument[]> {
  const lines: LogLineDocument[] = [];
  for await (const line of readLogs({ home, apps: ['shop'], clock, ...options })) lines.push(line);
  return lines;
}

/** Follows until `enough` says so, or for half a minute. */
async function followUntil(
  home: string,
  enough: (lines: readonly LogLineDocument[]) => boolean,
  options: Partial<ReadLogsOptions> = {},
): Promise<LogLineDocument[]> {
  const end = new AbortController();
  const deadline = setTimeout(() => end.abort(), 30_000);
  const lines: LogLineDocument[] = [];
  for await (const line of readLogs({ home, apps: ['shop'], clock, follow: true, signal: end.signal, ...options })) {
    lines.push(line);
    if (enough(lines)) break;
  }
  clearTimeout(deadline);
  return lines;
}

/** Asserts that each writer's lines are there from 0 to `count`, in order, each once. */
function assertWhole(lines: readonly LogLineDocument[], writers: readonly string[], count: number): void {
  const next = new Map(writers.map((writer) => [writer, 0]));
  for (const { line } of lines) {
    const [writer = '', number] = line.split(' ');
    assert.equal(Number(number), next.get(writer), `after ${next.get(writer)} lines of ${writer}: ${line}`);
    next.set(writer, Number(number) + 1);
  }
  assert.deepEqual(
    [...next],
    writers.map((writer) => [writer, count]),
  );
}

const isAscending = (lines: readonly LogLineDocument[]): boolean =>
  lines.every(({ at }, index) => index === 0 || at >= (lines[index - 1]?.at ?? ''));

describe('following the output of workers', () => {
  it('loses and doubles no line of four writers under load, two generations each', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: () => true });
    const count = 8_000;
    const names: string[] = [];
    const writers: Promise<void>[] = [];
    const following = followUntil(folder.path, (lines) => lines.length === 8 * count);
    for (const generation of [1, 2]) {
      // The second generation begins while the first still writes, as in a reload.
      for (const slot of [0, 1, 2, 3]) {
        names.push(`${slot}.${generation}`);
        writers.push(flood(logs, slot, generation, count));
      }
    }
    assertWhole(await following, names, count);
    await Promise.all(writers);
    logs.close();
    const all = await read(folder.path);
    assertWhole(all, names, count);
    assert.ok(isAscending(all), 'times ascend');
    assert.deepEqual(await read(folder.path, { lines: 1_000 }), all.slice(-1_000));
  });

  it('waits for a slow reader instead of buffering, and still loses nothing', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: () => true });
    let bytesRead = 0;
    const lines = readLogs({
      home: folder.path,
      apps: ['shop'],
      clock,
      follow: true,
      onRead: (bytes) => (bytesRead += bytes),
    });
    const writer = flood(logs, 0, 1, 30_000);
    const first = await lines.next();
    await writer;
    const log = `${logs.directory('shop')}/0.1.out.log`;
    assert.ok(bytesRead <= 256 * 1024 && statSync(log).size > 2_000_000, `${bytesRead} bytes read for one line`);
    const taken = first.done === true ? [] : [first.value];
    while (taken.length < 30_000) {
      const next = await lines.next();
      if (next.done === true) break;
      taken.push(next.value);
    }
    await lines.return();
    assertWhole(taken, ['0.1'], 30_000);
    logs.close();
  });

  it('begins with the last lines, and joins what was unfinished then to what comes', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: () => true });
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    writeSync(log.stdout, 'one\ntwo\nthr');
    const lines = await followUntil(
      folder.path,
      (soFar) => {
        // Written while the reader is waiting for it.
        if (soFar.length === 1) setImmediate(() => writeSync(log.stdout, 'ee\nfour\n'));
        return soFar.at(-1)?.line === 'four';
      },
      { lines: 1 },
    );
    log.close();
    logs.close();
    assert.deepEqual(
      lines.map(({ line }) => line),
      ['two', 'three', 'four'],
    );
  });

  it('shows an unfinished line when its writer says no more', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: () => true });
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    writeSync(log.stderr, 'Segmentation fa');
    const lines = await followUntil(folder.path, (soFar) => soFar.length === 1);
    log.close();
    logs.close();
    assert.deepEqual(
      lines.map(({ stream, line }) => [stream, line]),
      [['stderr', 'Segmentation fa']],
    );
  });

  it('keeps the traces of two workers apart that are written in turns, and shows one that ends a file', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: () => true });
    const files = [0, 1].map((slot) => logs.openWorker({ app: 'shop', slot, generation: 1, uid: null }));
    const writeBoth = (text: string): void => files.forEach((log, slot) => writeSync(log.stderr, `${slot} ${text}`));
    writeBoth('before\nError: no\n    at one\n');
    const lines = await followUntil(folder.path, (soFar) => {
      if (soFar.length === 2) setImmediate(() => files.forEach(({ stderr }) => writeSync(stderr, '    at two\n')));
      return soFar.length === 8;
    });
    for (const log of files) log.close();
    logs.close();
    const trace = ['Error: no', '    at one', '    at two'];
    assert.deepEqual(
      lines.map(({ line }) => line),
      ['0 before', '1 before', ...trace, ...trace],
    );
  });

  it('goes on after the files were emptied under the writers', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: () => true });
    const paths = [0, 1].map((slot) => `${logs.directory('shop')}/${slot}.1.out.log`);
    const children = [0, 1].map((slot) => {
      const log = logs.openWorker({ app: 'shop', slot, generation: 1, uid: null });
      const child = spawn(process.execPath, ['-e', ENDLESS, String(slot)], { stdio: ['pipe', log.stdout, log.stderr] });
      log.close();
      return { child, hasExited: once(child, 'exit') };
    });
    const areWriting = (): boolean => paths.every((path) => statSync(path).size > 50_000);
    await eventually('both write', areWriting);
    assert.ok(logs.flush('shop', null) >= 100_000);
    await eventually('both write on', areWriting);
    for (const { child } of children) child.stdin?.end();
    await Promise.all(children.map(({ hasExited }) => hasExited));
    logs.close();
    const lines = (await read(folder.path)).map(({ line }) => line);
    assert.ok(!lines.some((line) => line.includes('\0')), 'no hole at the beginning');
    for (const slot of [0, 1]) {
      const numbers = lines.filter((line) => line.startsWith(`${slot} `)).map((line) => Number(line.split(' ')[1]));
      assert.ok((numbers[0] ?? 0) > 0, 'the first lines are gone');
      assert.ok(numbers.every((number, index) => index === 0 || number === (numbers[index - 1] ?? 0) + 1));
    }
  });
});

describe('the order of lines', () => {
  it('is that of their writing, over four workers and both streams, where they are an index interval apart', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: () => true });
    const writers = [0, 1, 2, 3].map((slot) => logs.openWorker({ app: 'shop', slot, generation: 1, uid: null }));
    const turns = Array.from({ length: 40 }, (_, turn) => turn);
    const following = followUntil(folder.path, (lines) => lines.length === turns.length);
    for (const turn of turns) {
      // Against the order of slots and streams, so that no accident puts them right.
      const writer = writers[3 - (turn % 4)];
      assert.ok(writer);
      const isError = turn % 3 === 0;
      const file = writer.files[isError ? 1 : 0];
      const before = statSync(file.indexPath, { throwIfNoEntry: false })?.size ?? 0;
      writeSync(isError ? writer.stderr : writer.stdout, `${turn}\n`);
      await eventually(
        'the line is indexed',
        () => (statSync(file.indexPath, { throwIfNoEntry: false })?.size ?? 0) > before,
      );
      // The kernel stamps files with a clock that moves every few milliseconds.
      await eventually('time moves on', () => Date.now() > statSync(file.path).mtimeMs + 20, { everyMs: 2 });
    }
    const numbers = (lines: readonly LogLineDocument[]): number[] => lines.map(({ line }) => Number(line));
    assert.deepEqual(numbers(await following), turns);
    const all = await read(folder.path);
    assert.deepEqual(numbers(all), turns);
    const middle = all[20];
    assert.ok(middle);
    assert.deepEqual(numbers(await read(folder.path, { sinceMs: Date.parse(middle.at) })), turns.slice(20));
    for (const writer of writers) writer.close();
    logs.close();
  });

  it('survives a daemon that was away: its first entry afterwards bounds the lines of the gap', async () => {
    await using folder = await temporaryFolder();
    const before = openLogs({ home: folder.path, isAlive: () => true });
    const log = before.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    writeSync(log.stdout, 'before\n');
    before.close();
    const [first] = await read(folder.path);
    await eventually('time moves on', () => Date.now() > Date.parse(first?.at ?? '') + 20);
    writeSync(log.stdout, 'away\n');
    const awayMs = statSync(log.files[0].path).mtimeMs;
    const after = openLogs({ home: folder.path, isAlive: () => true });
    after.watch('shop');
    after.close();
    writeSync(log.stdout, 'later\n');
    log.close();
    const lines = await read(folder.path);
    assert.deepEqual(
      lines.map(({ line }) => line),
      ['before', 'away', 'later'],
    );
    assert.deepEqual([lines[0]?.at, lines[1]?.at], [first?.at, new Date(Math.round(awayMs)).toISOString()]);
  });
});

describe('a file of 200 MB', () => {
  it('is read at its end for the last lines, and at one place for a time', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: () => true });
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    const block = Buffer.from(`${'x'.repeat(99)}\n`.repeat(10_000));
    const fd = openSync(log.files[0].path, 'a');
    for (let written = 0; written < 200; written += 1) writeSync(fd, block);
    closeSync(fd);
    await eventually('it is indexed', () => statSync(log.files[0].indexPath, { throwIfNoEntry: false }) !== undefined);
    await eventually('time moves on', () => Date.now() > statSync(log.files[0].path).mtimeMs + 20);
    logs.close();
    const sinceMs = Date.now();
    appendFileSync(log.files[0].path, 'needle\nlast\n');
    log.close();

    let bytesRead = 0;
    const counted = async (options: Partial<ReadLogsOptions>): Promise<number> => {
      bytesRead = 0;
      return (await read(folder.path, { ...options, onRead: (bytes) => (bytesRead += bytes) })).length;
    };
    assert.equal(await counted({ lines: 100 }), 100);
    assert.ok(bytesRead < 300_000, `${bytesRead} bytes for 100 lines`);
    assert.equal(await counted({ lines: 1, grep: /^need(le)+$/ }), 1);
    assert.ok(bytesRead < 1_500_000, `${bytesRead} bytes for a match near the end`);
    // The kernel's stamp may be a few milliseconds older than our clock.
    assert.equal(await counted({ sinceMs: sinceMs - 15 }), 2);
    assert.ok(bytesRead < 300_000, `${bytesRead} bytes for two new lines`);
  });
});

describe('the files of a slot', () => {
  it('are kept for the newest ten generations, and for any whose worker lives', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: ({ generation }) => generation === 2 });
    for (let generation = 1; generation <= 14; generation += 1) {
      const log = logs.openWorker({ app: 'shop', slot: 0, generation, uid: null });
      writeSync(log.stdout, `generation ${generation}\n`);
      log.close();
      const { mtimeMs } = statSync(log.files[0].path);
      await eventually('time moves on', () => Date.now() > mtimeMs + 20, { everyMs: 2 });
    }
    await logs.settle();
    logs.close();
    const kept = (await read(folder.path)).map(({ line }) => Number(line.split(' ')[1]));
    assert.deepEqual(kept, [2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    const names = readdirSync(logs.directory('shop'));
    assert.ok(!names.some((name) => name.startsWith('0.1.')), 'the index goes with its file');
  });

  it('are for their owner only', async () => {
    await using folder = await temporaryFolder();
    const logs = openLogs({ home: folder.path, isAlive: () => true });
    const log = logs.openWorker({ app: 'shop', slot: 0, generation: 1, uid: null });
    writeSync(log.stdout, 'x\n');
    log.close();
    logs.close();
    assert.equal(statSync(logs.directory('shop')).mode & 0o777, 0o700);
    for (const name of readdirSync(logs.directory('shop'))) {
      assert.equal(statSync(`${logs.directory('shop')}/${name}`).mode & 0o777, 0o600, name);
    }
  });
});
