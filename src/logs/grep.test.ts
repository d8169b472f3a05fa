import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openGrep } from './grep.ts';

describe('grep', () => {
  it('tests each line by itself, in a thread or not, whatever the flags', async () => {
    for (const expression of [/err/gi, /(?:err)+/gi, /e[r]r/iy]) {
      const grep = openGrep(expression);
      assert.deepEqual(await grep.test(['Err err', 'fine', 'err']), [true, false, true], String(expression));
      assert.deepEqual(await grep.test(['err']), [true]);
      assert.deepEqual(await grep.test([]), []);
      await grep.close();
    }
  });

  it('stops an expression that backtracks without end, and can be used again', async () => {
    // Long enough for a busy machine to start a thread in.
    const grep = openGrep(/^(a+)+$/, 1500);
    await assert.rejects(grep.test([`${'a'.repeat(60)}!`]), { code: 'DROVER_TIMEOUT' });
    assert.deepEqual(await grep.test(['aaa', 'b']), [true, false]);
    await grep.close();
  });
});
