import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boundedText } from './outcome.ts';

describe('what is kept of an answer', () => {
  it('is its beginning, and how long it was', () => {
    const text = boundedText(10);
    for (const chunk of [' abcde', 'fghijk', 'lm', 'no']) text.add(Buffer.from(chunk));
    assert.equal(text.text, 'abcdefghi… (16 bytes)');
  });

  it('is all of it where that is short', () => {
    const text = boundedText();
    assert.equal(text.text, '');
    text.add(Buffer.from('no such channel\n'));
    assert.equal(text.text, 'no such channel');
  });

  it('does not grow with what comes', () => {
    const text = boundedText();
    for (let index = 0; index < 1_000; index += 1) text.add(Buffer.alloc(10_000, 'x'));
    assert.ok(text.text.length < 5_000);
    assert.match(text.text, /x… \(10000000 bytes\)$/);
  });
});
