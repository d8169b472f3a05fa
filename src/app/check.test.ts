import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Check, toAppCheck, type CheckFunction, type CheckOptions } from './check.ts';
import { CLOCK } from './process-host.ts';

/** A check whose ends can be waited for. */
function checkOf(run: CheckFunction, options: CheckOptions = {}) {
  let ended = Promise.withResolvers<void>();
  const check = new Check('database', run, { interval: 5, timeout: 1000, ...options }, CLOCK, () => {
    ended.resolve();
    ended = Promise.withResolvers<void>();
  });
  return { check, nextEnd: async () => ended.promise };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('A check', () => {
  // Its timers keep no process alive, and there is nothing else here that would.
  let hold: NodeJS.Timeout;
  before(() => void (hold = setInterval(() => undefined, 60_000)));
  after(() => clearInterval(hold));

  for (const [what, run, status, output] of [
    ['returns', () => undefined, 'pass', null],
    ['returns true', () => true, 'pass', null],
    ['resolves', async () => ({ rows: 1 }), 'pass', null],
    ['returns false', () => false, 'fail', 'it answered false'],
    ['throws', () => assert.fail('away'), 'fail', 'away'],
    ['rejects', async () => Promise.reject(new Error('refused')), 'fail', 'refused'],
    ['rejects with nothing', async () => Promise.reject(undefined), 'fail', 'undefined'],
    ['answers warn', () => ({ status: 'warn', output: 'slow' }), 'warn', 'slow'],
    ['answers fail', async () => ({ status: 'fail' }), 'fail', null],
  ] as const) {
    it(`that ${what} is ${status}`, async () => {
      const { check } = checkOf(run, { interval: 10_000 });
      assert.equal(check.read().status, 'unknown', 'before it has ended');
      await check.run();
      check.close();
      assert.deepEqual([check.read().status, check.read().output], [status, output]);
    });
  }

  it('that hangs fails at its timeout, and is told by its signal', async () => {
    let reason: unknown;
    const hang: CheckFunction = async (signal) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      await never();
    };
    const { check } = checkOf(hang, { timeout: 5, interval: 10_000 });
    await check.run();
    check.close();
    assert.deepEqual([check.read().status, check.read().output], ['fail', 'no answer within 5 ms']);
    assert.match(String(reason), /has timed out/);
  });

  it('never overlaps itself: not while it runs, nor while what has timed out still does', async () => {
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const { check, nextEnd } = checkOf(
      async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => ends.push(resolve));
        running--;
      },
      { timeout: 20, interval: 15 },
    );
    check.start();
    void check.run();
    void check.run();
    await nextEnd();
    assert.equal(check.read().status, 'fail', 'timed out');
    await check.run();
    assert.equal(ends.length, 1, 'what has timed out is still under way');
    ends[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    void check.run();
    check.close();
    assert.equal(ends.length, 2, 'it has ended, and the next may begin');
    assert.equal(most, 1);
    ends[1]?.();
  });

  it('gives up what has hung for three intervals, and takes no notice of how it ends', async () => {
    const runs: PromiseWithResolvers<boolean>[] = [];
    const { check, nextEnd } = checkOf(
      async () => {
        const run = Promise.withResolvers<boolean>();
        runs.push(run);
        if (runs.length > 1) run.resolve(true);
        return run.promise;
      },
      { timeout: 5, interval: 5 },
    );
    check.start();
    await nextEnd();
    assert.equal(check.read().status, 'fail');
    await nextEnd();
    assert.equal(check.read().status, 'pass', 'a later run has its own outcome');
    check.close();
    runs[0]?.resolve(false);
    await runs[0]?.promise;
    assert.equal(check.read().status, 'pass');
  });

  it('runs again after its interval, and no more once it is closed', async () => {
    let runs = 0;
    const { check, nextEnd } = checkOf(() => ++runs);
    check.start();
    await nextEnd();
    await nextEnd();
    assert.equal(runs, 2);
    check.close();
    await check.run();
    const last = runs;
    // Time enough for two more, as another check of the same interval shows.
    const other = checkOf(() => true);
    other.check.start();
    for (let i = 0; i < 3; i++) await other.nextEnd();
    other.check.close();
    assert.equal(runs, last);
  });

  it('is run sooner once it has turned, to be sure, and says that both are news', async ({ mock }) => {
    const outcomes = [true, false, false, false, true, true, true];
    const told: boolean[] = [];
    let runs = 0;
    mock.timers.enable({ apis: ['setTimeout'] });
    const check = new Check(
      'database',
      () => outcomes[runs++],
      { interval: 10_000 },
      CLOCK,
      (isNews) => told.push(isNews),
    );
    const settle = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const runsAfter = async (ms: number): Promise<number> => {
      mock.timers.tick(ms);
      await settle();
      return runs;
    };
    await check.run();
    await settle();
    assert.equal(await runsAfter(9999), 1);
    assert.equal(await runsAfter(1), 2, 'the first bad one');
    assert.equal(await runsAfter(2499), 2);
    assert.equal(await runsAfter(1), 3, 'which is confirmed');
    assert.equal(await runsAfter(9999), 3);
    for (const [ms, expected] of [
      [1, 4],
      [10_000, 5],
      [2500, 6],
      [10_000, 7],
    ] as const) {
      assert.equal(await runsAfter(ms), expected);
    }
    check.close();
    assert.deepEqual(told, [false, true, true, false, true, true, false]);
  });

  it('refuses times that are none, with the name of the check', () => {
    for (const options of [{ timeout: 0 }, { interval: -1 }, { timeout: NaN }, { interval: 2 ** 31 }]) {
      assert.throws(() => checkOf(() => true, options), /of the check database must be a number of milliseconds/);
    }
    assert.throws(() => checkOf('no' as unknown as CheckFunction), TypeError);
  });

  it('has an outcome whatever is thrown or answered, which JSON can have', async () => {
    const mute: unknown = Object.create(null);
    const trap = (): never => {
      throw new Error('trap');
    };
    const odd = Object.assign(new Error('x'), { message: { not: 'a text' } });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const THROWN: readonly unknown[] = [
      odd,
      Object.assign(new Error('x'), { message: 42 }),
      mute,
      null,
      undefined,
      Symbol('s'),
      new Proxy(new Error('x'), { get: trap }),
      'x'.repeat(1_000_000),
    ];
    const ANSWERED: readonly unknown[] = [
      { status: 'fail', output: mute },
      { status: 'fail', output: new Error('an error') },
      { status: 'fail', output: 'x'.repeat(1_000_000), observedValue: 10n },
      { status: 'fail', observedValue: circular },
      { status: 'fail', observedValue: 'y'.repeat(1_000_000), observedUnit: {}, componentType: 5 },
      Object.defineProperty({ status: 'fail' }, 'output', { enumerable: true, get: trap }),
    ];
    const thrown = THROWN.map((error): CheckFunction => () => {
      throw error;
    });
    for (const run of [...thrown, ...ANSWERED.map((answer) => () => answer)]) {
      const { check } = checkOf(run, { interval: 10_000 });
      await check.run();
      check.close();
      const reading = check.read();
      assert.equal(reading.status, 'fail');
      assert.ok(JSON.stringify([reading, toAppCheck('x', true, reading)]).length < 3000);
    }
  });

  it('is told to the daemon without the word that it does not know', async () => {
    const { check } = checkOf(() => ({ status: 'warn', output: 'slow' }), { critical: true, interval: 10_000 });
    await check.run();
    check.close();
    const { status, critical, error, intervalMs } = toAppCheck('database', true, check.read());
    assert.deepEqual([status, critical, error, intervalMs], ['fail', false, 'slow', 10_000]);
  });
});
