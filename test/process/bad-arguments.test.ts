/**
 * Generated argument lists for every command there is, against a daemon with a running app: refused with the exit code
 * of CONTRACT.md and in words, and nothing is changed. A failure prints the words, and fast-check its seed.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { CommandDefinition } from '../../src/cli/index.ts';
import { COMMANDS, LATER_COMMANDS } from '../../src/cli/index.ts';
import { findNameProblem } from '../../src/config/index.ts';
import { assertRefused, openWitness, type Witness } from '../support/witness.ts';

/** Names that no app can have, or that nobody has. */
// oxfmt-ignore
const STRANGERS: readonly string[] = [
  'nobody', 'sho', 'shopp', 'SHOP', '../x', '..', '.', '/', '', ' ', 'shop/', 'shop//0', 'shop/-1', 'shop/x', 'shop/0/0',
  'shop/99999', 'shop/999999999999', 'a b', 'ü', '\u001B[31mshop', 'a\nb', 'a\0b', '\u202Epohs', '\uD800', '%2e%2e', '%',
  '%00', 'constructor', '__proto__', 'x'.repeat(64), 'x'.repeat(300), 'x'.repeat(100_000), '💥'.repeat(100),
];

const NO_TIME = ['', 'never', '99:99', '2026-13-45', '10 parsecs', '\u001B[31m', 'x'.repeat(10_000)];
const NO_NUMBER = ['', '-1', 'x', '1e3', '0x10', '1.5', '9'.repeat(30)];
const NO_PART = ['', '-1', 'x', '2', 'NaN'];
const NO_SIZE = ['', '-1', 'x', '10 parsecs', '\u001B[31m'];
const NO_CHOICE = ['', 'loud', 'constructor', '__proto__', 'x'.repeat(10_000)];
/** For options that take any text. */
const NONE: readonly string[] = [];

/** For each option that takes a value: values that it must not take. */
const NO_ID: readonly string[] = ['', 'a b', '../x', 'x'.repeat(300)];
const NO_SPAN: readonly string[] = [
  '',
  'soon',
  '0s',
  '-1h',
  '5',
  '1e9d',
  '99999999999d',
  '4000d',
  `${'9'.repeat(400)}d`,
];

const WRONG_VALUES: Readonly<Record<string, readonly string[]>> = {
  '--name': ['', 'all', '../x', 'a b', 'a\u001B[31m', 'a\nb', 'x'.repeat(64), 'x'.repeat(10_000)],
  '--instances': ['0', '257', 'many', ...NO_NUMBER],
  '--port': ['0', '65536', 'http', ...NO_NUMBER],
  '--env': ['', '=x', 'novalue', 'DROVER_SLOT=1'],
  '--node': ['', 'banana', '24.1.1.1', '99', '../24'],
  '--cwd': ['/nothing/here', 'server.js', 'x'.repeat(300)],
  '--since': NO_TIME,
  '--until': NO_TIME,
  '--grep': ['(', '[', '*', '(?<', 'x'.repeat(1_001)],
  '--level': ['', 'loud', '30', 'constructor', '__proto__'],
  '--lines': NO_NUMBER,
  '--requests': ['0', '1e3', 'many', ...NO_NUMBER],
  '--top': NO_NUMBER,
  '--id': NO_NUMBER,
  '--retained-by': NO_NUMBER,
  '--min-size': NO_SIZE,
  '--memory-limit': NO_SIZE,
  '--format': NO_CHOICE,
  '--to': NO_CHOICE,
  '--by': NO_CHOICE,
  '--sort': NO_CHOICE,
  '--min-effect': NO_PART,
  '--min-share': NO_PART,
  '--fdr': NO_PART,
  '--retry': NO_ID,
  '--drop': NO_ID,
  '--end': NO_ID,
  '--for': NO_SPAN,
  '--every': NO_SPAN,
  '--from': NO_TIME,
  '--match': ['', 'shop', '=shop', '*=*', 'ä=x', 'a b=x', `name=${'x'.repeat(10_000)}`],
  '--comment': ['x'.repeat(1_001)],
  '--class': NONE,
  '--title': NONE,
  '--output': NONE,
  '--log': NONE,
};

interface Known {
  readonly words: readonly string[];
  readonly definition: CommandDefinition;
  /** A right word for each argument that must be there. */
  readonly fillers: readonly string[];
}

const isRequired = ({ syntax }: CommandDefinition['args'][number]): boolean => syntax.startsWith('<');
const isVariadic = ({ args }: CommandDefinition): boolean => args.some(({ syntax }) => syntax.includes('...'));
const takesValue = (flags: string): boolean => flags.includes('<');
const longFlag = (flags: string): string => /--[\w-]+/.exec(flags)?.[0] ?? '';
const hasJson = ({ options }: CommandDefinition): boolean => options.some(({ flags }) => flags === '--json');

const filler = ({ syntax, offers }: CommandDefinition['args'][number]): string => {
  if (offers === 'apps') return 'shop';
  return { '<workers>': '2', '<signal>': 'WINCH', '<shell>': 'bash' }[syntax] ?? 'nothing.js';
};

/** Commands that only look: any words may be given to them. */
// oxfmt-ignore
const LOOKS: ReadonlySet<string> = new Set([
  'ls', 'show', 'env', 'logs', 'events', 'why', 'health', 'operation', 'config check', 'config schema', 'help',
  'completion', 'complete', 'daemon status',
]);

describe('a wrong command line', () => {
  let witness: Witness;
  let commands: readonly Known[] = [];

  before(async () => {
    witness = await openWitness();
    commands = await Promise.all(
      COMMANDS.map(async ({ name, load }): Promise<Known> => {
        const { command: definition } = await load();
        return { words: name.split(' '), definition, fillers: definition.args.filter(isRequired).map(filler) };
      }),
    );
  });
  after(async () => witness[Symbol.asyncDispose]());

  const refuse = async (words: readonly string[], exit: number, named = ''): Promise<void> =>
    assertRefused(words, await witness.cli(...words), exit, named);

  it('with options that the command does not have, or without their values', async () => {
    for (const { words, definition, fillers } of commands) {
      for (const slip of ['--no-such-option', '-Z', ...definition.options.map(({ flags }) => `${longFlag(flags)}x`)]) {
        await refuse([...words, ...fillers, slip], 2, slip);
        await refuse([slip, ...words, ...fillers, '--json'], 2, slip);
      }
      for (const { flags } of definition.options.filter(({ flags }) => takesValue(flags)))
        await refuse([...words, ...fillers, longFlag(flags)], 2, longFlag(flags));
      for (const { flags } of definition.options.filter(({ flags }) => !takesValue(flags)))
        await refuse([...words, ...fillers, `${longFlag(flags)}=x`], 2, longFlag(flags));
      if (!hasJson(definition)) await refuse([...words, ...fillers, '--json'], 2, '--json');
    }
    await witness.assertUnchanged();
  });

  it('with too many words, too few, or words after `--`', async () => {
    for (const { words, definition, fillers } of commands) {
      const { args, rest } = definition;
      if (fillers.length > 0) {
        await refuse(words, 2, 'Missing required argument');
        await refuse([...words, ...fillers.slice(0, -1), '--json'], 2);
      }
      if (!isVariadic(definition)) await refuse([...words, ...args.map(filler), 'nobody'], 2, 'Too many arguments');
      if (rest === undefined) await refuse([...words, ...fillers, '--', 'x'], 2, '--');
    }
    await witness.assertUnchanged();
  });

  it('with values that an option does not take', async () => {
    for (const { words, definition, fillers } of commands)
      for (const { flags } of definition.options.filter(({ flags }) => takesValue(flags))) {
        const flag = longFlag(flags);
        const wrong = WRONG_VALUES[flag];
        assert.ok(wrong !== undefined, `${flag}: no wrong values are known`);
        const entry = definition.args[0]?.offers === 'files' ? ['server.js'] : fillers;
        for (const value of wrong) {
          await refuse([...words, ...entry, flag, value], 2);
          if (hasJson(definition)) await refuse([...words, '--json', ...entry, `${flag}=${value}`], 2);
        }
      }
    await witness.assertUnchanged();
  });

  it('with names of nobody: exit 3 where an app is meant, 2 where a file is', async () => {
    for (const { words, definition, fillers } of commands) {
      const place = definition.args.findIndex(({ offers }) => offers === 'apps' || offers === 'files');
      const isFile = definition.args[place]?.offers === 'files';
      if (place === -1 && words[0] !== 'operation') continue;
      for (const name of STRANGERS) {
        // Files of these names are there.
        if (isFile && /^[./ ]*$/.test(name) && name !== '') continue;
        const others = fillers.slice(1);
        const exit = isFile && !(words[0] === 'start' && /^shop\/\d+$/.test(name)) ? 2 : 3;
        await refuse([...words, name, ...others], exit);
        if (hasJson(definition)) await refuse([...words, '--json', name, ...others], exit);
      }
      // One app is meant, and `all` is none.
      const [first] = definition.args;
      if (first?.offers === 'apps' && first.syntax.includes('app'))
        await refuse([...words, 'all', ...fillers.slice(1)], 3, 'all');
    }
    for (const name of STRANGERS.filter((name) => findNameProblem(name) !== null))
      await refuse(['start', 'server.js', '--name', name], 2);
    await witness.assertUnchanged();
  });

  it('that is refused by what it means', async () => {
    for (const [words, named] of [
      [['scale', 'shop', '0'], '"0"'],
      [['scale', 'shop', '-2'], 'drover stop shop'],
      [['scale', 'shop', '+255', '--json'], '1 to 256'],
      [['scale', 'shop', '257'], '257'],
      [['scale', 'shop', ''], '""'],
      [['signal', 'shop', 'SIGNOTHING'], 'SIGNOTHING'],
      [['signal', 'shop', '0'], '"0"'],
      [['signal', 'shop', '', '--json'], '""'],
      [['delete', 'shop/0'], 'cannot be deleted'],
      [['alerts', 'silence', '--match', 'severity=loud'], '"loud"'],
      [['alerts', 'silence', '--match', 'severity!=Page', '--json'], 'page, ticket'],
      [['alerts', 'silence', 'shop', '--from', '1999-12-31', '--for', '1h'], 'over already'],
      [['alerts', 'silence', 'shop', '--every', '1m', '--for', '2h', '--json'], 'before it ends'],
      [['alerts', 'silence'], 'Name an app'],
      [['alerts', '--retry', 'a', '--drop', 'b'], '--retry'],
      [['completion', 'tcsh'], 'tcsh'],
      [['completion', 'constructor'], 'constructor'],
      [['help', 'nobody'], 'nobody'],
      [['start', witness.file, '--instances', '2'], '--instances'],
      [['start', witness.file, '--', 'x'], '--'],
      [['start', '--', 'no-such-program'], 'no-such-program'],
      [['start', '', '--json'], 'empty'],
      [['apply', ''], 'empty'],
      [['run', ''], 'empty'],
      [['config', 'check', ''], 'empty'],
      [['init', 'x'], 'Too many'],
    ] as const)
      await refuse(words, 2, named);
    await witness.assertUnchanged();
  });

  it('without a command, with one of another name, or with one to come', async () => {
    for (const words of [
      ['--json'],
      ['--no-such'],
      ['--json', '--'],
      ['lss'],
      ['reloda', 'shop'],
      ['\u001B[31m'],
      [''],
    ])
      await refuse(words, 2);
    for (const word of ['daemon', 'config']) {
      await refuse([word], 2, 'needs one of');
      await refuse([word, 'nothing', '--json'], 2, 'needs one of');
    }
    for (const name of LATER_COMMANDS) await refuse([...name.split(' '), 'shop', '--json'], 2, name);
    await witness.assertUnchanged();
  });

  it('generated at random', async () => {
    const words = fc.oneof(
      fc.constantFrom(
        ...COMMANDS.flatMap(({ name }) => name.split(' ')),
        ...STRANGERS.filter((word) => word.length < 1_000),
      ),
      fc.constantFrom('--json', '--no-wait', '--lines', '--grep', '--since', '--dry-run', '--', '-h', '--help', '-'),
      fc.string({ unit: 'binary', maxLength: 20 }).filter((word) => !/^(-f|--fol)/.test(word)),
    );
    const command = fc.integer({ min: 0, max: commands.length - 1 });
    await fc.assert(
      fc.asyncProperty(command, fc.array(words, { maxLength: 8 }), async (index, rest) => {
        const known = commands[index] as Known;
        // The option that nobody has comes first, where no other option can take it for its value.
        const poisoned = [...known.words, '--no-such-option', ...rest];
        const isHelp = /^(-h|--help)$/;
        if (!rest.some((word) => isHelp.test(word))) assertRefused(poisoned, await witness.cli(...poisoned), 2);
        if (!LOOKS.has(known.words.join(' '))) return;
        const free = [...known.words, ...rest];
        const result = await witness.cli(...free);
        if (result.code !== 0 && !result.stdout.startsWith('{"valid"')) {
          assert.ok(
            result.code === 2 || result.code === 3,
            `${JSON.stringify(free)}: ${result.code}\n${result.stderr}`,
          );
          assertRefused(free, result, result.code);
        }
      }),
      { numRuns: 400 },
    );
    await witness.assertUnchanged();
  });

  it('in processes of their own as well', async () => {
    const { drover } = witness;
    for (const [words, exit, named] of [
      [['scale', 'shop', '-2'], 2, 'drover stop shop'],
      [['reload', '../x', '--json'], 3, '../x'],
      [['stop', 'nobody/3'], 3, 'nobody'],
      [['show', '\u001B[31mred'], 3, '\\u001b[31mred'],
      [['why', 'x'.repeat(100_000), '--json'], 3, 'xxx'],
      [['ls', '--\u001B[31mred'], 2, '\\u001b[31mred'],
      [['start', witness.settings['script'] as string, '--name', '../x', '--json'], 2, '../x'],
      [['run', witness.settings['script'] as string, '--instances', '0'], 2, '--instances'],
      [['daemon', 'stop', 'now'], 2, 'Too many'],
      [['daemon', 'upgrade', 'now', '--json'], 2, 'Too many'],
      [['debug', 'shop', '--json'], 2, 'not available'],
    ] as const)
      assertRefused(words, await drover.run(words), exit, named);
    await witness.assertUnchanged();
  });
});
