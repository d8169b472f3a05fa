import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type BurnRule, burnRulesFor, detectionTimeMs, RESOLUTION_MS } from './burn-rules.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type Line = readonly [severity: string, longMs: number, shortMs: number, burn: number, budgetPercent: number];
const round = (value: number): number => Number(value.toFixed(6));
const lines = (rules: readonly BurnRule[]): readonly Line[] =>
  rules.map(({ severity, longMs, shortMs, burn, budgetShare }) => [
    severity,
    round(longMs),
    round(shortMs),
    round(burn),
    round(100 * budgetShare),
  ]);

const objectives = fc.record({
  target: fc.oneof(fc.double({ min: 0.001, max: 0.9999999, noNaN: true }), fc.constantFrom(0.5, 0.9, 0.99, 0.999)),
  windowMs: fc.integer({ min: 10 * MINUTE, max: 90 * DAY }),
});

describe('burn rules', () => {
  it("of 30 days are those of the Site Reliability Workbook's table", () => {
    assert.deepEqual(lines(burnRulesFor({ target: 0.999, windowMs: 30 * DAY })), [
      ['page', HOUR, 5 * MINUTE, 14.4, 2],
      ['page', 6 * HOUR, 30 * MINUTE, 6, 5],
      ['ticket', 3 * DAY, 6 * HOUR, 1, 10],
    ]);
  });

  it('of another window keep shares and burns, in windows as much shorter', () => {
    assert.deepEqual(lines(burnRulesFor({ target: 0.999, windowMs: 7 * DAY })), [
      ['page', 14 * MINUTE, 70 * SECOND, 14.4, 2],
      ['page', 84 * MINUTE, 7 * MINUTE, 6, 5],
      ['ticket', 16.8 * HOUR, 84 * MINUTE, 1, 10],
    ]);
    assert.deepEqual(lines(burnRulesFor({ target: 0.999, windowMs: DAY })), [
      ['page', 2 * MINUTE, 10 * SECOND, 14.4, 2],
      ['page', 12 * MINUTE, MINUTE, 6, 5],
      ['ticket', 2.4 * HOUR, 12 * MINUTE, 1, 10],
    ]);
  });

  it('of a window so short that no sample fits into theirs keep the burn, and let the share grow to half of the budget', () => {
    assert.deepEqual(lines(burnRulesFor({ target: 0.999, windowMs: HOUR })), [
      ['page', 2 * MINUTE, 10 * SECOND, 6, 20],
      ['ticket', 6 * MINUTE, 30 * SECOND, 1, 10],
    ]);
    assert.deepEqual(lines(burnRulesFor({ target: 0.999, windowMs: 10 * MINUTE })), [
      ['page', 2 * MINUTE, 10 * SECOND, 2.5, 50],
      ['ticket', 2 * MINUTE, 10 * SECOND, 1, 20],
    ]);
  });

  it('of a target that could not burn so fast ask for half of all events, over longer', () => {
    const rules = burnRulesFor({ target: 0.9, windowMs: 30 * DAY });
    assert.deepEqual(lines(rules), [
      ['page', 2.88 * HOUR, 0.24 * HOUR, 5, 2],
      ['page', 7.2 * HOUR, 0.6 * HOUR, 5, 5],
      ['ticket', 3 * DAY, 6 * HOUR, 1, 10],
    ]);
    // A full outage is told when the share is gone: 2 % of the tenth of 720 hours that may fail.
    assert.equal(round(detectionTimeMs(rules.at(0)!, 0.9, 1)!), 1.44 * HOUR);
  });

  it("find errors in the time that the workbook's formula says, (1 - target) / error share × window × burn", () => {
    const rules = burnRulesFor({ target: 0.999, windowMs: 30 * DAY });
    const [fast, slow, ticket] = [rules.at(0)!, rules.at(1)!, rules.at(2)!];
    assert.equal(round(detectionTimeMs(fast, 0.999, 1)!), 51.84 * SECOND);
    assert.equal(round(detectionTimeMs(fast, 0.999, 0.1)!), 518.4 * SECOND);
    assert.equal(detectionTimeMs(fast, 0.999, 0.0144), null);
    assert.equal(round(detectionTimeMs(slow, 0.999, 1)!), 129.6 * SECOND);
    assert.equal(round(detectionTimeMs(slow, 0.999, 0.01)!), 3.6 * HOUR);
    assert.equal(round(detectionTimeMs(ticket, 0.999, 0.002)!), 1.5 * DAY);
    assert.equal(detectionTimeMs(ticket, 0.999, 0), null);
  });

  it('always rest on burn = share × window / long, and can be broken', () => {
    fc.assert(
      fc.property(objectives, ({ target, windowMs }) => {
        const rules = burnRulesFor({ target, windowMs });
        assert.ok(rules.some(({ severity }) => severity === 'page'));
        assert.ok(rules.some(({ severity }) => severity === 'ticket'));
        for (const { longMs, shortMs, burn, budgetShare } of rules) {
          assert.ok(Math.abs((budgetShare * windowMs) / longMs - burn) < 1e-9 * burn);
          assert.ok(Math.abs(shortMs * 12 - longMs) < 1e-6);
          assert.ok(shortMs >= RESOLUTION_MS - 1e-6 && longMs <= windowMs, `${shortMs} ${longMs}`);
          assert.ok(burn >= 1 && burn <= 14.4 + 1e-9 && budgetShare > 0 && budgetShare <= 0.5 + 1e-9);
          // Nothing but bad events is beyond it, whatever the target.
          assert.ok(burn * (1 - target) < 1);
        }
        const pages = rules.filter(({ severity }) => severity === 'page');
        for (const [index, page] of pages.entries()) {
          const next = pages[index + 1];
          if (next !== undefined) assert.ok(page.longMs < next.longMs && page.burn >= next.burn);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
