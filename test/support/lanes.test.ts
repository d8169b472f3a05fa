import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInLanes } from './lanes.ts';

/** Jobs that end when told to. */
class Jobs {
  readonly begun: number[] = [];
  readonly #ends = new Map<number, (error?: Error) => void>();

  readonly run = async (width: number): Promise<void> => {
    const index = this.begun.push(width) - 1;
    await new Promise<void>((resolve, reject) =>
      this.#ends.set(index, (error) => (error === undefined ? resolve() : reject(error))),
    );
  };

  /** The n-th that was begun ends; resolves once what follows from it has been done. */
  async end(index: number, error?: Error): Promise<void> {
    this.#ends.get(index)?.(error);
    await new Promise(setImmediate);
  }
}

describe('jobs in lanes', () => {
  it('run beside each other as far as they fit, whatever fits first', async () => {
    const jobs = new Jobs();
    const all = runInLanes([1, 2, 1, 1], 2, (width) => width, jobs.run);
    await new Promise(setImmediate);
    assert.deepEqual(jobs.begun, [1, 1]);
    await jobs.end(1);
    assert.deepEqual(jobs.begun, [1, 1, 1], 'the wide one waits for two');
    await jobs.end(2);
    await jobs.end(0);
    assert.deepEqual(jobs.begun, [1, 1, 1, 2]);
    await jobs.end(3);
    await all;
  });

  it('run alone where they are wider than all lanes', async () => {
    const jobs = new Jobs();
    const all = runInLanes([3, 1], 2, (width) => width, jobs.run);
    await new Promise(setImmediate);
    assert.deepEqual(jobs.begun, [3]);
    await jobs.end(0);
    assert.deepEqual(jobs.begun, [3, 1]);
    await jobs.end(1);
    await all;
  });

  it('begin nothing after one has failed, and those that run come to their end', async () => {
    const jobs = new Jobs();
    const all = runInLanes([1, 1, 1], 2, (width) => width, jobs.run);
    const told = assert.rejects(all, /broken/);
    await new Promise(setImmediate);
    await jobs.end(0, new Error('broken'));
    assert.deepEqual(jobs.begun, [1, 1]);
    await jobs.end(1);
    await told;
    assert.deepEqual(jobs.begun, [1, 1]);
  });
});
