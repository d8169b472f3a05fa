import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { seeded } from '../../test/support/random.ts';
import { forecastMemory, heapLimitOf, newMemory, noteMemory } from './memory-forecast.ts';
import type { MemoryForecast, MemoryLimit, MemoryState } from './memory-forecast.ts';

const MB = 1024 * 1024;
const MINUTE = 60_000;
const HEAP: MemoryLimit = { source: 'heap-after-gc', limitBytes: 256 * MB, words: '--max-old-space-size' };
const RSS: MemoryLimit = { source: 'rss', limitBytes: 400 * MB, words: 'the budget rssMB' };

interface Life {
  readonly minutes: number;
  /** What is held at a time since the start, megabytes. */
  readonly heldMB: (atMs: number, random: () => number) => number;
  readonly requestsPerSecond?: number;
  readonly seed?: number;
  readonly limits?: readonly MemoryLimit[];
}

/** A worker that collects every eight to twenty seconds and reports every second. `noise`: floating garbage, requests in flight. */
const live = ({ minutes, heldMB, requestsPerSecond = 50, seed = 1, limits = [HEAP] }: Life) => {
  const random = seeded(seed);
  let state: MemoryState = newMemory();
  let heapAfterGcBytes: number | null = null;
  let nextCollectionAt = 3000;
  const seen: MemoryForecast[] = [];
  for (let at = 1000; at <= minutes * MINUTE; at += 1000) {
    if (at >= nextCollectionAt) {
      heapAfterGcBytes = Math.round((heldMB(at, random) + (random() + random() - 1) * 4) * MB);
      nextCollectionAt = at + 8000 + random() * 12_000;
    }
    const rssBytes = Math.round((heldMB(at, random) + 90 + random() * 40) * MB);
    const requests = Math.round((at / 1000) * requestsPerSecond);
    state = noteMemory(state, { uptimeMs: at, heapAfterGcBytes, rssBytes, requests }, at);
    if (at % 30_000 === 0 && minutes < 600) seen.push(forecastMemory(state, limits)!);
  }
  return { last: seen.at(-1) ?? forecastMemory(state, limits)!, seen, state };
};

describe('a forecast of memory', () => {
  it('finds a leak of 20 MB a minute, its growth by the hour and by 1,000 requests, and when it ends', () => {
    const { last } = live({ minutes: 5, heldMB: (at) => 50 + (20 * at) / MINUTE });
    assert.equal(last.status, 'growing');
    assert.equal(last.source, 'heap-after-gc');
    const perMinute = last.growthPerHourBytes! / 60 / MB;
    assert.ok(perMinute > 18 && perMinute < 22, `${perMinute} MB a minute`);
    assert.ok(
      last.growthPerHourLow! < 1200 * MB && last.growthPerHourHigh! > 1200 * MB,
      'the truth is in the interval',
    );
    const perThousand = last.growthPer1000RequestsBytes! / MB;
    assert.ok(perThousand > 6 && perThousand < 7.4, `${perThousand} MB per 1,000 requests at 3,000 a minute`);
    const leftMinutes = last.leftMs! / MINUTE;
    assert.ok(leftMinutes > 4.5 && leftMinutes < 6.3, `${leftMinutes} min are left of 5.3`);
    assert.ok(last.leftMsLow! <= last.leftMs! && last.leftMs! <= last.leftMsHigh!);
    assert.match(
      last.reason,
      /the heap after full collections grows by .* an hour and reaches --max-old-space-size \(256 MB\) in/,
    );
  });

  it('finds a slow leak over hours', () => {
    const { last } = live({ minutes: 240, heldMB: (at) => 50 + (6 * at) / 3_600_000 });
    assert.equal(last.status, 'growing');
    const perHour = last.growthPerHourBytes! / MB;
    assert.ok(perHour > 4.5 && perHour < 7.5, `${perHour} MB an hour`);
  });

  it('calls nothing a leak that stays, over many seeds', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { seen } = live({ minutes: 30, heldMB: () => 80, seed });
      assert.deepEqual(
        seen.filter(({ status }) => status === 'growing'),
        [],
        `seed ${seed}`,
      );
      assert.equal(seen.at(-1)!.status, 'steady');
    }
  });

  it('does not take warm-up for a leak: what fills and levels off is steady when it is full', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { seen, last } = live({ minutes: 30, heldMB: (at) => 40 + 60 * (1 - Math.exp(-at / (2 * MINUTE))), seed });
      assert.notEqual(last.status, 'growing', `seed ${seed}`);
      // While it fills it grows; but it is never said to hit the limit within minutes.
      for (const { leftMs } of seen) assert.ok(leftMs === null || leftMs > 5 * MINUTE, `seed ${seed}: ${leftMs} ms`);
    }
  });

  it('knows a saw tooth by its first fall', () => {
    const { seen } = live({ minutes: 60, heldMB: (at) => 60 + ((at % (6 * MINUTE)) / MINUTE) * 15 });
    const later = seen.slice(15);
    assert.ok(later.some(({ status }) => status === 'sawtooth'));
    assert.deepEqual(
      later.filter(({ status }) => status === 'growing'),
      [],
    );
  });

  it('is not deceived by a saw tooth whose feet rise: a leak under a cache that is emptied', () => {
    // Half-way up a tooth: lower than the tooth before was high.
    const { last, state } = live({
      minutes: 177,
      heldMB: (at) => 60 + ((at % (6 * MINUTE)) / MINUTE) * 10 + at / MINUTE,
    });
    assert.ok((last.bytes ?? 0) < (state.heap.fellFrom ?? 0));
    assert.equal(last.status, 'growing');
  });

  it('does not count the first minute, in which a program is loaded', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { seen } = live({ minutes: 6, heldMB: (at) => 10 + Math.min(at, MINUTE) / 400, seed });
      assert.ok(
        seen.every(({ status }) => status !== 'growing'),
        `seed ${seed}`,
      );
    }
  });

  it('goes by what growth is now where it has slowed down', () => {
    const { last } = live({ minutes: 30, heldMB: (at) => 40 + Math.min(at, 10 * MINUTE) / 6000 + (1.5 * at) / MINUTE });
    const perMinute = (last.growthPerHourBytes ?? 0) / 60 / MB;
    assert.equal(last.status, 'growing');
    assert.ok(perMinute > 1 && perMinute < 2, `${perMinute} MB a minute`);
  });

  it('counts collections, not reports of the same one', () => {
    let state = newMemory();
    for (let at = 2 * MINUTE; at <= 9 * MINUTE; at += 1000) {
      const heapAfterGcBytes = (50 + Math.floor(at / (3 * MINUTE))) * MB;
      state = noteMemory(state, { uptimeMs: at, heapAfterGcBytes, rssBytes: null, requests: at }, at);
    }
    assert.equal(state.heap.recent.length, 4);
  });

  it('is content with five collections where each left much more than the one before', () => {
    const after = (...megabytes: readonly number[]): string => {
      let state = newMemory();
      for (const [index, held] of megabytes.entries()) {
        const at = (2 + index) * MINUTE;
        state = noteMemory(state, { uptimeMs: at, heapAfterGcBytes: held * MB, rssBytes: null, requests: at }, at);
      }
      return forecastMemory(state, [HEAP])!.status;
    };
    assert.equal(after(61, 82, 105, 139), 'unknown');
    assert.equal(after(61, 82, 105, 139, 168), 'growing');
    assert.equal(after(61, 82, 105, 104, 168), 'unknown', 'one that left less');
    assert.equal(after(61, 63, 66, 69, 72), 'unknown', 'too little');
  });

  it('does not take noise for growth when there are few points', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { seen } = live({ minutes: 4, heldMB: (_, random) => 80 + random() * 40, seed });
      assert.ok(
        seen.every(({ status }) => status !== 'growing'),
        `seed ${seed}`,
      );
    }
  });

  const resident = (atEnd: number, megabytesAt: (atMs: number) => number, firstAt = 1000): MemoryForecast => {
    let state = newMemory();
    for (let at = firstAt; at <= atEnd; at += 1000) {
      const rssBytes = megabytesAt(at) * MB;
      state = noteMemory(state, { uptimeMs: at, heapAfterGcBytes: null, rssBytes, requests: at }, at);
    }
    return forecastMemory(state, [{ ...RSS, limitBytes: 256 * MB }])!;
  };

  it('sees who runs headlong into the limit before there is a trend, in the first minute too', () => {
    const fast = (at: number): number => 180 + (60 * at) / MINUTE;
    assert.equal(resident(10_000, fast).status, 'unknown', 'ten seconds are none');
    const forecast = resident(40_000, fast);
    assert.equal(forecast.status, 'growing');
    assert.equal(forecast.isHeadlong, true);
    const leftSeconds = forecast.leftMs! / 1000;
    assert.ok(leftSeconds > 30 && leftSeconds < 45, `${leftSeconds} s are left of 36`);
    assert.match(
      forecast.reason,
      /reaches the budget rssMB \(256 MB\) in .* s if it goes on as in the last half minute/,
    );
  });

  it('calls nobody headlong who is far from the limit, stays, comes down again, or takes long to get there', () => {
    const notHeadlong = (megabytesAt: (atMs: number) => number): void =>
      assert.equal(resident(40_000, megabytesAt).isHeadlong, false);
    notHeadlong((at) => 100 + (60 * at) / MINUTE);
    notHeadlong(() => 250);
    notHeadlong((at) => 215 + (5 * at) / MINUTE);
    notHeadlong((at) => 180 + (60 * Math.min(at, 30_000)) / MINUTE - (at > 34_000 ? 10 : 0));
    for (const loadedMs of [12_000, 17_000, 22_000])
      for (let atEnd = loadedMs + 5000; atEnd <= 60_000; atEnd += 1000)
        assert.equal(resident(atEnd, (at) => 60 + 170 * Math.min(1, at / loadedMs)).isHeadlong, false, 'loaded');
    for (const heldAt of [5000, 10_000, 15_000, 20_000])
      for (let atEnd = 5000; atEnd <= 60_000; atEnd += 1000)
        assert.equal(resident(atEnd, (at) => (at < heldAt ? 100 : 225) + at / 10_000).isHeadlong, false, 'held once');
    notHeadlong((at) => (at % 15_000) / 300 + 200);
  });

  it('sees a leak that begins late in a long life', () => {
    const late = (at: number): number => 150 + (at > 60 * MINUTE ? (60 * (at - 60 * MINUTE)) / MINUTE : 0);
    assert.equal(resident(61 * MINUTE, late).isHeadlong, true);
    // From where it has fallen by itself before it may fall again.
    const bursts = (at: number): number =>
      at % (10 * MINUTE) < 9 * MINUTE ? 150 : 150 + ((at % MINUTE) * 60) / MINUTE;
    assert.equal(resident(9 * MINUTE + 58_000, bursts).isHeadlong, true, 'the first time nobody can know');
    assert.equal(resident(29 * MINUTE + 58_000, bursts).isHeadlong, false);
  });

  it('takes the limit that is reached first, and says which', () => {
    const { last } = live({
      minutes: 8,
      heldMB: (at) => 50 + (10 * at) / MINUTE,
      limits: [HEAP, { ...RSS, limitBytes: 260 * MB }],
    });
    assert.equal(last.source, 'rss');
    assert.match(last.reason, /resident memory .* reaches the budget rssMB \(260 MB\)/);
    assert.equal(forecastMemory(newMemory(), []), null);
  });

  it('says that it does not know yet', () => {
    assert.equal(live({ minutes: 1, heldMB: (at) => 50 + at / 1000 }).last.status, 'unknown');
    const { last } = live({ minutes: 2, heldMB: () => 50, limits: [{ ...HEAP, source: 'heap-after-gc' }] });
    assert.equal(last.leftMs, null);
  });

  it('keeps a bounded number of points, and never a limit behind or a time below zero, whatever comes', () => {
    const report = fc.record({
      afterMs: fc.integer({ min: 0, max: 600_000 }),
      heap: fc.option(fc.integer({ min: 0, max: 500 })),
      rss: fc.option(fc.integer({ min: 0, max: 900 })),
    });
    fc.assert(
      fc.property(fc.array(report, { maxLength: 300 }), (reports) => {
        let state = newMemory();
        let at = 60_000;
        for (const { afterMs, heap, rss } of reports) {
          at += afterMs;
          const heapAfterGcBytes = heap === null ? null : heap * MB;
          const rssBytes = rss === null ? null : rss * MB;
          state = noteMemory(state, { uptimeMs: at, heapAfterGcBytes, rssBytes, requests: at }, at);
        }
        for (const { recent, long } of [state.heap, state.rss]) assert.ok(recent.length <= 60 && long.length <= 60);
        const forecast = forecastMemory(state, [HEAP, RSS])!;
        for (const ms of [forecast.leftMs, forecast.leftMsLow, forecast.leftMsHigh]) assert.ok(ms === null || ms >= 0);
        assert.equal(forecast.leftMs !== null, forecast.status === 'growing');
      }),
      { numRuns: 100 },
    );
  });

  it('keeps a bounded number of points of a long life', () => {
    const { state } = live({ minutes: 600, heldMB: () => 50 });
    for (const { recent, long } of [state.heap, state.rss]) assert.ok(recent.length <= 60 && long.length <= 60);
    assert.equal(state.rss.long[0]?.at, MINUTE, 'which reaches back to its beginning');
  });

  it('reads the heap limit as Node does', () => {
    assert.equal(heapLimitOf(['--max-old-space-size=256']), 256 * MB);
    assert.equal(heapLimitOf(['--max_old_space_size', '300', '--max-old-space-size=64']), 64 * MB);
    assert.equal(heapLimitOf(['--enable-source-maps', '--max-old-space-size=x']), null);
  });
});
