import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { percentages, stickyTable, turnsOf } from './shares.ts';

const count = (turns: readonly number[], index: number): number => turns.filter((turn) => turn === index).length;

describe('turns', () => {
  for (const [weights, length] of [
    [[1, 1, 1], 3],
    [[95, 5], 20],
    [[90, 10], 10],
    [[0, 7, 0], 1],
    [[100 / 3, 100 / 3, 100 / 3], 3],
    [[1, Math.SQRT2], 256],
  ] as const) {
    it(`of ${weights.join('/')} are ${length}`, () => {
      assert.equal(turnsOf(weights).length, length);
    });
  }

  it('are within one of what each weight is worth', () => {
    const weights = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(weights, (each) => {
        const total = each.reduce((sum, weight) => sum + weight, 0);
        fc.pre(total > 0);
        const turns = turnsOf(each);
        for (const [index, weight] of each.entries()) {
          const due = (weight / total) * turns.length;
          assert.ok(Math.abs(count(turns, index) - due) <= 1 + 1e-9, `${count(turns, index)} of ${due}`);
          if (weight === 0) assert.equal(count(turns, index), 0);
        }
      }),
    );
  });

  it('are none when nobody has a weight', () => {
    assert.deepEqual(turnsOf([0, 0]), []);
  });
});

describe('a sticky table', () => {
  const shards = Array.from({ length: 6 }, (_, n) => ({ id: `stable/${n}`, weight: 1 }));

  it('gives each shard about its share', () => {
    const table = stickyTable(shards);
    for (const index of shards.keys()) {
      assert.ok(Math.abs(count(table, index) - 256 / 6) < 25, `${count(table, index)} buckets`);
    }
  });

  it('only moves the buckets of a shard that goes', () => {
    const before = stickyTable(shards);
    for (const gone of shards.keys()) {
      const after = stickyTable(shards.map((shard, at) => (at === gone ? { ...shard, weight: 0 } : shard)));
      for (const [bucket, owner] of before.entries()) {
        if (owner === gone) assert.notEqual(after[bucket], gone);
        else assert.equal(after[bucket], owner);
      }
    }
  });

  it('depends on the names of the shards, not on their order', () => {
    const turned = shards.toReversed();
    const names = (list: typeof shards): readonly string[] => stickyTable(list).map((at) => list[at]?.id ?? '');
    assert.deepEqual(names(turned), names(shards));
  });
});

describe('percentages', () => {
  it('are shares of the whole', () => {
    assert.deepEqual(percentages([1, 1, 1]), [33.3, 33.3, 33.3]);
    assert.deepEqual(percentages([19, 1]), [95, 5]);
    assert.deepEqual(percentages([0, 0]), [0, 0]);
  });
});
