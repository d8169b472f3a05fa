import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProbeTime } from '../../test/support/probe-time.ts';
import type { ProbeConfig, ProbeKind, ProbeTarget } from '../protocol/index.ts';
import { failed, passed } from './answers.ts';
import type { CheckAnswer, ProbeChecks, WatchedWorker } from './edges.ts';
import { openProbes, type ProbeHandle } from './probes.ts';

const TCP: ProbeTarget = { kind: 'tcp', port: 3000, host: null };

const probe = (change: Partial<ProbeConfig> = {}): ProbeConfig => ({
  target: TCP,
  initialDelayMs: 0,
  periodMs: 10_000,
  timeoutMs: 1000,
  successThreshold: 1,
  failureThreshold: 3,
  ...change,
});

type Answering = (signal: AbortSignal, asked: number) => CheckAnswer | Promise<CheckAnswer>;

/** Never answers but when it is told to stop. */
const hangs: Answering = (signal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(failed(`it hung ${String(signal.reason)}`))));

/** The room with a fake machine: what is asked is answered by `answer`. */
class Room {
  readonly time = new ProbeTime();
  readonly told: string[] = [];
  readonly defects: string[] = [];
  readonly askedAt: number[] = [];
  underWay = 0;
  mostUnderWay = 0;
  answer: Answering = () => passed();
  readonly probes: ReturnType<typeof openProbes>;
  tell = (line: string): void => void this.told.push(line);

  constructor(options: { readonly socketsAtOnce?: number } = {}) {
    const ask = async (signal: AbortSignal): Promise<CheckAnswer> => {
      this.underWay += 1;
      this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
      this.askedAt.push(this.time.at);
      try {
        return await this.answer(signal, this.askedAt.length);
      } finally {
        this.underWay -= 1;
      }
    };
    const checks: ProbeChecks = {
      http: (_question, signal) => ask(signal),
      tcp: (_place, signal) => ask(signal),
      exec: (_question, signal) => ask(signal),
    };
    this.probes = openProbes({
      clock: this.time.clock,
      schedule: this.time,
      checks,
      onDefect: (reason) => this.defects.push(reason),
      ...options,
    });
  }

  watch(probes: Partial<Record<ProbeKind, ProbeConfig>>, change: Partial<WatchedWorker> = {}): ProbeHandle {
    return this.probes.watch(
      {
        id: 'shop/0',
        generation: 1,
        probes,
        startedAt: this.time.at,
        privateSocket: () => null,
        address: () => null,
        surroundings: () => ({ cwd: '/', env: {}, uid: null, gid: null }),
        lastReport: () => null,
        ...change,
      },
      {
        onChange: (kind, verdict, detail) => this.tell(`${kind} ${verdict}: ${detail}`),
        onResult: (kind, { outcome }) => this.tell(`${kind} ${outcome}`),
      },
    );
  }
}

describe('the probes of a worker', () => {
  it('tell each result, and a change once, after the result that brought it', async () => {
    const room = new Room();
    room.answer = (_signal, asked) => (asked < 2 ? passed() : failed('no'));
    const handle = room.watch({ readiness: probe() });
    await room.time.pass(50_000);
    assert.deepEqual(room.told, [
      'readiness pass',
      'readiness passed: null',
      'readiness fail',
      'readiness fail',
      'readiness fail',
      'readiness failed: no',
      'readiness fail',
    ]);
    assert.equal(handle.verdict('readiness'), 'failed');
    assert.equal(handle.last('readiness')?.error, 'no');
    assert.equal(handle.verdict('liveness'), 'unknown');
  });

  it('ask nothing but the startup probe until it has passed, and then the others at once, and it never again', async () => {
    const room = new Room();
    room.answer = (_signal, asked) => (asked < 3 ? failed('booting') : passed());
    room.watch({ startup: probe({ periodMs: 2000 }), liveness: probe(), readiness: probe() });
    await room.time.pass(6000);
    assert.deepEqual(room.told, [
      'startup fail',
      'startup fail',
      'startup pass',
      'startup passed: null',
      'liveness pass',
      'liveness passed: null',
      'readiness pass',
      'readiness passed: null',
    ]);
    await room.time.pass(60_000);
    assert.equal(room.told.filter((line) => line.startsWith('startup')).length, 4);
  });

  it('do not ask again for a startup that an earlier daemon has seen', async () => {
    const room = new Room();
    room.watch({ startup: probe(), liveness: probe() }, { known: { startup: 'passed', liveness: 'passed' } });
    await room.time.pass(30_000);
    assert.deepEqual(new Set(room.told), new Set(['liveness pass']));
  });

  it('end an attempt at its timeout, and ask again when it is due', async () => {
    const room = new Room();
    room.answer = hangs;
    const handle = room.watch({ liveness: probe() });
    await room.time.pass(2000);
    assert.equal(handle.last('liveness')?.error, 'it hung within 1000 ms');
    assert.equal(handle.last('liveness')?.durationMs, 1000);
    await room.time.pass(28_000);
    assert.equal(room.askedAt.length, 3);
    assert.equal(room.told.at(-1), 'liveness failed: it hung within 1000 ms');
    assert.equal(room.underWay, 0);
  });

  it('are not held up by a check that does not end when it is told to', async () => {
    const room = new Room();
    room.answer = () => new Promise(() => {});
    room.watch({ liveness: probe() });
    await room.time.pass(30_000);
    assert.equal(room.told.at(-1), 'liveness failed: no answer within 1000 ms');
  });

  it('do not take an answer that comes after its time', async () => {
    const room = new Room();
    room.answer = (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(passed())));
    room.watch({ liveness: probe() });
    await room.time.pass(5000);
    assert.deepEqual(room.told, ['liveness fail']);
  });

  it('take the answer that is there already when a stalled loop comes to look', async () => {
    const room = new Room();
    const { promise, resolve } = Promise.withResolvers<CheckAnswer>();
    room.answer = () => promise;
    room.watch({ liveness: probe() });
    await room.time.pass(600);
    await room.time.stall(5000, () => resolve(passed()));
    assert.deepEqual(room.told, ['liveness pass', 'liveness passed: null']);
  });

  it('blame nobody for what timed out while their own loop stalled, and believe the next failure', async () => {
    const room = new Room();
    room.answer = hangs;
    room.watch({ liveness: probe({ failureThreshold: 1 }) });
    await room.time.pass(600);
    assert.equal(room.underWay, 1);
    await room.time.stall(5000);
    assert.deepEqual(room.told, ['liveness fail']);
    await room.time.pass(10_000);
    assert.deepEqual(room.told, ['liveness fail', 'liveness fail', 'liveness failed: it hung within 1000 ms']);
  });

  it('ask what is overdue after a stall at different times', async () => {
    const room = new Room();
    for (let slot = 0; slot < 50; slot++) room.watch({ readiness: probe() }, { id: `shop/${slot}` });
    // Some are due before the tick that would notice the stall, some after it.
    await room.time.pass(10_001);
    const before = room.askedAt.length;
    await room.time.stall(15_000);
    assert.equal(room.askedAt.length - before, 0, 'none at once');
    await room.time.pass(600);
    const times = room.askedAt.slice(before);
    assert.equal(times.length, 50);
    assert.equal(new Set(times.map(Math.floor)).size, 50);
  });

  it('ask fifty new workers, and fifty that a new daemon finds, each in a millisecond of its own', async () => {
    for (const known of [{}, { readiness: 'passed' }] as const) {
      const room = new Room();
      for (let slot = 0; slot < 50; slot++) room.watch({ readiness: probe() }, { id: `shop/${slot}`, known });
      await room.time.pass(10_000);
      assert.equal(new Set(room.askedAt.slice(0, 50).map(Math.floor)).size, 50);
      const spanMs = (room.askedAt[49] ?? 0) - (room.askedAt[0] ?? 0);
      assert.ok('readiness' in known ? spanMs > 8000 : spanMs <= 500, `within ${spanMs} ms`);
    }
  });

  it('have a bounded number under way, and leave room for other apps', async () => {
    const room = new Room({ socketsAtOnce: 8 });
    room.answer = hangs;
    for (let slot = 0; slot < 40; slot++)
      room.watch({ readiness: probe({ timeoutMs: 60_000 }) }, { id: `shop/${slot}` });
    await room.time.pass(5000);
    assert.equal(room.mostUnderWay, 4);
    room.answer = () => passed();
    const other = room.watch({ readiness: probe() }, { id: 'api/0' });
    await room.time.pass(1000);
    assert.equal(other.verdict('readiness'), 'passed');
  });

  it('say nothing, and hold nothing, once they are closed', async () => {
    const room = new Room();
    room.answer = hangs;
    const handle = room.watch({ startup: probe(), liveness: probe() });
    await room.time.pass(600);
    assert.equal(room.underWay, 1);
    handle.close();
    handle.close();
    await room.time.pass(60_000);
    assert.deepEqual([room.told, room.underWay, room.time.timers], [[], 0, 0]);
  });

  it('do not ask on behalf of a worker that went while it waited for its turn', async () => {
    const room = new Room({ socketsAtOnce: 2 });
    room.answer = hangs;
    room.watch({ readiness: probe({ timeoutMs: 5000 }) });
    await room.time.pass(600);
    const waiting = room.watch({ readiness: probe() }, { id: 'shop/1' });
    await room.time.pass(600);
    waiting.close();
    await room.time.pass(5000);
    assert.deepEqual([room.askedAt.length, room.told], [1, ['readiness fail']]);
  });

  it('may be closed by whoever is told of a change', async () => {
    const room = new Room();
    const handle = room.watch({ startup: probe(), readiness: probe() });
    await closeWhenPassed(room, handle);
    assert.deepEqual(room.told, ['startup pass', 'startup passed: null']);
    const other = new Room();
    await closeWhenPassed(other, other.watch({ readiness: probe() }));
    assert.deepEqual(other.told, ['readiness pass', 'readiness passed: null']);
  });

  const closeWhenPassed = async (room: Room, handle: ProbeHandle): Promise<void> => {
    room.tell = (line) => {
      room.told.push(line);
      if (line.includes('passed')) handle.close();
    };
    await room.time.pass(60_000);
    assert.equal(room.time.timers, 0);
  };

  it('go on where a listener or a check throws, and report the defect', async () => {
    const room = new Room();
    room.answer = (_signal, asked) => {
      if (asked === 1) throw new Error('a hole');
      return passed();
    };
    room.watch({ readiness: probe() });
    await room.time.pass(20_000);
    assert.deepEqual(room.told, ['readiness missing', 'readiness pass', 'readiness passed: null']);
    assert.equal(room.defects.length, 1);
    room.tell = () => {
      throw new Error('no room');
    };
    await room.time.pass(20_000);
    assert.ok(room.defects.length > 1);
  });

  it('are all closed with the room', async () => {
    const room = new Room();
    for (let slot = 0; slot < 3; slot++) room.watch({ readiness: probe() }, { id: `shop/${slot}` });
    room.probes.close();
    await room.time.pass(60_000);
    assert.deepEqual([room.askedAt, room.time.timers], [[], 0]);
  });
});
