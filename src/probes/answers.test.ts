import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerOf, Excerpt, oneLine, READ_BYTES } from './answers.ts';

describe('the words of an answer', () => {
  it('are one line of at most a thousand characters, with nothing that a terminal obeys', () => {
    assert.equal(oneLine(' a\r\n\tb\u001b[31m\u0000c\u009b\u2028d '), 'a b [31m c d');
    assert.equal(oneLine('x'.repeat(1000)).length, 1000);
    assert.equal(oneLine('x'.repeat(1001)), `${'x'.repeat(999)}…`);
    assert.equal(oneLine(`${' '.repeat(5000)}x`), '…');
    assert.ok(oneLine('x'.repeat(1e6)).length === 1000);
  });

  it('hold nothing against the worker where it is this machine that has no room', () => {
    for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'EADDRNOTAVAIL'])
      assert.equal(answerOf(Object.assign(new Error('no room'), { code })).outcome, 'missing');
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EAGAIN', 'EWHATEVER'])
      assert.equal(answerOf(Object.assign(new Error('no'), { code })).outcome, 'fail');
  });
});

describe('an excerpt', () => {
  it('keeps the first 10 KiB, however they come, and says when it is full', () => {
    const excerpt = new Excerpt();
    assert.equal(excerpt.add(Buffer.from('ab')), false);
    assert.equal(excerpt.add(Buffer.alloc(READ_BYTES * 2, 'x')), true);
    assert.equal(excerpt.add(Buffer.from('y')), true);
    assert.equal(excerpt.text, `ab${'x'.repeat(READ_BYTES - 2)}`);
  });
});
