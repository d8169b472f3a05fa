import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { AppConfig } from '../protocol/index.ts';
import { BUDGET_POLICY, budgetVerdicts, newBudgets, stepBudgets } from './budgets.ts';
import type { BudgetEffect, BudgetState } from './budgets.ts';

const BUDGETS: AppConfig['budgets'] = {
  limits: { rssMB: { max: 200, critical: true }, cpuPercent: { max: 80, critical: false } },
  autoRestart: true,
  intervalMs: 10_000,
};

class Worker {
  state: BudgetState = newBudgets();
  at = 0;
  feed(...values: (number | null)[]): BudgetEffect[] {
    return values.flatMap((rssMB) => {
      this.at += 10_000;
      const { state, effects } = stepBudgets(this.state, { rssMB }, this.at, BUDGETS);
      this.state = state;
      return effects;
    });
  }
  get rss() {
    return budgetVerdicts(this.state, this.at, BUDGETS).find(({ budget }) => budget === 'rssMB')!;
  }
}

describe('a performance budget', () => {
  it('is exceeded by three intervals in a row, not by a spike', () => {
    const worker = new Worker();
    assert.deepEqual(worker.feed(300, 300, 100, 300, 300), []);
    const [effect, ...more] = worker.feed(300);
    assert.equal(effect?.type, 'exceeded');
    assert.equal(effect?.critical, true);
    assert.match(effect?.reason ?? '', /resident memory 300 MB: more than the budget of 200 MB, 3 times in a row/);
    assert.deepEqual(more, []);
    assert.deepEqual([worker.rss.isExceeded, worker.rss.isUnwell], [true, true]);
  });

  it('is met again only a little below the limit, and for as long', () => {
    const worker = new Worker();
    worker.feed(300, 300, 300);
    assert.deepEqual(worker.feed(199, 199, 199, 199, 100, 100), []);
    assert.deepEqual(
      worker.feed(100).map(({ type }) => type),
      ['met'],
    );
    assert.equal(worker.rss.isExceeded, false);
  });

  it('is neither exceeded nor met while nobody knows the value', () => {
    const worker = new Worker();
    worker.feed(300, 300);
    assert.deepEqual(worker.feed(null, null, null, Number.NaN), []);
    assert.deepEqual(
      worker.feed(300).map(({ type }) => type),
      ['exceeded'],
    );
    assert.deepEqual(worker.feed(null, null, null, null), []);
    assert.equal(worker.rss.isExceeded, true);
  });

  it('feeds the ladder only where it is critical and the app wants that', () => {
    const isUnwell = (critical: boolean, autoRestart: boolean): boolean | undefined => {
      const budgets = { ...BUDGETS, autoRestart, limits: { rssMB: { max: 1, critical } } };
      let state = newBudgets();
      for (const at of [1, 2, 3]) ({ state } = stepBudgets(state, { rssMB: 2 }, at, budgets));
      return budgetVerdicts(state, 3, budgets)[0]?.isUnwell;
    };
    assert.deepEqual(
      [isUnwell(true, true), isUnwell(true, false), isUnwell(false, true), isUnwell(false, false)],
      [true, false, false, false],
    );
  });

  it('forgets what is not configured any more', () => {
    const { state } = stepBudgets({ rssMB: { isExceeded: true, against: 0, value: 1, since: 0 } }, {}, 1, {
      limits: {},
    });
    assert.deepEqual(state, {});
  });

  it('alternates between exceeded and met, each with the intervals that speak for it', () => {
    const values = fc.array(fc.constantFrom(100, 195, 205, 300, null), { maxLength: 60 });
    fc.assert(
      fc.property(values, (history) => {
        const worker = new Worker();
        let wasExceeded = false;
        for (const [index, value] of history.entries()) {
          for (const { type } of worker.feed(value)) {
            assert.equal(type, wasExceeded ? 'met' : 'exceeded');
            const known = history.slice(0, index + 1).filter((one) => one !== null);
            const last = known.slice(-(wasExceeded ? BUDGET_POLICY.metAfter : BUDGET_POLICY.exceededAfter));
            assert.ok(last.every((one) => (wasExceeded ? one <= 190 : one > 200)));
            wasExceeded = !wasExceeded;
          }
          assert.equal(worker.rss.isExceeded, wasExceeded);
        }
        // And it is not missed either.
        const known = history.filter((one) => one !== null);
        if (known.length >= 3 && known.slice(-3).every((one) => one > 200)) assert.ok(wasExceeded);
        if (known.length >= 3 && known.slice(-3).every((one) => one <= 190)) assert.ok(!wasExceeded);
      }),
    );
  });
});
