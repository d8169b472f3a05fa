import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RuntimeMeter } from './measures.ts';

describe('RuntimeMeter', () => {
  it('tells the figures before when memory cannot be measured, as in a process without free descriptors', () => {
    let isOut = false;
    const meter = new RuntimeMeter(() => {
      if (isOut) throw new Error('EMFILE: too many open files, uv_resident_set_memory');
      return { rss: 5, heapUsed: 4, heapTotal: 3, external: 2 };
    });
    const gauges = { openConnections: 0, inFlight: 0 };
    assert.equal(meter.read(gauges).rssBytes, 5);
    isOut = true;
    assert.equal(meter.read(gauges).rssBytes, 5);
  });
});
