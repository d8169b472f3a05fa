import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { judge, parseRetryAfter } from './post.ts';
import { DEFAULT_RETRY, nextAttemptMs } from './retry.ts';

describe('the next attempt', () => {
  it('doubles its wait up to a cap, half of it by chance, and ends', () => {
    const whole = Array.from({ length: 16 }, (_, index) => nextAttemptMs(index + 1, null, 0.999_999, DEFAULT_RETRY));
    assert.deepEqual(
      whole.map((ms) => (ms === null ? null : Math.round(ms / 100) * 100)),
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300, 300].map((s) => s * 1_000).concat(null as never),
    );
    const halves = whole.slice(0, 15).map((_, index) => nextAttemptMs(index + 1, null, 0, DEFAULT_RETRY) ?? 0);
    assert.deepEqual(halves.slice(0, 3), [500, 1_000, 2_000]);
  });

  it('is never before what the receiver asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 15 }),
        fc.nat(3_600_000),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (n, ms, r) => {
          assert.ok((nextAttemptMs(n, ms, r, DEFAULT_RETRY) ?? 0) >= ms);
        },
      ),
    );
  });
});

describe('an answer', () => {
  const NOW = Date.parse('2026-01-01T00:00:00Z');
  const judged = (status: number, headers = {}) => judge({ status, headers, text: 'words', nowMs: NOW });

  it('decides whether there is another attempt', () => {
    for (const status of [200, 202, 204]) assert.equal(judged(status).kind, 'taken');
    for (const status of [400, 401, 403, 404, 410, 413, 422, 301, 302, 307, 308])
      assert.equal(judged(status).kind, 'refused', String(status));
    for (const status of [408, 425, 429, 500, 502, 503, 504, 599])
      assert.equal(judged(status).kind, 'failed', String(status));
  });

  it('that redirects names where, without what may be a secret', () => {
    const outcome = judged(308, { location: 'https://other.example/hook?token=secret' });
    assert.equal(
      outcome.kind === 'refused' && outcome.problem,
      'answered 308: it redirects to https://other.example/hook; name that address',
    );
  });

  it('says when to come again in seconds or by a date, up to an hour', () => {
    assert.equal(parseRetryAfter('7', NOW), 7_000);
    assert.equal(parseRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', NOW), 60_000);
    assert.equal(parseRetryAfter('Thu, 01 Jan 2025 00:01:00 GMT', NOW), 0);
    assert.equal(parseRetryAfter('999999', NOW), 3_600_000);
    for (const text of [undefined, '', 'soon', '-']) assert.equal(parseRetryAfter(text, NOW), null);
    const outcome = judged(429, { 'retry-after': '3' });
    assert.equal(outcome.kind === 'failed' && outcome.retryAfterMs, 3_000);
  });
});
