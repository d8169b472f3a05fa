import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseSurge } from './surge.ts';

const MB = 1024 * 1024;
const ample = { slots: 4, workerBytes: 100 * MB, freeBytes: 8000 * MB, cpus: 2 };

describe('the number of replacements at a time', () => {
  it('is all of them where memory and cores allow it', () => {
    assert.equal(chooseSurge(ample), 4);
  });

  it('leaves half of the free memory free', () => {
    assert.equal(chooseSurge({ ...ample, freeBytes: 450 * MB }), 2);
  });

  it('is bounded by the cores that must go on serving', () => {
    assert.equal(chooseSurge({ ...ample, slots: 64, freeBytes: 1e12 }), 8);
  });

  it('is at least one: a reload that waits for memory would wait for ever', () => {
    assert.equal(chooseSurge({ ...ample, freeBytes: 0 }), 1);
  });
});
