import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineAccount } from './line-account.ts';

const line = (worker: number, number: number): string =>
  `${worker} ${String(number).padStart(12, '0')} ${'x'.repeat(80)}`;

const countsOf = (printed: readonly number[], lines: readonly string[]) => {
  const account = new LineAccount(printed);
  for (const one of lines) account.note(one);
  return account.counts();
};

describe('the account of numbered lines', () => {
  it('is even where each line is there once, in whatever order', () => {
    const counts = countsOf([2, 1], [line(1, 0), line(0, 1), line(0, 0)]);
    assert.deepEqual(counts, { printed: 3, found: 3, lost: 0, doubled: 0, broken: 0 });
  });

  it('tells lines that are lost, doubled, cut, run into one another, or never printed', () => {
    const counts = countsOf(
      [5],
      [line(0, 0), line(0, 0), line(0, 1).slice(0, -1), line(0, 2) + line(0, 3), line(0, 5), line(1, 0), ''],
    );
    assert.deepEqual(counts, { printed: 5, found: 1, lost: 4, doubled: 1, broken: 5 });
  });
});
