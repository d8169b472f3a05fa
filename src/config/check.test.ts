import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { checkConfig, parseConfig } from './check.ts';
import { LATER_IN_APP, LATER_IN_DAEMON } from './later.ts';
import { AppSchema, type AppSettings } from './schema.ts';

let directory = '';
let file = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'drover-config-'));
  file = join(directory, 'drover.config.json');
  for (const name of ['server.js', '.env']) writeFileSync(join(directory, name), '');
  mkdirSync(join(directory, 'folder'));
});
after(() => {
  rmSync(directory, { recursive: true });
});

/** Every key with a value that is right; what is not here is `command`, which excludes `script`. */
const FULL: AppSettings = {
  script: 'server.js',
  args: ['--verbose'],
  cwd: '.',
  node: '24',
  nodeArgs: ['--trace-warnings'],
  instances: 2,
  port: 3000,
  env: { NODE_ENV: 'production' },
  envFile: '.env',
  inheritEnv: ['AWS_REGION'],
  dependsOn: [],
  ready: { timeout: '30s', stableFor: '2s', signal: 'auto' },
  restart: {
    policy: 'always',
    backoff: { initial: '200ms', factor: 2, max: '30s' },
    crashLoop: { restarts: 5, within: '60s' },
  },
  drain: { timeout: '30s', idleGrace: '3s', websocket: { code: 1012, spread: '10s' } },
  logs: { maxSize: '100MB', keep: 10, maxAge: '30d', rotate: 'in-place' },
  probes: {
    startup: { exec: ['true'], initialDelay: '1s', period: '5s', timeout: '2s', failureThreshold: 30 },
    liveness: { tcp: 3000, host: 'localhost' },
    readiness: {
      http: '/ready',
      port: 3000,
      host: 'localhost',
      headers: { accept: 'text/plain' },
      scheme: 'http',
      successThreshold: 2,
    },
  },
  health: {
    blockedAfter: '500ms',
    profile: true,
    watchdog: false,
    outliers: {
      enabled: true,
      consecutiveErrors: 5,
      interval: '2s',
      baseEjection: '30s',
      maxEjection: '5m',
      maxEjected: '50%',
    },
  },
  heal: { enabled: true, recoverTimeout: '5s', maxUnavailable: 1, perHour: 10, quarantineAfter: 3 },
  budgets: {
    heapUsedMB: { max: 512, critical: true },
    rssMB: { max: 700, critical: false },
    eventLoopLagMs: { max: 100 },
    cpuPercent: { max: 80 },
    autoRestart: true,
    interval: '10s',
  },
  slo: [
    { name: 'availability', objective: 99.9, window: '30d' },
    { name: 'latency', objective: 99, thresholdMs: 250, minimumEvents: 50 },
    { name: 'orders', objective: 95, ratio: { good: 'orders_good_total', total: 'orders_total' } },
  ],
  metrics: { routes: 50, app: true },
  trace: { enabled: true, logs: false },
  surge: 'auto',
  sticky: false,
  user: 'app',
};

const DAEMON_DEFAULTS = {
  health: null,
  alerts: [],
  otlp: null,
  metrics: { quotaBytes: 256 * 1024 ** 2, keepMs: 30 * 86_400_000 },
};

type Json = Record<string, unknown>;

const isGroup = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Paths of all keys, groups included; variables in `env` are names, not keys. */
const listPaths = (value: Json, path: readonly string[] = []): string[][] =>
  Object.entries(value).flatMap(([key, item]) => {
    const at = [...path, key];
    return isGroup(item) && key !== 'env' && key !== 'headers' ? [at, ...listPaths(item, at)] : [at];
  });

const withValue = (path: readonly string[], value: unknown, renamed?: string): Json => {
  const app = structuredClone(FULL) as Json;
  const parent = path.slice(0, -1).reduce((at, key) => at[key] as Json, app);
  const key = String(path.at(-1));
  delete parent[key];
  parent[renamed ?? key] = value;
  return app;
};

const valueAt = (path: readonly string[]): unknown => path.reduce<unknown>((at, key) => (at as Json)[key], FULL);
const check = (app: unknown, others: Json = {}) => checkConfig({ apps: { shop: app, ...others } }, file, {});

const PATHS = listPaths(FULL);

/** For each key values of a right type that are out of range. */
const OUT_OF_RANGE: Readonly<Record<string, readonly unknown[]>> = {
  script: ['', 'missing.js', 'folder', 'a\0b'],
  cwd: ['', 'missing', 'server.js'],
  node: ['', 'lts', '24.1.1.1'],
  instances: [0, -1, 1.5, 257, 'min'],
  port: [0, -1, 65_536, 1.5, [], [3000, 3000], [0]],
  env: [{ '': 'x' }, { 'A=B': 'x' }, { DROVER_SLOT: '1' }, { A: 'a\0b' }, { A: null }],
  envFile: ['missing.env', 'folder'],
  dependsOn: [['nobody'], ['shop']],
  user: ['a b', -1],
  surge: [0, 1.5, 'all'],
  'logs.maxSize': [0, '1KB', '10 MB', '10M', -1, 1.5, Number.NaN],
  'logs.keep': [0, 1_001, 1.5],
  'logs.maxAge': [0, '1s', '4000d', 'never'],
  'logs.rotate': ['copy', ''],
  'ready.timeout': [0, -1, '30x', '30 s', '-1s', 2 ** 31, '25d', 'never', Number.NaN],
  'ready.stableFor': [-1, '31s'],
  'ready.signal': ['maybe'],
  'restart.policy': ['sometimes', ''],
  'restart.backoff.initial': [0, '31s'],
  'restart.backoff.factor': [0.5, 101],
  'restart.backoff.max': [0],
  'restart.crashLoop.restarts': [-1, 1.5],
  'restart.crashLoop.within': [0],
  'drain.timeout': [-1, '-1ms'],
  'drain.idleGrace': [-1, '31s'],
  'drain.websocket.code': [999, 1005, 5000, 1.5],
  'drain.websocket.spread': [-1, '31s'],
};

describe('a configuration', () => {
  it('is accepted with every key in use', () => {
    assert.deepEqual(check(FULL).problems, []);
    const { script: _, node: _node, nodeArgs: _args, ...rest } = FULL;
    assert.deepEqual(check({ ...rest, command: ['python3', 'x.py'] }).problems, []);
  });

  it('has a right value here for every key of the schema', () => {
    const known = new Set([...Object.keys(FULL), 'command']);
    const present = Object.keys(AppSchema.entries).filter((key) => !LATER_IN_APP.has(key));
    assert.deepEqual(new Set(present), known);
  });

  for (const path of PATHS) {
    const name = path.join('.');
    it(`refuses null as ${name}, naming it`, () => {
      const { problems } = check(withValue(path, null));
      assert.deepEqual(
        problems.map((problem) => problem.path),
        [`apps.shop.${name}`],
      );
      assert.equal(problems[0]?.value, null);
    });

    it(`refuses values of a wrong type as ${name}`, () => {
      const right = valueAt(path);
      const wrong = [true, 12.5, 'no such word', ['x', 1], { x: 1 }, [{}], [null]].filter(
        (value) => !(typeof right === 'boolean' && value === true),
      );
      for (const value of wrong) {
        const { problems } = check(withValue(path, value));
        const isAllowed = ALSO_RIGHT[name]?.some((one) => JSON.stringify(one) === JSON.stringify(value)) ?? false;
        assert.equal(problems.length === 0, isAllowed, `${name}: ${JSON.stringify(value)}`);
        for (const problem of problems) assert.ok(problem.path.startsWith(`apps.shop.${name}`), problem.path);
      }
    });

    it(`names the right key for a misspelt ${name}`, () => {
      const key = String(path.at(-1));
      for (const slip of [`${key}s`, `${key.slice(0, 1)}${key}`, key.toUpperCase()].filter((one) => one !== key)) {
        const problem = check(withValue(path, valueAt(path), slip)).problems.find(({ path }) => path.endsWith(slip));
        assert.equal(problem?.suggestion, key, slip);
      }
    });
  }

  for (const [name, values] of Object.entries(OUT_OF_RANGE))
    it(`refuses what is out of range as ${name}`, () => {
      for (const value of values) {
        const { problems } = check(withValue(name.split('.'), value));
        assert.ok(problems.length > 0, `${name}: ${JSON.stringify(value)} was accepted`);
        assert.ok(problems[0]?.path.startsWith(`apps.shop.${name}`), problems[0]?.path);
        // As a word on the command line, it is no better: what is proposed instead must be allowed.
        const proposed = check(withValue(name.split('.'), String(value))).problems[0]?.suggestion ?? null;
        if (proposed === null || !/^\d/.test(proposed)) continue;
        const again = check(withValue(name.split('.'), Number(proposed))).problems;
        assert.deepEqual(again, [], `${name}: ${JSON.stringify(value)}: did you mean ${proposed}?`);
      }
    });

  it('tells of all problems at once', () => {
    const app = { ...FULL, prot: 1, instances: 'many', drain: { timeout: '5 parsecs', grace: 1 } };
    const paths = check(app).problems.map(({ path }) => path);
    assert.deepEqual(paths.sort(), [
      'apps.shop.drain.grace',
      'apps.shop.drain.timeout',
      'apps.shop.instances',
      'apps.shop.prot',
    ]);
  });

  it('refuses keys of later versions as not available', () => {
    const refuse = (value: unknown, key: string): void => {
      assert.throws(
        () => parseConfig(value, file, {}),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'DROVER_NOT_AVAILABLE');
          assert.ok(error.message.includes(key), error.message);
          return true;
        },
      );
    };
    for (const key of LATER_IN_APP) refuse({ apps: { shop: { ...FULL, [key]: {} } } }, `apps.shop.${key}`);
    for (const key of LATER_IN_DAEMON) refuse({ apps: {}, daemon: { [key]: {} } }, `daemon.${key}`);
  });

  it('says what holds for all apps together, where it does', () => {
    assert.equal(checkConfig({ apps: {} }, file, {}).daemon, null);
    const logs = { quota: '2GB', minFree: '100MB' };
    assert.deepEqual(checkConfig({ apps: {}, daemon: { logs } }, file, {}).daemon, {
      ...DAEMON_DEFAULTS,
      logs: { quotaBytes: 2 * 1024 ** 3, minFreeBytes: 100 * 1024 ** 2 },
    });
    assert.deepEqual(checkConfig({ apps: {}, daemon: {} }, file, {}).daemon, {
      ...DAEMON_DEFAULTS,
      logs: { quotaBytes: 10 * 1024 ** 3, minFreeBytes: 'auto' },
    });
    for (const wrong of [{ quota: '1KB' }, { minFree: 'much' }, { minFree: -1 }, { quotas: 1 }])
      assert.equal(
        checkConfig({ apps: {}, daemon: { logs: wrong } }, file, {}).problems.length,
        1,
        JSON.stringify(wrong),
      );
  });

  it('refuses names that could be no directory, or mean something else', () => {
    for (const name of ['all', '../x', 'a/b', '', '.', 'x'.repeat(64), 'a b', 'ü'])
      assert.equal(checkConfig({ apps: { [name]: FULL } }, file, {}).problems.length, 1, name);
    for (const name of ['constructor', 'toString', '0', 'a.b-c_d'])
      assert.equal(checkConfig({ apps: { [name]: FULL } }, file, {}).apps[0]?.name, name);
    assert.equal(checkConfig(JSON.parse('{"apps":{"__proto__":{}}}'), file, {}).problems.length, 2);
  });

  it('proposes for a text the list of its words', () => {
    const receiver = (value: unknown) =>
      checkConfig({ apps: {}, daemon: { alerts: [value] } }, file, {}).problems[0]?.suggestion;
    assert.equal(receiver({ command: 'page --team "web shop"' }), "['page', '--team', 'web shop']");
    assert.equal(receiver({ command: "page | tee 'x'" }), `['sh', '-c', "page | tee 'x'"]`);
    assert.equal(receiver({ command: ['page'], severities: 'page, ticket' }), "['page', 'ticket']");
    assert.equal(receiver({ command: '' }), null);
    const app = (settings: object) => check({ script: 'server.js', ...settings }).problems[0]?.suggestion;
    assert.equal(app({ args: '--port 3000' }), "['--port', '3000']");
    assert.equal(app({ args: '$HOME' }), null);
    assert.equal(app({ slo: 'availability' }), null);
  });

  it('refuses two apps on one port', () => {
    const { problems } = check({ ...FULL, port: [3000, 3001] }, { api: { ...FULL, port: 3001 } });
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['apps.api.port'],
    );
    assert.match(problems[0]?.message ?? '', /`shop`/);
  });

  it('refuses apps that wait for each other, or for nobody', () => {
    const { problems } = check(
      { script: 'server.js', dependsOn: ['api'] },
      { api: { script: 'server.js', dependsOn: ['db'] }, db: { script: 'server.js', dependsOn: ['shop', 'shpo'] } },
    );
    assert.ok(problems.some(({ message }) => message.includes('shop → api → db → shop')));
    assert.ok(problems.some(({ suggestion }) => suggestion === 'shop'));
  });

  it('puts apps after those that they wait for', () => {
    const { apps } = check(
      { script: 'server.js', dependsOn: ['api'] },
      { api: { script: 'server.js', dependsOn: ['db'] }, db: { script: 'server.js' } },
    );
    assert.deepEqual(
      apps.map(({ name }) => name),
      ['db', 'api', 'shop'],
    );
  });

  it('lets defaults yield to what is written', () => {
    const [app] = check({ script: 'server.js', drain: { timeout: '1s' }, ready: { timeout: '1s' } }).apps;
    assert.deepEqual(app?.drain, { timeoutMs: 1000, idleGraceMs: 1000, websocket: { code: 1012, spreadMs: 1000 } });
    assert.equal(app?.ready.stableForMs, 500);
    const readyOf = (ready: Json) => {
      const [one] = check({ script: 'server.js', ready }).apps;
      return [one?.ready.timeoutMs, one?.ready.stableForMs];
    };
    assert.deepEqual(readyOf({}), [30_000, 2_000]);
    assert.deepEqual(readyOf({ stableFor: '45s' }), [75_000, 45_000], 'there is time to come up before that');
    assert.deepEqual(readyOf({ stableFor: '20s', timeout: '25s' }), [25_000, 20_000]);
    assert.deepEqual(readyOf({ stableFor: 2 ** 31 - 2 }), [2 ** 31 - 1, 2 ** 31 - 2]);
  });

  it('takes the port that the worker listens on for a probe that names none', () => {
    const targetOf = (liveness: Json) =>
      check({ script: 'server.js', probes: { liveness } }).apps[0]?.probes.liveness?.target;
    assert.deepEqual(targetOf({ tcp: true }), { kind: 'tcp', port: null, host: null });
    assert.deepEqual(targetOf({ tcp: 3000, host: 'db' }), { kind: 'tcp', port: 3000, host: 'db' });
  });

  it('never throws, whatever is exported', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: false }), (value) => {
        const { apps, problems } = checkConfig(value, file, {});
        assert.ok(problems.length > 0 || apps.length === 0);
        const { problems: inside } = checkConfig({ apps: { shop: value } }, file, {});
        assert.ok(inside.length > 0);
      }),
      { numRuns: 500 },
    );
  });

  it('names what HTTP, a command line or a receiver could not have, before anybody tries', () => {
    const messagesOf = (value: unknown, daemon: unknown): string[] =>
      checkConfig({ apps: { shop: value }, daemon }, file, {}).problems.map(
        ({ path, message }) => `${path} ${message}`,
      );
    const http = (headers: Json): Json => ({ script: 'server.js', probes: { readiness: { http: '/', headers } } });
    for (const headers of [{ 'a b': 'x' }, { '': 'x' }, { x: 'a\nb' }, { x: 'a\r\nb' }, { x: '\u20ac' }, { ä: 'x' }]) {
      const receiver = { webhook: 'http://127.0.0.1:1/', headers };
      for (const [said, at] of [
        [messagesOf(http(headers), {}), /^apps\.shop\.probes\.readiness\.headers/],
        [messagesOf({ script: 'server.js' }, { alerts: [receiver] }), /^daemon\.alerts\[0\]\.headers/],
        [messagesOf({ script: 'server.js' }, { otlp: { endpoint: 'http://x', headers } }), /^daemon\.otlp\.headers/],
      ] as const) {
        assert.match(said[0] ?? 'nothing', at);
        assert.match(said[0] ?? '', /must be (the name of a header field|a string on one line)/);
      }
    }
    assert.deepEqual(messagesOf(http({ 'X-Any': 'a b\t\u00e9' }), {}), []);
    const script = 'server.js';
    const webhook = 'http://127.0.0.1:1/';
    for (const [daemon, said] of [
      [{ alerts: [{ webhook, severities: [] }] }, 'daemon.alerts[0].severities must name one at least'],
      [{ alerts: [{ webhook, apps: [] }] }, 'daemon.alerts[0].apps must name an app'],
      [{ alerts: [{ command: [''] }] }, 'daemon.alerts[0].command must name a program'],
      [{ alerts: [{ command: ['a\0b'] }] }, 'daemon.alerts[0].command[0] must not have a zero byte'],
      [{ otlp: { endpoint: '' } }, 'daemon.otlp.endpoint must be an address'],
    ] as const) {
      const found = messagesOf({ script }, daemon);
      assert.equal(found.length, 1, found.join());
      assert.ok(found[0]?.startsWith(said), found[0]);
    }
    assert.deepEqual(messagesOf({ script, slo: [{}] }, {}), [
      'apps.shop.slo[0].name is missing',
      'apps.shop.slo[0].objective is missing',
    ]);
  });
});

/** Values from the list of wrong ones that some keys do allow. */
const ALSO_RIGHT: Readonly<Record<string, readonly unknown[]>> = {
  'probes.liveness.tcp': [true],
  'probes.liveness.host': ['no such word'],
  'probes.readiness.host': ['no such word'],
  'budgets.heapUsedMB.max': [12.5],
  'budgets.rssMB.max': [12.5],
  'budgets.eventLoopLagMs.max': [12.5],
  'budgets.cpuPercent.max': [12.5],
  env: [{ x: 1 }],
  inheritEnv: [true],
  'ready.signal': [true],
  'restart.backoff.factor': [12.5],
};
