import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startOf } from './strays.ts';

describe('the start of a worker that no record names', () => {
  it('is a whole number of milliseconds, or no record could be made of it', () => {
    // In binary, 1.13 s are no whole number of milliseconds.
    assert.equal(1.13 * 1000, 1129.9999999999998);
    assert.equal(startOf({ wallMs: 1_700_000_001_130, uptimeMs: 1.13 * 1000, ticks: 50 }), 1_700_000_000_500);
  });
});
