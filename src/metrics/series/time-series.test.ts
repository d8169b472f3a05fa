import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { report } from '../../../test/metrics/readings.ts';
import type { AgentReport, Clock } from '../../protocol/index.ts';
import { emptySample, foldInTime } from './columns.ts';
import { Recorder, type WorkerState } from './recorder.ts';
import { decodeSparse, encodeSparse } from './sparse-bytes.ts';
import { TimeSeries, type SeriesTrouble, type TimeSeriesOptions } from './time-series.ts';

const T0 = 1_790_000_100_000;
const MB = 1024 ** 2;
const DAY_MS = 86_400_000;

describe('time series', () => {
  let folder: string;
  let file: string;
  let now: number;
  let troubles: (SeriesTrouble | null)[];
  const opened: TimeSeries[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'drover-series-'));
    file = join(folder, 'metrics.db');
    now = 0;
    troubles = [];
  });
  afterEach(async () => {
    for (const series of opened.splice(0)) await series.close();
    rmSync(folder, { recursive: true });
  });

  const clock = { monotonicMs: () => now, wallMs: () => T0 + now } as Clock;
  const open = (change: Partial<TimeSeriesOptions> = {}): TimeSeries => {
    const series = new TimeSeries({
      file,
      clock,
      quotaBytes: 64 * MB,
      keepMs: 30 * DAY_MS,
      onTrouble: (trouble) => troubles.push(trouble),
      ...change,
    });
    opened.push(series);
    return series;
  };
  const state = (
    slot: number,
    change: Partial<WorkerState> = {},
    counters: Partial<AgentReport['counters']> = {},
  ): WorkerState => ({
    worker: `shop/${slot}`,
    spawn: `spawn-${slot}`,
    acceptQueue: 0,
    report: report({
      counters: { ...report().counters, ...counters },
      runtime: { ...report().runtime, uptimeMs: now },
    }),
    ...change,
  });
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  /** `seconds` of two workers, each of which begins and serves ten requests a second, of which one fails. */
  const run = async (series: TimeSeries, seconds: number, from = 0): Promise<void> => {
    for (let second = from + 1; second <= from + seconds; second += 1) {
      now += 1_000;
      const counters = {
        begun: 10 * second,
        served: 9 * second,
        failed: second,
        lost: 0,
        latency: [112, 9 * second, 242, second],
      };
      series.record([
        {
          app: 'shop',
          workers: [0, 1].map((slot) => state(slot, { named: { paid: 3 * second, tried: 4 * second } }, counters)),
        },
      ]);
      await turn();
    }
    await series.settled();
  };
  const minute = { fromMs: T0, toMs: T0 + 60_000, stepMs: 10_000 };

  it('answers rates of a worker and of the app, from counters', async () => {
    const series = open();
    await run(series, 60);
    const points = series.range({ app: 'shop', worker: 'shop/1', metric: 'requestRate', ...minute });
    assert.deepEqual(
      points,
      [0, 1, 2, 3, 4, 5].map((ten) => ({ at: T0 + ten * 10_000, value: 10 })),
    );
    const whole = series.range({ app: 'shop', worker: null, metric: 'begun', ...minute, stepMs: 1_000 });
    assert.equal(whole.length, 59);
    assert.ok(whole.every(({ value }) => value === 20));
    assert.deepEqual(series.range({ app: 'nobody', worker: null, metric: 'begun', ...minute }), []);
  });

  it('answers gauges, quantiles and shares', async () => {
    const series = open();
    await run(series, 30);
    const ask = (metric: Parameters<TimeSeries['range']>[0]['metric'], worker: string | null = null) =>
      series.range({ app: 'shop', worker, metric, ...minute })[1]?.value;
    assert.equal(ask('rssBytes'), 128_000_000);
    assert.equal(ask('rssBytes', 'shop/0'), 64_000_000);
    assert.equal(ask('eventLoopUtilization'), 0.25);
    assert.equal(ask('delayMaxMs'), 40);
    assert.equal(ask('inFlight'), 2);
    assert.equal(ask('workers'), 2);
    assert.equal(ask('errorRatio'), 0.1);
    assert.equal(ask('heapAfterGcBytes'), null, 'nobody has said it');
    const p50 = ask('p50Ms') ?? 0;
    assert.ok(p50 > 1 && p50 < 1.2, `${p50}`);
    const p99 = ask('p99Ms') ?? 0;
    assert.ok(p99 > 280 && p99 < 330, `${p99}`);
  });

  it('answers good and all events of each kind of objective', async () => {
    const series = open();
    await run(series, 60);
    const ask = (indicator: Parameters<TimeSeries['objective']>[0]['indicator']) =>
      series.objective({ app: 'shop', indicator, ...minute })[2];
    assert.deepEqual(ask({ kind: 'availability' }), { at: T0 + 20_000, good: 180, total: 200 });
    assert.deepEqual(ask({ kind: 'latency', thresholdMs: 100 }), { at: T0 + 20_000, good: 180, total: 200 });
    assert.deepEqual(ask({ kind: 'latency', thresholdMs: 1_000 }), { at: T0 + 20_000, good: 200, total: 200 });
    assert.deepEqual(ask({ kind: 'ratio', good: 'paid', total: 'tried' }), { at: T0 + 20_000, good: 60, total: 80 });
  });

  it('says nothing of a time in which nothing was seen', async () => {
    const series = open();
    await run(series, 20);
    now += 20_000;
    await run(series, 20, 20);
    const seen = series
      .objective({ app: 'shop', indicator: { kind: 'availability' }, ...minute })
      .map(({ at }) => at - T0);
    assert.deepEqual(seen, [0, 10_000, 20_000, 40_000, 50_000]);
    // What was counted meanwhile is spread over the time that it took.
    const rates = series
      .range({ app: 'shop', worker: null, metric: 'begun', ...minute })
      .map(({ value }) => value ?? 0);
    assert.ok(
      rates.every((rate) => rate > 0 && rate <= 20.001),
      rates.join(),
    );
  });

  it('counts a new worker from zero, and one that it merely had not seen from where it stands', async () => {
    const series = open();
    const tick = async (workers: WorkerState[]) => {
      now += 1_000;
      series.record([{ app: 'shop', workers }]);
      await turn();
    };
    const old = {
      ...state(0, {}, { begun: 5_000 }),
      report: report({ counters: { ...report().counters, begun: 5_000 } }),
    };
    await tick([old]);
    await tick([old]);
    await tick([
      {
        ...state(0, { spawn: 'new' }, { begun: 7 }),
        report: report({
          counters: { ...report().counters, begun: 7 },
          runtime: { ...report().runtime, uptimeMs: 900 },
        }),
      },
    ]);
    const begun = series
      .range({ app: 'shop', worker: null, metric: 'begun', ...minute, stepMs: 1_000 })
      .map(({ value }) => value);
    assert.deepEqual(begun, [0, 0, 7]);
  });

  it('keeps coarser samples for longer, and uses them for what is older', async () => {
    const series = open();
    await run(series, 700);
    now += 2 * 3_600_000;
    await run(series, 61, 700);
    const long = { fromMs: T0, toMs: T0 + 600_000, stepMs: 1_000 };
    const points = series.range({ app: 'shop', worker: 'shop/0', metric: 'begun', ...long });
    // Seconds are gone after an hour, tens of seconds are there.
    assert.equal(points[1]?.at, T0 + 10_000);
    assert.equal(points[1]?.value, 10);
    now += 3 * DAY_MS;
    await run(series, 61, 761);
    const older = series.range({ app: 'shop', worker: 'shop/0', metric: 'begun', ...long });
    assert.deepEqual(older, [
      { at: T0, value: 10 },
      { at: T0 + 300_000, value: 10 },
    ]);
  });

  it('goes on within a period where the daemon before ended, killed or not', async () => {
    for (const isKilled of [false, true]) {
      const before = open({ flushEveryMs: 0 });
      await run(before, 130);
      if (!isKilled) await before.close();
      else await dropLocks(before);
      const after = open();
      await run(after, 20, 130);
      const [five] = after.range({
        app: 'shop',
        worker: null,
        metric: 'begun',
        fromMs: T0,
        toMs: T0 + 300_000,
        stepMs: 300_000,
      });
      const begun = after.objective({
        app: 'shop',
        indicator: { kind: 'availability' },
        fromMs: T0,
        toMs: T0 + 300_000,
        stepMs: 300_000,
      });
      // 20 a second, but for the seconds that nobody saw: the first of each daemon, and, killed, the last.
      assert.ok(
        (begun[0]?.total ?? 0) >= 20 * 147 && (begun[0]?.total ?? 0) <= 20 * 150,
        `${isKilled} ${JSON.stringify(begun)}`,
      );
      assert.ok(Math.abs((five?.value ?? 0) - 20) < 0.5, `${five?.value}`);
      await after.close();
      rmSync(file);
      now = 0;
    }
  });

  it('begins anew where the file is damaged, keeps that one, and says so', async () => {
    const series = open();
    await run(series, 30);
    await series.close();
    const size = statSync(file).size;
    writeFileSync(file, Buffer.alloc(size, 'not a database'));
    const again = open();
    await run(again, 30, 30);
    assert.equal(troubles.length, 1);
    assert.equal(troubles[0]?.kind, 'replaced');
    assert.equal(troubles[0]?.setAside, `${file}.damaged`);
    assert.match(troubles[0]?.reason ?? '', /not a database/);
    assert.equal(readFileSync(`${file}.damaged`, 'latin1').slice(0, 14), 'not a database');
    assert.ok(
      again.range({ app: 'shop', worker: null, metric: 'begun', fromMs: T0, toMs: T0 + 90_000, stepMs: 10_000 })
        .length > 0,
    );
  });

  it('begins anew where damage shows only later', async () => {
    const series = open();
    await run(series, 60);
    await series.close();
    // The first page is whole, what it points to is not.
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4_096);
    writeFileSync(file, bytes);
    const again = open();
    await run(again, 30, 60);
    assert.deepEqual(
      troubles.map((trouble) => trouble?.kind),
      ['replaced'],
    );
    assert.ok(existsSync(`${file}.damaged`));
    assert.equal(again.condition.waiting < 200, true);
  });

  it('begins anew where another Drover wrote it in another form', async () => {
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 99; CREATE TABLE x (y)');
    database.close();
    open();
    assert.equal(troubles[0]?.kind, 'replaced');
    assert.match(troubles[0]?.reason ?? '', /another form/);
  });

  it('waits where it cannot write, bounded, says so once, and writes when it can again', async () => {
    const holder = new DatabaseSync(file);
    holder.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE x (y); BEGIN IMMEDIATE; COMMIT',
    );
    const series = open();
    await run(series, 30);
    assert.deepEqual(
      troubles.map((trouble) => trouble?.kind),
      ['unwritable'],
    );
    assert.match(troubles[0]?.reason ?? '', /locked/);
    assert.ok(series.condition.waiting > 0);
    holder.close();
    await run(series, 30, 30);
    assert.deepEqual(
      troubles.map((trouble) => trouble?.kind ?? null),
      ['unwritable', null],
    );
    const points = series.range({ app: 'shop', worker: null, metric: 'begun', ...minute });
    assert.equal(points.length, 6, 'what waited was written');
  });

  it('keeps within its quota by giving up what is oldest, and never grows beyond', async () => {
    const quotaBytes = 1 * MB;
    const series = open({ quotaBytes });
    for (let second = 1; second <= 1_500; second += 1) {
      now += 1_000;
      const workers = Array.from({ length: 20 }, (_, slot) =>
        state(slot, {}, { begun: second * 1_000, latency: [112, second * 7, 242, second * 3] }),
      );
      series.record([{ app: 'shop', workers }]);
      await series.settled();
    }
    assert.ok(statSync(file).size <= quotaBytes * 1.1 + 8_192, `${statSync(file).size}`);
    assert.ok(series.condition.usedBytes <= quotaBytes + 32_768, `${series.condition.usedBytes}`);
    assert.equal(series.condition.dropped, 0);
    const recent = series.range({
      app: 'shop',
      worker: null,
      metric: 'begun',
      fromMs: T0 + now - 60_000,
      toMs: T0 + now,
      stepMs: 1_000,
    });
    assert.ok(recent.length > 55, `${recent.length}`);
  });

  it('refuses a query that is none, or has more points than anybody draws', () => {
    const series = open();
    const ask = (change: object) => series.range({ app: 'shop', worker: null, metric: 'begun', ...minute, ...change });
    assert.throws(() => ask({ stepMs: 0 }), RangeError);
    assert.throws(() => ask({ toMs: T0 - 1 }), RangeError);
    assert.throws(() => ask({ fromMs: 0, stepMs: 1_000 * 300, toMs: T0 }), RangeError);
  });

  it('is not readable for others', () => {
    open();
    assert.equal(statSync(file).mode & 0o077, 0);
  });

  /** As when the process is killed: nothing is written any more, and the locks are gone. */
  const dropLocks = async (series: TimeSeries): Promise<void> => {
    const copy = readFileSync(file);
    const journal = readFileSync(`${file}-wal`);
    opened.splice(opened.indexOf(series), 1);
    await series.close();
    truncateSync(file);
    writeFileSync(file, copy);
    writeFileSync(`${file}-wal`, journal);
  };
});

describe('the recorder', () => {
  it('loses and invents nothing, whatever the ticks and the restarts', () => {
    const steps = fc.array(
      fc.record({
        slot: fc.nat({ max: 2 }),
        add: fc.nat({ max: 20 }),
        restart: fc.boolean(),
        ms: fc.constantFrom(300, 1_000, 1_000, 2_500, 40_000),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const recorder = new Recorder();
        const workers = [0, 1, 2].map((slot) => ({ slot, spawn: `${slot}`, begun: 0, bornAt: 0 }));
        let at = T0;
        let expected = 0;
        const sums = { '1s': 0, '10s': 0, '5m': 0 };
        const take = (closed: ReturnType<Recorder['tick']>) => {
          for (const { tier, series, sample } of closed)
            if (series.worker === null) sums[tier] += sample.values[0] ?? 0;
        };
        const tick = (sinceMs: number) => {
          take(
            recorder.tick({
              at,
              sinceMs,
              apps: [
                {
                  app: 'shop',
                  workers: workers.map(({ slot, spawn, begun, bornAt }) => ({
                    worker: `shop/${slot}`,
                    spawn,
                    acceptQueue: null,
                    report: report({
                      counters: { ...report().counters, begun },
                      runtime: { ...report().runtime, uptimeMs: at - bornAt },
                    }),
                  })),
                },
              ],
            }),
          );
        };
        for (const worker of workers) worker.bornAt = at;
        tick(1_000);
        for (const [number, { slot, add, restart, ms }] of list.entries()) {
          at += ms;
          const worker = workers[slot];
          assert.ok(worker !== undefined);
          if (restart) Object.assign(worker, { spawn: `${slot}-${number}`, begun: 0, bornAt: at });
          worker.begun += add;
          expected += add;
          tick(ms);
        }
        at += 600_000;
        take(recorder.tick({ at, sinceMs: 1_000, apps: [] }));
        assert.deepEqual(sums, { '1s': expected, '10s': expected, '5m': expected });
      }),
      { numRuns: 60 },
    );
  });
});

describe('a sample', () => {
  it('weighs means by the time that was seen', () => {
    const into = emptySample(0);
    const part = (ms: number, rss: number | null) => {
      const sample = emptySample(0);
      sample.ms = ms;
      sample.values[16] = rss;
      return sample;
    };
    foldInTime(into, part(1_000, 100));
    foldInTime(into, part(3_000, 200));
    assert.equal(into.values[16], 175);
    foldInTime(into, part(1_000, null));
    assert.equal(into.values[16], 175);
  });

  it('keeps histograms in few bytes', () => {
    const counts = fc.uniqueArray(fc.tuple(fc.nat({ max: 447 }), fc.integer({ min: 1, max: 2 ** 40 })), {
      selector: ([bucket]) => bucket,
    });
    fc.assert(
      fc.property(counts, (pairs) => {
        const bytes = encodeSparse(new Map(pairs));
        const found: [number, number][] = [];
        if (bytes !== null) decodeSparse(bytes, (bucket, count) => found.push([bucket, count]));
        assert.deepEqual(
          found,
          pairs.toSorted(([a], [b]) => a - b),
        );
      }),
      { numRuns: 100 },
    );
  });
});
