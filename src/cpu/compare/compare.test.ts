import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { profileOf, type Sample } from '../../../test/support/cpu-profiles.ts';
import { seeded } from '../../../test/support/random.ts';
import { type ComparedFunction, compareProfiles, type CpuComparison } from './compare.ts';
import { measureWindow, type ProfileWindow } from './window.ts';

const SAMPLES = 4000;

/** Stacks and how often each is found, relative to the others. */
type Costs = Readonly<Record<string, number>>;

const SHOP: Costs = {
  'serve@/app/web.js:1:1': 10,
  'serve@/app/web.js:1:1>product@/app/web.js:20:1': 6,
  'serve@/app/web.js:1:1>product@/app/web.js:20:1>price@/app/price.js:5:1': 10,
  'serve@/app/web.js:1:1>product@/app/web.js:20:1>page@/app/page.js:3:1': 9,
  'serve@/app/web.js:1:1>search@/app/web.js:40:1': 8,
  'serve@/app/web.js:1:1>search@/app/web.js:40:1>score@/app/find.js:9:1': 14,
  'serve@/app/web.js:1:1>search@/app/web.js:40:1>score@/app/find.js:9:1>(anonymous)@/app/find.js:12:9': 6,
  'serve@/app/web.js:1:1>login@/app/web.js:60:1>hash@/app/hash.js:1:1': 8,
  '(garbage collector)': 5,
  '(idle)': 40,
};

/** Windows in which the mix of routes wanders by `mix` (standard deviation of the logarithm), each drawn at random. */
function windowsOf(count: number, costs: Costs, random: () => number, { mix = 0.3 } = {}): ProfileWindow[] {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, () => {
    const routes = new Map(['product', 'search', 'login'].map((name) => [name, Math.exp(mix * normal())]));
    const stacks = Object.entries(costs).map(([stack, cost]) => {
      const route = [...routes].find(([name]) => stack.includes(`>${name}@`));
      return [stack, cost * (route?.[1] ?? 1)] as const;
    });
    const sum = stacks.reduce((total, [, cost]) => total + cost, 0);
    const samples = Array.from({ length: SAMPLES }, (): Sample => {
      let left = random() * sum;
      const found = stacks.find(([, cost]) => (left -= cost) < 0) ?? stacks[0];
      return [found?.[0] ?? '', 1000];
    });
    return measureWindow(profileOf(samples));
  });
}

/** The same costs with every stack renamed, as an edit or a deployment does. */
const renamed = (costs: Costs, rename: (stack: string) => string): Costs =>
  Object.fromEntries(Object.entries(costs).map(([stack, cost]) => [rename(stack), cost]));

const withCost = (costs: Costs, end: string, factor: number): Costs =>
  Object.fromEntries(Object.entries(costs).map(([stack, cost]) => [stack, stack.endsWith(end) ? cost * factor : cost]));

const byName = ({ functions }: CpuComparison, name: string): ComparedFunction => {
  const found = functions.find((one) => one.name === name);
  assert.ok(found !== undefined, `${name} is not compared`);
  return found;
};

const namesOf = ({ changed }: CpuComparison): string[] => changed.map(({ name }) => name);

describe('comparing two sets of profiles', () => {
  it('names the function that takes more, how much, and nothing else', () => {
    const random = seeded(5);
    const result = compareProfiles(
      windowsOf(8, SHOP, random),
      windowsOf(8, withCost(SHOP, 'price@/app/price.js:5:1', 1.4), random),
    );
    assert.deepEqual(namesOf(result), ['price']);
    const price = byName(result, 'price');
    assert.deepEqual([price.url, price.line, price.matchedBy], ['/app/price.js', 5, 'place']);
    const [low = 0, high = 0] = price.interval ?? [];
    assert.ok(low < 0.4 && high > 0.4 && low > 0.2, `${low} to ${high}`);
    assert.ok(price.q !== null && price.q < 0.01);
    assert.deepEqual(price.comparedWithin, ['product']);
    assert.deepEqual(result.windows, [8, 8]);
  });

  it('blames what runs more often, and nothing that it calls', () => {
    const random = seeded(6);
    const busier = Object.fromEntries(
      Object.entries(SHOP).map(([stack, cost]) => [stack, stack.includes('>search@') ? cost * 3 : cost]),
    );
    const mix = 0.1;
    const result = compareProfiles(windowsOf(6, SHOP, random, { mix }), windowsOf(6, busier, random, { mix }));
    assert.deepEqual(namesOf(result), ['search']);
    const score = byName(result, 'score');
    assert.ok(score.selfShare[1] > 1.5 * score.selfShare[0], 'its share grew');
    assert.ok(Math.abs(score.effect ?? 1) < 0.15, `${score.effect}`);
  });

  it('takes a mix of the load that wanders for no change', () => {
    const random = seeded(15);
    const reported = Array.from({ length: 12 }, () => {
      const [a, b] = [windowsOf(4, SHOP, random, { mix: 0.5 }), windowsOf(4, SHOP, random, { mix: 0.5 })];
      return namesOf(compareProfiles(a, b)).length > 0;
    });
    assert.ok(reported.filter(Boolean).length <= 2, `${reported.filter(Boolean).length} of ${reported.length}`);
  });

  it('does not call faster what stands beside a function that got slower', () => {
    const random = seeded(7);
    const result = compareProfiles(
      windowsOf(8, SHOP, random, { mix: 0.1 }),
      windowsOf(8, withCost(SHOP, 'score@/app/find.js:9:1', 3), random, { mix: 0.1 }),
    );
    assert.deepEqual(namesOf(result), ['score']);
  });

  it('follows functions through edited lines and another folder', () => {
    const random = seeded(8);
    const edited = renamed(withCost(SHOP, 'score@/app/find.js:9:1', 1.5), (stack) =>
      stack
        .replaceAll('/app/', '/srv/releases/42/')
        .replaceAll(/(find\.js):(\d+)/gu, (_, file: string, line: string) => `${file}:${Number(line) + 100}`),
    );
    const result = compareProfiles(windowsOf(8, SHOP, random), windowsOf(8, edited, random));
    assert.deepEqual(namesOf(result), ['score']);
    const score = byName(result, 'score');
    assert.deepEqual(
      score.functions.map((one) => one?.line),
      [9, 109],
    );
    assert.equal(score.url, '/srv/releases/42/find.js');
    assert.equal(byName(result, '(anonymous)').matchedBy, 'moved-line');
    assert.equal(result.functions.filter(({ functions: [a, b] }) => a === null || b === null).length, 0);
  });

  it('says of a new function that it did not run before', () => {
    const random = seeded(9);
    const more = { ...SHOP, 'serve@/app/web.js:1:1>login@/app/web.js:60:1>audit@/app/audit.js:1:1': 6 };
    const result = compareProfiles(windowsOf(6, SHOP, random), windowsOf(6, more, random));
    assert.deepEqual(namesOf(result), ['audit']);
    assert.equal(byName(result, 'audit').functions[0], null);
    assert.equal(byName(result, 'audit').selfShare[0], 0);
  });

  it('tests nothing with one profile a side, and says so', () => {
    const random = seeded(10);
    const result = compareProfiles(
      windowsOf(1, SHOP, random),
      windowsOf(1, withCost(SHOP, 'price@/app/price.js:5:1', 3), random),
    );
    assert.equal(result.tested, 0);
    assert.deepEqual(result.changed, []);
    assert.equal(byName(result, 'price').p, null);
    assert.match(result.notes.join(), /none is tested/u);
  });

  it('reports nothing below the least effect and the least share', () => {
    const random = seeded(11);
    const [a, b] = [windowsOf(8, SHOP, random), windowsOf(8, withCost(SHOP, 'price@/app/price.js:5:1', 1.4), random)];
    assert.deepEqual(namesOf(compareProfiles(a, b, { minEffect: 0.6 })), []);
    assert.equal(byName(compareProfiles(a, b, { minShare: 0.2 }), 'price').p, null);
  });

  it('gives the same answer for the same windows, and the inverse one the other way round', () => {
    const random = seeded(12);
    const [a, b] = [windowsOf(5, SHOP, random), windowsOf(5, withCost(SHOP, 'price@/app/price.js:5:1', 1.5), random)];
    const [there, again, back] = [compareProfiles(a, b), compareProfiles(a, b), compareProfiles(b, a)];
    assert.deepEqual(there, again);
    const [up = 0, down = 0] = [byName(there, 'price').effect, byName(back, 'price').effect].map(
      (effect) => effect ?? 0,
    );
    assert.ok(Math.abs((1 + up) * (1 + down) - 1) < 1e-6, `${up} and ${down}`);
  });

  it('leaves out windows that were idle all the time, and refuses a set of them', () => {
    const random = seeded(13);
    const idle = measureWindow(profileOf([['(idle)', 1000]]));
    const result = compareProfiles([...windowsOf(2, SHOP, random), idle], windowsOf(2, SHOP, random));
    assert.deepEqual(result.windows, [2, 2]);
    assert.match(result.notes.join(), /first set without any time on the processor, left out: 1/u);
    assert.throws(() => compareProfiles([idle], windowsOf(2, SHOP, random)), RangeError);
  });

  it('counts launches, not windows', () => {
    const random = seeded(14);
    const slower = withCost(SHOP, 'price@/app/price.js:5:1', 1.4);
    const sets = [windowsOf(6, SHOP, random), windowsOf(6, slower, random)] as const;
    const [apart, pairs, one] = [6, 3, 1].map((launches) => {
      const [a = [], b = []] = sets.map((set) =>
        set.map((window, at) => ({ ...window, launch: `launch ${Math.floor((at * launches) / 6)}` })),
      );
      return compareProfiles(a, b);
    });
    assert.ok(apart !== undefined && pairs !== undefined && one !== undefined);
    assert.deepEqual(
      [apart.launches, pairs.launches, one.launches],
      [
        [6, 6],
        [3, 3],
        [1, 1],
      ],
    );
    const [p = 1, ofOne = 0] = [byName(apart, 'price').p, byName(one, 'price').p].map((value) => value ?? 1);
    assert.ok(p < ofOne, `${p} and ${ofOne}`);
    assert.match(one.notes.join(), /one launch/u);
    assert.doesNotMatch(pairs.notes.join(), /one launch/u);
  });
});
