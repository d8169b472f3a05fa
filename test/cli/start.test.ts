/** What `start` and `apply` do to what is there already. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { appConfig } from '../support/app-config.ts';
import { type Harness, openHarness } from './harness.ts';

const writeConfig = ({ directory }: Harness, instances: number, quota: string): void => {
  writeFileSync(join(directory, 'server.js'), '');
  const apps = { shop: { script: 'server.js', instances } };
  writeFileSync(join(directory, 'drover.config.json'), JSON.stringify({ apps, daemon: { logs: { quota } } }));
};

const configured = ({ service }: Harness): number =>
  service.calls.filter((call) => call.startsWith('configure')).length;

describe('the settings of the daemon in a configuration', () => {
  it('are left alone by a `start` that is refused', async () => {
    await using harness = await openHarness();
    writeConfig(harness, 1, '2GB');
    assert.equal((await harness.drover('start')).code, 0);
    assert.equal(configured(harness), 1);
    writeConfig(harness, 2, '1MB');
    assert.equal((await harness.drover('start')).code, 2);
    assert.equal(configured(harness), 1);
  });

  it('are left alone by an `apply` that is refused, and changed by one without other changes', async () => {
    await using harness = await openHarness();
    writeConfig(harness, 1, '2GB');
    const { apply } = harness.service;
    const { DroverError } = await import('../../src/protocol/index.ts');
    harness.service.apply = async () => {
      throw new DroverError('DROVER_BUSY', { app: 'shop', kind: 'reload', operation: 'op-1' });
    };
    assert.notEqual((await harness.drover('apply')).code, 0);
    assert.equal(configured(harness), 0);
    harness.service.apply = apply;
    assert.equal((await harness.drover('apply')).code, 0);
    assert.equal((await harness.drover('apply')).code, 0);
    assert.equal(configured(harness), 2);
  });
});

describe('`start` with the name of an app that is there, which is a program too', () => {
  const withSleep = async (): Promise<Harness> => {
    const harness = await openHarness();
    assert.equal((await harness.drover('start', 'sleep', '--port', '6379')).code, 0);
    return harness;
  };

  it('begins another app where it is given another name', async () => {
    await using harness = await withSleep();
    const { code, out } = await harness.drover('start', 'sleep', '--name', 'second', '--port', '6380');
    assert.equal(code, 0);
    assert.doesNotMatch(out, /running already/);
    assert.deepEqual(harness.service.apps.get('second')?.config.ports, [6380]);
  });

  it('leaves it alone where its settings are the same, and refuses others with the plan', async () => {
    await using harness = await withSleep();
    const same = await harness.drover('start', 'sleep', '--port', '6379');
    assert.deepEqual([same.code, /running already, unchanged/.test(same.out)], [0, true]);
    const other = await harness.drover('start', 'sleep', '--port', '6380');
    assert.equal(other.code, 2);
    assert.match(other.err, /ports?/);
    assert.deepEqual(harness.service.calls, ['start sleep']);
  });
});

describe('`start` with the name of an app that is there, and is no program', () => {
  it('refuses settings, and says what to do instead', async () => {
    await using harness = await openHarness();
    harness.service.apps.set('my-shop', { config: appConfig('my-shop'), file: null, isStopped: true });
    for (const [word, option, value] of [
      ['my-shop', '--port', '3001'],
      ['my-shop/0', '--env', 'A=1'],
      ['all', '--cwd', '.'],
    ] as const) {
      const { code, err } = await harness.drover('start', word, option, value);
      assert.equal(code, 2, word);
      assert.match(err, new RegExp(`\`${word}\` is there already, and \`${option}\` is for what is new`));
      assert.match(err, /drover apply/);
    }
    assert.match((await harness.drover('start', 'my-shop', '--instances', '3')).err, /drover scale my-shop 3/);
    assert.deepEqual(harness.service.calls, []);
  });
});
