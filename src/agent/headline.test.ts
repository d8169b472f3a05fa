import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInThisContext } from 'node:vm';
import { headlineOf } from './headline.ts';

const thrownBy = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe('the headline of an error', () => {
  it('is what a syntax error is, and not its place', () => {
    const error = thrownBy(() => runInThisContext("const a = 'x' error", '/app/syntax.js')) as Error;
    assert.match(String(error.stack), /^\/app\/syntax\.js:1\n/);
    assert.equal(headlineOf(error), "SyntaxError: Unexpected identifier 'error'");
  });

  it('has the code of one of Node, the name that it has by now, and the first line alone', () => {
    const invalid = thrownBy(() => Buffer.alloc('x' as unknown as number));
    assert.match(headlineOf(invalid), /^TypeError \[ERR_INVALID_ARG_TYPE\]: The "size" argument/);
    const renamed = new Error('no database\nat all');
    renamed.name = 'StartError';
    assert.equal(headlineOf(renamed), 'StartError: no database');
    assert.equal(headlineOf(new RangeError()), 'RangeError');
  });

  it('is there for whatever was thrown', () => {
    assert.equal(headlineOf('x'), 'x');
    assert.equal(headlineOf(null), 'null');
    assert.equal(headlineOf(Object.create(null)), 'an error without words');
    const trap = Object.defineProperty(new Error('x'), 'stack', {
      get: () => {
        throw new Error('trap');
      },
    });
    assert.equal(headlineOf(trap), 'an error without words');
  });
});
