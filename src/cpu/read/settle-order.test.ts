import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { settleOrder } from './settle-order.ts';

/** Pairs of time and node, and the end. */
const toTimes = (node: Uint32Array, deltas: ArrayLike<number>): string[] => {
  let at = 0;
  const times = Array.from(node, (id, index) => {
    if (index > 0) at += deltas[index] ?? 0;
    return { at, id };
  });
  const end = at + (deltas[node.length] ?? 0);
  const first = Math.min(...times.map((time) => time.at));
  return [...times.map((time) => `${time.at - first} ${time.id}`), `${end - first} end`];
};

const sorted = (times: readonly string[]): string[] =>
  times
    .slice(0, -1)
    .sort((a, b) => Number.parseFloat(a) - Number.parseFloat(b))
    .concat(times.at(-1) ?? '');

describe('samples that are a little out of order', () => {
  const nearlySorted = fc.array(
    fc.oneof({ weight: 9, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.integer({ min: -300, max: 0 }) }),
    {
      minLength: 2,
      maxLength: 60,
    },
  );

  it('come into the order of time, those of one time staying as they were, with the end where it was', () => {
    fc.assert(
      fc.property(nearlySorted, fc.boolean(), (deltas, isWide) => {
        const node = Uint32Array.from({ length: deltas.length - 1 }, (_, index) => index);
        const column = isWide ? Float64Array.from(deltas) : Int32Array.from(deltas);
        const wanted = sorted(toTimes(node, column));
        assert.equal(settleOrder(node, column, deltas.length), true);
        assert.deepEqual(toTimes(node, column), wanted);
        assert.ok(column.subarray(1, node.length).every((delta) => delta >= 0));
      }),
      { numRuns: 300 },
    );
  });

  it('are given up, unharmed, when they are in wild disorder or their gaps do not fit', () => {
    const length = 3_000;
    const wild = Int32Array.from({ length }, (_, index) => (index % 2 === 0 ? 1000 * index : -1000 * index));
    const node = Uint32Array.from({ length }, (_, index) => index);
    const wanted = sorted(toTimes(node, wild));
    assert.equal(settleOrder(node, wild, length), false);
    assert.deepEqual(sorted(toTimes(node, wild)), wanted);
    const deep = Int32Array.from([0, 5, -(2 ** 31), -7]);
    const few = Uint32Array.from([0, 1, 2, 3]);
    assert.equal(settleOrder(few, deep, 4), false);
    assert.deepEqual([...deep], [0, 5, -(2 ** 31), -7]);
  });
});
