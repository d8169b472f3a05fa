import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitPatiently } from './patient-wait.ts';

/** Time that only moves when it is told to, with the one timer that a wait has. */
const openTime = () => {
  let now = 0;
  let timer: { readonly due: number; readonly call: () => void } | null = null;
  return {
    edges: {
      monotonicMs: () => now,
      after: (ms: number, call: () => void) => {
        const own = { due: now + ms, call };
        timer = own;
        return () => {
          if (timer === own) timer = null;
        };
      },
    },
    /** Each timer in its time. */
    pass(ms: number) {
      const end = now + ms;
      while (timer !== null && timer.due <= end) {
        now = Math.max(now, timer.due);
        const { call } = timer;
        timer = null;
        call();
      }
      now = end;
    },
    /** Nothing runs meanwhile; what was due comes afterwards. */
    freeze(ms: number) {
      now += ms;
    },
  };
};

describe('a patient wait', () => {
  it('ends after its time', () => {
    const time = openTime();
    let ends = 0;
    waitPatiently(3200, () => (ends += 1), time.edges);
    time.pass(3199);
    assert.equal(ends, 0);
    time.pass(1);
    assert.equal(ends, 1);
    time.pass(10_000);
    assert.equal(ends, 1);
  });

  it('begins anew, in full, after a time in which nothing ran, wherever that fell into it', () => {
    for (const beforeMs of [0, 100, 2900]) {
      const time = openTime();
      let ends = 0;
      waitPatiently(3000, () => (ends += 1), time.edges);
      time.pass(beforeMs);
      time.freeze(60_000);
      time.pass(2999);
      assert.equal(ends, 0, `frozen after ${beforeMs} ms`);
      time.pass(1);
      assert.equal(ends, 1);
    }
  });

  it('is not put off by a daemon that is only late', () => {
    const time = openTime();
    let ends = 0;
    waitPatiently(1000, () => (ends += 1), time.edges);
    time.pass(400);
    time.freeze(900);
    time.pass(500);
    assert.equal(ends, 1);
  });

  it('can be called off in each of its slices', () => {
    for (const afterMs of [0, 600, 1400]) {
      const time = openTime();
      let ends = 0;
      const callOff = waitPatiently(1500, () => (ends += 1), time.edges);
      time.pass(afterMs);
      callOff();
      time.pass(10_000);
      assert.equal(ends, 0);
    }
  });
});
