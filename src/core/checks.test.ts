import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { AppCheck } from '../protocol/index.ts';
import { checkVerdicts, newChecks, sharedChecks, stepChecks } from './checks.ts';
import type { CheckEffect, CheckState, CheckVerdict } from './checks.ts';

const check = (status: AppCheck['status'], ageMs: number, change: Partial<AppCheck> = {}): AppCheck => ({
  name: 'database',
  status,
  critical: true,
  durationMs: 3,
  ageMs,
  ...(status === 'fail' ? { error: 'refused' } : {}),
  ...change,
});

/** A worker that runs its check every ten seconds and reports every second. */
class Worker {
  state: CheckState = newChecks();
  uptimeMs = 0;
  run(status: 'pass' | 'fail', name = 'database'): CheckEffect[] {
    return Array.from({ length: 10 }, (_, second) => {
      this.uptimeMs += 1000;
      // Rounded on the way: the same run seems to end at slightly different times.
      const report = { uptimeMs: this.uptimeMs + (second % 3), checks: [check(status, second * 1000 + 400, { name })] };
      const { state, effects } = stepChecks(this.state, report, this.uptimeMs);
      this.state = state;
      return effects;
    }).flat();
  }
  get status() {
    return checkVerdicts(this.state, this.uptimeMs)[0]?.status;
  }
}

describe('a check of the app', () => {
  it('has failed with the second bad result, and passes with the second good one', () => {
    const worker = new Worker();
    assert.deepEqual(worker.run('pass'), []);
    assert.deepEqual(worker.run('fail'), []);
    assert.equal(worker.status, 'pass');
    assert.deepEqual(worker.run('fail'), [{ type: 'failed', name: 'database', critical: true, error: 'refused' }]);
    assert.deepEqual(worker.run('pass'), []);
    assert.deepEqual(
      worker.run('pass').map(({ type }) => type),
      ['passed'],
    );
    assert.equal(worker.status, 'pass');
  });

  it('is not known before its first result, which counts at once where it is good', () => {
    const worker = new Worker();
    ({ state: worker.state } = stepChecks(worker.state, { uptimeMs: 1, checks: [check('unknown', 1)] }, 1));
    assert.equal(worker.status, 'unknown');
    assert.deepEqual(worker.run('pass'), []);
    assert.equal(worker.status, 'pass');
    const bad = new Worker();
    assert.deepEqual(bad.run('fail'), []);
    assert.equal(bad.status, 'unknown');
    assert.deepEqual(
      bad.run('fail').map(({ type }) => type),
      ['failed'],
    );
  });

  it('counts results, not reports of the same one', () => {
    const worker = new Worker();
    worker.run('pass');
    worker.run('fail');
    for (let again = 0; again < 50; again++) {
      worker.uptimeMs += 1000;
      const report = { uptimeMs: worker.uptimeMs, checks: [check('fail', 10_400 - 1000 + (again + 1) * 1000)] };
      assert.deepEqual(stepChecks(worker.state, report, worker.uptimeMs).effects, []);
    }
  });

  it('is forgotten when the app takes it back, and may have any name', () => {
    const worker = new Worker();
    for (const name of ['__proto__', 'constructor']) {
      worker.run('pass', name);
      worker.run('fail', name);
      assert.deepEqual(
        worker.run('fail', name).map((effect) => effect.name),
        [name],
      );
      assert.deepEqual(Object.keys(worker.state), [name]);
    }
    assert.deepEqual(stepChecks(worker.state, { uptimeMs: 99_999, checks: [] }, 1).state, {});
  });

  it('flips only after as many results in a row as it takes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('pass' as const, 'fail' as const), { maxLength: 30 }), (results) => {
        const worker = new Worker();
        let status: string = 'unknown';
        for (const [index, result] of results.entries()) {
          worker.run(result);
          const isTwice = index > 0 && results[index - 1] === result;
          if (isTwice || (status === 'unknown' && result === 'pass')) status = result;
          assert.equal(worker.status, status);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('a check over the workers of an app', () => {
  const verdict = (
    status: CheckVerdict['status'],
    hasJustFailed = status === 'fail',
    name = 'database',
  ): CheckVerdict[] => [
    {
      name,
      status,
      critical: true,
      durationMs: 1,
      error: status === 'fail' ? 'refused' : null,
      forMs: 1,
      hasJustFailed,
    },
  ];
  const isShared = (...statuses: CheckVerdict['status'][]): boolean | undefined =>
    sharedChecks(statuses.map((status) => verdict(status)))[0]?.isShared;

  it('is everybody’s trouble where it fails in most of them', () => {
    assert.equal(isShared('fail', 'fail', 'fail', 'pass'), true);
    assert.equal(isShared('fail', 'fail', 'pass', 'pass'), false);
    assert.equal(isShared('fail', 'pass'), false);
    assert.equal(isShared('pass', 'pass'), undefined);
    assert.equal(isShared('fail'), true, 'one worker alone cannot tell');
    assert.equal(isShared('fail', 'fail', 'unknown', 'unknown'), true, 'who knows nothing does not count');
  });

  it('is so as soon as one has confirmed what the others have seen once', () => {
    const shared = (...workers: CheckVerdict[][]): boolean | undefined => sharedChecks(workers)[0]?.isShared;
    const [down, seenOnce, well] = [verdict('fail'), verdict('pass', true), verdict('pass')];
    assert.equal(shared(down, seenOnce, seenOnce, seenOnce), true);
    assert.equal(shared(down, seenOnce, well, well), false);
    assert.equal(shared(seenOnce, seenOnce, seenOnce, seenOnce), undefined, 'nobody has confirmed it');
    assert.equal(shared(down, verdict('unknown', true), verdict('unknown', true)), true);
  });
});
