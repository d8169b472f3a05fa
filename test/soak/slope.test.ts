/** The verdicts of a soak rest on these intervals: they are tried on series whose true slope is known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../support/random.ts';
import { estimateSlope, type Point, type Slope } from './slope.ts';

const SERIES = 400;
/** As many as a soak of half an hour has after its warm-up. */
const POINTS = 50;
const STEP_HOURS = 30 / 3600;

type Noise = (count: number) => number[];

/** `random` is shared by all series of a test, so that each is another. */
function noises(random: () => number): Readonly<Record<'white' | 'alike' | 'veryAlike' | 'sawtooth', Noise>> {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const autoregressive =
    (share: number): Noise =>
    (count) => {
      let value = 0;
      const next = (): number => (value = share * value + normal());
      for (let before = 0; before < 100; before += 1) next();
      return Array.from({ length: count }, next);
    };
  return {
    white: (count) => Array.from({ length: count }, normal),
    alike: autoregressive(0.5),
    veryAlike: autoregressive(0.8),
    // A heap that grows by 3 MB and is collected, every seven points.
    sawtooth: (count) => {
      const begin = Math.floor(random() * 7);
      return Array.from({ length: count }, (_, index) => (((index + begin) % 7) / 7) * 3 + 0.1 * normal());
    },
  };
}

const series = (noise: readonly number[], slopePerHour = 0): Point[] =>
  noise.map((value, index) => ({ at: index * STEP_HOURS, value: 60 + value + slopePerHour * index * STEP_HOURS }));

/** How many of a hundred series have an interval of which `holds` is true. */
function percentOf(noise: Noise, holds: (slope: Slope) => boolean, { slope = 0, points = POINTS } = {}): number {
  let found = 0;
  for (let tried = 0; tried < SERIES; tried += 1) {
    if (holds(estimateSlope(series(noise(points), slope)))) found += 1;
  }
  return (found / SERIES) * 100;
}

const covers =
  (slope: number) =>
  ({ low, high }: Slope): boolean =>
    low <= slope && slope <= high;

describe('the interval of a slope', () => {
  it('covers the true slope of independent points in about 95 of 100 series', () => {
    const percent = percentOf(noises(seeded(1)).white, covers(0));
    assert.ok(percent >= 92 && percent <= 98.5, `${percent} %`);
  });

  it('covers it nearly as often when neighbours resemble each other', () => {
    const { alike, veryAlike } = noises(seeded(2));
    const [some, much] = [percentOf(alike, covers(0)), percentOf(veryAlike, covers(0))];
    assert.ok(some >= 90 && much >= 86, `${some} % and ${much} %`);
  });

  it('covers a slope other than zero as well', () => {
    const percent = percentOf(noises(seeded(3)).alike, covers(7), { slope: 7 });
    assert.ok(percent >= 90, `${percent} %`);
  });

  it('takes the sawtooth of garbage collection for no growth', () => {
    const percent = percentOf(noises(seeded(4)).sawtooth, ({ low }) => low <= 0);
    assert.ok(percent >= 97, `${percent} %`);
  });

  it('grows with the resemblance of neighbours', () => {
    const { white, veryAlike } = noises(seeded(5));
    const wider = percentOf(veryAlike, ({ autocorrelation }) => autocorrelation > 0.5);
    const asIs = percentOf(white, ({ autocorrelation }) => autocorrelation < 0.35);
    assert.ok(wider > 90 && asIs > 90, `${wider} % and ${asIs} %`);
  });

  it('is nothing but the slope for points on a line', () => {
    const { slope, low, high } = estimateSlope(
      series(
        Array.from({ length: POINTS }, () => 0),
        3,
      ),
    );
    for (const value of [slope, low, high]) assert.ok(Math.abs(value - 3) < 1e-9, String(value));
  });

  it('is zero for a constant', () => {
    const { slope, low, high } = estimateSlope(series(Array.from({ length: POINTS }, () => 0)));
    assert.deepEqual({ slope, low, high }, { slope: 0, low: 0, high: 0 });
  });

  it('refuses a handful of points', () => {
    assert.throws(() => estimateSlope(series([1, 2, 3, 4, 5])), RangeError);
  });
});

describe('a slow leak', () => {
  /** A point of a soak is the median of what was seen in a round. */
  const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

  it('of 1 MB an hour is found within 3 MB of noise in an hour', () => {
    const random = seeded(6);
    const noise: Noise = (count) =>
      Array.from({ length: count }, () => medianOf(Array.from({ length: 10 }, () => (random() - 0.5) * 3)));
    const found = percentOf(noise, ({ low }) => low > 0, { slope: 1, points: 110 });
    const falseAlarms = percentOf(noise, ({ low }) => low > 0, { points: 110 });
    assert.ok(found > 95, `found in ${found} % of the series`);
    assert.ok(falseAlarms < 5, `seen in ${falseAlarms} % of series without one`);
  });

  it('of 1 MB an hour is found in half an hour where the noise is that of a collected heap', () => {
    const { alike } = noises(seeded(7));
    const noise: Noise = (count) => alike(count).map((value) => value * 0.05);
    assert.ok(percentOf(noise, ({ low }) => low > 0, { slope: 1 }) > 99);
  });

  it('is found under the sawtooth of garbage collection', () => {
    const found = percentOf(noises(seeded(8)).sawtooth, ({ low }) => low > 0, { slope: 6 });
    assert.ok(found > 90, `${found} %`);
  });
});
