import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { COMMANDS, LATER_COMMANDS } from '../../src/cli/index.ts';
import { ERRORS } from '../../src/protocol/index.ts';
import { appConfig } from '../support/app-config.ts';
import { type Harness, openHarness } from './harness.ts';

const withShop = ({ service }: Harness): void => {
  service.apps.set('shop', { config: appConfig('shop'), file: null, isStopped: false });
};
const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
const codeOf = (text: string): unknown => (json(text)['error'] as { code: string }).code;

describe('exit codes', () => {
  it('are those of the contract for each outcome of a reload', async () => {
    await using harness = await openHarness();
    withShop(harness);
    for (const [outcome, code] of [
      ['completed', 0],
      ['failed', 1],
      ['aborted', 1],
      ['rolled-back', 7],
    ] as const) {
      harness.service.outcome = outcome;
      const result = await harness.drover('reload', 'shop', '--json');
      assert.equal(result.code, code, outcome);
      assert.equal(json(result.out)['outcome'], outcome);
    }
  });

  it('are 3 for what is unknown, 2 for wrong usage, 4 without a daemon', async () => {
    await using harness = await openHarness();
    withShop(harness);
    assert.equal((await harness.drover('show', 'shp')).code, 3);
    assert.match((await harness.drover('show', 'shp')).err, /Did you mean `shop`/);
    assert.equal((await harness.drover('stop', 'shop/7')).code, 3);
    assert.equal((await harness.drover('stop', '../x')).code, 3);
    assert.equal((await harness.drover('operation', 'nope')).code, 3);
    assert.equal((await harness.drover('show')).code, 2);
    assert.equal((await harness.drover('show', 'a', 'b')).code, 2);
    await harness.server.close();
    for (const words of [['ls'], ['show', 'shop'], ['logs'], ['events'], ['why', 'shop'], ['daemon', 'status']])
      assert.equal((await harness.drover(...words)).code, 4, words.join(' '));
    assert.deepEqual(json((await harness.drover('daemon', 'status', '--json')).out)['running'], false);
  });

  it('are 5 when the service refuses the caller, and 6 for what took too long', async () => {
    await using harness = await openHarness();
    const { DroverError } = await import('../../src/protocol/index.ts');
    harness.service.list = async () => {
      throw new DroverError('DROVER_NOT_ALLOWED', { message: 'No.' });
    };
    assert.equal((await harness.drover('ls')).code, 5);
    harness.service.list = async () => {
      throw new DroverError('DROVER_TIMEOUT', { what: 'It', limit: '1 s' });
    };
    assert.equal((await harness.drover('ls')).code, 6);
  });
});

describe('--json', () => {
  it('prints one document and nothing else', async () => {
    await using harness = await openHarness();
    withShop(harness);
    const lines: readonly (readonly string[])[] = [
      ['ls'],
      ['--json', 'ls'],
      ['show', 'shop'],
      ['env', 'shop'],
      ['why', 'shop'],
      ['health'],
      ['reload', 'shop'],
      ['reload', 'all'],
      ['restart', 'shop/0'],
      ['scale', 'shop', '+2'],
      ['signal', 'shop', 'HUP'],
      ['operation'],
      ['operation', 'op-1'],
      ['logs', 'flush', 'shop'],
      ['daemon', 'status'],
      ['stop', 'shop', '--no-wait'],
      ['show', 'nobody'],
      ['nonsense'],
      ['debug', 'shop'],
      ['start', 'missing.js'],
      ['config', 'check'],
    ];
    for (const words of lines) {
      const { out, err } = await harness.drover(...words, ...(words.includes('--json') ? [] : ['--json']));
      assert.equal(out.split('\n').length, 1, words.join(' '));
      assert.doesNotThrow(() => json(out), words.join(' '));
      assert.equal(err, '', words.join(' '));
    }
  });

  it('prints streams one document a line', async () => {
    await using harness = await openHarness();
    harness.service.logLines = ['a', 'b'].map((line) => ({
      at: '',
      app: 'shop',
      worker: 'shop/0',
      stream: 'stdout',
      line,
    }));
    const { out } = await harness.drover('logs', '--json');
    assert.deepEqual(
      out.split('\n').map((line) => json(line)['line']),
      ['a', 'b'],
    );
  });

  it('gives the receipt of one app, and receipts of several', async () => {
    await using harness = await openHarness();
    withShop(harness);
    assert.equal(json((await harness.drover('reload', 'shop', '--json')).out)['app'], 'shop');
    assert.equal((json((await harness.drover('reload', 'all', '--json')).out)['receipts'] as unknown[]).length, 1);
  });
});

describe('start', () => {
  it('sends a bare script with the environment of the caller', async () => {
    await using harness = await openHarness();
    writeFileSync(join(harness.directory, 'server.js'), '');
    const { code } = await harness.drover(
      'start',
      'server.js',
      '--instances',
      '4',
      '--port',
      '3000',
      '--env',
      'A=1',
      '--env',
      'B=x=y',
      '--',
      '--verbose',
    );
    assert.equal(code, 0);
    const config = harness.service.apps.get('server')?.config;
    assert.equal(config?.instances, 4);
    assert.deepEqual(config?.ports, [3000]);
    assert.deepEqual(config?.env, { PORT: '3000', A: '1', B: 'x=y' });
    assert.equal(config?.callerEnv['MARK'], 'caller');
    assert.deepEqual(config?.command.kind === 'node' && config.command.args, ['--verbose']);
  });

  it('leaves an unchanged app alone and refuses a changed one with the plan', async () => {
    await using harness = await openHarness();
    writeFileSync(join(harness.directory, 'server.js'), '');
    await harness.drover('start', 'server.js');
    const again = await harness.drover('start', 'server.js');
    assert.equal(again.code, 0);
    assert.match(again.out, /running already, unchanged/);
    const changed = await harness.drover('start', 'server.js', '--instances', '2', '--', 'x');
    assert.equal(changed.code, 2);
    assert.match(changed.err, /args, instances/);
    assert.deepEqual(harness.service.calls, ['start server']);
  });

  it('starts an app again that was stopped, by its name', async () => {
    await using harness = await openHarness();
    withShop(harness);
    assert.equal((await harness.drover('start', 'shop')).code, 0);
    assert.deepEqual(harness.service.calls, ['start shop']);
  });

  it('finds what `.` and npm run', async () => {
    await using harness = await openHarness();
    const folder = join(harness.directory, 'shop');
    mkdirSync(folder);
    writeFileSync(join(folder, 'main.js'), '');
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: '@acme/store', version: '1.2.3', main: 'main' }),
    );
    await harness.drover('start', 'shop');
    assert.deepEqual(harness.service.apps.get('store')?.config.command, {
      kind: 'node',
      script: join(folder, 'main.js'),
      node: null,
      nodeArgs: [],
      args: [],
    });
    assert.equal(harness.service.apps.get('store')?.config.cwd, folder, 'a package runs where it is');
    const scripts = {
      start: 'node --trace-warnings main.js serve',
      bad: 'node main.js && true',
      set: 'NODE_ENV=x node main.js',
    };
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'npmish', scripts }));
    const config = `{ "apps": { "a": { "command": ["npm", "start", "--", "-v"], "cwd": "shop" }, "b": { "command": ["npm", "run", "bad"], "cwd": "shop" }, "d": { "command": ["npm", "run", "set"], "cwd": "shop" }, "c": { "command": ["sh", "-c", "exec node main.js"], "cwd": "shop" } } }`;
    writeFileSync(join(harness.directory, 'drover.config.json'), config);
    assert.equal((await harness.drover('start')).code, 0);
    const commandOf = (name: string): unknown => harness.service.apps.get(name)?.config.command;
    assert.deepEqual(commandOf('a'), {
      kind: 'node',
      script: join(folder, 'main.js'),
      node: null,
      nodeArgs: ['--trace-warnings'],
      args: ['serve', '-v'],
    });
    assert.equal(harness.service.apps.get('a')?.config.env['npm_lifecycle_event'], 'start');
    assert.deepEqual(commandOf('b'), { kind: 'program', argv: ['npm', 'run', 'bad'] });
    assert.equal((commandOf('d') as { script: string }).script, join(folder, 'main.js'));
    assert.equal(harness.service.apps.get('d')?.config.env['NODE_ENV'], 'x');
    assert.equal((commandOf('c') as { script: string }).script, join(folder, 'main.js'));
  });

  it('refuses directories, missing files and bad options before anything happens', async () => {
    await using harness = await openHarness();
    mkdirSync(join(harness.directory, 'empty'));
    writeFileSync(join(harness.directory, 'server.js'), '');
    for (const words of [
      ['empty'],
      ['missing.js'],
      ['server.js', '--instances', '0'],
      ['server.js', '--instances', 'many'],
      ['server.js', '--port', '70000'],
      ['server.js', '--name', 'all'],
      ['server.js', '--name', '../x'],
      ['server.js', '--env', 'X'],
      ['server.js', '--cwd', 'missing'],
      ['server.js', '--node', '0.1'],
      ['--', 'no-such-program-anywhere'],
      [],
    ]) {
      const { code, err } = await harness.drover('start', ...words);
      assert.equal(code, 2, `${words.join(' ')}: ${err}`);
      assert.notEqual(err, '');
    }
    assert.deepEqual(harness.service.calls, []);
  });
});

describe('all, where there is no app', () => {
  it('is told, on stdout unless that is for something else', async () => {
    await using harness = await openHarness();
    for (const command of ['start', 'reload', 'restart', 'stop', 'delete']) {
      assert.deepEqual(await harness.drover(command, 'all'), { code: 0, out: 'There are no apps.', err: '' }, command);
      const ids = await harness.drover(command, 'all', '--no-wait');
      if (command !== 'start') assert.deepEqual(ids, { code: 0, out: '', err: 'There are no apps.' }, command);
    }
    assert.deepEqual(json((await harness.drover('stop', 'all', '--json')).out), { receipts: [] });
    assert.equal((await harness.drover('logs', 'flush', 'all')).out, 'There are no apps.');
    assert.equal((await harness.drover('signal', 'all', 'HUP')).out, 'No worker runs.');
  });
});

describe('top', () => {
  it('has the time with its offset, and counts in words that fit', async () => {
    await using harness = await openHarness();
    withShop(harness);
    const { out } = await harness.drover('top', '--once');
    assert.match(out, /^drover top {2}2026-11-25 \d\d:\d\d:00[+-]\d\d:\d\d {2}/);
    assert.match(out, /^1 app, 1 of 1 workers ready/m);
  });
});

describe('apply', () => {
  it('prints its plan, changes nothing with --dry-run, and refuses an empty list without --prune', async () => {
    await using harness = await openHarness();
    writeFileSync(join(harness.directory, 'server.js'), '');
    const file = join(harness.directory, 'drover.config.json');
    writeFileSync(file, '{ "apps": { "shop": { "script": "server.js" } } }');
    const dry = await harness.drover('apply', '--dry-run', '--json');
    assert.deepEqual(json(dry.out), { changes: [{ app: 'shop', action: 'start', keys: [], replaces: false }] });
    assert.deepEqual(harness.service.calls, []);
    assert.match((await harness.drover('apply')).out, /shop {2}start/);
    assert.match((await harness.drover('apply')).out, /Nothing to change/);
    writeFileSync(file, '{ "apps": {} }');
    assert.equal((await harness.drover('apply')).code, 2);
    assert.deepEqual(harness.service.calls, ['apply shop']);
  });

  it('takes a file without apps where none came from it, for what it says of the daemon', async () => {
    await using harness = await openHarness();
    withShop(harness);
    const file = join(harness.directory, 'daemon.config.json');
    for (const apps of ['', '"apps": {}, ']) {
      writeFileSync(file, `{ ${apps}"daemon": { "logs": { "quota": "1GB" } } }`);
      harness.service.calls.length = 0;
      const { code, out, err } = await harness.drover('apply', file);
      assert.deepEqual([code, out, err], [0, `${file} lists no apps.`, '']);
      assert.match(harness.service.calls.join(), /^configure .*1073741824/);
    }
    harness.service.apps.get('shop')!.file = file;
    assert.equal(codeOf((await harness.drover('apply', file, '--json')).out), 'DROVER_PRUNE_REFUSED');
    assert.match((await harness.drover('run', file)).err, /daemon\.config\.json lists no apps/);
    writeFileSync(file, '{}');
    assert.match((await harness.drover('apply', file, '--prune')).err, /apps is missing; it must be an object/);
  });

  it('refuses a name of another file', async () => {
    await using harness = await openHarness();
    withShop(harness);
    writeFileSync(join(harness.directory, 'server.js'), '');
    writeFileSync(join(harness.directory, 'drover.config.json'), '{ "apps": { "shop": { "script": "server.js" } } }');
    const { code, out } = await harness.drover('apply', '--json');
    assert.equal(code, 2);
    assert.equal(codeOf(out), 'DROVER_APP_EXISTS');
  });

  it('advises on a name that is taken what the command line takes', async () => {
    await using harness = await openHarness();
    withShop(harness);
    const file = join(harness.directory, 'drover.config.json');
    writeFileSync(join(harness.directory, 'server.js'), '');
    writeFileSync(file, '{ "apps": { "shop": { "script": "server.js" } } }');
    for (const words of [['apply'], ['start'], ['start', file]]) {
      const { err } = await harness.drover(...words);
      assert.ok(err.includes(`another name in ${file}, or \`drover delete shop\``), err);
      assert.ok(!err.includes('--name'), err);
    }
    harness.service.apps.get('shop')!.file = file;
    const { err } = await harness.drover('start', 'server.js', '--name', 'shop');
    assert.match(err, /another name with `--name`/);
  });
});

describe('logs', () => {
  it('asks for a level and above by any of its names, and for the last lines of that', async () => {
    await using harness = await openHarness();
    for (const [name, level] of [
      ['WARNING', 40],
      ['fatal', 60],
      ['verbose', 20],
    ] as const) {
      assert.equal((await harness.drover('logs', '--level', name, '--lines', '2')).code, 0);
      assert.deepEqual([harness.service.logQuery?.level, harness.service.logQuery?.lines], [level, 2]);
    }
    await harness.drover('logs', '--level', 'info');
    assert.deepEqual([harness.service.logQuery?.level, harness.service.logQuery?.lines], [30, null]);
  });

  it('refuses times, levels and expressions that make no sense', async () => {
    await using harness = await openHarness();
    for (const words of [
      ['--since', 'soon'],
      ['--level', 'loud'],
      ['--grep', '('],
      ['--lines', '-1'],
      ['--until', '99:99'],
    ])
      assert.equal((await harness.drover('logs', ...words)).code, 2, words.join(' '));
  });

  it('refuses a range that is empty, and an end where there is none, without asking', async () => {
    await using harness = await openHarness();
    const empty = await harness.drover('logs', '--since', '1m', '--until', '5m');
    assert.equal(empty.code, 2);
    assert.match(empty.err, /--since 1m is later than --until 5m[^]*`--since 5m --until 1m`/);
    const endless = await harness.drover('logs', '-f', '--until', '1h');
    assert.equal(endless.code, 2);
    assert.match(endless.err, /With -f there is no --until/);
    assert.equal(harness.service.logQuery, null);
    assert.equal((await harness.drover('logs', '--since', '5m', '--until', '1m')).code, 0);
  });
});

describe('the command line', () => {
  it('refuses what is not built yet', async () => {
    await using harness = await openHarness();
    for (const name of LATER_COMMANDS) {
      const { code, out } = await harness.drover(...name.split(' '), '--json');
      assert.equal(code, 2, name);
      assert.equal(codeOf(out), 'DROVER_NOT_AVAILABLE', name);
    }
  });

  it('names the nearest command', async () => {
    await using harness = await openHarness();
    for (const [slip, right] of [
      ['relaod', 'reload'],
      ['lsit', 'list'],
      ['strat', 'start'],
      ['log', 'logs'],
      ['evnets', 'events'],
    ])
      assert.match((await harness.drover(String(slip))).err, new RegExp(`Did you mean \`drover ${right}\``));
  });

  it('explains every command', async () => {
    await using harness = await openHarness();
    for (const { name } of COMMANDS) {
      for (const words of [
        ['help', ...name.split(' ')],
        [...name.split(' '), '--help'],
      ]) {
        const { code, out } = await harness.drover(...words);
        assert.equal(code, 0, words.join(' '));
        assert.ok(out.startsWith(`Usage: drover ${name}`), out);
      }
    }
  });

  it('survives any words, with an exit code and words of its own', async () => {
    await using harness = await openHarness();
    withShop(harness);
    const names = COMMANDS.filter(({ name }) => !/^(run|init|daemon stop|logs|events|top)$/.test(name)).map(
      ({ name }) => name,
    );
    const word = fc
      .oneof(
        fc.constantFrom(
          '--json',
          '--no-wait',
          '--',
          '-f',
          '--help',
          'shop',
          'shop/0',
          'all',
          '+1',
          '-1',
          '--name',
          '--env',
          'A=1',
        ),
        fc.string(),
        fc.string({ unit: 'binary' }),
        fc.constantFrom('.', '..', '/', 'x'.repeat(5_000), '/dev/null'),
        // The system's own limit: a word of a command line holds no NUL.
      )
      .map((text) => text.replaceAll('\0', ''))
      // What goes on for ever has no end to look at.
      .filter((text) => !/^-[a-z]*w/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names, ''), fc.array(word, { maxLength: 4 }), async (name, words) => {
        const { code, out, err } = await harness.drover(...name.split(' '), ...words);
        assert.ok([0, 1, 2, 3, 4, 5, 6, 7].includes(code), String(code));
        assert.ok(code === 0 || out !== '' || err !== '', `${name} ${words.join(' ')}: silent ${code}`);
        assert.ok(
          !`${out}${err}`.includes(ERRORS.DROVER_INTERNAL.message({ message: '' })),
          `${name} ${JSON.stringify(words)}: ${err}`,
        );
      }),
      { numRuns: 500 },
    );
    assert.deepEqual(harness.defects, []);
  });

  it('offers commands, options, apps and words to the shell', async () => {
    await using harness = await openHarness();
    withShop(harness);
    const offers = async (...words: string[]) => (await harness.drover('complete', '--', ...words)).out.split('\n');
    assert.ok((await offers('re')).includes('reload'));
    assert.deepEqual(await offers('reload', 'sh'), ['shop']);
    assert.deepEqual(await offers('completion', 'z'), ['zsh']);
    assert.ok((await offers('logs', '--')).includes('--since'));
    assert.deepEqual(await offers('daemon', 'sto'), ['stop']);
  });

  it('writes a configuration that is valid, and types for it', async () => {
    await using harness = await openHarness();
    writeFileSync(join(harness.directory, 'server.js'), '');
    assert.equal((await harness.drover('init')).code, 0);
    assert.deepEqual(json((await harness.drover('config', 'check', '--json')).out), { valid: true, errors: [] });
    assert.match(readFileSync(join(harness.directory, 'drover.d.ts'), 'utf8'), /instances\?: "max" \| number/);
    assert.equal((await harness.drover('init')).code, 2);
  });
});
