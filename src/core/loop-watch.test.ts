import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { blockedForMs, LOOP_POLICY, newLoopWatch, stepLoopWatch } from './loop-watch.ts';
import type { LoopEffect, LoopPolicy, LoopState } from './loop-watch.ts';

const POLICY: LoopPolicy = { ...LOOP_POLICY, blockedAfterMs: 500 };

/** A worker whose loop answers, or not, and a daemon that looks every 250 ms. */
class Watched {
  state: LoopState = newLoopWatch(1);
  at = 0;
  isBlocked = false;
  isReady = true;
  private readonly unanswered: number[] = [];

  look(change: { lateMs?: number; isExcused?: boolean } = {}): LoopEffect[] {
    const lateMs = change.lateMs ?? 0;
    this.at += POLICY.everyMs + lateMs;
    const effects = this.send({
      type: 'tick',
      at: this.at,
      lateMs,
      isExcused: change.isExcused ?? false,
      isReady: this.isReady,
    });
    return this.isBlocked ? effects : [...effects, ...this.answer()];
  }

  /** What is written in the socket by now is read. */
  answer(): LoopEffect[] {
    this.isBlocked = false;
    return this.unanswered.splice(0).flatMap((id) => this.send({ type: 'pong', id, at: this.at + 1 }));
  }

  send(event: Parameters<typeof stepLoopWatch>[1]): LoopEffect[] {
    const { state, effects } = stepLoopWatch(this.state, event, POLICY);
    this.state = state;
    for (const effect of effects) if (effect.type === 'ping') this.unanswered.push(effect.id);
    return effects.filter(({ type }) => type !== 'ping');
  }

  looks(times: number, change = {}): LoopEffect[] {
    return Array.from({ length: times }, () => this.look(change)).flat();
  }
}

describe('the watch over an event loop', () => {
  it('finds a block within a second, and its end with the first answer', () => {
    const worker = new Watched();
    assert.deepEqual(worker.looks(10), []);
    worker.isBlocked = true;
    const since = worker.at;
    const effects = worker.looks(4);
    assert.deepEqual(
      effects.map(({ type }) => type),
      ['blocked'],
    );
    assert.ok(blockedForMs(worker.state, worker.at)! >= 500);
    assert.ok(worker.at - since <= 1000);
    worker.looks(16);
    const [end, ...more] = worker.answer();
    assert.deepEqual(more, []);
    assert.equal(end?.type, 'unblocked');
    const durationMs = end?.type === 'unblocked' ? end.durationMs : 0;
    assert.ok(durationMs > 4000 && durationMs <= worker.at - since + 1, `${durationMs} ms`);
    assert.equal(blockedForMs(worker.state, worker.at), null);
  });

  it('says once that a worker is hung, and takes it back with an answer', () => {
    const worker = new Watched();
    worker.look();
    worker.isBlocked = true;
    const effects = worker.looks(200);
    assert.deepEqual(
      effects.map(({ type }) => type),
      ['blocked', 'hung'],
    );
    assert.equal(worker.state.phase, 'hung');
    assert.deepEqual(
      worker.answer().map(({ type }) => type),
      ['unblocked'],
    );
    assert.equal(worker.state.phase, 'answering');
  });

  it('does not blame a worker for a stall of the daemon', () => {
    const worker = new Watched();
    worker.looks(3);
    // Each time the daemon is 5 s late it looks before it reads the answer that has been there for long.
    for (let stall = 0; stall < 20; stall++) assert.deepEqual(worker.look({ lateMs: 5000 }), []);
    assert.deepEqual(worker.looks(3), []);
  });

  it('does not blame a worker that is given no core', () => {
    const worker = new Watched();
    worker.look();
    worker.isBlocked = true;
    assert.deepEqual(worker.looks(400, { isExcused: true }), []);
    assert.deepEqual(
      worker.looks(4).map(({ type }) => type),
      ['blocked'],
    );
  });

  it('asks and blames nobody who starts, and ends what it has told when a worker is not ready any more', () => {
    const worker = new Watched();
    worker.isReady = false;
    worker.isBlocked = true;
    assert.deepEqual(worker.looks(400), []);
    assert.equal(worker.state.lastId, 0);
    worker.isReady = true;
    assert.deepEqual(
      worker.looks(4).map(({ type }) => type),
      ['blocked'],
    );
    worker.isReady = false;
    assert.deepEqual(
      worker.look().map(({ type }) => type),
      ['unblocked'],
    );
  });

  it('takes any word of the loop for an answer, but not the answer to an earlier ping', () => {
    const worker = new Watched();
    worker.look();
    worker.isBlocked = true;
    worker.looks(2);
    worker.send({ type: 'pong', id: worker.state.lastId - 1, at: worker.at });
    assert.deepEqual(
      worker.looks(1).map(({ type }) => type),
      ['blocked'],
    );
    assert.deepEqual(
      worker.send({ type: 'heard', at: worker.at + 1 }).map(({ type }) => type),
      ['unblocked'],
    );
  });

  it('tells of blocks and their ends in turn, never of one shorter than the limit, over random histories', () => {
    const move = fc.record({
      isBlocked: fc.boolean(),
      lateMs: fc.constantFrom(0, 0, 0, 50, 300, 10_000),
      isExcused: fc.constantFrom(false, false, false, true),
      isReady: fc.constantFrom(true, true, true, true, false),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 200 }), (moves) => {
        const worker = new Watched();
        let told: 'blocked' | 'hung' | null = null;
        /** Own silence since the last answer, counted apart: looks that nothing excuses. */
        let silentLooks = 0;
        for (const { isBlocked, isReady, ...change } of moves) {
          worker.isBlocked = isBlocked;
          worker.isReady = isReady;
          const isCounted = !change.isExcused && change.lateMs <= POLICY.lateMs && isReady;
          const effects = worker.look(change);
          silentLooks += isCounted ? 1 : 0;
          for (const effect of effects) {
            if (effect.type === 'blocked') {
              assert.equal(told, null);
              assert.ok(silentLooks * (POLICY.everyMs + POLICY.lateMs) >= 500, 'as long as the limit says');
              assert.ok(isReady);
            }
            if (effect.type === 'hung') {
              assert.equal(told, 'blocked');
              assert.ok(silentLooks * (POLICY.everyMs + POLICY.lateMs) >= 30_000);
            }
            if (effect.type === 'unblocked') assert.notEqual(told, null);
            told = effect.type === 'unblocked' ? null : effect.type === 'ping' ? told : effect.type;
          }
          if (!isBlocked || !isReady) silentLooks = 0;
          assert.equal(worker.state.since === null, told === null);
        }
      }),
    );
  });
});
