import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXTRA_METRICS } from '../metrics/index.ts';
import type { AlertsDocument, SloDocument } from '../protocol/index.ts';
import { familiesOf } from './own-families.ts';

const slo = (objective: number) =>
  ({
    apps: [{ name: 'shop', objectives: [{ name: 'answers', objective, budget: { remaining: 0.5, burn: 2 } }] }],
  }) as unknown as SloDocument;
const alerts = {
  alerts: [{ status: 'firing', name: 'error-budget-burn', app: 'shop', severity: 'page' }],
  undelivered: [],
} as unknown as AlertsDocument;

describe('objectives and alerts as metrics', () => {
  it('are all that the catalogue lists, with no other labels', () => {
    const families = familiesOf(slo(99), alerts);
    assert.deepEqual(families.map(({ name }) => name).sort(), Object.keys(EXTRA_METRICS).sort());
    for (const { name, points } of families) {
      const known: readonly string[] = EXTRA_METRICS[name as keyof typeof EXTRA_METRICS].labels;
      for (const { labels } of points)
        assert.deepEqual(
          labels.map(([label]) => label),
          known,
        );
    }
  });

  it('have the share that was asked for, to the digit', () => {
    for (let hundredths = 1; hundredths < 10_000; hundredths += 1) {
      const [ratio] = familiesOf(slo(hundredths / 100), alerts);
      const [point] = ratio?.points ?? [];
      assert.equal(point !== undefined && 'value' in point && point.value, Number(`${hundredths}e-4`));
    }
  });
});
