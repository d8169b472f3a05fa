import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { HEALTHY, stepHealing, type HealingEffect, type HealingPolicy } from './healing.ts';

const POLICY: HealingPolicy = {
  after: 3,
  backoff: { initialMs: 30_000, factor: 2, maxMs: 300_000 },
  attempts: 3,
  perHour: 6,
};
const HOUR_MS = 3_600_000;

interface Look {
  readonly at: number;
  readonly isBad: boolean;
}

function play(looks: readonly Look[], policy = POLICY): HealingEffect[] {
  let state = HEALTHY;
  return looks.map((look) => {
    const step = stepHealing(state, look, policy);
    ({ state } = step);
    return step.effect;
  });
}

const each = (everyMs: number, isBad: readonly boolean[]): Look[] =>
  isBad.map((bad, index) => ({ at: index * everyMs, isBad: bad }));

describe('Healing', () => {
  it('begins with the third bad look in a row', () => {
    const effects = play(each(10_000, [true, true, false, true, true, true]));
    assert.deepEqual(effects, ['none', 'none', 'none', 'none', 'none', 'recover']);
  });

  it('says when it has helped', () => {
    assert.deepEqual(play(each(10_000, [true, true, true, false, false])).slice(2), ['recover', 'healed', 'none']);
  });

  it('waits longer each time, and gives up', () => {
    const effects = play(
      each(
        10_000,
        Array.from({ length: 40 }, () => true),
      ),
    );
    const at = effects.flatMap((effect, index) => (effect === 'none' ? [] : [[effect, index * 10]]));
    // Seconds: at once after three looks; 30 later; 60 later; 120 later there is no attempt left.
    assert.deepEqual(at, [
      ['recover', 20],
      ['recover', 50],
      ['recover', 110],
      ['give-up', 230],
    ]);
  });

  it('begins anew after it was given up and has got well', () => {
    const policy = { ...POLICY, after: 1, attempts: 1 };
    const looks = [true, true, true, false, true].map((isBad, index) => ({ at: index * HOUR_MS, isBad }));
    assert.deepEqual(play(looks, policy), ['recover', 'give-up', 'none', 'healed', 'recover']);
  });

  it('never recovers more often than it may, whatever happens', () => {
    const looks = fc.array(fc.record({ afterMs: fc.integer({ min: 1, max: 60_000 }), isBad: fc.boolean() }), {
      maxLength: 300,
      size: 'max',
    });
    fc.assert(
      fc.property(looks, (given) => {
        let at = 0;
        const timed = given.map(({ afterMs, isBad }) => ({ at: (at += afterMs), isBad }));
        const policy = { ...POLICY, after: 1 };
        const effects = play(timed, policy);
        const recoveries = timed.filter((_, index) => effects[index] === 'recover');
        for (const { at } of recoveries) {
          const within = recoveries.filter((other) => other.at <= at && at - other.at < HOUR_MS);
          assert.ok(within.length <= policy.perHour);
        }
        let inARow = 0;
        timed.forEach(({ isBad }, index) => {
          inARow = isBad ? inARow + Number(effects[index] === 'recover') : 0;
          assert.ok(inARow <= policy.attempts);
          if (!isBad) assert.ok(effects[index] !== 'recover' && effects[index] !== 'give-up');
        });
      }),
    );
  });
});
