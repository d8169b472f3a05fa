import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerHealth, type HealthFacts } from './health-document.ts';
import { Health, type NamedReading } from './health.ts';
import { CLOCK } from './process-host.ts';

const ONCE = { interval: 10_000 };

describe('Health', () => {
  it('is healthy, degraded or critical by what fails', async () => {
    const health = new Health(CLOCK);
    assert.equal(health.status().status, 'healthy');
    const offs = [health.register('mail', () => false, ONCE)];
    await health.check();
    assert.deepEqual([health.status().status, health.status().reason], ['degraded', 'mail: it answered false']);
    offs.push(health.register('database', () => false, { ...ONCE, critical: true }));
    await health.check();
    assert.deepEqual([health.status().status, health.status().reason], ['critical', 'database: it answered false']);
    offs.forEach((off) => off());
    assert.deepEqual(health.status(), { status: 'healthy', reason: null, checks: [] });
  });

  it('replaces a check of the same name, and the old one cannot take away the new', async () => {
    const health = new Health(CLOCK);
    // The timers of checks keep no process alive.
    const hold = setInterval(() => undefined, 60_000);
    let [oldRuns, newRuns] = [0, 0];
    const off = health.register('database', () => ++oldRuns < 0, { interval: 2 });
    let own: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      own = health.register('database', () => void (++newRuns === 4 && resolve()), { interval: 5 });
    });
    clearInterval(hold);
    assert.equal(oldRuns, 1, 'the old one is run no more');
    off();
    assert.deepEqual(
      health.status().checks.map(({ status }) => status),
      ['pass'],
    );
    own();
  });

  it('waits for a first outcome only where there is none', async () => {
    const health = new Health(CLOCK);
    let runs = 0;
    const off = health.register('database', () => ++runs, ONCE);
    await Promise.all([health.settled(), health.settled()]);
    await health.settled();
    assert.equal(runs, 1);
    off();
  });
});

const READING: NamedReading = {
  name: 'database',
  critical: true,
  status: 'pass',
  observedValue: 3,
  observedUnit: 'ms',
  componentType: 'datastore',
  output: null,
  timeMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  durationMs: 3,
  ageMs: 0,
  intervalMs: 1000,
};
const FACTS: HealthFacts = { readings: [READING], phase: 'serving', hopeless: null };
const NAMES = { version: '1' };

describe('The health document', () => {
  it('says everything to those who may know, and one word to the others', () => {
    const { status, body } = answerHealth('health', FACTS, NAMES, true);
    const entry = { componentType: 'datastore', status: 'pass', observedValue: 3, observedUnit: 'ms' };
    assert.equal(status, 200);
    assert.deepEqual(
      { ...body, checks: { ...body.checks } },
      {
        status: 'pass',
        version: '1',
        checks: { 'database:responseTime': [{ ...entry, time: '2026-01-02T03:04:05.000Z' }] },
      },
    );
    assert.deepEqual(answerHealth('health', FACTS, NAMES, false), { status: 200, body: { status: 'pass' } });
  });

  for (const [what, facts, expected] of [
    ['a critical check fails', { readings: [{ ...READING, status: 'fail' }] }, { health: 503, live: 200, ready: 503 }],
    [
      'a critical check has not ended',
      { readings: [{ ...READING, status: 'unknown' }] },
      { health: 503, live: 200, ready: 503 },
    ],
    [
      'another check fails',
      { readings: [{ ...READING, critical: false, status: 'fail' }] },
      { health: 200, live: 200, ready: 200 },
    ],
    ['a critical one warns', { readings: [{ ...READING, status: 'warn' }] }, { health: 200, live: 200, ready: 200 }],
    ['it drains', { phase: 'draining' }, { health: 503, live: 200, ready: 503 }],
    ['it starts', { phase: 'starting' }, { health: 503, live: 200, ready: 503 }],
    ['it has given itself up', { hopeless: 'no use' }, { health: 200, live: 503, ready: 200 }],
  ] as const) {
    it(`answers ${JSON.stringify(expected)} while ${what}`, () => {
      for (const question of ['health', 'live', 'ready'] as const) {
        const { status, body } = answerHealth(question, { ...FACTS, ...facts }, NAMES, false);
        assert.equal(status, expected[question], question);
        assert.equal(body.status === 'fail', status === 503);
      }
    });
  }

  it('puts checks of one name in one list, and tells readiness of critical ones alone', () => {
    const readings = [
      { ...READING, name: 'db:connections' },
      { ...READING, name: '__proto__', critical: false },
    ];
    const all = answerHealth('health', { ...FACTS, readings }, {}, true).body.checks ?? {};
    assert.deepEqual(Object.keys(all), ['db:connections', '__proto__:responseTime']);
    const critical = answerHealth('ready', { ...FACTS, readings }, {}, true).body.checks ?? {};
    assert.deepEqual(Object.keys(critical), ['db:connections']);
  });
});
