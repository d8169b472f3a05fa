import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { CUT_MARK, LINE_LIMIT_BYTES, splitLines } from './line-splitter.ts';

/** Text with plenty of line ends and characters of every length. */
const text = fc
  .array(fc.constantFrom('a', 'ß', '€', '🐑', '\n', '\r', '\0', 'word '), { maxLength: 60 })
  .map((parts) => parts.join(''));

function chunksOf(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}

describe('a line splitter', () => {
  it('finds the same lines, at the same offsets, however the bytes arrive', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 9 })), (content, sizes) => {
        const splitter = splitLines(1_000);
        const lines = chunksOf(Buffer.from(content), sizes).flatMap((chunk) => splitter.push(Buffer.from(chunk)));
        const last = splitter.flush();
        const found = last === null ? lines : [...lines, last];
        const expected = content.split('\n');
        if (expected.at(-1) === '') expected.pop();
        let offset = 1_000;
        assert.deepEqual(
          found,
          expected.map((line) => {
            const at = offset;
            offset += Buffer.byteLength(line) + 1;
            return { offset: at, text: line };
          }),
        );
      }),
    );
  });

  it('does not need the chunk after it was pushed', () => {
    const splitter = splitLines(0);
    const chunk = Buffer.from('begin');
    splitter.push(chunk);
    chunk.fill('x');
    assert.deepEqual(splitter.push(Buffer.from(' end\n')), [{ offset: 0, text: 'begin end' }]);
  });

  it('lets bytes that are not UTF-8 through as replacement characters', () => {
    const splitter = splitLines(0);
    const lines = splitter.push(Buffer.from([0xff, 0x41, 0x0a, 0x80, 0x0a, 0x42, 0x0a]));
    assert.deepEqual(
      lines.map((line) => line.text),
      ['\u{fffd}A', '\u{fffd}', 'B'],
    );
  });

  it('cuts a line beyond the limit once, at a whole character, and goes on with the next', () => {
    for (const size of [1_000, 65_536, LINE_LIMIT_BYTES * 3]) {
      // One byte first, so that the limit falls inside a character of three.
      const bytes = Buffer.from(`x${'€'.repeat(LINE_LIMIT_BYTES)}\nnext\n`);
      const splitter = splitLines(0);
      const lines = [];
      for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
      assert.equal(lines.length, 2);
      const [long, next] = lines;
      const kept = Math.floor((LINE_LIMIT_BYTES - 1) / 3);
      assert.ok(long?.text === `x${'€'.repeat(kept)}${CUT_MARK}`, `with chunks of ${size}`);
      assert.deepEqual(next, { offset: bytes.length - 5, text: 'next' });
    }
  });

  it('keeps a line of exactly the limit whole', () => {
    const splitter = splitLines(0);
    const [line] = splitter.push(Buffer.from(`${'y'.repeat(LINE_LIMIT_BYTES)}\n`));
    assert.equal(line?.text.length, LINE_LIMIT_BYTES);
  });

  it('shows an unfinished line once; a line end alone that follows is not another line', () => {
    const splitter = splitLines(0);
    assert.deepEqual(splitter.push(Buffer.from('name? ')), []);
    assert.deepEqual(splitter.flush(), { offset: 0, text: 'name? ' });
    assert.equal(splitter.flush(), null);
    assert.deepEqual(splitter.push(Buffer.from('\n\nx\n')), [
      { offset: 7, text: '' },
      { offset: 8, text: 'x' },
    ]);
    splitter.push(Buffer.from('half '));
    splitter.flush();
    assert.deepEqual(splitter.push(Buffer.from('rest\n')), [{ offset: 15, text: 'rest' }]);
  });
});
