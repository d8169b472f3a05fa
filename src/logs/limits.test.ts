import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beyondLimits, DEFAULT_BUDGET, excessBytes, oldestFirst } from './limits.ts';

const GIB = 1024 ** 3;
const piece = (endedMs: number, bytes = 10) => ({ endedMs, bytes });

describe('limits of logs', () => {
  it('say what has to go for the quota and for the space on the disk, whichever is more', () => {
    const disk = { freeBytes: 5 * GIB, totalBytes: 100 * GIB };
    assert.equal(excessBytes(9 * GIB, disk, DEFAULT_BUDGET), 0);
    assert.equal(excessBytes(12 * GIB, disk, DEFAULT_BUDGET), 2 * GIB);
    assert.equal(excessBytes(0, { ...disk, freeBytes: GIB / 4 }, DEFAULT_BUDGET), 0.75 * GIB);
    // A twentieth of a small disk is enough.
    assert.equal(excessBytes(0, { freeBytes: 30, totalBytes: 1_000 }, DEFAULT_BUDGET), 20);
    assert.equal(excessBytes(0, { freeBytes: 30, totalBytes: 1_000 }, { quotaBytes: GIB, minFreeBytes: 100 }), 70);
    assert.equal(excessBytes(0, null, DEFAULT_BUDGET), 0);
  });

  it('take the oldest first, and no more than are needed', () => {
    const runs = [
      [piece(1), piece(4)],
      [piece(2), piece(3)],
    ];
    assert.deepEqual(oldestFirst(runs, 0), []);
    assert.deepEqual(oldestFirst(runs, 21), [piece(1), piece(2), piece(3)]);
    assert.deepEqual(oldestFirst(runs, 1_000).length, 4);
  });

  it('keep the newest so many, and nothing that is too old', () => {
    const pieces = [piece(1), piece(2), piece(3), piece(4), piece(5)];
    const gone = (keep: number, oldestMs: number) => beyondLimits(pieces, keep, oldestMs).map(({ endedMs }) => endedMs);
    assert.deepEqual(gone(2, -Infinity), [1, 2, 3]);
    assert.deepEqual(gone(10, 3), [1, 2]);
    assert.deepEqual(gone(4, 5), [1, 2, 3, 4]);
  });

  it('take nothing newer for older because the clock was set back', () => {
    const [first, second, later] = [piece(8), piece(9), piece(1)];
    assert.deepEqual(beyondLimits([first, second, later], 2, -Infinity), [first]);
    assert.deepEqual(beyondLimits([first, second, later], 9, 5), []);
    assert.deepEqual(oldestFirst([[first, second, later]], 11), [first, second]);
  });
});
