import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findBuiltin, findCall } from './source-search.ts';

const SOURCE = `const run = () => execSync('sleep 1');
function twice() {
  execSync('a');
  execSync('b');
}
function once() {
  if (x) { y(); }
  const slow = /^(a+)+$/;
  return slow.test(JSON.stringify(text));
}
execSync('c');
const parsed = JSON.parse(text);
const matched = /^(a+)+$/.test(text);
const both = /a/.test(JSON.parse(text));
const share = total / count / 2;
`;

describe('A source', () => {
  it('tells the line of the only call of a function', () => {
    assert.deepEqual(findCall(SOURCE, { line: 1, column: 13 }, 'execSync'), { line: 1, column: 19 });
    assert.deepEqual(findCall(SOURCE, { line: 6, column: 14 }, 'RegExp: ^(a+)+$'), { line: 8, column: 16 });
    assert.deepEqual(findCall(SOURCE, { line: 6, column: 14 }, 'RegExp: made elsewhere'), { line: 9, column: 14 });
  });

  it('tells none where there are two, or none within the function', () => {
    assert.equal(findCall(SOURCE, { line: 2, column: 15 }, 'execSync'), null);
    assert.equal(findCall(SOURCE, { line: 6, column: 14 }, 'execSync'), null);
    assert.equal(findCall(SOURCE, { line: 90, column: 1 }, 'execSync'), null);
  });

  it('tells the only built-in of a line', () => {
    assert.deepEqual(findBuiltin(SOURCE, 12), { name: 'JSON.parse', line: 12, column: 16 });
    assert.deepEqual(findBuiltin(SOURCE, 13), { name: 'RegExp: ^(a+)+$', line: 13, column: 17 });
    assert.equal(findBuiltin(SOURCE, 14), null);
    assert.equal(findBuiltin(SOURCE, 15), null);
    assert.equal(findBuiltin(SOURCE, 2), null);
  });
});
