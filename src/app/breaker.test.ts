import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBreaker, type BreakerOptions } from './breaker.ts';
import { Health } from './health.ts';
import { MetricRegistry } from './metrics.ts';
import { CLOCK } from './process-host.ts';

function open<Result>(call: (text: string) => Promise<Result>, options: BreakerOptions<[string], Result> = {}) {
  const health = new Health(CLOCK);
  const metrics = new MetricRegistry(() => undefined);
  const breaker = createBreaker(call, { name: 'pay', ...options }, { health, metrics, wallMs: CLOCK.wallMs });
  const calls = async (): Promise<Record<string, number>> => {
    const { values } = await metrics.counter('drover_breaker_calls_total').read();
    return Object.fromEntries(values.map(({ labels, value }) => [labels['outcome'], value]));
  };
  return { breaker, health, metrics, calls };
}

const away = async (): Promise<never> => Promise.reject(new Error('away'));

describe('A breaker', () => {
  it('opens after five failed calls, warns, counts, and refuses what comes then', async () => {
    const { breaker, health, metrics, calls } = open(away);
    const states: string[] = [];
    breaker.onState((state) => states.push(state));
    for (let i = 0; i < 4; i++) await assert.rejects(breaker('x'), /away/);
    assert.deepEqual([breaker.state, health.status().status], ['closed', 'healthy']);
    await assert.rejects(breaker.fire('x'), /away/);
    assert.deepEqual([breaker.state, states], ['open', ['open']]);
    await assert.rejects(breaker('x'), /Breaker is open/);
    assert.deepEqual(await calls(), { failure: 5, refused: 1 });
    const { status, reason, checks } = health.status();
    assert.deepEqual([status, reason], ['degraded', 'breaker:pay: the breaker is open: away']);
    assert.deepEqual([checks[0]?.status, checks[0]?.critical], ['fail', false]);
    assert.equal((await metrics.gauge('drover_breaker_state').read()).values[0]?.value, 2);
    breaker.shutdown();
    assert.deepEqual(health.status().checks, []);
  });

  it('passes arguments, answers and this of a call on', async () => {
    const { breaker, calls } = open(async (text) => `${text}!`);
    assert.equal(await breaker('a'), 'a!');
    assert.deepEqual(await calls(), { success: 1 });
    breaker.shutdown();
  });

  it('tries again after its reset time, and closes when that goes well', async () => {
    let isUp = false;
    const { breaker } = open(async () => (isUp ? 'up' : away()), { volumeThreshold: 1, resetTimeout: 5 });
    const halfOpen = new Promise<void>((resolve) => breaker.onState((state) => state === 'half-open' && resolve()));
    // opossum's timers keep no process alive either.
    const hold = setInterval(() => undefined, 60_000);
    await assert.rejects(breaker('x'));
    assert.equal(breaker.state, 'open');
    await halfOpen;
    isUp = true;
    assert.equal(await breaker('x'), 'up');
    assert.equal(breaker.state, 'closed');
    clearInterval(hold);
    breaker.shutdown();
  });

  it('counts what takes too long as a timeout', async () => {
    const { breaker, calls } = open(async () => new Promise(() => undefined), { timeout: 5 });
    await assert.rejects(breaker('x'), { code: 'ETIMEDOUT' });
    assert.deepEqual(await calls(), { timeout: 1 });
    breaker.shutdown();
  });

  it('counts an error of the network as a failure, whatever its code', async () => {
    const { breaker, calls } = open(async () => Promise.reject(Object.assign(new Error('net'), { code: 'ETIMEDOUT' })));
    await assert.rejects(breaker('x'), /net/);
    assert.deepEqual(await calls(), { failure: 1 });
    breaker.shutdown();
  });

  it('falls back with the arguments and the error', async () => {
    const { breaker } = open(away, { fallback: (text, error) => `${text}: ${error.message}` });
    assert.equal(await breaker('x'), 'x: away');
    breaker.shutdown();
  });

  it('does not count what the caller did wrong', async () => {
    const { breaker } = open(away, { volumeThreshold: 1, errorFilter: (error) => (error as Error).message === 'away' });
    await assert.rejects(breaker('x'));
    assert.equal(breaker.state, 'closed');
    breaker.shutdown();
  });

  it('is opened and closed by hand', async () => {
    const { breaker } = open(async () => 'up');
    await breaker.open();
    await assert.rejects(breaker('x'), /open/);
    await breaker.close();
    assert.equal(await breaker('x'), 'up');
    breaker.shutdown();
  });
});
