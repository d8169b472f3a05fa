import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { StringArrayReader } from './string-array.ts';
import { StringTable } from './string-table.ts';

function read(texts: readonly string[], indent = 0): StringTable {
  const table = new StringTable();
  const bytes = Buffer.from(JSON.stringify(texts, null, indent));
  const end = new StringArrayReader(table, { file: 'strings', chunkStart: 0 }, null).push(bytes, 0);
  assert.equal(end, bytes.length);
  return table;
}

const texts = fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 30 });

describe('string table', () => {
  it('gives every text back as it was', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 2 }), (list, indent) => {
        const table = read(list, indent);
        assert.deepEqual(
          Array.from({ length: table.count }, (_, at) => table.get(at)),
          list,
        );
        for (const [at, text] of list.entries()) assert.equal(table.byteLength(at), Buffer.byteLength(text));
      }),
    );
  });

  it('knows the length of escaped text as UTF-8', () => {
    const escaped = ['\\u00e4\\ud83d\\ude00\\u20ac\\n\\u0041', '\\ud800\\u0020'];
    const table = new StringTable();
    new StringArrayReader(table, { file: 'strings', chunkStart: 0 }, null).push(
      Buffer.from(`["${escaped.join('","')}"]`),
      0,
    );
    for (const [at, text] of escaped.entries())
      assert.equal(table.byteLength(at), Buffer.byteLength(JSON.parse(`"${text}"`) as string));
  });

  it('finds the first of equal texts, in text that fills several pieces', () => {
    const list = Array.from({ length: 20_000 }, (_, at) => `text number ${at}`);
    list.push('wanted "quoted"', 'text number 7', '12 / part', '13 / whole', '/ part');
    const table = read(list);
    assert.deepEqual(table.find(['wanted "quoted"', 'text number 7', 'text number', '']), [20_000, 7, -1, -1]);
    assert.deepEqual(table.findNumbered(' / part'), [20_002]);
    // Among them one that begins in the first piece and ends in the second.
    const some = Array.from({ length: 2000 }, (_, at) => 2500 + at);
    assert.deepEqual(table.find(some.map((at) => `text number ${at}`)), some);
  });

  it('does not take the end of a text, behind a quote in it, for a text', () => {
    const table = read(['say "wanted', 'unwanted', 'wanted, too', 'wanted', '"', '']);
    assert.deepEqual(table.find(['wanted', '', '"']), [3, 5, 4]);
  });

  it('finds its way in more than 4 GiB of text', () => {
    // The section as if 6 GiB of other strings stood before these three.
    const bytes = Buffer.from('"first","second","third"]');
    const at = 6 * 2 ** 30;
    const table = StringTable.of({
      count: 3,
      pieces: [bytes],
      pieceStarts: [at],
      byteCount: at + bytes.length,
      starts: Uint32Array.from([at + 1, at + 9, at + 18]),
      wraps: [0],
    });
    assert.deepEqual(
      [0, 1, 2].map((index) => table.get(index)),
      ['first', 'second', 'third'],
    );
    assert.deepEqual(table.find(['second']), [1]);
    const own = new StringTable();
    own.addString(2);
    own.addString(at + 1);
    assert.deepEqual(own.share().wraps, [1]);
  });

  it('refuses an index that is none', () => {
    assert.throws(() => read(['one']).get(1), RangeError);
  });
});
