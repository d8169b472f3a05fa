import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { appStatus } from './app-status.ts';
import type { AppSituation } from './app-status.ts';
import type { WorkerPhase } from './worker-types.ts';

const app = (
  phases: readonly WorkerPhase[],
  change: Partial<AppSituation> = {},
  looping: readonly number[] = [],
): string =>
  appStatus({
    wanted: 'up',
    operation: null,
    slots: phases.map((phase, slot) => ({ phase, replacementPhase: null, isLooping: looping.includes(slot) })),
    ...change,
  });

describe('the status of an app', () => {
  it('follows its workers', () => {
    assert.equal(app(['running', 'running']), 'online');
    assert.equal(app(['running', 'starting']), 'degraded');
    assert.equal(app(['running', 'starting'], { operation: 'start' }), 'starting');
    assert.equal(app(['running', 'starting'], { operation: 'reload' }), 'degraded');
    assert.equal(app(['starting', 'backoff']), 'starting');
    assert.equal(app(['stopped', 'crashed']), 'failed');
    assert.equal(app(['running', 'crashed']), 'degraded');
    assert.equal(app(['stopped', 'stopped']), 'stopped');
    assert.equal(app([]), 'stopped');
  });

  it('is a crash loop only when nobody else serves', () => {
    assert.equal(app(['backoff', 'backoff'], {}, [0]), 'crash-loop');
    assert.equal(app(['running'], {}, [0]), 'crash-loop');
    assert.equal(app(['backoff', 'running'], {}, [0]), 'degraded');
  });

  it('is stopping until the last worker is gone', () => {
    assert.equal(app(['draining', 'stopped'], { wanted: 'down' }), 'stopping');
    assert.equal(app(['stopped', 'stopped'], { wanted: 'down' }), 'stopped');
    const booting = [{ phase: 'stopped', replacementPhase: 'starting', isLooping: false }] as const;
    assert.equal(appStatus({ wanted: 'down', operation: null, slots: booting }), 'stopping');
  });

  it('is starting while a restart has stopped everything', () => {
    assert.equal(app(['stopped', 'stopped'], { operation: 'restart' }), 'starting');
  });
});
