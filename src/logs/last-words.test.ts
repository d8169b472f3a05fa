import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LAST_WORDS, readLastWords } from './last-words.ts';
import { logDirectory, logFileOf } from './log-file.ts';
import { appendTimeEntry } from './time-index.ts';

const WORKER = { app: 'shop', slot: 0, generation: 3 };

let root = '';
let homes = 0;
before(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-words-'));
});
after(() => rmSync(root, { recursive: true }));

/** Writes both files, last written to at the same moment, and reads what the crash would have as its last lines. */
function lastWordsOf(
  { stdout, stderr = '' }: { stdout: string | Buffer; stderr?: string },
  stdoutMs = 2_000,
): string[] {
  const home = join(root, String((homes += 1)));
  mkdirSync(logDirectory(home, 'shop'), { recursive: true });
  for (const [stream, text] of [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const) {
    const { path, indexPath } = logFileOf(home, { ...WORKER, stream });
    writeFileSync(path, text);
    utimesSync(path, 2, 2);
    if (stream === 'stdout') appendTimeEntry(indexPath, { timeMs: stdoutMs, offset: Buffer.byteLength(text) });
  }
  return readLastWords({ home, ...WORKER });
}

describe('the last words of a worker', () => {
  it('are the last lines of both streams by time, with those of stderr last among equals, finished or not', () => {
    assert.deepEqual(lastWordsOf({ stdout: 'one\ntwo\n', stderr: 'Error: no\n    at x\nunfinished' }), [
      'one',
      'two',
      'Error: no',
      '    at x',
      'unfinished',
    ]);
    assert.deepEqual(lastWordsOf({ stdout: 'late\n', stderr: 'early\n' }, 3_000), ['early', 'late']);
  });

  it('are bounded in lines and in size', () => {
    const many = lastWordsOf({ stdout: Array.from({ length: 1_000 }, (_, at) => `line ${at}\n`).join('') });
    assert.equal(many.length, LAST_WORDS.lines);
    assert.equal(many.at(-1), 'line 999');
    const wide = lastWordsOf({ stdout: `${'x'.repeat(900)}\n`.repeat(20) });
    assert.equal(wide.length, 9);
  });

  it('cut a huge line, which ends with what came last', () => {
    const [cut = ''] = lastWordsOf({ stdout: `${'🐑'.repeat(1_000)}\n` });
    assert.equal(cut.length, LAST_WORDS.lineCharacters);
    assert.match(cut, /^🐑.*… \[cut\]$/u);
    assert.ok(cut.isWellFormed() || cut.includes('\uFFFD'));
    const [end = '', ...others] = lastWordsOf({ stdout: `${'x'.repeat(100_000)} the end\n` });
    assert.match(end, /^… \[cut\]x+ the end$/);
    assert.equal(end.length, LAST_WORDS.lineCharacters);
    assert.deepEqual(others, []);
  });

  it('leave out a torn first line, and the zeros that an archived part leaves', () => {
    const lines = lastWordsOf({ stdout: `${'y'.repeat(20_000)}\nlast\n` });
    assert.deepEqual(lines, ['last']);
    const archived = Buffer.concat([Buffer.alloc(8_192), Buffer.from('the rest\nkept\n')]);
    assert.deepEqual(lastWordsOf({ stdout: archived }), ['… [cut]the rest', 'kept']);
  });

  it('are none where nothing was written, or the files are gone', () => {
    assert.deepEqual(lastWordsOf({ stdout: '' }), []);
    assert.deepEqual(readLastWords({ home: join(root, 'nowhere'), ...WORKER }), []);
  });
});
