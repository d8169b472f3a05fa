import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { around, OUTLIERS, TrafficWorld } from '../../test/support/traffic-world.ts';
import type { RouteLoad, Traffic, WorkerBehaviour } from '../../test/support/traffic-world.ts';
import type { RequestCounters } from '../protocol/index.ts';
import type { OutlierSample } from './outlier-evidence.ts';
import { ejectionCap, ejectionOf, factorOf, newOutliers, OUTLIER_POLICY, stepOutliers } from './outliers.ts';
import type { OutlierEffect, OutlierState } from './outliers.ts';

const GOOD: WorkerBehaviour = {};
const four = (...bad: readonly WorkerBehaviour[]): WorkerBehaviour[] => [
  ...bad,
  ...Array.from({ length: 4 - bad.length }, () => GOOD),
];
const play = (traffic: Traffic, seconds = 60): TrafficWorld => new TrafficWorld(traffic).run(seconds);
const SEEDS = [1, 2, 3];

/** Fast and slow requests, half of each. */
const TWO_ROUTES: readonly RouteLoad[] = [
  { route: '/fast', share: 0.5, tookMs: around(5, 0.4) },
  { route: '/slow', share: 0.5, tookMs: around(400, 0.4) },
];

describe('a worker that answers errors', () => {
  it('is ejected within ten seconds by its traffic alone, at 20 requests a second over four workers', () => {
    for (const seed of SEEDS) {
      const world = play({ workers: four({ failing: 1 }), perSecond: 20, seed }, 12);
      assert.deepEqual(world.ejected(), [0], `seed ${seed}`);
      assert.ok(world.ejectedAfter(0)! <= 4, `seed ${seed}: after ${world.ejectedAfter(0)} s`);
      assert.ok(world.userErrors <= 30, `seed ${seed}: ${world.userErrors} errors`);
    }
  });

  it('is ejected for errors in a row over several reports, and not for as many among good answers', () => {
    const few = play({ workers: [{ failing: 1 }, GOOD], perSecond: 2 }, 12);
    assert.deepEqual(few.ejected(), [0]);
    assert.match(reasonOf(few.told.at(0)!.effect), /at least \d failed answers in a row/);
    assert.deepEqual(play({ workers: four({ failing: 0.1 }), perSecond: 200 }, 30).ejected(), []);
  });

  it('is found by comparison when only half of its answers fail', () => {
    for (const seed of SEEDS) {
      const world = play({ workers: four({ failing: 0.5 }), perSecond: 40, seed }, 12);
      assert.deepEqual(world.ejected(), [0], `seed ${seed}`);
    }
  });

  it('is ejected beside one that is slow: both within ten seconds, and nobody else', () => {
    for (const seed of SEEDS) {
      const world = play({ workers: four({ failing: 1 }, { slowFactor: 20 }), perSecond: 20, seed }, 60);
      assert.deepEqual(world.ejected(), [0, 1], `seed ${seed}`);
      for (const slot of [0, 1])
        assert.ok(world.ejectedAfter(slot)! <= 10, `seed ${seed}: ${world.ejectedAfter(slot)}`);
    }
  });

  it('is not ejected for errors that all have, nor for a route that only its clients call', () => {
    assert.deepEqual(
      play({
        workers: four().map(() => ({ failing: 0.3 })),
        perSecond: 80,
        config: { consecutiveErrors: 1000 },
      }).ejected(),
      [],
    );
    const routes: readonly RouteLoad[] = [
      { route: '/works', share: 1, tookMs: around(5) },
      { route: '/broken', share: 0, tookMs: around(5) },
    ];
    // All workers fail on /broken, but three of them are hardly asked for it.
    const workers = four({ failing: 0.5, onlyRoute: '/broken' });
    const traffic = { workers, perSecond: 60, routes, config: { consecutiveErrors: 1000 } };
    assert.deepEqual(play({ ...traffic, reportsRoutes: true }).ejected(), []);
    assert.deepEqual(play(traffic).ejected(), [0], 'without routes nobody can tell');
  });

  it('is ejected by Envoy’s success rate among many workers, but not for a single error', () => {
    const many = (failing: number): Traffic => ({
      workers: [{ failing }, ...Array.from({ length: 7 }, () => GOOD)],
      perSecond: 400,
      config: { consecutiveErrors: 1000 },
    });
    const world = play(many(0.12));
    assert.deepEqual(world.ejected(), [0]);
    assert.match(reasonOf(world.told.at(0)!.effect), /of its answers are good, of all workers' on average/);
    assert.deepEqual(play(many(0.01)).ejected(), []);
  });
});

const reasonOf = (effect: OutlierEffect): string => ('reason' in effect ? effect.reason : '');

describe('a worker that is slower than its peers', () => {
  it('is ejected within ten seconds when it is 20 times as slow, at modest traffic', () => {
    for (const perSecond of [8, 20, 100]) {
      for (const seed of SEEDS) {
        const world = play({ workers: four({ slowFactor: 20 }), perSecond, seed }, 20);
        const after = world.ejectedAfter(0);
        assert.ok(after !== undefined && after <= 10, `${perSecond} a second, seed ${seed}: after ${after} s`);
        assert.deepEqual(world.ejected(), [0]);
        assert.match(
          reasonOf(world.told.at(0)!.effect),
          /its requests take \d+ times as long as those of its peers \(\d+ ms longer/,
        );
      }
    }
  });

  it('is ejected while its requests have not ended: 20 times a second', () => {
    const routes: readonly RouteLoad[] = [{ route: '/', share: 1, tookMs: around(500, 0.3) }];
    for (const reportsRoutes of [false, true]) {
      for (const seed of SEEDS) {
        const world = play({ workers: four({ slowFactor: 20 }), perSecond: 20, routes, seed, reportsRoutes }, 14);
        const after = world.ejectedAfter(0);
        assert.ok(after !== undefined && after <= 10, `seed ${seed}: after ${after} s`);
      }
    }
  });

  it('is ejected when nothing that it begins ever ends', () => {
    for (const seed of SEEDS) {
      const world = new TrafficWorld({ workers: four(), perSecond: 20, seed }).run(20);
      world.change({ workers: four({ isStuck: true }) }).run(10);
      assert.deepEqual(world.ejected(), [0], `seed ${seed}`);
    }
  });

  it('is found among fast and slow routes: at once where routes are told, later where nobody can tell which are slow', () => {
    const mostlyFast: readonly RouteLoad[] = [
      { route: '/fast', share: 0.7, tookMs: around(5, 0.4) },
      { route: '/slow', share: 0.3, tookMs: around(80, 0.4) },
    ];
    for (const seed of SEEDS) {
      const traffic = { workers: four({ slowFactor: 20 }), perSecond: 40, seed };
      const byRoute = play({ ...traffic, routes: TWO_ROUTES, reportsRoutes: true }, 30);
      assert.deepEqual(byRoute.ejected(), [0]);
      assert.ok(byRoute.ejectedAfter(0)! <= 10, `seed ${seed}: after ${byRoute.ejectedAfter(0)} s`);
      const together = play({ ...traffic, routes: mostlyFast }, 30);
      assert.ok(together.ejectedAfter(0)! <= 10, `seed ${seed}: after ${together.ejectedAfter(0)} s`);
      // Half of the requests take eighty times as long as the others: the middle of all means nothing.
      assert.deepEqual(play({ ...traffic, routes: TWO_ROUTES }, 30).ejected(), [0], `seed ${seed}`);
    }
  });

  it('is found by routes that are asked for once it is suspected', () => {
    for (const perSecond of [20, 100]) {
      for (const seed of SEEDS) {
        const traffic: Traffic = { workers: four({ slowFactor: 20 }), perSecond, seed, reportsRoutes: 'asked' };
        const after = play(traffic, 20).ejectedAfter(0);
        assert.ok(after !== undefined && after <= 10, `${perSecond} a second, seed ${seed}: after ${after} s`);
      }
    }
  });

  it('is one of two as well', () => {
    for (const seed of SEEDS) {
      assert.deepEqual(play({ workers: [{ slowFactor: 20 }, GOOD], perSecond: 10, seed }, 12).ejected(), [0]);
    }
  });
});

describe('a worker that only seems slower', () => {
  const nobody = (traffic: Traffic, seconds = 80): void => {
    for (const seed of SEEDS) assert.deepEqual(play({ ...traffic, seed }, seconds).ejected(), [], `seed ${seed}`);
  };

  it('is left alone while it is given no core', () => {
    nobody({ workers: four({ slowFactor: 20, isStarved: true }), perSecond: 20 });
  });

  it('is left alone in its first seconds beside old ones, and judged beside those of its age', () => {
    const world = play({ workers: four({ slowFactor: 20, readyFor: 0 }), perSecond: 20 }, 8);
    assert.deepEqual(world.ejected(), []);
    const fresh = four({ slowFactor: 20 }).map((one) => ({ ...one, readyFor: 0 }));
    assert.deepEqual(play({ workers: fresh, perSecond: 20 }, 10).ejected(), [0]);
  });

  it('is left alone when its clients ask for the slow route, whether routes are told or not', () => {
    nobody({ workers: four({ onlyRoute: '/slow' }), perSecond: 40, routes: TWO_ROUTES, reportsRoutes: true });
    nobody({ workers: four(), perSecond: 12, routes: TWO_ROUTES });
  });

  it('is left alone when it is one of two, and a client that keeps its connection asks it for what takes long', () => {
    const routes: readonly RouteLoad[] = [
      { route: '/fast', share: 1, tookMs: around(1, 0.4) },
      { route: '/slow', share: 0, tookMs: around(500, 0.4) },
    ];
    const traffic: Traffic = { workers: [{ onlyRoute: '/slow' }, GOOD], perSecond: 60, routes };
    nobody({ ...traffic, reportsRoutes: 'asked' });
    assert.deepEqual(play(traffic, 30).ejected(), [0], 'without routes nobody can tell');
  });

  it('is left alone when it does more than its share', () => {
    nobody({ workers: four({ slowFactor: 5, pull: 4, utilization: 0.97 }), perSecond: 60 });
    assert.deepEqual(play({ workers: four({ slowFactor: 5, utilization: 0.97 }), perSecond: 60 }).ejected(), [0]);
  });

  it('is left alone when half of all requests are slow ones, and all of its own', () => {
    nobody({ workers: four({ onlyRoute: '/slow' }), perSecond: 40, routes: TWO_ROUTES });
  });

  it('is left alone with streams that have been open for long', () => {
    const routes: readonly RouteLoad[] = [
      { route: '/', share: 1, tookMs: around(10) },
      { route: '/stream', share: 0, tookMs: () => 3_600_000 },
    ];
    const off = { enabled: false };
    const streams = four({ onlyRoute: '/stream' });
    const world = new TrafficWorld({ workers: streams, perSecond: 16, routes, config: off }).run(20);
    assert.deepEqual(world.change({ workers: four(), config: {} }).run(60).ejected(), []);
  });

  it('is left alone for little: twice as slow, or by milliseconds', () => {
    nobody({ workers: four({ slowFactor: 2 }), perSecond: 40, routes: [{ route: '/', share: 1, tookMs: around(60) }] });
    nobody({ workers: four({ slowFactor: 2 }), perSecond: 60 });
    nobody({ workers: four({ slowFactor: 6 }), perSecond: 60, routes: [{ route: '/', share: 1, tookMs: around(1) }] });
  });

  it('is left alone where requests last as long as they please', () => {
    const routes: readonly RouteLoad[] = [{ route: '/', share: 1, tookMs: around(30, 2) }];
    nobody({ workers: four(), perSecond: 6, routes }, 400);
    const streams: readonly RouteLoad[] = [
      { route: '/', share: 0.7, tookMs: around(10) },
      { route: '/stream', share: 0.3, tookMs: around(60_000, 1) },
    ];
    nobody({ workers: four(), perSecond: 10, routes: streams }, 200);
  });
});

describe('the ejection of outliers', () => {
  const bad: WorkerBehaviour = { failing: 1 };

  it('ejects nobody when all are bad, and says that the cause is outside', () => {
    for (const seed of SEEDS) {
      const world = new TrafficWorld({ workers: four(), perSecond: 40, seed }).run(20);
      world.change({ workers: four(bad, bad, bad, bad) }).run(60);
      // Reports do not come at the same moment: two of four may be seen first, and are back with the next look.
      const out = world.told.filter(({ effect }) => effect.type === 'eject');
      const back = world.told.filter(({ effect }) => effect.type === 'return');
      assert.ok(
        out.length === back.length && out.length <= 2,
        `seed ${seed}: ${out.length} ejected, ${back.length} back`,
      );
      const held = world.told.find(({ effect }) => effect.type === 'held-back');
      assert.match(reasonOf(held!.effect), /workers are bad at once, so the cause is outside of them/);
    }
  });

  it('never ejects the only worker, and says that it fails as long as it does', () => {
    for (const seed of SEEDS) {
      const world = new TrafficWorld({ workers: [GOOD], perSecond: 5, seed }).run(20);
      world.change({ workers: [{ failing: 0.2 }] }).run(20);
      assert.equal(world.state.held, null, `seed ${seed}`);
      world.change({ workers: [bad] }).run(20);
      assert.match(world.state.held ?? '', /its only worker fails at least half/);
      world.change({ workers: [GOOD] }).run(30);
      assert.equal(world.state.held, null, `seed ${seed}`);
      assert.deepEqual(
        world.told.map(({ effect }) => effect.type),
        ['held-back'],
      );
    }
  });

  it('gives back who was first when the others turn out to be as bad', () => {
    const world = new TrafficWorld({ workers: four(bad), perSecond: 40 }).run(10);
    assert.deepEqual(world.ejected(), [0]);
    world.change({ workers: four(bad, bad, bad, bad) }).run(6);
    assert.equal(ejectionOf(world.state, 0), null);
  });

  it('ejects nobody for some seconds after most were bad: they do not get well at the same moment', () => {
    const world = new TrafficWorld({ workers: four(bad), perSecond: 40 });
    world.state = { ...world.state, outsideUntil: 5000 };
    assert.deepEqual(world.run(4).ejected(), []);
    assert.deepEqual(world.run(4).ejected(), [0]);
  });

  it('ejects none when more than the cap would be bad', () => {
    const world = play({ workers: four(bad, bad), perSecond: 40, config: { maxEjected: { share: 0.25 } } });
    assert.deepEqual(world.ejected(), []);
  });

  it('lasts n times as long the n-th time, up to the longest; what was long ago is forgotten', () => {
    const config = { baseEjectionMs: 4000, maxEjectionMs: 12_000 };
    const world = play({ workers: four(bad), perSecond: 40, config }, 90);
    const lasts = world.told.flatMap(({ second, effect }) =>
      effect.type === 'eject' ? [effect.untilAt - second * 1000] : [],
    );
    assert.deepEqual(lasts.slice(0, 5), [4000, 8000, 12_000, 12_000, 12_000]);
    world.change({ workers: four() }).run(60);
    const before = world.second;
    world.change({ workers: four(bad) }).run(10);
    const next = world.told.find(({ second, effect }) => second > before && effect.type === 'eject')!;
    assert.equal((next.effect as { ejections: number }).ejections, 1);
  });

  it('lets a worker back in slowly', () => {
    const world = play({ workers: four(bad), perSecond: 40, config: { baseEjectionMs: 6000 } }, 6);
    world.change({ workers: four() }).run(20);
    const factors = world.told.flatMap(({ effect }) =>
      effect.type === 'return' || effect.type === 'factor' ? [effect.factor] : [],
    );
    assert.deepEqual(factors, [0.1, 0.2, 0.4, 0.6, 0.8, 1]);
    assert.equal(factorOf(world.state, 0, world.second * 1000), 1);
  });

  it('has a cap: at least one of several, never all', () => {
    const cap = (serving: number, share: number): number => ejectionCap(serving, { maxEjected: { share } });
    assert.deepEqual([cap(0, 0.5), cap(1, 0.5), cap(2, 0.1), cap(4, 0.5), cap(5, 0.5), cap(4, 1)], [0, 0, 1, 2, 2, 3]);
    assert.equal(ejectionCap(8, { maxEjected: { workers: 3 } }), 3);
  });
});

const NOTHING: RequestCounters = {
  begun: 0,
  served: 0,
  failed: 0,
  lost: 0,
  aborted: 0,
  refused: 0,
  byClass: [0, 0, 0, 0, 0, 0],
  connections: 0,
  upgrades: 0,
  latency: [],
};

interface Moment {
  readonly afterMs: number;
  readonly config: boolean;
  readonly workers: readonly {
    readonly ok: number;
    readonly failed: number;
    readonly bucket: number;
    readonly isServing: boolean;
    readonly isReporting: boolean;
    readonly isNew: boolean;
  }[];
}

const moments: fc.Arbitrary<readonly Moment[]> = fc.integer({ min: 1, max: 6 }).chain((slots) =>
  fc.array(
    fc.record({
      afterMs: fc.constantFrom(500, 2000, 2000, 2000, 20_000, 200_000),
      config: fc.constantFrom(true, true, true, true, true, true, false),
      workers: fc.array(
        fc.record({
          ok: fc.constantFrom(0, 0, 20, 200),
          failed: fc.constantFrom(0, 0, 0, 6, 60),
          bucket: fc.constantFrom(100, 150, 300),
          isServing: fc.constantFrom(true, true, true, true, false),
          isReporting: fc.constantFrom(true, true, true, false),
          isNew: fc.constantFrom(false, false, false, false, false, false, true),
        }),
        { minLength: slots, maxLength: slots },
      ),
    }),
    { maxLength: 40, size: 'max' },
  ),
);

describe('the ejection of outliers over random histories', () => {
  it('never has more out than the cap, nor the last one, ejects on fresh evidence only, and always lets back in', () => {
    fc.assert(
      fc.property(moments, (history) => {
        let state: OutlierState = newOutliers();
        let at = 0;
        const totals = Array.from({ length: 6 }, () => ({ counters: NOTHING, generation: 1, reportedAt: 0 }));
        const out = new Map<number, { generation: number; untilAt: number }>();
        const run = (samples: readonly OutlierSample[], enabled: boolean, fresh: ReadonlySet<number>): void => {
          const { state: next, effects } = stepOutliers(state, samples, at, { ...OUTLIERS, enabled });
          state = next;
          for (const effect of effects) {
            if (effect.type === 'held-back') continue;
            if (effect.type === 'eject') {
              assert.ok(!out.has(effect.slot), 'nobody is ejected twice');
              assert.ok(fresh.has(effect.slot), 'without new traffic nobody is ejected');
              assert.ok(samples.find(({ slot }) => slot === effect.slot)?.isServing);
              assert.ok(effect.untilAt > at && effect.untilAt - at <= OUTLIERS.maxEjectionMs);
              out.set(effect.slot, effect);
            }
            if (effect.type === 'return')
              assert.ok(out.delete(effect.slot) || effect.factor === 1, 'who returns was out');
            if (effect.type === 'factor') assert.ok(!out.has(effect.slot) && effect.factor > 0 && effect.factor <= 1);
          }
          const serving = samples.filter(({ isServing }) => isServing).map(({ slot }) => slot);
          const servingOut = serving.filter((slot) => ejectionOf(state, slot) !== null);
          assert.ok(servingOut.length <= ejectionCap(serving.length, OUTLIERS), 'never more than the cap');
          assert.ok(serving.length === 0 || servingOut.length < serving.length, 'somebody stays');
          assert.deepEqual(
            [...out.keys()].sort((a, b) => a - b),
            samples.map(({ slot }) => slot).filter((slot) => ejectionOf(state, slot) !== null),
          );
          for (const { untilAt } of out.values()) assert.ok(untilAt > at, 'nobody stays out longer than was said');
          if (!enabled) assert.equal(out.size, 0);
        };
        const sampleAll = (moment: Moment): OutlierSample[] =>
          moment.workers.map(({ isServing }, slot) => {
            const { counters, generation, reportedAt } = totals.at(slot)!;
            return {
              slot,
              generation,
              isServing,
              readyForMs: 60_000,
              isStarved: false,
              utilization: 0.5,
              reportedAt,
              counters,
              tellsRoutes: false,
              routes: null,
            };
          });
        for (const moment of history) {
          at += moment.afterMs;
          const fresh = new Set<number>();
          for (const [slot, { ok, failed, bucket, isReporting, isNew }] of moment.workers.entries()) {
            const total = totals.at(slot)!;
            if (isNew) {
              totals[slot] = { counters: NOTHING, generation: total.generation + 1, reportedAt: at };
              out.delete(slot);
              continue;
            }
            if (!isReporting) continue;
            const { counters } = total;
            const count = Object.fromEntries(pairs(counters.latency)) as Record<number, number>;
            if (ok + failed > 0) count[bucket] = (count[bucket] ?? 0) + ok + failed;
            if (ok + failed > 0) fresh.add(slot);
            totals[slot] = {
              ...total,
              reportedAt: at,
              counters: {
                ...counters,
                begun: counters.begun + ok + failed,
                served: counters.served + ok,
                failed: counters.failed + failed,
                latency: Object.entries(count).flatMap(([key, value]) => [Number(key), value]),
              },
            };
          }
          run(sampleAll(moment), moment.config, fresh);
        }
        const last = history.at(-1);
        if (last === undefined) return;
        // Quiet: nobody goes, and everybody comes back.
        for (let quiet = 0; quiet < 4; quiet++) {
          at += OUTLIERS.maxEjectionMs;
          run(sampleAll(last), true, new Set());
        }
        assert.equal(out.size, 0);
        for (const slot of last.workers.keys()) assert.equal(factorOf(state, slot, at + OUTLIER_POLICY.slowStartMs), 1);
      }),
      { numRuns: 150 },
    );
  });
});

const pairs = (sparse: readonly number[]): [number, number][] =>
  sparse.flatMap((value, index): [number, number][] => (index % 2 === 0 ? [[value, sparse.at(index + 1)!]] : []));
