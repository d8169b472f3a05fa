import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newHealing, type HealSlot, type HealState } from '../core/index.ts';
import { keptOf, readHealing, writeHealing } from './healing-memory.ts';

const slot = (phase: HealSlot['phase']): HealSlot => ({
  phase,
  generation: 4,
  turn: 7,
  trouble: null,
  failures: 3,
  hasAskedHook: true,
  attempts: [],
  held: null,
});

describe('what the next daemon knows of the ladder', () => {
  const state: HealState = {
    slots: { 0: slot('quarantined'), 1: slot('replacing'), 2: slot('well') },
    replacedAt: [1_000, 2_000],
    unhelpful: [{ key: 'hang', slot: 0, at: 1_500 }],
  };

  it('is who is in quarantine and when workers were replaced, on its own clock', () => {
    // This daemon began at 100,000 on the wall clock, the next one an hour later.
    const text = writeHealing(state, { aheadMs: 100_000 });
    const next = readHealing(text, { aheadMs: 3_700_000 });
    assert.deepEqual(next.slots, { 0: slot('quarantined') });
    assert.deepEqual(next.replacedAt, [1_000 - 3_600_000, 2_000 - 3_600_000]);
    assert.deepEqual(next.unhelpful, [{ key: 'hang', slot: 0, at: 1_500 - 3_600_000 }]);
  });

  it('is nothing where nothing was kept, or it cannot be read', () => {
    for (const text of [undefined, '', 'null', '{}', '{"slots":1}'])
      assert.deepEqual(readHealing(text, { aheadMs: 0 }), newHealing(), String(text));
  });

  it('is only written again when it becomes another', () => {
    const busy: HealState = { ...state, slots: { ...state.slots, 2: slot('proving') } };
    assert.equal(keptOf(busy), keptOf(state));
    const free: HealState = { ...state, slots: { 0: slot('well') } };
    assert.notEqual(keptOf(free), keptOf(state));
  });
});
