import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageMeter } from './process-usage.ts';

describe('what the system says of a process', () => {
  it('is its memory at once, and its processor time from the second look on', () => {
    let cpuMs = 5000;
    const meter = new UsageMeter(() => ({ rssBytes: 3 * 1024 * 1024, cpuMs }));
    assert.deepEqual(meter.values(7, 1000), { rssMB: 3, cpuPercent: null });
    cpuMs += 500;
    assert.deepEqual(meter.values(7, 3000), { rssMB: 3, cpuPercent: 25 });
  });

  it('is nothing once it is gone, and begins anew after that', () => {
    let isThere = true;
    const meter = new UsageMeter(() => (isThere ? { rssBytes: 0, cpuMs: 10 } : null));
    meter.values(7, 1000);
    isThere = false;
    assert.equal(meter.values(7, 2000), null);
    isThere = true;
    assert.deepEqual(meter.values(7, 3000), { rssMB: 0, cpuPercent: null });
  });
});
