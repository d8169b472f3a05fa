import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cutLine, splitKeys } from './screen-text.ts';

describe('a line of a screen', () => {
  it('is left alone where it fits, colours and all', () => {
    assert.equal(cutLine('', 4), '');
    assert.equal(cutLine('shop', 4), 'shop');
    assert.equal(cutLine('\u001B[31mshop\u001B[39m', 4), '\u001B[31mshop\u001B[39m');
    assert.equal(cutLine('ﬁx–5', 4), 'ﬁx–5');
  });

  it('is cut with a sign where it does not, and its colour ends with it', () => {
    assert.equal(cutLine('shops', 4), 'sho…');
    assert.equal(cutLine('\u001B[31mshops\u001B[39m', 4), '\u001B[31msho…\u001B[0m');
    assert.equal(cutLine('a\u{1F600}bcd', 4), 'a\u{1F600}b…');
  });
});

describe('keys', () => {
  it('are told apart where several are read at once', () => {
    assert.deepEqual(splitKeys('mq'), ['m', 'q']);
    assert.deepEqual(splitKeys('\u001B[A\u001B[6~\u001BOBq'), ['\u001B[A', '\u001B[6~', '\u001BOB', 'q']);
    assert.deepEqual(splitKeys('\u0003'), ['\u0003']);
    assert.deepEqual(splitKeys('\u001B'), ['\u001B']);
    assert.deepEqual(splitKeys(''), []);
  });
});
