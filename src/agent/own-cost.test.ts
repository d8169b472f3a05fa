import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OwnCost } from './own-cost.ts';

describe("The agent's own cost", () => {
  it('above the budget makes it give up one thing after the other, and not below', () => {
    let atMs = 0;
    const on = new Set(['profile', 'routes']);
    const luxury = (name: string): { name: string; isOn: () => boolean; giveUp: () => void } => ({
      name,
      isOn: () => on.has(name),
      giveUp: () => void on.delete(name),
    });
    const cost = new OwnCost([luxury('profile'), luxury('routes')], () => atMs);
    let others = 0;
    const pass = (shareOfCore: number): readonly string[] => {
      atMs += 30_000;
      others += shareOfCore * 30_000_000;
      cost.check(others);
      return [...cost.givenUp];
    };
    assert.deepEqual(pass(0.02), []);
    assert.deepEqual(pass(0.05), ['profile']);
    assert.deepEqual(pass(0.02), ['profile']);
    // What it measures itself counts as well.
    cost.measure(() => (atMs += 2000));
    assert.deepEqual(pass(0), ['profile', 'routes']);
    assert.deepEqual(pass(0.5), ['profile', 'routes']);
    assert.equal(cost.us, 2_000_000);
    cost.forgive();
    assert.deepEqual(cost.givenUp, []);
  });

  it('is looked at over half a minute, so that one collection is no reason', () => {
    let atMs = 0;
    const cost = new OwnCost([{ name: 'profile', isOn: () => true, giveUp: () => assert.fail() }], () => atMs);
    atMs = 1000;
    cost.check(1_000_000);
    assert.deepEqual(cost.givenUp, []);
  });
});
