import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openBudget, type BudgetLimits, type BudgetOptions } from './budget.ts';
import { Health } from './health.ts';
import { MetricRegistry } from './metrics.ts';
import { CLOCK } from './process-host.ts';
import type { VitalFigures } from './vitals.ts';

function open(limits: BudgetLimits, options: BudgetOptions = {}) {
  const health = new Health(CLOCK);
  const metrics = new MetricRegistry(() => undefined);
  const log: string[] = [];
  let figures: VitalFigures = { heapUsedMB: 0, rssMB: 0, eventLoopLagMs: 0, cpuPercent: 0 };
  let run = (): void => undefined;
  const budget = openBudget(limits, options, {
    health,
    metrics,
    wallMs: () => 0,
    vitals: { start: () => log.push('start'), stop: () => log.push('stop'), read: () => figures },
    every: (intervalMs, own) => {
      log.push(`every ${intervalMs}`);
      run = own;
      return () => log.push('end');
    },
  });
  const measure = (next: Partial<VitalFigures>): void => {
    figures = { ...figures, ...next };
    run();
  };
  return { budget, health, metrics, measure, log };
}

describe('A budget', () => {
  it('is told once when it begins to be exceeded, and seen while it is', async () => {
    const told: unknown[] = [];
    const { budget, health, metrics, measure } = open(
      { rssMB: 100, cpuPercent: 50 },
      { onExceeded: (one) => told.push(one) },
    );
    assert.equal(health.status().status, 'healthy', 'nothing was measured yet');
    measure({ rssMB: 100 });
    assert.deepEqual(budget.exceeded(), [], 'at its limit it is kept');
    measure({ rssMB: 120.04 });
    measure({ rssMB: 130, cpuPercent: 60 });
    assert.deepEqual(told, [
      { name: 'rssMB', value: 120, limit: 100 },
      { name: 'cpuPercent', value: 60, limit: 50 },
    ]);
    assert.deepEqual(
      [health.status().status, health.status().checks.map(({ error }) => error)],
      ['degraded', ['rssMB is 130, above 100', 'cpuPercent is 60, above 50']],
    );
    measure({ rssMB: 90 });
    measure({ rssMB: 110 });
    assert.equal(told.length, 3, 'again when it begins again');
    const { values } = await metrics.gauge('drover_budget_exceeded').read();
    assert.deepEqual(
      values.map(({ labels, value }) => [labels['budget'], value]),
      [
        ['rssMB', 1],
        ['cpuPercent', 1],
      ],
    );
  });

  it('makes the process critical where it is so', () => {
    const { health, measure } = open({ heapUsedMB: 10 }, { critical: true });
    measure({ heapUsedMB: 11 });
    assert.equal(health.status().status, 'critical');
  });

  it('ends what it began', () => {
    const { budget, health, log } = open({ heapUsedMB: 10 }, { interval: 500 });
    budget.stop();
    assert.deepEqual(log, ['start', 'every 500', 'end', 'stop']);
    assert.deepEqual(health.status().checks, []);
  });

  it('refuses what is no budget', () => {
    assert.throws(() => open({}), /at least one of heapUsedMB/);
    assert.throws(() => open({ heap: 1 } as BudgetLimits), /There is no budget "heap"/);
    assert.throws(() => open({ rssMB: 0 }), /rssMB must be a number above 0/);
    assert.throws(() => open({ rssMB: 1 }, { interval: 0 }), /interval/);
  });
});
