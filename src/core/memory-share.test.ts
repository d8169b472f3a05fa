/** Simulated workers under the memory limit of one control group: recycled before the group reaches it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../../test/support/random.ts';
import { forecastMemory, newMemory, noteMemory, type MemoryState } from './memory-forecast.ts';
import { chooseRecycle, LEAST_GROWTH_IN_GROUP, memoryShare, RECYCLE_POLICY } from './recycling.ts';

const MB = 1024 * 1024;
const START_MB = 60;
const DAEMON_MB = 90;
const POLICY = { ...RECYCLE_POLICY, startMs: 3000, drainMs: 30_000 };

interface Worker {
  readonly bornAt: number;
  readonly generation: number;
  rssMB: number;
  memory: MemoryState;
}

interface Group {
  readonly limitMB: number;
  readonly workers: number;
  /** Of them the first ones. */
  readonly leaking: number;
  readonly mbPerMinute: number;
  readonly minutes: number;
}

/** How many were recycled in each slot; throws when the group reaches its limit. */
const run = ({ limitMB, workers, leaking, mbPerMinute, minutes }: Group, seed: number): readonly number[] => {
  const random = seeded(seed);
  const born = (bornAt: number, generation: number): Worker => ({
    bornAt,
    generation,
    rssMB: START_MB,
    memory: newMemory(),
  });
  const slots = Array.from({ length: workers }, () => born(0, 1));
  const recycled = slots.map(() => 0);
  let busy: { readonly slot: number; readonly goneAt: number; readonly successor: Worker } | null = null;
  for (let at = 1000; at <= minutes * 60_000; at += 1000) {
    const grow = (worker: Worker, slot: number): void => {
      if (slot < leaking) worker.rssMB += (mbPerMinute / 60) * (0.2 + random() * 1.6);
      // Garbage and requests in flight.
      const rssBytes = Math.round((worker.rssMB + random() * 8) * MB);
      const uptimeMs = at - worker.bornAt;
      const sample = { uptimeMs, heapAfterGcBytes: null, rssBytes, requests: uptimeMs / 20 };
      worker.memory = noteMemory(worker.memory, sample, at);
    };
    slots.forEach(grow);
    if (busy !== null) grow(busy.successor, busy.slot);
    const living = busy === null ? slots : [...slots, busy.successor];
    const leftMB = limitMB - DAEMON_MB - living.reduce((sum, { rssMB }) => sum + rssMB, 0);
    if (leftMB < 0) throw new Error(`seed ${seed}: the limit is reached after ${at / 1000} s`);
    if (busy !== null && at >= busy.goneAt) {
      slots[busy.slot] = busy.successor;
      recycled[busy.slot] = (recycled[busy.slot] ?? 0) + 1;
      busy = null;
    }
    if (at % 10_000 !== 0) continue;
    const share = memoryShare({
      leftBytes: leftMB * MB,
      workers: living.length,
      successorBytes: Math.min(...slots.map(({ rssMB }) => rssMB)) * MB,
    });
    if (share === null) continue;
    const candidates = slots.flatMap(({ bornAt, generation, rssMB, memory }, slot) => {
      const limitBytes = rssMB * MB + share;
      const limit = { source: 'rss', limitBytes, words: 'its share', leastGrowth: LEAST_GROWTH_IN_GROUP } as const;
      const forecast = forecastMemory(memory, [limit]);
      return forecast === null ? [] : [{ slot, generation, uptimeMs: at - bornAt, forecast }];
    });
    const choice = chooseRecycle(candidates, busy !== null, POLICY);
    if (choice === null) continue;
    const successor = born(at + 1000, (slots[choice.slot]?.generation ?? 0) + 1);
    busy = { slot: choice.slot, goneAt: at + 3000 + 30_000 * random(), successor };
  }
  return recycled;
};

describe('workers under the limit of one control group', () => {
  const SEEDS = [1, 2, 3];

  it('that leak alike are recycled one after the other, and the limit is never reached', () => {
    for (const seed of SEEDS) {
      for (const [limitMB, mbPerMinute] of [
        [1024, 10],
        // Hardly more than the four and a successor take when they start.
        [520, 2],
      ] as const) {
        const recycled = run({ limitMB, workers: 4, leaking: 4, mbPerMinute, minutes: 60 }, seed);
        assert.ok(
          recycled.every((times) => times >= 2),
          `seed ${seed}, ${limitMB} MB: ${recycled.join(', ')}`,
        );
      }
    }
  });

  it('of which one leaks: it alone is recycled, and not as soon as it has its part', () => {
    for (const seed of SEEDS) {
      const [leaks = 0, ...others] = run({ limitMB: 1024, workers: 4, leaking: 1, mbPerMinute: 20, minutes: 90 }, seed);
      assert.ok(leaks >= 2 && leaks <= 8, `seed ${seed}: ${leaks} times`);
      assert.deepEqual(others, [0, 0, 0]);
    }
  });

  it('are left alone where nobody leaks', () => {
    for (const seed of SEEDS) {
      for (const limitMB of [430, 450, 600])
        assert.deepEqual(run({ limitMB, workers: 4, leaking: 0, mbPerMinute: 0, minutes: 60 }, seed), [0, 0, 0, 0]);
    }
  });

  it('are left alone where there is no room for a successor', () => {
    const tight: Group = {
      limitMB: DAEMON_MB + 5 * START_MB - 10,
      workers: 4,
      leaking: 4,
      mbPerMinute: 0.1,
      minutes: 60,
    };
    assert.deepEqual(run(tight, 1), [0, 0, 0, 0]);
  });
});
