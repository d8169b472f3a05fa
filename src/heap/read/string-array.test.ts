import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { StringArrayReader } from './string-array.ts';
import { StringTable } from './string-table.ts';
import { INPUT_OFFSET } from './wasm-memory.ts';
import { borrowWasmReader, returnWasmReader, type WasmReader } from './wasm-reader.ts';

/** Texts with many backslashes and quotes, some of them long. */
const text = fc
  .array(
    fc.constantFrom('"', '\\', '\\\\', 'a', '\n', 'ä', ',', '","', 'long enough to be more than a block '.repeat(3)),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/** Places anywhere, none likelier than another. */
const share = fc.integer({ min: 0, max: 100_000 }).map((parts) => parts / 100_000);

interface Read {
  readonly starts: readonly number[];
  readonly texts: readonly string[];
  readonly end: number;
  readonly error: string | null;
}

/** Reads bytes in two chunks. */
function read(bytes: Uint8Array, cut: number, wasm: WasmReader | null): Read {
  const table = new StringTable();
  const position = { file: 'strings', chunkStart: 0 };
  const reader = new StringArrayReader(table, position, wasm);
  let end = -1;
  let error: string | null = null;
  try {
    for (const [from, to] of [
      [0, cut],
      [cut, bytes.length],
    ] as const) {
      if (end !== -1) break;
      end = reader.push(bytes.subarray(from, to), 0);
      if (end === -1) position.chunkStart = to;
      else end += from;
    }
  } catch (thrown) {
    error = String(thrown);
  }
  const all = Array.from({ length: table.count }, (_, at) => at);
  const texts = end === -1 ? [] : all.map((at) => table.get(at));
  return { starts: Array.from(table.share().starts.subarray(0, table.count)), texts, end, error };
}

function withWasm(act: (wasm: WasmReader) => void): void {
  const wasm = borrowWasmReader();
  assert.ok(wasm);
  act(wasm);
  returnWasmReader(wasm);
}

describe('The strings of a snapshot', () => {
  it('are the same with WebAssembly and byte by byte, wherever a chunk ends', () => {
    const separator = fc.constantFrom(',', ',\n', ' ,\n\n', ', ');
    withWasm((wasm) =>
      fc.assert(
        fc.property(fc.array(text, { maxLength: 60 }), separator, share, (list, between, cut) => {
          const bytes = Buffer.from(`[${list.map((one) => JSON.stringify(one)).join(between)}]`);
          const at = Math.floor(cut * bytes.length);
          const plain = read(bytes, at, null);
          assert.deepEqual(plain.texts, list);
          assert.deepEqual(read(bytes, at, wasm), plain);
        }),
        { numRuns: 1000 },
      ),
    );
  });

  it('are refused at the same byte, whatever stands there', () => {
    withWasm((wasm) =>
      fc.assert(
        fc.property(
          fc.array(text, { minLength: 1, maxLength: 30 }),
          share,
          fc.constantFrom('"', '\\', ',', 'x', ' ', ']', '\n'),
          (list, place, byte) => {
            const bytes = Buffer.from(`[${list.map((one) => JSON.stringify(one)).join(',\n')}]`);
            bytes.write(byte, Math.floor(place * (bytes.length - 1)), 'latin1');
            assert.deepEqual(read(bytes, bytes.length, wasm), read(bytes, bytes.length, null));
          },
        ),
        { numRuns: 2000 },
      ),
    );
  });

  it('may be more than the output of one call has room for, in a chunk that lies there and in one that does not', () => {
    const list = Array.from({ length: 60_000 }, (_, at) => String(at));
    const bytes = Buffer.from(JSON.stringify(list));
    withWasm((wasm) => {
      assert.deepEqual(read(bytes, 0, wasm).texts, list);
      const there = wasm.bytes.subarray(INPUT_OFFSET, INPUT_OFFSET + bytes.length);
      there.set(bytes);
      assert.deepEqual(read(there, 0, wasm).texts, list);
    });
  });
});
