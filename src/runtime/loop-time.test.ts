import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoopTime } from './loop-time.ts';

describe('the time of the event loop', () => {
  const open = () => {
    const now = { active: 100, idle: 0, awakeMs: 90 as number | null };
    const loop = new LoopTime({ node: () => ({ active: now.active, idle: now.idle }), awakeMs: () => now.awakeMs });
    const pass = (change: Partial<typeof now>): number[] => {
      Object.assign(now, change);
      const { activeMs, idleMs } = loop.read();
      return [activeMs, idleMs];
    };
    return { loop, pass };
  };

  it('is as Node tells it', () => {
    const { pass } = open();
    assert.deepEqual(pass({}), [100, 0]);
    assert.deepEqual(pass({ active: 150, idle: 950 }), [150, 950]);
  });

  it('is bounded by what the kernel knows while signals make Node forget that it waited', () => {
    const { loop, pass } = open();
    loop.isInterrupted = true;
    assert.deepEqual(pass({ active: 600, idle: 500, awakeMs: 100 }), [110, 990], 'ten of a thousand');
    loop.isInterrupted = false;
    assert.deepEqual(pass({ active: 650, idle: 1450, awakeMs: 120 }), [160, 1940]);
  });

  it('has what blocks the loop asleep, and never more than Node has', () => {
    const { loop, pass } = open();
    loop.isInterrupted = true;
    loop.noteLate(400);
    loop.noteLate(10);
    assert.deepEqual(pass({ active: 1000, idle: 100, awakeMs: 100 }), [510, 590]);
    loop.noteLate(900);
    assert.deepEqual(pass({ active: 1500, idle: 100, awakeMs: 200 }), [1010, 590]);
    assert.deepEqual(pass({ active: 1600, idle: 100, awakeMs: null }), [1110, 590], 'where nobody knows');
  });
});
