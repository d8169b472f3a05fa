import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Health } from './health.ts';
import { CLOCK } from './process-host.ts';
import { RecoverHooks, SelfHealingLoop, type SelfHealingOptions } from './self-healing.ts';

function open(options: SelfHealingOptions, hasAgent = false) {
  const log: string[] = [];
  const health = new Health(CLOCK);
  const hooks = new RecoverHooks();
  let rssMB = 0;
  let at = 0;
  const loop = new SelfHealingLoop(
    options,
    {
      clock: { monotonicMs: () => at, wallMs: () => at },
      health,
      hasAgent,
      vitals: {
        start: () => log.push('start'),
        stop: () => log.push('stop'),
        read: () => ({ heapUsedMB: 0, rssMB, eventLoopLagMs: 0, cpuPercent: 0 }),
      },
      every: () => () => undefined,
      warn: (message) => log.push(message),
      setHopeless: (reason) => log.push(`hopeless ${reason}`),
    },
    hooks,
  ).start();
  const look = async (rss: number, afterMs = 10_000): Promise<void> => {
    rssMB = rss;
    at += afterMs;
    await loop.look();
  };
  return { loop, hooks, health, look, log };
}

describe('Self-healing', () => {
  it('recovers what is beyond a threshold for long enough, and says when it is well', async () => {
    const done: string[] = [];
    const { loop, look } = open({
      thresholds: { rssMB: 100 },
      recover: (reason) => done.push(reason),
      onHealed: () => done.push('healed'),
    });
    await look(150);
    await look(150);
    assert.deepEqual([done, loop.status().phase], [[], 'watching']);
    await look(150);
    assert.deepEqual(done, ['rssMB is 150, above 100']);
    assert.deepEqual(loop.status(), { phase: 'watching', reason: 'rssMB is 150, above 100', attempts: 1 });
    await look(50);
    assert.deepEqual(done.slice(1), ['healed']);
  });

  it('gives up when it does not help, and then is not alive where it shall not be', async () => {
    const { look, log, loop } = open({
      thresholds: { rssMB: 100 },
      after: 1,
      attempts: 1,
      failLiveness: true,
      recover: () => true,
    });
    await look(150);
    await look(150, 1_000_000);
    assert.deepEqual(log.slice(1), [
      'recovering does not help: rssMB is 150, above 100',
      'hopeless recovering does not help: rssMB is 150, above 100',
    ]);
    assert.equal(loop.status().phase, 'gave-up');
    await look(50);
    assert.equal(log.at(-1), 'hopeless null');
  });

  it('counts failing critical checks, unless told not to', async () => {
    for (const [checks, expected] of [
      [true, ['database: it answered false']],
      [false, []],
    ] as const) {
      const done: string[] = [];
      const { health, look } = open({ checks, after: 1, recover: (reason) => done.push(reason) });
      const off = health.register('database', () => false, { critical: true });
      await health.check();
      await look(0);
      off();
      assert.deepEqual(done, expected);
    }
  });

  it('goes through all hooks, and a failed one is a failed recovery', async () => {
    const { loop, hooks, log } = open({ timeout: 5 });
    assert.equal(await loop.recover(), false, 'there is none');
    const done: string[] = [];
    loop.onRecover(async () => new Promise(() => undefined));
    loop.onRecover(() => done.push('second'));
    const hold = setInterval(() => undefined, 60_000);
    assert.equal(await loop.recover('test'), false);
    assert.deepEqual(done, ['second']);
    assert.match(log.at(-1) ?? '', /recovery failed: .*did not end within 5 ms/);
    await assert.rejects(hooks.run('test'));
    clearInterval(hold);
  });

  it('only offers its hooks under the daemon', async () => {
    const done: string[] = [];
    const { loop, hooks, log } = open({ thresholds: { rssMB: 1 }, recover: (reason) => done.push(reason) }, true);
    assert.deepEqual([loop.status().phase, log, hooks.isEmpty], ['offered', [], false]);
    assert.equal(await hooks.run('told'), true);
    assert.deepEqual(done, ['told']);
  });
});
