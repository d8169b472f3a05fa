import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentReport, AppCheck } from '../../protocol/index.ts';
import { inProcessCheck } from './in-process.ts';

const check = (change: Partial<AppCheck> = {}): AppCheck => ({
  name: 'database',
  status: 'pass',
  critical: true,
  durationMs: 3,
  ageMs: 1000,
  ...change,
});

const CONFIG = { periodMs: 10_000, timeoutMs: 1000 };

/** Of a report that came `ageMs` ago. */
const ask = (checks: readonly AppCheck[] | undefined, ageMs = 500) =>
  inProcessCheck({ report: { ...(checks && { checks }) } as AgentReport, at: 100_000 - ageMs }, 100_000, CONFIG);

describe('the checks of the app as a probe', () => {
  it('pass when every critical one passed', () => {
    assert.equal(ask([check(), check({ name: 'cache', critical: false, status: 'fail' })]).outcome, 'pass');
  });

  it('fail with what failed, in its own words', () => {
    const { outcome, error } = ask([
      check({ status: 'fail', error: 'connect\nECONNREFUSED' }),
      check({ name: 'disk', status: 'fail' }),
      check({ name: 'cache' }),
    ]);
    assert.equal(outcome, 'fail');
    assert.equal(error, 'database: connect ECONNREFUSED; disk');
  });

  it('are missing data where there is no report, an old one, or no check in it', () => {
    assert.equal(inProcessCheck(null, 0, CONFIG).outcome, 'missing');
    assert.equal(ask([check()], 21_000).outcome, 'missing');
    assert.equal(ask([check({ ageMs: 0 })], 20_900).outcome, 'pass');
    assert.equal(ask(undefined).outcome, 'missing');
    assert.equal(ask([]).outcome, 'missing');
  });

  it('are missing data where a critical one has not ended yet, or not for long', () => {
    assert.match(ask([check({ status: 'unknown' })]).error ?? '', /^database: /);
    assert.equal(ask([check({ ageMs: 21_000 })]).outcome, 'missing');
    assert.equal(ask([check({ ageMs: 21_000, critical: false })]).outcome, 'pass');
  });

  it('may be as old as the app means them to be', () => {
    assert.equal(ask([check({ ageMs: 50_000, intervalMs: 60_000 })]).outcome, 'pass');
    assert.equal(ask([check({ ageMs: 122_000, intervalMs: 60_000 })]).outcome, 'missing');
  });

  it('fail where one failed, whatever else is unknown', () => {
    assert.equal(ask([check({ status: 'unknown' }), check({ name: 'disk', status: 'fail' })]).outcome, 'fail');
  });
});
