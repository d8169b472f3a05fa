/** Measures of apps against their own past: the rounds of the daemon, by a clock that is moved by hand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Judgement } from '../core/index.ts';
import type { AgentReport } from '../protocol/index.ts';
import type { App } from '../supervisor/index.ts';
import { anomalyKey, openAnomalies, type Anomalies } from './anomalies.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A daemon with one app of one worker, a minute at a time. */
class World {
  readonly kept = new Map<string, string>();
  readonly judged = new Map<string, Judgement>();
  at = 480_000 * HOUR_MS;
  #due: (() => void) | null = null;
  #anomalies: Anomalies;
  readonly #handle = { lastReport: null as AgentReport | null };

  constructor() {
    this.#anomalies = this.#open();
  }

  #open(): Anomalies {
    const app = { app: 'shop', liveHandles: () => [this.#handle] } as unknown as App;
    return openAnomalies({
      clock: { wallMs: () => this.at, monotonicMs: () => this.at },
      schedule: {
        background: (afterMs: number, work: () => void) => {
          assert.equal(afterMs, MINUTE_MS);
          this.#due = work;
          return () => (this.#due = null);
        },
      } as unknown as Parameters<typeof openAnomalies>[0]['schedule'],
      apps: () => [app],
      judge: (judgements) => {
        for (const one of judgements) this.judged.set(one.subject.labels?.['measure'] ?? '', one);
      },
      memory: { find: (key) => this.kept.get(key), put: (key, text) => void this.kept.set(key, text) },
    });
  }

  #served = 0;

  /** Minutes in each of which it served so many requests, and takes so much memory. */
  pass(minutes: number, served: number, megabytes = 100): this {
    for (let minute = 0; minute < minutes; minute++) {
      this.at += MINUTE_MS;
      // Not the same in each: nothing real is.
      this.#served += served + (minute % 3);
      this.#handle.lastReport = {
        counters: { served: this.#served, failed: 0, latency: [] },
        runtime: { rssBytes: (megabytes + (minute % 3)) * 1024 * 1024 },
      } as unknown as AgentReport;
      this.#due?.();
    }
    return this;
  }

  /** The daemon ends, and another one comes. */
  restart(): this {
    this.#anomalies.close();
    assert.equal(this.#due, null, 'it asks no more');
    this.#anomalies = this.#open();
    return this;
  }

  verdict(measure: string): string | undefined {
    return this.judged.get(measure)?.verdict;
  }
}

describe('anomalies', () => {
  it('are not told before there is a past, fire where a measure is far off, and end with it', () => {
    const world = new World().pass(5 * 60, 600);
    assert.equal(world.verdict('requestRate'), 'unknown', 'five hours are too few');
    world.pass(3 * 60, 600);
    assert.equal(world.verdict('requestRate'), 'good');
    assert.equal(world.verdict('memory'), 'good');
    world.pass(2, 6000);
    assert.equal(world.verdict('requestRate'), 'good', 'two minutes are a spike');
    world.pass(1, 6000);
    assert.equal(world.verdict('requestRate'), 'bad');
    const { subject, detail } = world.judged.get('requestRate')!;
    assert.deepEqual([subject.name, subject.app, subject.labels], ['anomaly', 'shop', { measure: 'requestRate' }]);
    assert.match(detail.summary, /shop: requests a second is higher than is usual at this hour/);
    assert.equal(world.verdict('memory'), 'good', 'and nothing else is');
    world.pass(4, 600);
    assert.equal(world.verdict('requestRate'), 'bad', 'it has to be back for five minutes');
    world.pass(1, 600);
    assert.equal(world.verdict('requestRate'), 'good');
  });

  it('are told of memory as well, and of requests that stay away', () => {
    const world = new World().pass(8 * 60, 600).pass(3, 10, 400);
    assert.equal(world.verdict('memory'), 'bad');
    assert.equal(world.verdict('requestRate'), 'bad');
    assert.match(world.judged.get('requestRate')!.detail.summary, /is lower than is usual/);
  });

  it('know the past of before the daemon was restarted, but not what cannot be read', () => {
    const world = new World()
      .pass(8 * 60, 600)
      .restart()
      .pass(4, 6000);
    assert.equal(world.verdict('requestRate'), 'bad');
    world.kept.set(anomalyKey('shop'), '{"requestRate":');
    world.restart().pass(3, 6000);
    assert.equal(world.verdict('requestRate'), 'unknown');
  });
});
