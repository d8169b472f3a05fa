import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { findDurationMs, findSizeBytes, formatDuration } from './quantity.ts';

describe('durations', () => {
  it('come back from their shortest spelling', () => {
    fc.assert(fc.property(fc.nat(), (ms) => assert.equal(findDurationMs(formatDuration(ms)), ms)));
  });
  it('are not guessed', () => {
    for (const text of ['', '5', 's', '5 s', '-5s', '5S', '5sec', '1e3s', '٣s'])
      assert.equal(findDurationMs(text), undefined, text);
  });
});

describe('sizes', () => {
  it('are binary, in either case', () => {
    assert.equal(findSizeBytes('512MB'), 512 * 1024 * 1024);
    assert.equal(findSizeBytes('1.5kb'), 1536);
    assert.equal(findSizeBytes('12'), undefined);
  });
});
