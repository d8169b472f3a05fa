import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { packNumbers, packWeights, unpackNumbers, unpackWeights } from './bytes.ts';
import { childrenOf, findFrame, firstEndingAfter, nextEndingAfter } from './find-frame.ts';
import { type HotLabel, largestBy, stepSumByLabel } from './hot-labels.ts';
import { invertTree } from './invert.ts';
import { layoutTimeline, layoutTree, type FlameLayout } from './layout.ts';
import { sumTotals, type FlameLabel, type FlameTree } from './model.ts';
import { packFlame, unpackFlame } from './pack.ts';
import { pruneTimeline, pruneTree } from './prune.ts';
import { compileSearch, findMatches } from './search.ts';

/** main → a (3) → b (2), main → b (5) → a (1); main itself 1. Labels: 0 root, 1 main, 2 a, 3 b. */
const SMALL: FlameTree = {
  count: 6,
  parent: Int32Array.from([-1, 0, 1, 2, 1, 4]),
  labelOf: Uint32Array.from([0, 1, 2, 3, 3, 2]),
  self: Float64Array.from([0, 1, 3, 2, 5, 1]),
  selfBefore: null,
};

const valueAt = (values: ArrayLike<number> | null | undefined, index: number): number => values?.[index] ?? Number.NaN;

const label = (name: string, file = ''): FlameLabel => ({
  name,
  file,
  line: 0,
  column: 0,
  group: 0,
  note: '',
  self: 0,
  total: 0,
  change: null,
});
const LABELS = [label('(root)'), label('main', 'src/main.ts'), label('a', 'src/a.ts'), label('b', 'lib/b.ts')];

const rowsOf = (layout: FlameLayout): string[][] =>
  Array.from({ length: layout.rowCount }, (_, row) => {
    const frames: string[] = [];
    for (let at = valueAt(layout.rowStart, row); at < valueAt(layout.rowStart, row + 1); at += 1)
      frames.push(`${LABELS[valueAt(layout.labelOf, at)]?.name}:${layout.start[at]}-${layout.end[at]}`);
    return frames;
  });

const trees = fc
  .array(fc.record({ up: fc.nat(1000), label: fc.nat(4), self: fc.nat(50), before: fc.nat(50) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((nodes): FlameTree => ({
    count: nodes.length,
    parent: Int32Array.from(nodes, ({ up }, at) => (at === 0 ? -1 : up % at)),
    labelOf: Uint32Array.from(nodes, (node, at) => (at === 0 ? 0 : node.label + 1)),
    self: Float64Array.from(nodes, ({ self }) => self),
    selfBefore: Float64Array.from(nodes, ({ before }) => before),
  }));

/** All steps at once. */
function sumByLabel(...args: Parameters<typeof stepSumByLabel>): HotLabel[] {
  const steps = stepSumByLabel(...args);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

describe('the layout of a tree', () => {
  it('puts the widest first and children under their parent', () => {
    assert.deepEqual(rowsOf(layoutTree(SMALL, 'after')), [
      ['(root):0-12'],
      ['main:0-12'],
      ['b:0-6', 'a:6-11'],
      ['a:0-1', 'b:6-8'],
    ]);
  });

  it('keeps weights, order and nesting whatever the tree', () => {
    fc.assert(
      fc.property(trees, fc.constantFrom('after', 'before'), (tree, side) => {
        const layout = layoutTree(tree, side);
        const totals = sumTotals(tree.parent, (side === 'after' ? tree.self : tree.selfBefore) as Float64Array);
        for (let frame = 0; frame < layout.count; frame += 1) {
          const width = valueAt(layout.end, frame) - valueAt(layout.start, frame);
          assert.equal(width, totals[valueAt(layout.node, frame)]);
          const above = valueAt(layout.parent, frame);
          if (above < 0) continue;
          assert.equal(layout.depth[frame], valueAt(layout.depth, above) + 1);
          assert.ok(valueAt(layout.start, frame) >= valueAt(layout.start, above));
          assert.ok(valueAt(layout.end, frame) <= valueAt(layout.end, above));
          const [from, to] = childrenOf(layout, above);
          assert.ok(frame >= from && frame < to);
        }
        const shown = totals.filter((total) => total > 0).length;
        assert.equal(layout.count, Math.max(1, shown));
      }),
    );
  });

  it('finds by halving what a walk would find', () => {
    fc.assert(
      fc.property(trees, fc.double({ min: -1, max: 200, noNaN: true }), (tree, x) => {
        const layout = layoutTree(tree, 'after');
        for (let row = 0; row < layout.rowCount; row += 1) {
          const from = valueAt(layout.rowStart, row);
          const to = valueAt(layout.rowStart, row + 1);
          let walked = from;
          while (walked < to && valueAt(layout.end, walked) <= x) walked += 1;
          assert.equal(firstEndingAfter(layout, row, x), walked);
          assert.equal(nextEndingAfter(layout, row, x, from), walked);
          const isHit = walked < to && valueAt(layout.start, walked) <= x;
          assert.equal(findFrame(layout, row, x), isHit ? walked : -1);
        }
      }),
    );
  });
});

describe('the layout in time', () => {
  it('joins what stays on the stack and starts anew what has left it', () => {
    const timeline = {
      count: 5,
      node: Uint32Array.from([2, 3, 2, 1, 2]),
      duration: Float64Array.from([2, 1, 1, 1, 3]),
    };
    const layout = layoutTimeline(SMALL, timeline);
    assert.deepEqual(rowsOf(layout), [['(root):0-8'], ['main:0-8'], ['a:0-4', 'a:5-8'], ['b:2-3']]);
    assert.deepEqual([...layout.self], [0, 1, 3, 3, 1]);
    assert.deepEqual([...layout.parent], [-1, 0, 1, 1, 2]);
  });
});

describe('frames in time that follow each other at once', () => {
  it('have their own parents', () => {
    const timeline = { count: 2, node: Uint32Array.from([3, 5]), duration: Float64Array.from([1, 1]) };
    const layout = layoutTimeline(SMALL, timeline);
    assert.deepEqual(rowsOf(layout), [['(root):0-2'], ['main:0-2'], ['a:0-1', 'b:1-2'], ['b:0-1', 'a:1-2']]);
    assert.deepEqual([...layout.parent], [-1, 0, 1, 1, 2, 3]);
  });
});

describe('the tree of callers', () => {
  it('adds up what comes through the same caller by different ways', () => {
    // Two nodes of b below the same a, as a profiler may have them.
    const tree: FlameTree = {
      count: 5,
      parent: Int32Array.from([-1, 0, 1, 2, 2]),
      labelOf: Uint32Array.from([0, 1, 2, 3, 3]),
      self: Float64Array.from([0, 0, 0, 1, 4]),
      selfBefore: null,
    };
    const inverted = invertTree(tree, 0);
    assert.deepEqual(rowsOf(layoutTree(inverted.tree, 'after', inverted)), [
      ['(root):0-5'],
      ['b:0-5'],
      ['a:0-5'],
      ['main:0-5'],
    ]);
  });

  it('begins with the weight of each label itself and splits it by who called', () => {
    const inverted = invertTree(SMALL, 0);
    const layout = layoutTree(inverted.tree, 'after', inverted);
    assert.deepEqual(rowsOf(layout), [
      ['(root):0-12'],
      ['b:0-7', 'a:7-11', 'main:11-12'],
      ['main:0-5', 'a:5-7', 'main:7-10', 'b:10-11'],
      ['main:5-7', 'main:10-11'],
    ]);
  });

  it('gives every label its own weight, on both sides', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const { tree: callers, total, totalBefore } = invertTree(tree, 0);
        const first = new Map<number, [number, number]>();
        for (let frame = 1; frame < callers.count; frame += 1)
          if (callers.parent[frame] === 0)
            first.set(valueAt(callers.labelOf, frame), [valueAt(total, frame), valueAt(totalBefore, frame)]);
        const expected = new Map<number, [number, number]>();
        for (let node = 1; node < tree.count; node += 1) {
          const own = expected.get(valueAt(tree.labelOf, node)) ?? [0, 0];
          own[0] += valueAt(tree.self, node);
          own[1] += valueAt(tree.selfBefore, node);
          expected.set(valueAt(tree.labelOf, node), own);
        }
        for (const [key, [after, before]] of expected) if (after === 0 && before === 0) expected.delete(key);
        assert.deepEqual(first, expected);
      }),
    );
  });

  it('says how many branches it did not follow', () => {
    // 12 in all: main (1), and main above a and below b (2), weigh less than 2.4; b above a (1) does too.
    const { cutCount, tree } = invertTree(SMALL, 0.2);
    assert.equal(cutCount, 3);
    assert.equal(tree.count, 8);
  });
});

describe('sums by label', () => {
  it('count recursion once', () => {
    const recursive: FlameTree = {
      count: 4,
      parent: Int32Array.from([-1, 0, 1, 2]),
      labelOf: Uint32Array.from([0, 2, 3, 2]),
      self: Float64Array.from([0, 1, 2, 4]),
      selfBefore: null,
    };
    const found = sumByLabel(layoutTree(recursive, 'after'), 0, 7, LABELS.length);
    const a = found.find((row) => row.label === 2);
    assert.deepEqual([a?.self, a?.total], [5, 7]);
  });

  it('give the largest first, as a sort would', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 8 }), (keys, count) => {
        const sorted = keys.toSorted((a, b) => b - a).slice(0, count);
        assert.deepEqual(
          largestBy(keys, count, (key) => key),
          sorted,
        );
      }),
    );
  });

  it('count the part of a frame that is in sight', () => {
    // From left to right: b with a in its first unit (0–6), a with b in its first two (6–11), main itself (11–12).
    const found = sumByLabel(layoutTree(SMALL, 'after'), 4, 9, LABELS.length);
    const sums = Object.fromEntries(found.map(({ label, self, total }) => [LABELS[label]?.name, [self, total]]));
    assert.deepEqual(sums, { '(root)': [0, 5], main: [0, 5], b: [4, 4], a: [1, 3] });
  });
});

describe('a search', () => {
  it('counts a match inside a match once', () => {
    const layout = layoutTree(SMALL, 'after');
    const test = compileSearch('/^[ab]$/');
    assert.ok(typeof test === 'function');
    const found = findMatches(layout, LABELS, test);
    assert.equal(found.labelCount, 2);
    assert.equal(found.frames.length, 4);
    assert.equal(found.share, 11 / 12);
  });

  it('counts a match once also where something else lies between', () => {
    const tree: FlameTree = {
      count: 4,
      parent: Int32Array.from([-1, 0, 1, 2]),
      labelOf: Uint32Array.from([0, 2, 3, 2]),
      self: Float64Array.from([3, 1, 1, 5]),
      selfBefore: null,
    };
    const { share, frames } = findMatches(layoutTree(tree, 'after'), LABELS, (text) => text === 'a');
    assert.deepEqual([frames.length, share], [2, 0.7]);
  });

  it('looks into places too, and minds case only where it is asked to', () => {
    const finds = (query: string, text: string): boolean => {
      const test = compileSearch(query);
      assert.ok(typeof test === 'function');
      return test(text);
    };
    assert.ok(finds('SESSION'.toLowerCase(), 'SessionCache'));
    assert.ok(!finds('SESSION', 'SessionCache'));
    assert.ok(finds('/session/i', 'SessionCache'));
    assert.equal(findMatches(layoutTree(SMALL, 'after'), LABELS, (text) => text.includes('lib/')).labelCount, 1);
  });

  it('answers a wrong expression with what is wrong', () => {
    const test = compileSearch('/(/');
    assert.ok(test !== null && typeof test === 'object');
    assert.match(test.error, /Unterminated group/);
  });
});

describe('packing', () => {
  it('gives numbers back', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), (numbers) => {
        assert.deepEqual([...unpackNumbers(packNumbers(numbers), new Float64Array(numbers.length))], numbers);
      }),
    );
    const many = Array.from({ length: 100_000 }, (_, at) => at * 7919);
    assert.deepEqual([...unpackNumbers(packNumbers(many), new Float64Array(many.length))], many);
  });

  it('gives weights back within a 64-billionth of the largest', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1e12).map((weight) => weight / 1000)), (weights) => {
        const back = unpackWeights(packWeights(weights), weights.length);
        const largest = Math.max(0, ...weights);
        for (const [at, weight] of weights.entries()) assert.ok(Math.abs(valueAt(back, at) - weight) <= largest / 6e10);
      }),
    );
  });

  it('gives a model back', () => {
    const model = {
      title: 'a',
      subtitle: '',
      unit: 'microseconds' as const,
      groups: [{ name: 'application', swatch: 0 }],
      sides: ['one', 'two'] as const,
      notes: ['n'],
      labels: LABELS.map((one, at) => ({
        ...one,
        change: {
          selfBefore: at,
          totalBefore: at * 2,
          q: at === 1 ? null : 0.25,
          isSignificant: [null, true, false, null][at] ?? null,
          note: at === 2 ? 'takes more' : '',
        },
      })),
      tree: { ...SMALL, selfBefore: Float64Array.from([0, 0.5, 0, 1, 0, 2]) },
      timeline: { count: 2, node: Uint32Array.from([3, 5]), duration: Float64Array.from([2, 1]) },
    };
    assert.deepEqual(unpackFlame(JSON.parse(JSON.stringify(packFlame(model)))), model);
  });
});

describe('pruning', () => {
  it('keeps all sums, with the smaller branches merged under their parents', () => {
    fc.assert(
      fc.property(trees, fc.double({ min: 0, max: 0.5, noNaN: true }), (tree, leastShare) => {
        const pruned = pruneTree(tree, { leastShare, mostFrames: 1000, smallerLabel: 9 });
        const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
        assert.equal(sum(pruned.tree.self), sum(tree.self));
        const [old, made] = [sumTotals(tree.parent, tree.self), sumTotals(pruned.tree.parent, pruned.tree.self)];
        for (let node = 0; node < tree.count; node += 1) {
          const place = valueAt(pruned.placeOf, node);
          if (pruned.tree.labelOf[place] !== 9) assert.equal(made[place], old[node]);
        }
        for (let node = 1; node < pruned.tree.count; node += 1) assert.ok(valueAt(pruned.tree.parent, node) < node);
      }),
    );
  });

  it('bounds the number of frames', () => {
    const wide: FlameTree = {
      count: 1001,
      parent: Int32Array.from({ length: 1001 }, (_, at) => (at === 0 ? -1 : 0)),
      labelOf: new Uint32Array(1001),
      self: Float64Array.from({ length: 1001 }, (_, at) => at),
      selfBefore: null,
    };
    const { tree, mergedCount } = pruneTree(wide, { leastShare: 0, mostFrames: 100, smallerLabel: 9 });
    assert.ok(tree.count <= 102);
    assert.equal(mergedCount + tree.count - 1, 1001);
  });

  it('bounds the spans of time and keeps their sum', () => {
    const nodes = Array.from({ length: 1000 }, (_, at) => at % 6);
    const { timeline } = pruneTimeline(
      1000,
      (at) => valueAt(nodes, at),
      () => 3,
      Uint32Array.from([0, 1, 2, 3, 4, 5]),
      50,
    );
    assert.ok(timeline.count <= 51);
    assert.equal(
      timeline.duration.reduce((a, b) => a + b, 0),
      3000,
    );
  });
});
