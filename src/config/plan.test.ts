import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppConfig } from '../protocol/index.ts';
import { completeApp } from './complete.ts';
import { findChangedKeys, type KnownApp, planChanges as planOn } from './plan.ts';
import * as v from 'valibot';
import { AppSchema, type AppSettings } from './schema.ts';

const FILE = '/srv/drover.config.ts';

const app = (name: string, settings: AppSettings = {}, env: Record<string, string> = {}): AppConfig => {
  const raw = settings.command === undefined ? { script: 'server.js', ...settings } : settings;
  return completeApp(name, v.parse(AppSchema, raw), raw, '/srv', env);
};
const CPUS = 4;
const instancesOf = ({ instances }: AppConfig): number => (instances === 'max' ? CPUS : instances);
const known = (config: AppConfig, file: string | null = FILE, isStopped = false): KnownApp => ({
  config,
  instances: instancesOf(config),
  file,
  isStopped,
  canOverlap: config.command.kind === 'node',
});

const planChanges = (apps: readonly KnownApp[], wanted: readonly AppConfig[], file: string | null) =>
  planOn(apps, wanted, file, instancesOf);

describe('the plan of apply', () => {
  it('starts what is new, leaves what is equal, removes what the file no longer lists', () => {
    const changes = planChanges(
      [known(app('old')), known(app('same')), known(app('foreign'), null)],
      [app('same'), app('new')],
      FILE,
    );
    assert.deepEqual(
      changes.map(({ app, action }) => `${action} ${app}`),
      ['none same', 'start new', 'stop old'],
    );
  });

  it('replaces workers only for what concerns them', () => {
    const action = (settings: AppSettings) => {
      const [change] = planChanges([known(app('shop'))], [app('shop', settings)], FILE);
      return `${change?.action} ${change?.replaces} ${change?.keys.join(',')}`;
    };
    assert.equal(action({ args: ['x'] }), 'reload true args');
    assert.equal(action({ env: { A: '1' } }), 'reload true env.A');
    assert.equal(action({ port: 80 }), 'reload true env.PORT,port');
    assert.equal(action({ instances: 3 }), 'reload false instances');
    assert.equal(action({ drain: { timeout: '60s' } }), 'reload false drain.timeout');
  });

  it('sees that an app was scaled, and takes that back without replacing anybody', () => {
    const planOf = (from: AppSettings, instances: number, to: AppSettings) => {
      const [change] = planChanges([{ ...known(app('shop', from)), instances }], [app('shop', to)], FILE);
      return `${change?.action} ${change?.replaces} ${change?.keys.join(',')}`;
    };
    assert.equal(planOf({ instances: 2 }, 8, { instances: 2 }), 'reload false instances');
    assert.equal(planOf({ instances: 'max' }, CPUS - 1, { instances: 'max' }), 'reload false instances');
    assert.equal(planOf({ instances: 'max' }, CPUS, { instances: 'max' }), 'none false ');
    const kept = { instances: 2, logs: { keep: 3 } };
    assert.equal(planOf({ instances: 2 }, 8, kept), 'reload false instances,logs.keep');
    assert.equal(planOf({ instances: 2 }, 8, { instances: 3, env: { A: '1' } }), 'reload true env.A,instances');
    assert.equal(planOf({ instances: 2 }, 3, { instances: 3 }), 'reload false instances', 'the file says so by now');
  });

  it('restarts programs, which cannot hand their port over', () => {
    const before = known(app('db', { command: ['redis-server'] }));
    const [change] = planChanges([before], [app('db', { command: ['redis-server', '--save'] })], FILE);
    assert.equal(change?.action, 'restart');
  });

  it('starts what the operator had stopped', () => {
    assert.equal(planChanges([known(app('shop'), FILE, true)], [app('shop')], FILE)[0]?.action, 'start');
  });

  it('refuses a name that another file owns', () => {
    assert.throws(() => planChanges([known(app('shop'), '/other.ts')], [app('shop')], FILE), {
      code: 'DROVER_APP_EXISTS',
    });
  });

  it('sees variables of the caller only where they were asked for by name', () => {
    const all = (env: Record<string, string>) => app('shop', { inheritEnv: true }, env);
    assert.deepEqual(findChangedKeys(all({ SHLVL: '1' }), all({ SHLVL: '2' })), []);
    const one = (env: Record<string, string>) => app('shop', { inheritEnv: ['REGION'] }, env);
    assert.deepEqual(findChangedKeys(one({ REGION: 'a' }), one({ REGION: 'b' })), ['inheritEnv.REGION']);
  });
});
