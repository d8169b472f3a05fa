import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { BadFile } from './bad-file.ts';
import { any, array, type JsonShape, number, numbers, object, string, WrongValue } from './json-shape.ts';
import { JsonStream } from './json-stream.ts';
import { NumberColumn } from './number-column.ts';

const feed = (text: string | Uint8Array, shape: JsonShape, chunkBytes = 1 << 20): void => {
  const bytes = Buffer.from(text as string);
  const stream = new JsonStream(shape, { file: 'f.json', maxValueBytes: 1000, maxDepth: 100 });
  for (let at = 0; at < bytes.length; at += chunkBytes) stream.push(bytes.subarray(at, at + chunkBytes));
  stream.end();
};

const failing = (text: string, shape: JsonShape, chunkBytes?: number): string => {
  try {
    feed(text, shape, chunkBytes);
  } catch (error) {
    if (error instanceof BadFile) return error.message;
    throw error;
  }
  return 'no error';
};

const columnOf = (text: string, chunkBytes: number): number[] => {
  const column = new NumberColumn(2);
  feed(text, numbers(column), chunkBytes);
  return [...column.values.subarray(0, column.count)];
};

const tree = (): { shape: JsonShape; names: string[] } => {
  const names: string[] = [];
  const depth = { now: 0 };
  const node: JsonShape = object(
    { name: string((name) => names.push(`${depth.now}:${name}`)), children: array(() => node) },
    {
      onStart: () => {
        depth.now += 1;
      },
      onEnd: () => {
        depth.now -= 1;
      },
    },
  );
  return { shape: node, names };
};

describe('a JSON stream', () => {
  it('takes a value as JSON.parse does, wherever the chunks end', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 9 }), fc.boolean(), (value, chunkBytes, isPretty) => {
        const text = JSON.stringify({ skipped: value, wanted: value, last: 1 }, null, isPretty ? 2 : 0);
        const taken: unknown[] = [];
        const shape = object({ last: number((last) => taken.push(last)), wanted: any((found) => taken.push(found)) });
        try {
          feed(text, shape, chunkBytes);
        } catch (error) {
          assert.match((error as Error).message, /more than 1000 bytes/);
          return;
        }
        assert.deepEqual(taken, [JSON.parse(JSON.stringify(value)), 1]);
      }),
    );
  });

  it('takes strings with every kind of escape, wherever the chunks end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 9 })),
        fc.integer({ min: 1, max: 9 }),
        (texts, chunkBytes) => {
          const taken: string[] = [];
          feed(JSON.stringify(texts), array(string((text) => taken.push(text))), chunkBytes);
          assert.deepEqual(taken, JSON.parse(JSON.stringify(texts)));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('puts numbers of every kind into a column, exactly, wherever the chunks end', () => {
    const anyNumber = fc.oneof(
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.maxSafeInteger(),
      fc.constantFrom(0, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32, 1e300, 1234567890123e6),
    );
    fc.assert(
      fc.property(fc.array(anyNumber), fc.integer({ min: 1, max: 9 }), fc.boolean(), (values, chunkBytes, isPretty) => {
        const text = JSON.stringify(values, null, isPretty ? 1 : 0);
        assert.deepEqual(columnOf(text, chunkBytes), JSON.parse(text));
      }),
    );
  });

  it('goes into a shape that holds itself', () => {
    const { shape, names } = tree();
    feed('{"name":"a","children":[{"children":[{"name":"c"}],"name":"b","x":{"name":"no"}},{"name":"d"}]}', shape, 3);
    assert.deepEqual(names, ['1:a', '3:c', '2:b', '2:d']);
  });

  it('knows a field whose name is written with escapes, and takes null for absent', () => {
    const taken: unknown[] = [];
    const shape = object({ id: number((id) => taken.push(id)), to: string((to) => taken.push(to)) });
    feed('{"\\u0069d": 7, "to": null}', shape, 1);
    assert.deepEqual(taken, [7]);
  });

  it('says what was expected, at which byte and along which path', () => {
    const shape = object({ nodes: array(object({ id: number(() => undefined), at: object({}) })) });
    assert.equal(
      failing('{"nodes":[{"id":1},{"id":"x"}]}', shape),
      'f.json: at byte 25 (nodes[1].id): a number was expected, found "\\"x\\"}]}"',
    );
    assert.equal(
      failing('{"nodes":[{"at":[]}]}', shape, 2),
      'f.json: at byte 16 (nodes[0].at): an object was expected, found "[]"',
    );
    assert.match(
      failing('{"nodes":[{"id":01}]}', shape),
      /byte 16 \(nodes\[0\]\.id\): a number was expected, found "01"/,
    );
    assert.equal(failing('', shape), 'f.json: at byte 0: the file is empty');
    assert.equal(failing('{"nodes":[{"id":1', shape), 'f.json: at byte 17 (nodes[0].id): the file ends in the middle');
  });

  it('refuses every cut and every kind of broken punctuation', () => {
    const shape = (): JsonShape => {
      const column = new NumberColumn();
      return object({
        a: array(string(() => undefined)),
        b: numbers(column),
        c: number(() => undefined),
        d: any(() => undefined),
      });
    };
    const whole = '{"a":["x","y\\n"],"b":[1,-2.5e3,3],"c":12,"d":{"e":[true]},"f":[{}]}';
    for (const chunkBytes of [1, 3, 100]) {
      assert.equal(failing(whole, shape(), chunkBytes), 'no error');
      for (let cut = 0; cut < whole.length; cut += 1)
        assert.match(failing(whole.slice(0, cut), shape(), chunkBytes), /^f\.json: at byte/, `cut at ${cut}`);
      for (const broken of [
        '{"a":["x" "y"]}',
        '{"a":["x",]}',
        '{"a"["x"]}',
        '{"a":["x"],}',
        '{,}',
        '{"b":[1 2]}',
        '{"b":[1,]}',
        '{"b":[,1]}',
        '{"b":[1,-]}',
        '{"b":[1,01]}',
        '{"b":[1,.5]}',
        '{"b":[1,"2"]}',
        '{"b":[1}}',
        '{"c":nul}',
        '{"c":-}',
        '{"c":}',
        '{"d":{]}}',
        '{"d":,"c":1}',
        '{"a":["\\x"]}',
        '{"a":["\u0001"]}',
        '{"a":["x"]} x',
        '{"a":["x"]}}',
      ])
        assert.match(failing(broken, shape(), chunkBytes), /^f\.json: at byte/, broken);
    }
  });

  it('keeps to its bounds', () => {
    assert.match(failing('['.repeat(101), tree().shape), /an object was expected/);
    const nested: JsonShape = array(() => nested);
    assert.match(failing('['.repeat(101), nested), /more than 100 levels of nesting/);
    assert.match(
      failing(`["${'x'.repeat(2000)}`, array(string(() => undefined)), 100),
      /a string of more than 1000 bytes/,
    );
    assert.match(failing(`["${'x'.repeat(2000)}`, array(any(() => undefined)), 100), /a value of more than 1000 bytes/);
    assert.match(
      failing(`[${'1'.repeat(2000)}`, numbers(new NumberColumn()), 10),
      /a number of more than 400 characters/,
    );
  });

  it('turns the objection of what takes a value into a place in the file', () => {
    const shape = array(
      number((value) => {
        if (value < 0) throw new WrongValue('a negative count');
      }),
    );
    assert.equal(failing('[1,-1]', shape), 'f.json: at byte 3 ([1]): a negative count');
  });
});
