/**
 * Every wrong configuration, through the command and with a daemon that runs the app of that very file: refused with the
 * place and the value, and nothing is changed. The keys come from the schema, so a new one is tried by itself.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as v from 'valibot';
import { LATER_IN_APP, LATER_IN_DAEMON } from '../../src/config/later.ts';
import { AppSchema } from '../../src/config/schema.ts';
import type { CommandResult } from '../support/drover.ts';
import { assertRefused, openWitness, type Witness } from '../support/witness.ts';

type Json = Record<string, unknown>;

interface Key {
  readonly path: readonly string[];
  readonly schema: v.GenericSchema;
  readonly isGroup: boolean;
}

/** Every key of an app, groups included. */
const listKeys = (schema: unknown, path: readonly string[] = []): Key[] => {
  const { wrapped, entries } = schema as { wrapped?: unknown; entries?: Readonly<Record<string, v.GenericSchema>> };
  if (wrapped !== undefined) return listKeys(wrapped, path);
  return Object.entries(entries ?? {}).flatMap(([key, item]): Key[] => {
    const inside = listKeys(item, [...path, key]);
    return [{ path: [...path, key], schema: item, isGroup: inside.length > 0 || isGroup(item) }, ...inside];
  });
};

const isGroup = (schema: unknown): boolean => {
  const { wrapped, type } = schema as { wrapped?: unknown; type: string };
  return wrapped === undefined ? type === 'strict_object' || type === 'record' : isGroup(wrapped);
};

const KEYS = listKeys(AppSchema);

/** One or the other is wrong for any key, by its type or by its range; which of them the schema itself tells. */
// oxfmt-ignore
const CANDIDATES: readonly unknown[] = [
  null, true, -1, 0, 0.5, 12.5, 101, 257, 1_001, 65_536, 2 ** 31, 2 ** 53, 1e308, -1e308,
  '', 'no such word', '-1s', '5 parsecs', '25d', '\0', '\u001B[31m', '../x', 'x'.repeat(300),
  [], [null], [{}], [[[]]], ['x', 1], {}, { x: 1 }, { '': '' }, { 'A=B': 'x' }, { DROVER_SLOT: 'x' },
];

const wrongValues = ({ schema, isGroup }: Key): readonly unknown[] => [
  ...CANDIDATES.filter((value) => !v.safeParse(schema, value).success),
  // To valibot a list is an object.
  ...(isGroup ? [[]] : []),
];

const withValue = (settings: Json, path: readonly string[], value: unknown): Json => {
  const [key = '', ...rest] = path;
  const inside = settings[key] as Json | undefined;
  return { ...settings, [key]: rest.length === 0 ? value : withValue(inside ?? {}, rest, value) };
};

describe('a wrong configuration', () => {
  let witness: Witness;
  let right = '';
  let hanging: Promise<CommandResult>;

  before(async () => {
    witness = await openWitness();
    const { settings } = witness;
    right = JSON.stringify({ apps: { shop: settings } });
    // It takes the ten seconds that a configuration has, so it runs beside the others.
    const file = join(dirname(witness.file), 'hangs.config.mjs');
    writeFileSync(file, 'setInterval(() => {}, 1000); await new Promise(() => {})');
    hanging = witness.drover.run(['apply', file]);
  });
  after(async () => {
    await Promise.allSettled([hanging]);
    await witness[Symbol.asyncDispose]();
  });

  const shop = (path: readonly string[], value: unknown): unknown => ({
    apps: { shop: withValue({ ...witness.settings }, path, value) },
  });

  /** Writes it over the file of the app that runs, and tries every command that reads it. */
  const tryConfig = async (config: unknown, named: string): Promise<void> => {
    writeFileSync(witness.file, typeof config === 'string' ? config : JSON.stringify(config));
    for (const words of [
      ['apply', witness.file],
      ['apply', witness.file, '--dry-run', '--json'],
      ['start', witness.file, '--json'],
    ])
      assertRefused(words, await witness.cli(...words), 2, named);
    const { code, stdout } = await witness.cli('config', 'check', witness.file, '--json');
    assert.equal(code, 2);
    assert.ok(stdout.includes(JSON.stringify(named).slice(1, -1)), stdout);
  };

  const assertUnchanged = async (): Promise<void> => {
    await witness.assertUnchanged();
    writeFileSync(witness.file, right);
    const { stdout } = await witness.cli('apply', witness.file, '--dry-run', '--json');
    const { changes } = JSON.parse(stdout) as { changes: { app: string }[] };
    assert.deepEqual(
      changes.map(({ app }) => app),
      ['shop'],
    );
  };

  it('with a value of a wrong type, out of range or null, whichever key it is', async () => {
    for (const key of KEYS) {
      const values = wrongValues(key);
      assert.ok(values.length >= 5, `${key.path.join('.')}: only ${values.length} wrong values`);
      for (const value of values) await tryConfig(shop(key.path, value), `apps.shop.${key.path.join('.')}`);
    }
    await assertUnchanged();
  });

  it('with a misspelt key, at every level', async () => {
    for (const { path } of KEYS) {
      const key = String(path.at(-1));
      const group = path.slice(0, -1);
      const taken = new Set(
        KEYS.filter(({ path }) => path.slice(0, -1).join('.') === group.join('.')).map((one) => one.path.at(-1)),
      );
      for (const slip of [`${key}s`, `${key.slice(0, 1)}${key}`, key.toUpperCase(), `__${key}`].filter(
        (one) => !taken.has(one),
      ))
        await tryConfig(shop([...group, slip], 1), ['apps.shop', ...group, slip].join('.'));
    }
    for (const slip of ['app', 'Apps', 'aps', '$schemas']) await tryConfig({ ...JSON.parse(right), [slip]: {} }, slip);
    await assertUnchanged();
  });

  it('with a key that is to come', async () => {
    const told = 'is not available in this version';
    for (const path of [...LATER_IN_APP].map((key) => [key]))
      for (const named of [told, `apps.shop.${path.join('.')}`]) await tryConfig(shop(path, 1), named);
    for (const key of LATER_IN_DAEMON) await tryConfig({ ...JSON.parse(right), daemon: { [key]: {} } }, told);
    await assertUnchanged();
  });

  it('with names that are none', async () => {
    for (const name of ['all', '../x', '..', '.', '', '/', 'a/b', 'a b', '-x', 'x'.repeat(64), 'x'.repeat(10_000), 'ü'])
      await tryConfig({ apps: { [name]: witness.settings } }, 'apps');
    for (const name of ['a\u001B[31m', 'a\nb', 'a\0', '\u202Egpj', '\uD800'])
      await tryConfig({ apps: { ...JSON.parse(right).apps, [name]: witness.settings } }, 'a name begins with');
    await tryConfig('{"apps":{"__proto__":{"script":"server.js"}}}', '__proto__');
    await assertUnchanged();
  });

  it('that contradicts itself or the file system', async () => {
    const app = { script: 'server.js' };
    const cases: [unknown, string][] = [
      [
        { apps: { shop: { ...app, port: 15_000 }, api: { ...app, port: [15_001, 15_000] } } },
        'apps.api.port is the port of `shop`',
      ],
      [{ apps: { shop: { ...app, port: [15_000, 15_000] } } }, 'the same port twice'],
      [{ apps: { shop: { ...app, dependsOn: ['shop'] } } }, 'apps.shop.dependsOn'],
      [
        {
          apps: {
            shop: { ...app, dependsOn: ['a'] },
            a: { ...app, dependsOn: ['b'] },
            b: { ...app, dependsOn: ['shop'] },
          },
        },
        'shop → a → b → shop',
      ],
      [{ apps: { shop: { ...app, dependsOn: ['shpo'] } } }, 'apps.shop.dependsOn'],
      [shop(['script'], '.'), 'apps.shop.script is a directory'],
      [shop(['script'], 'nothing.js'), 'apps.shop.script does not exist'],
      [shop(['script'], '/dev/null'), 'apps.shop.script is not a file'],
      [shop(['script'], 'x'.repeat(300)), 'ENAMETOOLONG'],
      [shop(['cwd'], 'server.js'), 'apps.shop.cwd is not a directory'],
      [shop(['envFile'], '.'), 'apps.shop.envFile is a directory'],
      [shop(['command'], ['sleep', '1']), 'cannot be combined with `command`'],
      [{ apps: { shop: {} } }, 'apps.shop.script is missing'],
      [{}, 'apps is missing'],
      [null, 'the configuration'],
      [[], 'the configuration'],
      [{ apps: [app] }, 'apps'],
      [{ apps: { shop: null } }, 'apps.shop'],
    ];
    for (const [config, named] of cases) {
      writeFileSync(witness.file, JSON.stringify(config));
      for (const words of [
        ['apply', witness.file],
        ['start', witness.file, '--json'],
      ])
        assertRefused(words, await witness.cli(...words), 2, named);
    }
    await assertUnchanged();
  });

  it('that is no JSON, too big or too deep', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const cases = [
      ['', 'not JSON'],
      ['{', 'not JSON'],
      ['{"apps":{}}x', 'not JSON'],
      [' '.repeat(10 * 1024 * 1024), 'bigger than'],
      [deep, 'nested too deeply'],
      [`{"apps":{"shop":${deep}}}`, 'nested too deeply'],
      [`{"apps":{"shop":{"script":${deep}}}}`, 'nested too deeply'],
    ] as const;
    for (const [text, named] of cases) await tryConfig(text, named);
    const apps = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`a${index}`, { script: 1 }]));
    writeFileSync(witness.file, JSON.stringify({ apps }));
    assertRefused(['apply', witness.file], await witness.cli('apply', witness.file), 2, 'and 19980 more');
    await assertUnchanged();
  });

  it('that is a program of its own mind', async () => {
    const { drover } = witness;
    const cases: [name: string, text: string, named: string][] = [
      ['throws.config.mjs', `throw new RangeError('no luck')`, 'no luck'],
      ['throws-anything.config.mjs', `throw { toString() { throw this }, get stack() { throw this } }`, 'it threw'],
      ['exits.config.mjs', `process.exit(0)`, 'ended the process with code 0'],
      ['kills.config.mjs', `process.kill(process.pid, 'SIGKILL')`, 'SIGKILL'],
      ['rejects.config.mjs', `export default Promise.reject(new Error('later'))`, 'later'],
      ['big.config.mjs', `export default {} // ${'x'.repeat(10 * 1024 * 1024)}`, 'bigger than'],
      ['big-export.config.mjs', `export default { apps: { shop: { args: ['x'.repeat(10 ** 7)] } } }`, 'more than'],
      [
        'function.config.mjs',
        `export default { apps: { shop: { script() {} } } }`,
        'apps.shop.script must be plain data, not a function',
      ],
      [
        'nameless.config.mjs',
        `const a = new (class {})(); a.constructor = null; export default { apps: { a } }`,
        'apps.a must be plain data',
      ],
      ['syntax.config.ts', `export default {`, 'SyntaxError'],
      [
        'talks.config.mjs',
        `import fs from 'node:fs'; fs.writeSync(3, 'garbage\\n'); export default { apps: {} }`,
        'descriptor 3',
      ],
      ['directory.config.ts', '', 'is a directory'],
    ];
    const folder = dirname(witness.file);
    for (const [name, text] of cases)
      if (text === '') mkdirSync(join(folder, name));
      else writeFileSync(join(folder, name), text);
    for (const [name, , named] of cases) {
      const words = ['apply', join(folder, name)];
      assertRefused(words, await drover.run(words), 2, named);
      const asked = ['start', join(folder, name), '--json'];
      assertRefused(asked, await witness.cli(...asked), 2, named);
    }
    await assertUnchanged();
  });

  it('that never ends', async () => {
    assertRefused(['apply', 'hangs'], await hanging, 2, 'still running after 10 s');
    await assertUnchanged();
  });

  it('in processes of their own as well', async () => {
    const { drover, file } = witness;
    for (const [config, named] of [
      [shop(['instances'], 0), 'apps.shop.instances'],
      [shop(['drain', 'websocket', 'code'], null), 'apps.shop.drain.websocket.code'],
      [{ apps: { '../x': witness.settings } }, '../x'],
    ] as const) {
      writeFileSync(file, JSON.stringify(config));
      for (const words of [
        ['apply', file],
        ['start', file, '--json'],
        ['run', file],
      ])
        assertRefused(words, await drover.run(words), 2, named);
    }
    await assertUnchanged();
  });
});
