/** Settings of logs as users write them, down to the files of a real daemon, and the commands that read and empty them. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { FlushDocument, LogLineDocument } from '../../src/protocol/index.ts';
import { openDrover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'prints.mjs');

describe('the settings of logs', () => {
  it('hold for the files of an app: rotated, limited, read as one by `logs`, emptied by `logs flush`', async () => {
    await using drover = await openDrover();
    const control = join(drover.home, 'control');
    mkdirSync(control);
    const config = join(drover.home, 'drover.config.json');
    const app = { script: SCRIPT, env: { CONTROL: control, RATE: '2000000' }, logs: { maxSize: '512KB', keep: 3 } };
    writeFileSync(config, JSON.stringify({ apps: { printer: app }, daemon: { logs: { quota: '1GB', minFree: 0 } } }));
    await drover.start([config]);
    const directory = join(drover.home, 'logs/printer/archive');
    const names = (): string[] => (existsSync(directory) ? readdirSync(directory) : []);
    const archives = (): string[] => names().filter((name) => /\.(zst|gz)$/.test(name));
    await eventually('archives are made and the oldest removed', () => names().some((name) => name.endsWith('.gone')), {
      withinMs: 30_000,
    });
    writeFileSync(join(control, 'stop'), '');
    await eventually('it prints no more', () => existsSync(join(control, 'count-0')));
    await eventually('no more than three stay', () => archives().length === 3 && !names().join().includes('.part'));
    const { stdout } = await drover.run(['logs', 'printer', '--json', '--lines', '10000']);
    const lines = stdout.split('\n').filter((line) => line !== '');
    const numbers = lines.map((line) => Number((JSON.parse(line) as LogLineDocument).line.split(' ')[1]));
    assert.equal(numbers.length, 10_000);
    numbers.forEach((number, index) => assert.equal(number, (numbers[0] ?? 0) + index));
    // The same after the daemon's death: its settings are in its store.
    await drover.killDaemon();
    assert.equal((await drover.run(['logs', 'printer', '--json', '--lines', '10000'])).stdout, stdout);
    const archived = archives().reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    const { freedBytes } = await drover.json<FlushDocument>(['logs', 'flush', 'printer']);
    // The archives, and what of the current file is in none of them: anything between nothing and a rotation's worth.
    assert.ok(archived > 0 && freedBytes >= archived, `${freedBytes} of ${archived} and more`);
    assert.deepEqual(names(), []);
    assert.equal((await drover.run(['logs', 'printer', '--json'])).stdout, '');
  });

  it('of one worker are emptied by `logs flush` without those of the others', async () => {
    await using drover = await openDrover();
    const control = join(drover.home, 'control');
    mkdirSync(control);
    const config = join(drover.home, 'drover.config.json');
    const app = { script: SCRIPT, instances: 2, env: { CONTROL: control, RATE: '200000' } };
    writeFileSync(config, JSON.stringify({ apps: { printer: app } }));
    await drover.start([config]);
    writeFileSync(join(control, 'stop'), '');
    await eventually('both print no more', () => [0, 1].every((slot) => existsSync(join(control, `count-${slot}`))));
    const linesOf = async (slot: number): Promise<string> =>
      (await drover.run(['logs', `printer/${slot}`, '--json', '--lines', '10000'])).stdout;
    const before = await linesOf(0);
    assert.ok(before.length > 0 && (await linesOf(1)).length > 0);
    const { apps, freedBytes } = await drover.json<FlushDocument>(['logs', 'flush', 'printer/1']);
    assert.deepEqual(apps, ['printer']);
    assert.ok(freedBytes > 0);
    assert.equal(await linesOf(1), '');
    assert.equal(await linesOf(0), before);
  });

  it('hold for an app that was deleted as well: when the disk is short of space its last files go, a living one’s stay', async () => {
    await using drover = await openDrover();
    const control = join(drover.home, 'control');
    mkdirSync(control);
    const env = { CONTROL: control, RATE: '200000' };
    const configure = (minFree: number | string): string => {
      const config = join(drover.home, 'drover.config.json');
      const apps = { gone: { script: SCRIPT, env }, stays: { script: SCRIPT, env } };
      writeFileSync(config, JSON.stringify({ apps, daemon: { logs: { minFree } } }));
      return config;
    };
    const filesOf = (app: string): string[] =>
      readdirSync(join(drover.home, 'logs', app)).filter((name) => name.endsWith('.out.log'));
    await drover.start([configure(0)]);
    await drover.delete('gone');
    assert.equal(filesOf('gone').length, 1, 'they outlive the app');
    // More than there is anywhere: whatever may be removed has to go.
    const config = configure('1000000GB');
    writeFileSync(config, readFileSync(config, 'utf8').replace('"gone"', '"other"'));
    assert.equal((await drover.run(['apply', config])).code, 0);
    await eventually('the files of the deleted app are gone', () => filesOf('gone').length === 0, { withinMs: 30_000 });
    assert.equal(filesOf('stays').length, 1);
  });

  it('can be changed without replacing a worker', async () => {
    await using drover = await openDrover();
    const config = join(drover.home, 'drover.config.json');
    const control = join(drover.home, 'control');
    mkdirSync(control);
    const write = (maxSize: string): void => {
      const app = { script: SCRIPT, env: { CONTROL: control, RATE: '1000000' }, logs: { maxSize, keep: 5 } };
      writeFileSync(config, JSON.stringify({ apps: { printer: app } }));
    };
    write('1GB');
    await drover.start([config]);
    const pids = await drover.pids('printer');
    write('256KB');
    const { code, stderr } = await drover.run(['apply', config]);
    assert.equal(code, 0, stderr);
    const directory = join(drover.home, 'logs/printer/archive');
    await eventually('it is rotated', () => existsSync(directory) && readdirSync(directory).length > 0);
    assert.deepEqual(await drover.pids('printer'), pids);
  });
});
