import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startOf } from './strays.ts';

describe('the start of a worker that no record names', () => {
  it('is a whole number of milliseconds, or no record could be made of it', () => {
    assert.equal(startOf({ wallMs: 1_700_000_001_130, uptimeMs: 1130.4, ticks: 50 }), 1_700_000_000_500);
  });
});
