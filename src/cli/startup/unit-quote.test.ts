import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { escapePath, findPathProblem, quoteCommand, quoteWord } from './unit-quote.ts';

describe('words in a unit file', () => {
  it('stay as they are when nothing is special', () => {
    assert.equal(quoteWord('/usr/bin/node'), '/usr/bin/node');
    assert.equal(quoteWord('--max-semi-space-size=1'), '--max-semi-space-size=1');
  });

  it('are quoted for white space, and escaped for quotes, backslashes and specifiers', () => {
    assert.equal(quoteWord('/srv/my shop'), '"/srv/my shop"');
    assert.equal(quoteWord(String.raw`a"b\c`), String.raw`"a\"b\\c"`);
    assert.equal(quoteWord("it's"), `"it's"`);
    assert.equal(quoteWord('50%'), '50%%');
    assert.equal(escapePath('/srv/my 50%'), '/srv/my 50%%');
  });

  it('cannot begin another line', () => {
    assert.equal(quoteWord('a\nExecStart=/bin/sh'), String.raw`"a\nExecStart=/bin/sh"`);
  });

  it('of a path that stands alone are refused where they would begin a line, or swallow the next one', () => {
    for (const path of ['/srv/a\nExecStart=/bin/sh', '/srv/a\r', '/srv/\u007F', '/srv/a\\'])
      assert.match(findPathProblem(path) ?? '', /cannot name it/);
    for (const path of ['/srv/my shop', '/srv/a\\b', '/srv/ü']) assert.equal(findPathProblem(path), null);
  });

  it('keep their dollars in arguments, where they would begin a variable', () => {
    assert.equal(quoteCommand(['/opt/$a/node', '$HOME', 'b c']), '/opt/$a/node $$HOME "b c"');
  });
});
