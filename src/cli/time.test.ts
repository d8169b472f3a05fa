import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseTime } from './time.ts';

const NOW = new Date(2026, 10, 25, 12, 30, 15).getTime();
const local = (...parts: [number, number, number, number?, number?]): number => new Date(...parts).getTime();

describe('times on the command line', () => {
  it('are read as people mean them', () => {
    assert.equal(parseTime('10m', NOW), NOW - 600_000);
    assert.equal(parseTime('1h30m ago', NOW), NOW - 5_400_000);
    assert.equal(parseTime('0.0015s', NOW), NOW - 1);
    assert.equal(parseTime('now', NOW), NOW);
    assert.equal(parseTime('today', NOW), local(2026, 10, 25));
    assert.equal(parseTime('Yesterday', NOW), local(2026, 10, 24));
    assert.equal(parseTime('09:05', NOW), local(2026, 10, 25, 9, 5));
    assert.equal(parseTime('2026-11-20', NOW), local(2026, 10, 20));
    assert.equal(parseTime('2024-02-29', NOW), local(2024, 1, 29));
    assert.equal(parseTime('2026-11-20 08:00', NOW), local(2026, 10, 20, 8));
    assert.equal(parseTime('2026-11-20T08:00:00Z', NOW), Date.UTC(2026, 10, 20, 8));
    assert.equal(parseTime('2026-11-20T08:00:00+02:00', NOW), Date.UTC(2026, 10, 20, 6));
  });

  it('are a time or refused as wrong usage', () => {
    for (const text of [
      '',
      'soon',
      '10',
      '25:00',
      '2026-13-01',
      '2026-02-30',
      '2026-11-31T10:00',
      '-5m',
      '10 m',
      '99999999d',
      '1969-12-01',
      `${'9'.repeat(400)}w`,
    ])
      assert.throws(() => parseTime(text, NOW), { code: 'DROVER_USAGE' }, text);
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          assert.ok(Number.isSafeInteger(parseTime(text, NOW)));
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'DROVER_USAGE');
        }
      }),
    );
  });
});
