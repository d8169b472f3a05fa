import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { newHandle } from '../../test/support/worker-handle.ts';
import type { DaemonMessage } from '../protocol/index.ts';
import { hearLoop } from './hear-loop.ts';
import type { Tenant } from './tenant.ts';

const UNTIL = 14_000;

/** A worker that has just held for `stableFor`, at 2,000 ms; time moves when it is told to. */
class Loading {
  at = 2000;
  looks = 0;
  readonly asked: number[] = [];
  #expire: (() => void) | null = null;
  readonly handle = newHandle();
  readonly tenant: Tenant;

  constructor() {
    this.handle.pid = 1;
    this.handle.isAgentHere = true;
    const send = (message: DaemonMessage): void => {
      if (message.type === 'report-now') this.asked.push(message.id);
    };
    this.handle.link = { keptDescriptor: null, ended: Promise.resolve(), send, close: () => undefined };
    const after = (_ms: number, call: () => void) => {
      this.#expire = call;
      return () => (this.#expire = null);
    };
    const checkReadiness = (): number => (this.looks += 1);
    const facts = { handle: this.handle, host: { edges: { schedule: { after } } }, checkReadiness };
    this.tenant = Object.defineProperty(facts, 'at', { get: () => this.at }) as unknown as Tenant;
  }

  ask(): void {
    void hearLoop(this.tenant, this.handle, UNTIL);
  }

  async answer(afterMs: number): Promise<void> {
    this.at += afterMs;
    this.handle.answerReport(this.asked.at(-1)!);
    await turn();
  }

  async expire(): Promise<void> {
    this.at = UNTIL;
    this.#expire?.();
    await turn();
  }

  get state(): readonly [string, number | null, number] {
    return [this.handle.loop, this.handle.loadedAt, this.looks];
  }
}

describe('the event loop of a worker that listens on nothing', () => {
  it('that answers at once turns', async () => {
    const worker = new Loading();
    worker.ask();
    assert.deepEqual(worker.state, ['asked', null, 0]);
    await worker.answer(20);
    assert.deepEqual(worker.state, ['heard', null, 1]);
  });

  it('that answers late has loaded until then, and is asked again', async () => {
    const worker = new Loading();
    worker.ask();
    await worker.answer(3000);
    assert.deepEqual(worker.state, ['unheard', 5000, 1]);
    worker.at = 7000;
    worker.ask();
    await worker.answer(20);
    assert.deepEqual(worker.state, ['heard', 5000, 2]);
  });

  it('is asked one question at a time', () => {
    const worker = new Loading();
    worker.ask();
    worker.ask();
    assert.equal(worker.asked.length, 1);
  });

  it('that does not answer is not waited for any longer than it may take', async () => {
    const worker = new Loading();
    worker.ask();
    await worker.expire();
    assert.deepEqual(worker.state, ['heard', null, 1]);
  });

  it('is not waited for when its agent is gone', async () => {
    const worker = new Loading();
    worker.ask();
    worker.handle.loseAgent();
    await turn();
    assert.deepEqual(worker.state, ['heard', null, 1]);
  });

  it('tells nothing about the worker that came after it', async () => {
    const worker = new Loading();
    worker.ask();
    worker.tenant.handle = null;
    await worker.answer(20);
    assert.equal(worker.looks, 0);
  });
});
