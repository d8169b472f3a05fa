import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { seeded } from '../../test/support/random.ts';
import {
  ANOMALY_POLICIES,
  type AnomalyPolicy,
  type AnomalyState,
  type AnomalyStep,
  baselineAt,
  median,
  newAnomaly,
  stepAnomaly,
} from './anomaly.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Monday. */
const START = Date.UTC(2026, 0, 5);

/** One measure of an app, a value at a time. */
class Watch {
  state: AnomalyState = newAnomaly();
  at = START;
  last: AnomalyStep | null = null;
  readonly policy: AnomalyPolicy;

  constructor(policy: AnomalyPolicy = ANOMALY_POLICIES.latencyP95) {
    this.policy = policy;
  }

  see(value: number, count = 1000): this {
    this.last = stepAnomaly(this.state, { at: this.at, value, count }, this.policy);
    this.state = this.last.state;
    return this;
  }

  /** Values `everyMs` apart up to `until`; how many of them were bad, and how many unknown. */
  run(
    until: number,
    valueAt: (at: number) => number,
    { count = 1000, everyMs = 5 * MINUTE } = {},
  ): Record<AnomalyStep['verdict'], number> {
    const seen = { bad: 0, good: 0, unknown: 0 };
    for (; this.at < until; this.at += everyMs) {
      this.see(valueAt(this.at), count);
      seen[this.last?.verdict ?? 'unknown'] += 1;
    }
    return seen;
  }
}

/** Normally distributed, from two even ones (Box and Muller). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const hourOfDay = (at: number): number => (at % DAY) / HOUR;
/** More by day than by night, and less at the weekend, with noise. */
const seasonal =
  (random: () => number, base = 100) =>
  (at: number): number => {
    const isWeekend = [0, 6].includes(new Date(at).getUTCDay());
    const byDay = 1 + 0.8 * Math.sin((2 * Math.PI * (hourOfDay(at) - 9)) / 24);
    return base * byDay * (isWeekend ? 0.4 : 1) * (1 + 0.05 * normal(random));
  };

describe('an unusual value', () => {
  it('is none without enough history', () => {
    const watch = new Watch();
    const { unknown, bad, good } = watch.run(START + 6 * HOUR, () => 100);
    assert.deepEqual([unknown, bad, good], [72, 0, 0]);
    assert.equal(baselineAt(watch.state, watch.at), null);
    watch.run(START + 7 * HOUR, () => 100);
    assert.deepEqual([watch.last?.verdict, watch.last?.baseline?.from], ['good', 'last day']);
  });

  it('is one after three in a row, and over after five that are near again', () => {
    const watch = new Watch();
    watch.run(START + DAY, () => 100);
    const verdicts = (values: readonly number[]): string =>
      values
        .map((value) => {
          watch.at += MINUTE;
          return watch.see(value).last!.verdict[0];
        })
        .join('');
    // The spread counts as a tenth of what is usual, so 150 is five times as far away.
    assert.equal(verdicts([151, 151, 100, 151, 151, 151, 149]), 'gggggbb');
    assert.equal(verdicts([100, 100, 100, 100, 135, 100, 100, 100, 100, 100]), 'bbbbbbbbbg');
  });

  it('is held against the same hour of the last days, and then of the last weeks', () => {
    const watch = new Watch();
    const shape = (at: number): number => (hourOfDay(at) < 8 ? 50 : 200);
    watch.run(START + 4 * DAY, shape);
    assert.equal(baselineAt(watch.state, START + 4 * DAY + 3 * HOUR)!.from, 'same hour of the day');
    assert.equal(baselineAt(watch.state, START + 4 * DAY + 3 * HOUR)!.usual, 50);
    assert.equal(baselineAt(watch.state, START + 4 * DAY + 12 * HOUR)!.usual, 200);
    const isSunday = (at: number): boolean => new Date(at).getUTCDay() === 0;
    watch.run(START + 22 * DAY, (at) => (isSunday(at) ? 10 : shape(at)));
    const sunday = START + 27 * DAY + 12 * HOUR;
    assert.deepEqual(
      [baselineAt(watch.state, sunday)!.from, baselineAt(watch.state, sunday)!.usual],
      ['same hour of the week', 10],
    );
  });

  it('is not seen in days and weeks that come and go, and is when the level is another', () => {
    const random = seeded(7);
    const usual = seasonal(random);
    const watch = new Watch({ ...ANOMALY_POLICIES.requestRate, minimumUsual: 1 });
    watch.run(START + 21 * DAY, usual);
    const calm = watch.run(START + 28 * DAY, usual);
    assert.deepEqual([calm.bad, calm.unknown], [0, 0]);
    const noon = START + 28 * DAY + 12 * HOUR;
    watch.run(noon, usual);
    const dropped = watch.run(noon + HOUR, (at) => usual(at) * 0.3);
    assert.deepEqual([dropped.bad, dropped.good], [10, 2]);
    assert.ok((watch.last?.z ?? 0) < -5);
    watch.run(noon + 2 * HOUR, usual);
    const raised = watch.run(noon + 3 * HOUR, (at) => usual(at) * 2);
    assert.equal(raised.bad, 10);
  });

  it('is none where little is usual, where it rests on few events, or where it is no number', () => {
    const quiet = new Watch(ANOMALY_POLICIES.requestRate);
    quiet.run(START + DAY, () => 0.5);
    assert.deepEqual(
      quiet.run(START + 25 * HOUR, () => 30),
      { bad: 0, good: 0, unknown: 12 },
    );
    const few = new Watch();
    few.run(START + DAY, () => 100);
    const { state } = few;
    assert.equal(few.see(10_000, 49).last?.verdict, 'unknown');
    assert.equal(few.see(Number.NaN).last!.verdict, 'unknown');
    assert.equal(few.state, state, 'and nothing is remembered of them');
  });

  it('in the directions that matter only', () => {
    const faster = new Watch();
    faster.run(START + DAY, () => 100);
    assert.equal(faster.run(START + 25 * HOUR, () => 1).bad, 0);
    const leaner = new Watch({ ...ANOMALY_POLICIES.latencyP95, direction: 'low' });
    leaner.run(START + DAY, () => 100);
    assert.equal(leaner.run(START + 25 * HOUR, () => 200).bad, 0);
    assert.equal(leaner.run(START + 26 * HOUR, () => 1).bad, 10);
  });

  it('that lasts for a day is the new normal', () => {
    const watch = new Watch();
    watch.run(START + 21 * DAY, () => 100);
    const first = watch.run(START + 22 * DAY, () => 200);
    assert.ok(first.bad > 280, `${first.bad}`);
    const then = watch.run(START + 23 * DAY, () => 200);
    assert.ok(then.bad < 20, `${then.bad}`);
    assert.equal(watch.last?.verdict, 'good');
  });

  it('is not hidden by single bad hours of the past', () => {
    const watch = new Watch();
    watch.run(START + 21 * DAY, (at) => (at % (9 * HOUR) < HOUR ? 5000 : 100));
    const { usual, spread } = baselineAt(watch.state, watch.at)!;
    assert.equal(usual, 100);
    assert.ok(spread < 1, `${spread}`);
  });

  it('is held against how much values differ within an hour, too', () => {
    const watch = new Watch();
    let turn = 0;
    watch.run(START + DAY, () => ((turn += 1) % 2 === 0 ? 60 : 140));
    const { usual, spread } = baselineAt(watch.state, watch.at)!;
    assert.equal(usual, 100);
    assert.ok(Math.abs(spread - 1.4826 * 40) < 1e-6, `${spread}`);
  });

  it('of a clock that was set back goes on', () => {
    const watch = new Watch();
    watch.run(START + DAY, () => 100);
    watch.at = START + 20 * HOUR;
    assert.equal(watch.see(100).last!.verdict, 'good');
    watch.at = START - 10 * DAY;
    assert.equal(watch.see(100).last!.verdict, 'unknown', 'of that time nothing is known');
    assert.ok(watch.state.hours.length <= 672);
  });

  it('keeps a bounded history, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ms: fc.integer({ min: -3 * DAY, max: 3 * DAY }), value: fc.double() }), {
          maxLength: 100,
        }),
        (moves) => {
          const watch = new Watch({ ...ANOMALY_POLICIES.memory });
          for (const { ms, value } of moves) {
            watch.at += ms;
            for (let turn = 0; turn < 12; turn++) watch.see(value + turn);
            const { hours, present } = watch.state;
            assert.ok(hours.length <= 672 && (present?.values.length ?? 0) <= 360);
            const last = hours.at(-1);
            if (last !== undefined && present !== null) assert.ok(last.hour < present.hour);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is found by the middle value', () => {
    assert.deepEqual([median([3, 1, 2]), median([4, 1, 3, 2]), median([5])], [2, 2.5, 5]);
  });
});
