import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { LogLineDocument } from '../protocol/index.ts';
import { compressBlock, encodeTable } from './archive-format.ts';
import { archivePath, markPath } from './archive-name.ts';
import { groupLines, intoRecords } from './group-lines.ts';
import { lineLevel } from './line-level.ts';
import { logDirectory, logFileOf } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { CHUNK_BYTES } from './chunk-pool.ts';
import { lastLines, readLogs } from './read-logs.ts';
import type { ReadLogsOptions } from './read-logs.ts';
import { appendTimeEntry } from './time-index.ts';

const BEGIN_MS = Date.UTC(2026, 5, 1);
const clock = { monotonicMs: () => 0, wallMs: () => 0 };

let root = '';
let homes = 0;
before(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-read-'));
});
after(() => rmSync(root, { recursive: true }));

interface Burst {
  /** Milliseconds after the burst before it; the index has an entry at the end of each burst. */
  readonly afterMs: number;
  readonly lines: readonly string[];
  /** The indexer looked while the last line was being written. */
  readonly isMidLine?: boolean;
}

interface FileSpec {
  readonly slot: number;
  readonly generation: number;
  readonly stream: 'stdout' | 'stderr';
  readonly bursts: readonly Burst[];
  /** An unfinished line at the end. */
  readonly rest: string;
}

interface WrittenHome {
  readonly home: string;
  readonly expected: LogLineDocument[];
  /** The same lines, those of a record together. */
  readonly records: LogLineDocument[][];
}

/** Writes files and indices as workers and an indexer would have, and returns their lines as they should be read. */
function writeHome(specs: readonly FileSpec[]): WrittenHome {
  homes += 1;
  const home = join(root, String(homes));
  mkdirSync(logDirectory(home, 'shop'), { recursive: true });
  const lines: {
    readonly file: LogFile;
    readonly atMs: number;
    readonly order: number;
    readonly text: string;
    readonly joins: boolean;
  }[] = [];
  for (const { slot, generation, stream, bursts, rest } of specs) {
    const file = logFileOf(home, { app: 'shop', slot, generation, stream });
    const grouper = groupLines();
    let recordMs = 0;
    let content = '';
    let atMs = BEGIN_MS;
    const withRest: readonly Burst[] = [...bursts, { afterMs: 0, lines: [] }];
    for (const [number, burst] of withRest.entries()) {
      const isLast = number === bursts.length;
      atMs += burst.afterMs;
      const texts = isLast ? (rest === '' ? [] : [rest]) : burst.lines;
      for (const text of texts) {
        const joins = grouper.joins(text);
        if (!joins) recordMs = atMs;
        lines.push({ file, atMs: recordMs, order: lines.length, text, joins });
      }
      content += isLast ? rest : burst.lines.map((line) => `${line}\n`).join('');
      const missing = burst.isMidLine ? Buffer.byteLength(texts.at(-1) ?? '') : 0;
      if (!isLast) appendTimeEntry(file.indexPath, { timeMs: atMs, offset: Buffer.byteLength(content) - missing });
    }
    writeFileSync(file.path, content);
    utimesSync(file.path, atMs / 1_000, atMs / 1_000);
  }
  const fileOrder = ({ slot, generation, stream }: LogFile): string =>
    [slot, generation, stream === 'stdout' ? 0 : 1].map((part) => String(part).padStart(4, '0')).join();
  lines.sort(
    (a, b) =>
      a.atMs - b.atMs || (fileOrder(a.file) < fileOrder(b.file) ? -1 : a.file === b.file ? a.order - b.order : 1),
  );
  const records = intoRecords(lines).map((record) =>
    record.map(({ file, atMs, text }) => ({
      at: new Date(atMs).toISOString(),
      app: 'shop',
      worker: `shop/${file.slot}`,
      stream: file.stream,
      line: text,
    })),
  );
  return { home, expected: records.flat(), records };
}

async function read(home: string, options: Partial<ReadLogsOptions> = {}): Promise<LogLineDocument[]> {
  const lines: LogLineDocument[] = [];
  for await (const line of readLogs({ home, apps: ['shop'], clock, ...options })) lines.push(line);
  return lines;
}

const line = fc.oneof(
  fc.constantFrom('', 'ok', 'error: no', 'grüße 🐑', 'error'),
  // Traces, in whole and in part.
  fc.constantFrom('Error: no', '    at error (/srv/a.js:1:2)', 'Caused by: x', '}', '/srv/a.js:1'),
  // Longer than a block now and then, so that lines and blocks part company.
  fc.nat({ max: 3 }).map((blocks) => 'z'.repeat(blocks * (CHUNK_BYTES - 7))),
);
// Few different times, so that files often agree on one, and choices of time often hit one.
const burst = fc.record({
  afterMs: fc.constantFrom(100, 200),
  lines: fc.array(line, { minLength: 1, maxLength: 6 }),
  isMidLine: fc.boolean(),
});
const specs = fc.uniqueArray(
  fc.record({
    slot: fc.nat({ max: 2 }),
    generation: fc.nat({ max: 2 }),
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    bursts: fc.array(burst, { maxLength: 6 }),
    rest: fc.constantFrom('', '', 'unfinished error'),
  }),
  { maxLength: 6, selector: ({ slot, generation, stream }) => `${slot} ${generation} ${stream}` },
);

describe('reading logs', () => {
  it('gives every line once, in the order of the index, and of the file inside it', async () => {
    await fc.assert(
      fc.asyncProperty(specs, async (files) => {
        const { home, expected } = writeHome(files);
        assert.deepEqual(await read(home), expected);
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same as reading all and choosing, for any choice of time, last lines and expression', async () => {
    const choice = fc.record({
      since: fc.option(fc.nat({ max: 12 }).map((step) => step * 100)),
      until: fc.option(fc.nat({ max: 12 }).map((step) => step * 100)),
      lines: fc.option(fc.nat({ max: 12 }), { freq: 1 }),
      // The second needs a thread.
      grep: fc.option(fc.constantFrom(/ERROR/i, /^(error|ok)$/g), { freq: 1 }),
      level: fc.option(fc.constantFrom(30, 40, 60), { freq: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(specs, choice, async (files, { since, until, lines, grep, level }) => {
        const { home, records } = writeHome(files);
        const sinceMs = since === null ? null : BEGIN_MS + since;
        const untilMs = until === null ? null : BEGIN_MS + until;
        const matches = ({ line }: LogLineDocument): boolean =>
          grep === null || new RegExp(grep.source, grep.flags.replace('g', '')).test(line);
        const isChosen = (record: readonly LogLineDocument[]): boolean => {
          const [{ at, line: text, stream }] = record as [LogLineDocument];
          const atMs = Date.parse(at);
          const isInTime = atMs >= (sinceMs ?? 0) && atMs <= (untilMs ?? Infinity);
          return isInTime && record.some(matches) && lineLevel(text, stream) >= (level ?? 0);
        };
        const kept: LogLineDocument[] = [];
        for (const record of records.filter(isChosen).toReversed()) {
          if (lines === null || kept.length < lines) kept.unshift(...record);
        }
        assert.deepEqual(await read(home, { sinceMs, untilMs, lines, grep, level }), kept);
      }),
      { numRuns: 50 },
    );
  });

  it('works without an index: times are then those of the files', async () => {
    const { home, expected } = writeHome([
      { slot: 0, generation: 1, stream: 'stdout', bursts: [{ afterMs: 5, lines: ['a', 'b'] }], rest: '' },
    ]);
    rmSync(logFileOf(home, { app: 'shop', slot: 0, generation: 1, stream: 'stdout' }).indexPath);
    assert.deepEqual(await read(home, { lines: 1 }), expected.slice(1));
    assert.deepEqual(await read(home, { sinceMs: BEGIN_MS + 6 }), []);
  });

  it('reads nothing of an app that never wrote, and refuses names that are paths', async () => {
    assert.deepEqual(await read(root, { apps: ['nobody'] }), []);
    await assert.rejects(read(root, { apps: ['../shop'] }), { code: 'DROVER_APP_UNKNOWN' });
  });

  it('gives the last lines of one worker, both streams', async () => {
    const bursts = [{ afterMs: 1, lines: ['one', 'two'] }];
    const { home } = writeHome([
      { slot: 1, generation: 3, stream: 'stdout', bursts, rest: '' },
      { slot: 1, generation: 3, stream: 'stderr', bursts: [{ afterMs: 9, lines: ['boom'] }], rest: 'last' },
      { slot: 1, generation: 2, stream: 'stdout', bursts, rest: '' },
      { slot: 0, generation: 3, stream: 'stdout', bursts, rest: '' },
    ]);
    const lines = await lastLines({ home, app: 'shop', slot: 1, generation: 3 }, 3, clock);
    assert.deepEqual(
      lines.map(({ stream, line }) => `${stream} ${line}`),
      ['stdout two', 'stderr boom', 'stderr last'],
    );
  });

  it('keeps the traces of two workers apart, although their lines were written in turns, by whatever they are chosen', async () => {
    const trace = (name: string): Burst[] => [
      { afterMs: 100, lines: ['before', `Error: ${name}`] },
      { afterMs: 100, lines: ['    at one', '    at two'] },
      { afterMs: 100, lines: ['Caused by: it', 'after'] },
    ];
    const { home } = writeHome(
      [0, 1].map((slot) => ({ slot, generation: 1, stream: 'stderr' as const, bursts: trace(`no ${slot}`), rest: '' })),
    );
    const texts = async (options: Partial<ReadLogsOptions>): Promise<string[]> =>
      (await read(home, options)).map(({ worker, line }) => `${worker.slice(-1)} ${line}`);
    const whole = (slot: number): string[] =>
      [`Error: no ${slot}`, '    at one', '    at two', 'Caused by: it'].map((text) => `${slot} ${text}`);
    assert.deepEqual(await texts({}), ['0 before', ...whole(0), '1 before', ...whole(1), '0 after', '1 after']);
    assert.deepEqual(await texts({ grep: /at two/ }), [...whole(0), ...whole(1)]);
    assert.deepEqual(await texts({ grep: /at two/, lines: 1 }), whole(1));
    assert.deepEqual(await texts({ lines: 3 }), [...whole(1), '0 after', '1 after']);
    assert.deepEqual(await texts({ sinceMs: BEGIN_MS + 200 }), ['0 after', '1 after']);
    assert.deepEqual(await texts({ untilMs: BEGIN_MS + 200, lines: 1 }), whole(1));
  });

  it('shows no rest of a record that began before the wanted time and goes on after it', async () => {
    const bursts = [['Error: no'], ['    at one'], ['    at two', 'after']].map((lines) => ({ afterMs: 100, lines }));
    const { home } = writeHome([{ slot: 0, generation: 1, stream: 'stderr', bursts, rest: '' }]);
    assert.deepEqual(await read(home, { sinceMs: BEGIN_MS + 200, untilMs: BEGIN_MS + 200 }), []);
  });

  it('keeps a trace whole that lies in an archive and in the file, and shows the rest of one that was removed', async () => {
    const trace = ['before', 'Error: no', '    at one', '    at two', 'after'];
    const bursts = [trace.slice(0, 4), trace.slice(4)].map((lines) => ({ afterMs: 100, lines }));
    const { home } = writeHome([{ slot: 0, generation: 1, stream: 'stderr', bursts, rest: '' }]);
    const file = logFileOf(home, { app: 'shop', slot: 0, generation: 1, stream: 'stderr' });
    const bytes = readFileSync(file.path);
    const end = bytes.indexOf('one');
    const block = compressBlock(bytes.subarray(0, end), 'gz');
    const archive = Buffer.concat([block, encodeTable([block.length], 'gz')]);
    mkdirSync(file.archiveDirectory);
    writeFileSync(archivePath(file, { start: 0, end }, 'gz'), archive);
    writeFileSync(file.path, Buffer.alloc(end), { flag: 'r+' });
    const texts = async (options: Partial<ReadLogsOptions>): Promise<string[]> =>
      (await read(home, options)).map(({ line }) => line);
    const whole = trace.slice(1, 4);
    assert.deepEqual(await texts({}), trace);
    assert.deepEqual(await texts({ grep: /at two/ }), whole);
    assert.deepEqual(await texts({ grep: /at two/, lines: 1 }), whole);
    assert.deepEqual(await texts({ lines: 2 }), [...whole, 'after']);

    writeFileSync(markPath(file, end, bytes.indexOf('    at two')), '');
    rmSync(archivePath(file, { start: 0, end }, 'gz'));
    assert.deepEqual(await texts({}), ['    at two', 'after']);
    assert.deepEqual(await texts({ lines: 1 }), ['after']);
    assert.deepEqual(await texts({ grep: /two/, lines: 1 }), ['    at two']);
    assert.deepEqual(await texts({ sinceMs: BEGIN_MS + 200 }), ['after']);
    assert.deepEqual(await texts({ untilMs: BEGIN_MS + 100 }), ['    at two']);
  });

  it('can be left at any line', async () => {
    const { home, expected } = writeHome([
      { slot: 0, generation: 1, stream: 'stdout', bursts: [{ afterMs: 1, lines: ['a', 'b', 'c'] }], rest: '' },
    ]);
    for await (const line of readLogs({ home, apps: ['shop'], clock, grep: /(a|b|c)/ })) {
      assert.deepEqual(line, expected[0]);
      break;
    }
  });

  it('ends soon where it is called off while the last lines are looked for, with an expression or without', async () => {
    const lines = Array.from({ length: 100_000 }, (_, number) => `line ${number}`);
    const bursts = [{ afterMs: 100, lines }];
    const { home } = writeHome([{ slot: 0, generation: 1, stream: 'stdout', bursts, rest: '' }]);
    for (const grep of [null, /nothing/]) {
      const ending = new AbortController();
      let bytes = 0;
      const onRead = (count: number): void => {
        bytes += count;
        ending.abort();
      };
      assert.deepEqual(await read(home, { grep, lines: 90_000, signal: ending.signal, onRead }), []);
      assert.ok(bytes <= 8 * CHUNK_BYTES, `${bytes} bytes`);
    }
  });

  it('leaves no file open where an archive is damaged', async () => {
    const bursts = ['one', 'two', 'three'].map((text) => ({ afterMs: 100, lines: [text] }));
    const { home } = writeHome([{ slot: 0, generation: 1, stream: 'stdout', bursts, rest: '' }]);
    const file = logFileOf(home, { app: 'shop', slot: 0, generation: 1, stream: 'stdout' });
    mkdirSync(file.archiveDirectory);
    writeFileSync(archivePath(file, { start: 0, end: 10 }, 'gz'), 'no archive');
    for (const options of [{ lines: 10 }, { lines: 10, grep: /o/ }, { sinceMs: BEGIN_MS + 200 }]) {
      await assert.rejects(read(home, options), /is damaged/);
      assert.deepEqual(openBelow(home), []);
    }
  });
});

/** What this process has open in a directory. */
const openBelow = (directory: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(join('/proc/self/fd', fd));
      return target.startsWith(directory) ? [target] : [];
    } catch {
      return []; // The one that lists them.
    }
  });
