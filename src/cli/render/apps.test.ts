import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstLine } from './apps.ts';

describe('a reason in a table', () => {
  it('is its first line, and not more of it than can be read', () => {
    assert.equal(firstLine('it threw\n    at app.js:1'), 'it threw');
    assert.equal(firstLine('x'.repeat(300)), 'x'.repeat(300));
    assert.equal(firstLine('x'.repeat(10_000)), `${'x'.repeat(300)}…`);
  });
});
