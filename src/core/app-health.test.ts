import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { BudgetVerdict } from './budgets.ts';
import type { CheckVerdict } from './checks.ts';
import { type AppFacts, type AppHealth, appHealth } from './app-health.ts';
import { hostHealth } from './host-health.ts';
import { HEALTH_POLICY, WORKER_HEALTH_RULES, type WorkerFacts } from './worker-health.ts';
import type { MemoryForecast } from './memory-forecast.ts';

const worker = (slot: number, change: Partial<WorkerFacts> = {}): WorkerFacts => ({
  slot,
  generation: 1,
  phase: 'running',
  isWanted: true,
  isLooping: false,
  probes: [],
  checks: [],
  blockedMs: null,
  isHung: false,
  ejection: null,
  budgets: [],
  forecast: null,
  recycle: null,
  isQuarantined: false,
  ...change,
});

const app = (facts: Partial<AppFacts>): AppHealth =>
  appHealth({ status: 'online', workers: [], unreadyForMs: null, heldBack: null, ...facts });
const four = (...changes: readonly Partial<WorkerFacts>[]): AppHealth =>
  app({ workers: [0, 1, 2, 3].map((slot) => worker(slot, changes[slot])) });
const alone = (change: Partial<WorkerFacts>): AppHealth => app({ workers: [worker(0, change)] });

const check = (status: CheckVerdict['status'], change: Partial<CheckVerdict> = {}): CheckVerdict => ({
  name: 'database',
  status,
  critical: true,
  durationMs: 1,
  error: status === 'fail' ? 'connection refused' : null,
  forMs: 60_000,
  hasJustFailed: status === 'fail',
  ...change,
});
const DOWN = { checks: [check('fail')] };
const UP = { checks: [check('pass')] };
const probe = (kind: 'liveness' | 'readiness', change = {}) => ({
  probes: [{ kind, status: 'fail' as const, isMissingData: false, error: 'status 503', ...change }],
});
const budget = (change: Partial<BudgetVerdict> = {}): BudgetVerdict => ({
  budget: 'rssMB',
  value: 300,
  max: 200,
  critical: true,
  isExceeded: true,
  forMs: 1,
  isUnwell: true,
  ...change,
});
const FORECAST = { status: 'growing', leftMs: 3_600_000, reason: 'the heap grows' } as MemoryForecast;

describe('a dependency that is down for all', () => {
  it('takes nobody off rotation, neither when the first confirms it nor when the last is about to pass again', () => {
    const seenOnce = { checks: [check('pass', { hasJustFailed: true })] };
    const first = four(DOWN, seenOnce, seenOnce, seenOnce);
    assert.equal(first.status, 'degraded');
    assert.deepEqual(
      first.workers.map(({ isRoutable }) => isRoutable),
      [true, true, true, true],
    );
    const passing = { checks: [check('fail', { hasJustFailed: false })] };
    assert.ok(four(passing, UP, UP, UP).workers.every(({ isRoutable, trouble }) => isRoutable && trouble === null));
    assert.equal(four(DOWN, UP, UP, UP).workers[0]?.isRoutable, false, 'one that really is alone');
  });
});

describe('the health of a worker', () => {
  it('is healthy where nothing is known against it', () => {
    const { status, reason, workers } = four();
    assert.deepEqual([status, reason], ['healthy', null]);
    assert.deepEqual(workers[0], {
      slot: 0,
      generation: 1,
      status: 'healthy',
      reason: null,
      isRoutable: true,
      routing: null,
      trouble: null,
    });
  });

  /** Each rule alone, in one of four workers: status, whether it stays on rotation, and what the ladder hears. */
  const cases: readonly (readonly [Partial<WorkerFacts>, string, boolean, string | null, RegExp])[] = [
    [{ isLooping: true, phase: 'backoff' }, 'critical', true, null, /in a crash loop/],
    [{ isLooping: true }, 'degraded', true, null, /back after a crash loop/],
    [{ phase: 'backoff' }, 'critical', true, null, /it ended, and waits/],
    [{ phase: 'crashed' }, 'critical', true, null, /not started again/],
    [{ isHung: true, blockedMs: 31_000 }, 'critical', false, 'hang', /answered nothing for 31 s/],
    [probe('liveness'), 'critical', false, 'liveness', /its liveness probe fails: status 503/],
    [{ blockedMs: 700 }, 'critical', false, null, /its event loop is blocked, for 0.7 s/],
    [DOWN, 'critical', false, 'check:database', /its check database fails: connection refused/],
    [{ checks: [check('fail', { forMs: 100 })] }, 'critical', false, null, /its check database fails/],
    [{ budgets: [budget()] }, 'critical', true, 'budget:rssMB', /rssMB is 300, its budget 200/],
    [{ budgets: [budget({ isUnwell: false })] }, 'critical', true, null, /rssMB/],
    [{ ejection: { untilAt: 1, reason: 'slow', ejections: 1 } }, 'degraded', true, null, /off rotation: slow/],
    [{ ejection: { untilAt: 1, reason: 'slow', ejections: 3 } }, 'degraded', true, 'ejected', /off rotation/],
    [probe('readiness'), 'degraded', false, null, /its readiness probe fails: status 503/],
    [{ recycle: 'out of memory in 60 s' }, 'degraded', true, 'memory', /out of memory in 60 s/],
    [{ checks: [check('fail', { critical: false })] }, 'degraded', true, null, /its check database fails/],
    [{ budgets: [budget({ critical: false, isUnwell: false })] }, 'degraded', true, null, /rssMB/],
    [{ isQuarantined: true }, 'degraded', true, null, /quarantine/],
    [{ forecast: FORECAST }, 'degraded', true, null, /the heap grows/],
    [{ forecast: { ...FORECAST, leftMs: 7 * 3_600_000 } }, 'healthy', true, null, /^$/],
    [{ phase: 'draining' }, 'degraded', true, null, /it is draining/],
  ];

  it('follows each of the rules', () => {
    for (const [facts, status, isRoutable, key, reason] of cases) {
      const health = four(facts, UP, UP, UP).workers.at(0)!;
      const told = JSON.stringify(facts);
      assert.equal(health.status, status, told);
      assert.equal(health.isRoutable, isRoutable, told);
      assert.equal(health.trouble?.key ?? null, key, told);
      assert.match(health.reason ?? '', reason, told);
    }
  });

  it('is decided by the first rule that holds, and all that is held against it counts', () => {
    const { workers } = four({ ...probe('liveness'), recycle: 'soon', blockedMs: 600 });
    assert.match(workers[0]?.reason ?? '', /liveness/);
    assert.equal(workers[0]?.trouble?.kind, 'liveness');
    const { workers: others } = four({ blockedMs: 600, recycle: 'soon' });
    assert.equal(others[0]?.trouble?.kind, 'memory', 'a block is no matter for the ladder, what else holds is');
  });

  it('has a case for each of the rules, but that of a check that fails everywhere', () => {
    const reached = cases.flatMap(([facts]) =>
      WORKER_HEALTH_RULES.filter((rule) => rule.find(worker(0, facts), HEALTH_POLICY, new Set()) !== null),
    );
    const missed = WORKER_HEALTH_RULES.filter((rule) => !reached.includes(rule)).map(({ when }) => when);
    assert.deepEqual(missed, ['a critical check fails in most workers']);
  });

  it('is no matter for the ladder while it starts or goes: its own machine sees to that', () => {
    for (const phase of ['starting', 'draining', 'aborting', 'killing', 'backoff'] as const) {
      assert.equal(four({ phase, isHung: true, blockedMs: 40_000 }).workers[0]?.trouble, null, phase);
    }
  });

  it('tells the ladder that data is missing', () => {
    assert.equal(four(probe('liveness', { isMissingData: true })).workers[0]?.trouble?.isMissingData, true);
  });
});

describe('the health of an app', () => {
  it('is degraded with all its workers on rotation, and nothing for the ladder, while the database is down', () => {
    const { status, reason, workers, down } = four(DOWN, DOWN, DOWN, DOWN);
    assert.equal(status, 'degraded');
    assert.equal(reason, 'database is down for 4 of 4 workers: connection refused');
    assert.deepEqual(down, ['database']);
    for (const one of workers) {
      assert.deepEqual([one.status, one.isRoutable, one.trouble], ['degraded', true, null]);
    }
    const most = four(DOWN, DOWN, DOWN, UP);
    assert.equal(most.status, 'degraded');
    assert.deepEqual(
      most.workers.map((one) => one.trouble),
      [null, null, null, null],
    );
    assert.deepEqual(
      alone(DOWN).workers[0]?.isRoutable,
      true,
      'one alone cannot tell, and nobody could take its place',
    );
  });

  it('takes the one worker off rotation that alone cannot reach the database', () => {
    const { status, workers } = four(DOWN, UP, UP, UP);
    assert.equal(status, 'degraded');
    assert.deepEqual(
      workers.map(({ isRoutable }) => isRoutable),
      [false, true, true, true],
    );
    assert.equal(workers[0]?.trouble?.kind, 'check');
    const two = four(DOWN, DOWN, UP, UP);
    assert.deepEqual(
      two.workers.map(({ isRoutable }) => isRoutable),
      [false, false, true, true],
      'half is not most',
    );
  });

  it('does not count the time of a check that fails everywhere for one that fails in a worker alone', () => {
    const both = { checks: [check('fail'), check('fail', { name: 'cache', forMs: 100 })] };
    const other = { checks: [check('fail'), check('pass', { name: 'cache' })] };
    const { workers } = four(both, other, other, other);
    assert.match(workers[0]?.reason ?? '', /its check cache fails/);
    assert.equal(workers[0]?.trouble, null);
  });

  it('keeps everybody on rotation when most are not ready, and says so', () => {
    const { workers } = four(probe('readiness'), probe('readiness'), probe('readiness'));
    assert.ok(workers.every(({ isRoutable }) => isRoutable));
    assert.match(workers[0]?.routing ?? '', /it stays on rotation although .* most workers/);
  });

  it('follows its own status and its workers', () => {
    const status = (facts: Partial<AppFacts>): string => app(facts).status;
    const some = (...changes: readonly Partial<WorkerFacts>[]) => changes.map((change, slot) => worker(slot, change));
    assert.equal(status({ status: 'stopped', workers: some({ phase: 'stopped', isWanted: false }) }), 'healthy');
    assert.equal(status({ status: 'failed', workers: some({ phase: 'crashed' }) }), 'critical');
    assert.equal(status({ status: 'crash-loop', workers: some({ phase: 'backoff', isLooping: true }) }), 'critical');
    // Somebody serves again, and may go on doing so.
    assert.equal(status({ status: 'crash-loop', workers: some({ isLooping: true }) }), 'degraded');
    assert.equal(status({ status: 'starting', workers: some({ phase: 'starting' }) }), 'degraded');
    const bad = { status: 'online', workers: some({}, {}), heldBack: '2 of 2 workers are bad at once' } as const;
    assert.deepEqual([app(bad).status, app(bad).reason], ['degraded', bad.heldBack]);
    const stuck = { status: 'starting', workers: some({ phase: 'starting' }) } as const;
    assert.equal(status({ ...stuck, unreadyForMs: 29_999 }), 'degraded');
    assert.equal(status({ ...stuck, unreadyForMs: 30_000 }), 'critical', 'it serves nobody');
    assert.equal(status({ status: 'degraded', workers: some({ phase: 'backoff' }, {}) }), 'degraded');
    assert.equal(
      status({ status: 'degraded', workers: some({ phase: 'starting' }, { phase: 'draining' }) }),
      'critical',
    );
    assert.equal(status({ status: 'online', workers: some({ isHung: true }, { isHung: true }, {}) }), 'critical');
    assert.equal(status({ status: 'online', workers: some({ isHung: true }, {}) }), 'degraded');
    assert.equal(status({ status: 'online', workers: some({ forecast: FORECAST }, {}) }), 'degraded');
  });

  it('never takes most workers off rotation, nor the last, and never troubles the ladder with what most share', () => {
    const facts = fc.record({
      phase: fc.constantFrom('running', 'running', 'running', 'starting', 'backoff'),
      checks: fc.constantFrom(UP.checks, DOWN.checks, []),
      blockedMs: fc.constantFrom(null, null, 900),
      isHung: fc.constantFrom(false, false, true),
      probes: fc.constantFrom([], probe('liveness').probes, probe('readiness').probes),
    });
    fc.assert(
      fc.property(fc.array(facts, { minLength: 1, maxLength: 8 }), (all) => {
        const workers = all.map((change, slot) => worker(slot, change));
        const health = app({ workers });
        const running = workers.filter(({ phase }) => phase === 'running');
        const off = health.workers.filter(({ isRoutable }) => !isRoutable);
        assert.ok(off.every(({ slot }) => workers[slot]?.phase === 'running'));
        assert.ok(off.length * 2 <= running.length);
        const failing = running.filter(({ checks }) => checks[0]?.status === 'fail').length;
        const known = running.filter(({ checks }) => checks.length > 0).length;
        for (const { trouble, status, reason } of health.workers) {
          if (failing * 2 > known) assert.notEqual(trouble?.kind, 'check');
          assert.equal(reason === null, status === 'healthy', 'what is not healthy has a reason');
        }
      }),
    );
  });
});

describe('the health of the host', () => {
  const app = (status: 'healthy' | 'degraded' | 'critical') => ({ name: status, status, reason: 'so' });
  const host = { apps: [], isStateUnwritable: false, isOutputDropped: false };

  it('is that of the worst app, and of what the daemon itself suffers from', () => {
    assert.deepEqual(hostHealth(host), { status: 'healthy', reason: null });
    const apps = [app('healthy'), app('critical'), app('degraded')];
    assert.deepEqual(hostHealth({ ...host, apps }), { status: 'critical', reason: 'critical: so' });
    const full = { ...host, isOutputDropped: true };
    assert.equal(hostHealth({ ...full, apps: [app('healthy')] }).reason, 'output of workers finds no room on the disk');
    assert.equal(hostHealth({ ...full, apps }).status, 'critical');
    assert.match(hostHealth({ ...full, isStateUnwritable: true }).reason!, /state cannot be written/);
  });
});
