import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { NumberChains } from './number-chains.ts';

/** Differences around the sizes that take one unit and two, and the largest there can be. */
const difference = fc.oneof(
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 32_766, max: 32_769 }),
  fc.integer({ min: 65_534, max: 65_538 }),
  fc.integer({ min: 1, max: 20_000_000 }),
);
const change = fc.record({ list: fc.integer({ min: 0, max: 2 }), difference, replaces: fc.boolean() });

describe('number chains', () => {
  it('give back what was put in, last one first, however lists are mixed', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 100 }), (changes) => {
        const chains = new NumberChains(0);
        const expected: number[][] = [0, 1, 2].map((list) => [list + 1, list + 40_000]);
        const places = expected.map(([first = 0, second = 0]) => chains.begin(first, second));
        for (const { list, difference, replaces } of changes) {
          const numbers = expected[list] ?? [];
          const place = places[list] ?? 0;
          const next = (numbers.at(-1) ?? 0) + difference;
          assert.equal(chains.last(place), numbers.at(-1));
          places[list] = replaces ? chains.replaceLast(place, next) : chains.append(place, next);
          if (replaces) numbers.pop();
          numbers.push(next);
        }
        for (const [list, numbers] of expected.entries()) {
          const found: number[] = [];
          for (chains.start(places[list] ?? 0); chains.place !== 0; chains.step()) found.unshift(chains.number);
          assert.deepEqual(found, numbers);
        }
      }),
    );
  });
});
