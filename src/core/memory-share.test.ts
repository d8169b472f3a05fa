/** Simulated workers under the memory limit of one control group: recycled before the group reaches it, and not for nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../../test/support/random.ts';
import { forecastMemory, newMemory, noteMemory, type MemoryState } from './memory-forecast.ts';
import { chooseRecycle, memoryShare, RECYCLE_POLICY, sharedLimit } from './recycling.ts';

const MB = 1024 * 1024;
const START_MB = 60;
const DAEMON_MB = 90;
const POLICY = { ...RECYCLE_POLICY, startMs: 3000, drainMs: 30_000 };
const SEEDS = [1, 2, 3];

interface Worker {
  readonly bornAt: number;
  readonly generation: number;
  rssMB: number;
  memory: MemoryState;
}

/** What a worker takes at that age, MB. */
type Curve = (minutes: number) => number;
const flat: Curve = () => START_MB;
const leaking =
  (mbPerMinute: number): Curve =>
  (minutes) =>
    START_MB + mbPerMinute * minutes;
const warmingUp =
  (byMB: number, minutesToFill: number): Curve =>
  (minutes) =>
    START_MB + byMB * (1 - Math.exp(-minutes / minutesToFill));

interface Group {
  readonly limitMB: number;
  /** Of each slot. */
  readonly curves: readonly Curve[];
  readonly minutes: number;
}

/** How many were recycled in each slot; throws when the group reaches its limit. */
const run = ({ limitMB, curves, minutes }: Group, seed: number): readonly number[] => {
  const random = seeded(seed);
  const born = (bornAt: number, generation: number): Worker => ({
    bornAt,
    generation,
    rssMB: START_MB,
    memory: newMemory(),
  });
  const slots = curves.map(() => born(0, 1));
  const recycled = slots.map(() => 0);
  let busy: { readonly slot: number; readonly goneAt: number; readonly successor: Worker } | null = null;
  for (let at = 1000; at <= minutes * 60_000; at += 1000) {
    const grow = (worker: Worker, slot: number): void => {
      const uptimeMs = Math.max(0, at - worker.bornAt);
      worker.rssMB = (curves[slot] ?? flat)(uptimeMs / 60_000);
      // Garbage and requests in flight.
      const rssBytes = Math.round((worker.rssMB + random() * 8) * MB);
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
    const group = { leftBytes: leftMB * MB, workers: living.length, successorBytes: START_MB * MB };
    const shareBytes = memoryShare(group);
    if (shareBytes === null) continue;
    const candidates = slots.flatMap(({ bornAt, generation, rssMB, memory }, slot) => {
      const limit = sharedLimit(rssMB * MB, START_MB * MB, shareBytes);
      const forecast = limit === null ? null : forecastMemory(memory, [limit]);
      return forecast === null ? [] : [{ slot, generation, uptimeMs: at - bornAt, forecast }];
    });
    const choice = chooseRecycle(candidates, busy !== null, POLICY);
    if (choice === null) continue;
    const successor = born(at + 1000, (slots[choice.slot]?.generation ?? 0) + 1);
    busy = { slot: choice.slot, goneAt: at + 3000 + 30_000 * random(), successor };
  }
  return recycled;
};

const four = (curve: Curve): readonly Curve[] => [curve, curve, curve, curve];

describe('workers under the limit of one control group', () => {
  it('that leak alike are recycled one after the other, and the limit is never reached', () => {
    for (const seed of SEEDS) {
      for (const [limitMB, mbPerMinute] of [
        [1024, 10],
        // Hardly more than the four take when they are worth replacing, and a successor.
        [540, 2],
      ] as const) {
        const recycled = run({ limitMB, curves: four(leaking(mbPerMinute)), minutes: 60 }, seed);
        assert.ok(
          recycled.every((times) => times >= 1),
          `seed ${seed}, ${limitMB} MB: ${recycled.join(', ')}`,
        );
      }
    }
  });

  it('of which one leaks: it alone is recycled, and not as soon as it has its part', () => {
    for (const seed of SEEDS) {
      const [leaks = 0, ...others] = run({ limitMB: 1024, curves: [leaking(20), flat, flat, flat], minutes: 90 }, seed);
      assert.ok(leaks >= 2 && leaks <= 5, `seed ${seed}: ${leaks} times`);
      assert.deepEqual(others, [0, 0, 0]);
    }
  });

  it('are left alone where nobody leaks, nor grows but to fill its caches, however tight it is', () => {
    for (const seed of SEEDS) {
      for (const limitMB of [430, 450, 600])
        assert.deepEqual(run({ limitMB, curves: four(flat), minutes: 60 }, seed), [0, 0, 0, 0]);
      for (const limitMB of [590, 605, 620, 700])
        assert.deepEqual(run({ limitMB, curves: four(warmingUp(45, 1)), minutes: 90 }, seed), [0, 0, 0, 0]);
      for (const limitMB of [500, 520, 540, 580, 640])
        assert.deepEqual(run({ limitMB, curves: four(warmingUp(25, 6)), minutes: 60 }, seed), [0, 0, 0, 0]);
    }
  });

  it('that is alone may fill what there is', () => {
    for (const seed of SEEDS) {
      const filling: Curve = (minutes) => Math.min(500, 100 + minutes * 10);
      assert.deepEqual(run({ limitMB: 1024, curves: [filling], minutes: 120 }, seed), [0]);
    }
  });

  it('are left alone where there is no room for a successor', () => {
    const tight: Group = {
      limitMB: DAEMON_MB + 5 * START_MB - 10,
      curves: [leaking(2), flat, flat, flat],
      minutes: 24,
    };
    for (const seed of SEEDS) assert.deepEqual(run(tight, seed), [0, 0, 0, 0]);
  });
});
