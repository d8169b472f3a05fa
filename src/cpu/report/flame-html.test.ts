import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { profileOf, type Sample } from '../../../test/support/cpu-profiles.ts';
import type { FlameLabel, FlameModel } from '../../view/index.ts';
import type { CpuProfile } from '../model/profile.ts';
import { describeFlame, type FlameWindow } from './flame-html.ts';

const OPTIONS = { title: 'Shop', names: ['v1', 'v2'] } as const;
const one = (profile: CpuProfile): FlameWindow[] => [{ profile, launch: null }];
const windows = (...sets: readonly (readonly Sample[])[]): FlameWindow[] =>
  sets.map((samples) => ({ profile: profileOf(samples), launch: null }));

/** Paths of names with their own weight, `before → after` of two sides. */
function weightsOf({ tree, labels }: FlameModel): Record<string, string> {
  const paths: string[] = [];
  const found: Record<string, string> = {};
  for (let node = 0; node < tree.count; node += 1) {
    const name = labels[tree.labelOf[node] ?? -1]?.name ?? '';
    const above = tree.parent[node] ?? -1;
    paths.push(above <= 0 ? name : `${paths[above]}>${name}`);
    const [before, after] = [tree.selfBefore?.[node], tree.self[node]];
    if ((before ?? 0) > 0 || (after ?? 0) > 0)
      found[paths[node] ?? ''] = before === undefined ? `${after}` : `${before} → ${after}`;
  }
  return found;
}

const labelOf = (model: FlameModel, name: string): FlameLabel => {
  const label = model.labels.find((candidate) => candidate.name === name);
  assert.ok(label !== undefined);
  return label;
};

describe('the flame graph of a profile', () => {
  const samples: Sample[] = [
    ['main>parse', 1000],
    ['(idle)', 5000],
    ['main', 2000],
    ['main>parse', 3000],
    ['main>walk>walk', 4000],
  ];

  it('has the tree without idle time, and says that it is left out', () => {
    const model = describeFlame(one(profileOf(samples)), null, OPTIONS);
    assert.deepEqual(weightsOf(model), { main: '2000', 'main>parse': '4000', 'main>walk>walk': '4000' });
    assert.match(model.subtitle, /^v2: 0\.01 s of work, 0\.01 s idle \(left out\), 5 samples$/);
    assert.equal(model.sides, null);
  });

  it('knows what each function takes by itself and in all, recursion counted once', () => {
    const model = describeFlame(one(profileOf(samples)), null, OPTIONS);
    const { self, total } = labelOf(model, 'walk');
    assert.deepEqual([self, total], [4000, 4000]);
    assert.deepEqual([labelOf(model, 'main').self, labelOf(model, 'main').total], [2000, 10_000]);
  });

  it('keeps the order of time, with idle time at the root', () => {
    const { timeline, tree, labels } = describeFlame(one(profileOf(samples)), null, OPTIONS);
    const names = Array.from(timeline?.node ?? [], (node) => labels[tree.labelOf[node] ?? -1]?.name);
    assert.deepEqual(names, ['parse', '(root)', 'main', 'parse', 'walk']);
    assert.deepEqual([...(timeline?.duration ?? [])], [1000, 5000, 2000, 3000, 4000]);
  });

  it('adds up windows, which then have no order in time', () => {
    const model = describeFlame(windows([['main>parse', 1000]], [['main>parse', 500]]), null, OPTIONS);
    assert.deepEqual(weightsOf(model), { 'main>parse': '1500' });
    assert.equal(model.timeline, null);
  });

  it('merges the thinnest frames where there are too many, and says so', () => {
    const many = Array.from({ length: 300 }, (_, at): Sample => [`main>call${at}`, 100 + at]);
    const model = describeFlame(one(profileOf(many)), null, { ...OPTIONS, mostFrames: 50 });
    assert.ok(model.tree.count <= 55);
    const sum = model.tree.self.reduce((a, b) => a + b, 0);
    assert.equal(
      sum,
      many.reduce((a, [, us]) => a + us, 0),
    );
    assert.match(
      model.notes.join('\n'),
      /^\d+ frames of less than [\d.]+ % each were merged into frames called “\(smaller\)”/,
    );
    // What was merged is still known by its own name.
    assert.equal(labelOf(model, 'call0').self, 100);
  });

  it('refuses to be drawn of nothing, or of time and bytes at once', () => {
    assert.throws(() => describeFlame([], null, OPTIONS), /there is no profile/);
    const [plain] = windows([['main', 1000]]);
    assert.ok(plain !== undefined);
    const bytes: FlameWindow = { ...plain, profile: { ...plain.profile, unit: 'bytes' } };
    assert.throws(() => describeFlame([plain, bytes], null, OPTIONS), /different units/);
  });
});

describe('the flame graph of two versions', () => {
  it('lays the one over the other though lines have moved', () => {
    const before = windows([
      ['main@/app/a.js:1:1>parse@/app/a.js:5:1', 4000],
      ['main@/app/a.js:1:1>gone@/app/a.js:9:1', 1000],
    ]);
    const after = windows([
      ['main@/app/a.js:1:1>parse@/app/a.js:15:1', 6000],
      ['main@/app/a.js:1:1>come@/app/a.js:30:1', 2000],
    ]);
    const model = describeFlame(after, before, OPTIONS);
    assert.deepEqual(weightsOf(model), {
      'main>parse': '4000 → 6000',
      'main>gone': '1000 → 0',
      'main>come': '0 → 2000',
    });
    const parse = labelOf(model, 'parse');
    assert.equal(parse.line, 15);
    assert.deepEqual([parse.change?.selfBefore, parse.self], [4000, 6000]);
    assert.deepEqual(model.sides, ['v1', 'v2']);
  });

  it('does not speak of significance where there is one window a side', () => {
    const model = describeFlame(windows([['main', 1000]]), windows([['main', 1000]]), OPTIONS);
    assert.ok(model.labels.every(({ change }) => change?.isSignificant === null && change.q === null));
    assert.match(model.notes.join('\n'), /none is tested/);
  });

  it('says what the comparison has found, of what it has tested', () => {
    // Nine functions that are as they were, give or take a sample, and one that takes half as much again.
    const side = (slow: number): FlameWindow[] =>
      windows(
        ...Array.from({ length: 8 }, (_, window) =>
          Array.from({ length: 10 }, (_, fn): Sample[] => {
            const count = (fn === 0 ? slow : 60) + ((window * 7 + fn * 3) % 5);
            return Array.from({ length: count }, () => [fn === 0 ? 'main>slow' : `main>steady${fn}`, 1000]);
          }).flat(),
        ),
      );
    const { change } = labelOf(describeFlame(side(90), side(60), OPTIONS), 'slow');
    assert.equal(change?.isSignificant, true);
    assert.ok((change?.q ?? 1) < 0.05);
    assert.match(change?.note ?? '', /^[\d.]+ % more for the same work of its callers \(95 %: [\d.]+ to [\d.]+ %\)$/);
  });
});
