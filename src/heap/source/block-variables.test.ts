import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { alignInOrder } from './block-variables.ts';

const NOTHING_KNOWN = (): number => 0;

it('gives every value its name when no name is left over', () => {
  // Two oddballs between: they have numbers, though the snapshot leaves them out.
  assert.deepEqual(alignInOrder([0, 3, 4], 5, NOTHING_KNOWN), [0, 3, 4]);
});

it('gives none where a small integer may be before or behind', () => {
  assert.deepEqual(alignInOrder([0, 1], 3, NOTHING_KNOWN), [-1, -1]);
});

it('finds the name passed over from a value that is known behind it, and knows nothing of those between', () => {
  // `sessions, last, open`: a value for the first or second, and the function `open`.
  const open = (value: number, name: number): number => (value === 1 && name === 2 ? 4 : 0);
  assert.deepEqual(alignInOrder([0, 1], 3, open), [-1, 2]);
  const both = (value: number, name: number): number => open(value, name) - (value === 0 && name === 1 ? 3 : 0);
  assert.deepEqual(alignInOrder([0, 1], 3, both), [0, 2]);
});

it('never passes over fewer names than before', () => {
  // The first value fits the last name only; then the second has none before it.
  const crossed = (value: number, name: number): number =>
    (value === 0 && name === 1) || (value === 1 && name === 1) ? 4 : 0;
  assert.deepEqual(alignInOrder([0, 1], 3, crossed), [-1, -1]);
});

it('gives nothing to more values than there are names', () => {
  assert.deepEqual(alignInOrder([0, 4], 3, NOTHING_KNOWN), [-1, -1]);
});

it('is the best of all ways, and named only where all best ways agree', () => {
  const table = fc.array(fc.array(fc.integer({ min: -3, max: 4 }), { minLength: 8, maxLength: 8 }), {
    minLength: 3,
    maxLength: 3,
  });
  fc.assert(
    fc.property(table, fc.integer({ min: 3, max: 8 }), (scores, nameCount) => {
      const score = (value: number, name: number): number => scores[value]?.[name] ?? 0;
      const ways: { names: number[]; sum: number }[] = [];
      for (let a = 0; a < nameCount; a++)
        for (let b = a + 1; b < nameCount; b++)
          for (let c = b + 1; c < nameCount; c++) {
            ways.push({ names: [a, b, c], sum: score(0, a) + score(1, b) + score(2, c) });
          }
      const top = Math.max(...ways.map(({ sum }) => sum));
      const best = ways.filter(({ sum }) => sum === top);
      const expected = [0, 1, 2].map((value) => {
        const names = new Set(best.map((way) => way.names[value]));
        return names.size === 1 ? [...names][0] : -1;
      });
      assert.deepEqual(alignInOrder([0, 1, 2], nameCount, score), expected);
    }),
  );
});
