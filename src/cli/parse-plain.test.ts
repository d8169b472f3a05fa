/** The short way through a command line says what commander says, for every command there is. */
import assert from 'node:assert/strict';
import { after, before, describe, it, mock } from 'node:test';
import * as fc from 'fast-check';
import type { CommandDefinition } from './command.ts';
import { parsePlain } from './parse-plain.ts';
import { parseWords } from './parse.ts';
import { COMMANDS } from './registry.ts';

const commands = await Promise.all(
  COMMANDS.map(async ({ name, load }): Promise<[string, CommandDefinition]> => [name, (await load()).command]),
);

const outcome = (parse: () => unknown): unknown => {
  try {
    return parse();
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
};

/** Words of the command itself, and others that look like them. */
const anyWords = ({ options }: CommandDefinition): fc.Arbitrary<string[]> => {
  const own = options.flatMap(({ flags }) => flags.split(/, | </).filter((word) => word.startsWith('-')));
  const others = ['shop', 'all', '', '4', '+1', '-1', '-', 'A=b', '10m', '--help', '-h', '--json=1', '--wait', '--no'];
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...own, 'shop', '4') },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
    fc.constant('--'),
  );
  return fc.array(word, { maxLength: 6 });
};

describe('the short way through a command line', () => {
  // `--from 10m` is ten minutes before now, and the two are asked one after the other.
  before(() => mock.timers.enable({ apis: ['Date'] }));
  after(() => mock.timers.reset());

  for (const [name, command] of commands) {
    it(`agrees with commander: ${name}`, () => {
      let plain = 0;
      fc.assert(
        fc.property(anyWords(command), (words) => {
          const short = outcome(() => parsePlain(command, words));
          if (short === null) return;
          plain += 1;
          const long = outcome(() => parseWords(name, command, words));
          assert.deepEqual(typeof short === 'string' ? short : { kind: 'run', input: short }, long, words.join(' '));
        }),
        { numRuns: 300 },
      );
      const isVariadic = command.args.some(({ syntax }) => syntax.includes('...'));
      assert.ok(plain > 0 || isVariadic, 'the short way is never taken');
    });
  }

  it('is taken for the commands that people type', () => {
    const taken = (name: string, line: string): unknown =>
      parsePlain(commands.find(([known]) => known === name)![1], line.split(' '));
    assert.deepEqual(taken('start', 'server.js --instances 4 --env A=b --env C=d -- --port 80'), {
      args: ['server.js'],
      options: { wait: true, instances: 4, env: { A: 'b', C: 'd' } },
      rest: ['--port', '80'],
    });
    assert.deepEqual(taken('reload', 'shop --no-wait --json'), {
      args: ['shop'],
      options: { wait: false, json: true },
      rest: [],
    });
    for (const line of ['server.js --instances=4', 'server.js --instances', 'a b', '-h', '--jsno'])
      assert.equal(taken('start', line), null);
  });
});
