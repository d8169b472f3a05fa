import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadingUntil, readinessAt, type ExpectedPort, type ReadinessFacts } from './readiness.ts';

const port = (number: number): ExpectedPort => ({
  label: `port ${number}`,
  matches: (_key, listening) => listening === number,
});
const facts = (change: Partial<ReadinessFacts>): ReadinessFacts => ({
  aliveSince: 1000,
  expected: [],
  anyListenerCounts: false,
  listeners: [],
  needsSignal: false,
  signalledAt: null,
  missingHealth: [],
  stableForMs: 2000,
  mayLoadUntil: null,
  ...change,
});
const listening = (number: number, since: number) => ({ key: `*:${number}`, port: number, since });

describe('readiness', () => {
  it('of an app that never listened comes after stableFor alive', () => {
    assert.deepEqual(readinessAt(facts({}), 1500), { status: 'settling', at: 3000 });
    assert.deepEqual(readinessAt(facts({}), 3000), { status: 'ready' });
  });

  it('of an app that never listened waits for its event loop, as long as it may be loading', () => {
    const unheard = facts({ mayLoadUntil: 9000 });
    assert.deepEqual(readinessAt(unheard, 2999), { status: 'settling', at: 3000 });
    assert.deepEqual(readinessAt(unheard, 3000), { status: 'unheard', until: 9000 });
    assert.deepEqual(readinessAt(unheard, 9000), { status: 'ready' });
    // What listens has been loaded.
    assert.deepEqual(readinessAt({ ...unheard, listeners: [listening(1, 1000)] }, 3000), { status: 'ready' });
  });

  it('leaves time to be stable after the longest load', () => {
    assert.equal(loadingUntil(1000, { timeoutMs: 30_000, stableForMs: 2000 }), 15_000);
    // Too short to wait for anything.
    const hasty = facts({ mayLoadUntil: loadingUntil(1000, { timeoutMs: 5000, stableForMs: 2000 }) });
    assert.deepEqual(readinessAt(hasty, 3000), { status: 'ready' });
  });

  it('waits for every expected port and names the missing ones', () => {
    const some = facts({ expected: [port(1), port(2)], listeners: [listening(1, 1100)] });
    assert.deepEqual(readinessAt(some, 99_999), { status: 'waiting', missing: ['port 2'] });
  });

  it('counts stableFor from the last port that began to listen', () => {
    const both = facts({ expected: [port(1)], listeners: [listening(1, 1100), listening(2, 5000)] });
    assert.deepEqual(readinessAt(both, 6999), { status: 'settling', at: 7000 });
    assert.deepEqual(readinessAt(both, 7000), { status: 'ready' });
  });

  it('of a changed app accepts any listener in place of the learned ports, but not none', () => {
    const changed = facts({ expected: [port(1)], anyListenerCounts: true });
    assert.deepEqual(readinessAt(changed, 9000), { status: 'waiting', missing: ['port 1'] });
    assert.deepEqual(readinessAt({ ...changed, listeners: [listening(7, 1100)] }, 9000), { status: 'ready' });
  });

  it('waits for the signal where the app gives one, and then for stableFor', () => {
    const silent = facts({ needsSignal: true, listeners: [listening(1, 1100)] });
    assert.equal(readinessAt(silent, 99_999).status, 'waiting');
    assert.deepEqual(readinessAt({ ...silent, signalledAt: 8000 }, 9000), { status: 'settling', at: 10_000 });
  });

  it('of a worker that is older than its daemon’s clock is no later for that', () => {
    const old = facts({ aliveSince: -9000, expected: [port(1)], listeners: [listening(1, -8000)] });
    assert.deepEqual(readinessAt(old, 5), { status: 'ready' });
    assert.deepEqual(readinessAt({ ...old, listeners: [listening(1, -500)] }, 5), { status: 'settling', at: 1500 });
  });
});
