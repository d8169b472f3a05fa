import assert from 'node:assert/strict';
import { finished } from 'node:stream/promises';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { prefixLines } from './prefix-lines.ts';

/** What comes out when these pieces go in. */
const prefixed = async (pieces: readonly Buffer[]): Promise<string> => {
  const source = new PassThrough();
  const target = new PassThrough();
  prefixLines(source, 'a/0 | ', target);
  for (const piece of pieces) source.write(piece);
  source.end();
  await finished(source);
  target.end();
  return text(target);
};

describe('prefixed lines', () => {
  it('end where a line of the log does: not at the separators of Unicode, nor at a return', async () => {
    const json = '{"text":"one\u2028two\u2029three"}';
    assert.equal(
      await prefixed([Buffer.from(`${json}\n10 %\r20 %\nof Windows\r\n\nrest`)]),
      `a/0 | ${json}\na/0 | 10 %\r20 %\na/0 | of Windows\r\na/0 | \na/0 | rest\n`,
    );
  });

  it('are the same however the bytes come', async () => {
    const words = fc.array(fc.constantFrom('a', 'ß', '\u2028', '🐑', '\n', '\r', 'word '), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(words, fc.integer({ min: 1, max: 7 }), async (parts, size) => {
        const bytes = Buffer.from(parts.join(''));
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        const lines = bytes.toString().split('\n');
        const last = lines.pop();
        const expected = [...lines, ...(last === '' ? [] : [last])].map((line) => `a/0 | ${line}\n`).join('');
        assert.equal(await prefixed(pieces), expected);
      }),
    );
  });

  it('of a stream that fails come out as far as they came', async () => {
    const source = new PassThrough();
    const target = new PassThrough();
    prefixLines(source, 'a/0 | ', target);
    source.on('error', () => undefined);
    source.write('begun');
    await new Promise((resolve) => setImmediate(resolve));
    source.destroy(new Error('reset'));
    await finished(source).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    target.end();
    assert.equal(await text(target), 'a/0 | begun\n');
  });
});
