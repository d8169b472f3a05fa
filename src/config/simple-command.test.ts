import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseSimpleCommand } from './simple-command.ts';

const ENV = { PORT: '3000', WORDS: 'a b', STAR: '*', NONE: '' };
const wordsOf = (text: string): readonly string[] | null => parseSimpleCommand(text, ENV)?.words ?? null;

describe('a simple command', () => {
  it('is split at spaces outside quotes', () => {
    assert.deepEqual(wordsOf(`node "my server.js" --a='b c' d`), ['node', 'my server.js', '--a=b c', 'd']);
  });

  it('is not simple with anything that a shell would act on', () => {
    for (const text of [
      'a && b',
      'a; b',
      'a | b',
      'a > f',
      'a $WORDS',
      'a $STAR',
      'a $UNSET',
      'a $(b)',
      'a ${PORT#3}',
      'A=1',
      'a `b`',
      'a *',
      'a "$WORDS"',
      'a "\\$PORT"',
      'a ~',
      'command a',
      'FOO=1 ulimit -n 10',
      '. ./env',
      'a\nb',
      '"a',
      '',
    ])
      assert.equal(wordsOf(text), null, text);
  });

  it('may name variables whose value is one plain word, with a default', () => {
    assert.deepEqual(wordsOf('next start -p ${PORT:-80}'), ['next', 'start', '-p', '3000']);
    assert.deepEqual(wordsOf('next start -p "${UNSET:-80}" $PORT'), ['next', 'start', '-p', '80', '3000']);
    assert.deepEqual(wordsOf("echo '$PORT'"), ['echo', '$PORT']);
  });

  it('may set variables in front', () => {
    assert.deepEqual(parseSimpleCommand('NODE_ENV=production P="a b" node x', ENV), {
      words: ['node', 'x'],
      env: { NODE_ENV: 'production', P: 'a b' },
    });
  });

  it('means the same to a shell', () => {
    const word = fc.oneof(
      fc.stringMatching(/^[\w./=-]{1,8}$/),
      fc.stringMatching(/^[\w "'&;$-]{1,8}$/),
      fc.constantFrom('$PORT', '${PORT:-1}', '${NONE:-x}'),
    );
    const text = fc
      .array(word, { minLength: 1, maxLength: 4 })
      .map((words) => `printf %s\\\\n ${words.join(' ')}`.replace('\\\\n', ':'));
    fc.assert(
      fc.property(text, (line) => {
        const words = wordsOf(line);
        if (words === null) return;
        const [, format = '', ...args] = words;
        const expected = args.length === 0 ? ':' : args.map((arg) => format.replace('%s', () => arg)).join('');
        assert.equal(execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8', env: ENV }), expected);
      }),
      { numRuns: 60 },
    );
  });
});
