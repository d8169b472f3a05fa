import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { splitSimpleCommand } from './simple-command.ts';

describe('a simple command', () => {
  it('is split at spaces outside quotes', () => {
    assert.deepEqual(splitSimpleCommand(`node "my server.js" --a='b c' d`), ['node', 'my server.js', '--a=b c', 'd']);
  });

  it('is not simple with anything that a shell would act on', () => {
    for (const text of [
      'A=1 node x',
      'a && b',
      'a; b',
      'a | b',
      'a > f',
      'a $X',
      'a `b`',
      'a *',
      'a "$X"',
      'a ~',
      'a\nb',
      '"a',
      '',
    ])
      assert.equal(splitSimpleCommand(text), null, text);
  });

  it('means the same to a shell', () => {
    const word = fc.oneof(fc.stringMatching(/^[\w./=-]{1,8}$/), fc.stringMatching(/^[\w "'&;$-]{1,8}$/));
    const text = fc
      .array(word, { minLength: 1, maxLength: 4 })
      .map((words) => `printf %s\\\\n ${words.join(' ')}`.replace('\\\\n', ':'));
    fc.assert(
      fc.property(text, (line) => {
        const words = splitSimpleCommand(line);
        if (words === null) return;
        const [, format = '', ...args] = words;
        const expected = args.length === 0 ? ':' : args.map((arg) => format.replace('%s', () => arg)).join('');
        assert.equal(execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' }), expected);
      }),
      { numRuns: 60 },
    );
  });
});
