import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { assertCoverage } from '../../test/support/machine-cells.ts';
import { playWorkerHistory, workerHistories } from '../../test/support/worker-world.ts';
import { endedWorker, finalExit, newWorker, stepWorker, WORKER_TABLE } from './worker.ts';
import type { WorkerEffect, WorkerEvent, WorkerPolicy, WorkerState } from './worker-types.ts';
import type { Exit } from './exit.ts';

const CRASH: Exit = { code: 1, signal: null, cause: 'code', detail: null };
const CLEAN: Exit = { code: 0, signal: null, cause: 'clean', detail: null };

const RESTART: WorkerPolicy['restart'] = {
  policy: 'always',
  backoff: { initialMs: 200, factor: 2, maxMs: 30_000 },
  crashLoop: { restarts: 5, withinMs: 60_000 },
};

/** One machine, with a clock that is moved by hand. */
class Machine {
  state: WorkerState = newWorker();
  effects: readonly WorkerEffect[] = [];
  at = 0;
  private readonly change: Partial<WorkerPolicy>;

  constructor(change: Partial<WorkerPolicy> = {}) {
    this.change = change;
  }

  get policy(): WorkerPolicy {
    return {
      restart: RESTART,
      readyTimeoutMs: 30_000,
      drainTimeoutMs: 30_000,
      killAfterMs: 5000,
      isShortOfWorkers: false,
      nextGeneration: this.state.generation + 1,
      ...this.change,
    };
  }

  send(event: Record<string, unknown> & { readonly type: WorkerEvent['type'] }): this {
    const full = { at: this.at, generation: this.state.generation, ...event } as WorkerEvent;
    const { state, effects } = stepWorker(this.state, full, this.policy);
    this.state = state;
    this.effects = effects;
    return this;
  }

  /** Started, confirmed, ready. */
  serve(): this {
    if (this.state.phase !== 'starting') this.send({ type: 'start' });
    return this.send({ type: 'spawned', pid: 1 }).send({ type: 'listening' }).send({ type: 'ready' });
  }

  crash(exit: Exit = CRASH): this {
    return this.send({ type: 'exited', exit });
  }

  get waitMs(): number | null {
    for (const effect of this.effects) if (effect.type === 'arm' && effect.timer === 'backoff') return effect.afterMs;
    return null;
  }

  has(type: WorkerEffect['type']): boolean {
    return this.effects.some((effect) => effect.type === type);
  }

  reports(event: string): boolean {
    return this.effects.some((effect) => effect.type === 'report' && effect.event === event);
  }
}

describe('a worker machine', () => {
  it('restarts a worker that was ready at once, and counts it', () => {
    const machine = new Machine().serve().crash();
    assert.equal(machine.state.phase, 'starting');
    assert.equal(machine.state.generation, 2);
    assert.equal(machine.state.restarts, 1);
    assert.equal(machine.waitMs, null);
  });

  it('waits longer and longer, up to the cap, while starts never get ready', () => {
    const machine = new Machine().send({ type: 'start' });
    const waits: (number | null)[] = [];
    for (let start = 0; start < 10; start++) {
      waits.push(machine.crash().waitMs);
      machine.send({ type: 'timer', timer: 'backoff' });
    }
    assert.deepEqual(waits, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  });

  it('waits no longer than two seconds while the app is short of workers', () => {
    const machine = new Machine({ isShortOfWorkers: true }).send({ type: 'start' });
    for (let start = 0; start < 8; start++) machine.crash().send({ type: 'timer', timer: 'backoff' });
    assert.equal(machine.crash().waitMs, 2000);
  });

  it('enters a crash loop with the crash beyond the limit, says so once, and never gives up', () => {
    const machine = new Machine().serve();
    for (let crash = 0; crash < 5; crash++) {
      machine.crash();
      assert.equal(machine.state.phase, 'starting', `crash ${crash + 1} is within the limit`);
      machine.serve();
    }
    assert.equal(machine.crash().waitMs, 200);
    assert.ok(machine.reports('crash-loop'));
    machine.send({ type: 'timer', timer: 'backoff' }).serve().crash();
    assert.equal(machine.waitMs, 400);
    assert.ok(!machine.reports('crash-loop'));
  });

  it('counts only crashes within the window', () => {
    const machine = new Machine().serve();
    for (let crash = 0; crash < 50; crash++) {
      machine.at += 12_000;
      machine.crash();
      assert.equal(machine.waitMs, null, 'five crashes a minute are within the limit');
      machine.serve();
    }
    assert.ok(machine.state.crashes.length <= 6, 'old crashes are forgotten');
  });

  it('leaves its crash loop when a worker holds out for the whole window', () => {
    const machine = new Machine().serve();
    for (let crash = 0; crash < 5; crash++) machine.crash().serve();
    machine.crash().send({ type: 'timer', timer: 'backoff' }).serve();
    assert.ok(machine.effects.some((effect) => effect.type === 'arm' && effect.timer === 'steady'));
    machine.at += 60_000;
    machine.send({ type: 'timer', timer: 'steady' });
    assert.ok(machine.reports('crash-loop-ended'));
    assert.equal(machine.crash().state.phase, 'starting');
  });

  it('does not start an app that finished, where the policy is on-failure', () => {
    const restart = { ...RESTART, policy: 'on-failure' } as const;
    assert.equal(new Machine({ restart }).serve().crash(CLEAN).state.phase, 'stopped');
    assert.equal(new Machine({ restart }).serve().crash().state.phase, 'starting');
  });

  it('tells an end from a failure where it never restarts', () => {
    const restart = { ...RESTART, policy: 'never' } as const;
    assert.equal(new Machine({ restart }).serve().crash(CLEAN).state.phase, 'stopped');
    assert.equal(new Machine({ restart }).serve().crash().state.phase, 'crashed');
  });

  it('foretells which end is the last one, and how it is remembered', () => {
    for (const policy of ['always', 'on-failure', 'never'] as const) {
      for (const exit of [CLEAN, CRASH]) {
        for (const begin of [
          (machine: Machine) => machine.serve(),
          (machine: Machine) => machine.serve().send({ type: 'hung', reason: 'no beat' }),
          (machine: Machine) => machine.serve().send({ type: 'stop' }),
          (machine: Machine) => machine.serve().send({ type: 'stop' }).send({ type: 'start' }),
        ]) {
          const machine = begin(new Machine({ restart: { ...RESTART, policy } }));
          const before = machine.state;
          const last = finalExit(before, exit, machine.policy);
          const { phase, wanted, lastExit, generation } = machine.crash(exit).state;
          const hasEnded = wanted === 'up' && (phase === 'stopped' || phase === 'crashed');
          assert.deepEqual(last, hasEnded ? lastExit : null, `${policy} ${before.phase} ${exit.cause}`);
          if (last === null) continue;
          const again = endedWorker(generation, last, machine.policy);
          assert.deepEqual([again.phase, again.wanted, again.lastExit], [phase, wanted, lastExit]);
        }
      }
    }
  });

  it('honours a stop while it starts, even when ready comes after it', () => {
    const machine = new Machine().send({ type: 'start' }).send({ type: 'stop' });
    assert.ok(machine.has('drain'));
    machine.send({ type: 'spawned', pid: 1 });
    assert.ok(machine.has('drain'), 'asked again: nobody could hear it before');
    machine.send({ type: 'ready' });
    assert.equal(machine.state.phase, 'draining');
    assert.equal(machine.crash(CLEAN).state.phase, 'stopped');
    assert.ok(!machine.has('spawn'));
  });

  it('is not confused by a spawned notice that comes after the exit', () => {
    const machine = new Machine().send({ type: 'start' }).crash().send({ type: 'spawned', pid: 9 });
    assert.equal(machine.state.phase, 'backoff');
    assert.equal(machine.state.pid, null);
    assert.deepEqual(machine.effects, []);
  });

  it('lets the drain deadline end a worker that hangs while it drains', () => {
    const machine = new Machine().serve().send({ type: 'stop' }).send({ type: 'hung', reason: 'no answer' });
    assert.equal(machine.state.phase, 'draining');
    machine.send({ type: 'timer', timer: 'drain' });
    assert.ok(!machine.has('signal'));
    machine.send({ type: 'timer', timer: 'kill' });
    assert.ok(machine.has('signal'));
    machine.crash({ code: null, signal: 'SIGKILL', cause: 'signal', detail: null });
    assert.equal(machine.state.lastExit?.cause, 'killed');
    assert.equal(machine.state.lastExit?.detail, 'it did not end within 35000 ms');
  });

  it('stops for good when it is killed during backoff', () => {
    const machine = new Machine().send({ type: 'start' }).crash().send({ type: 'kill' });
    assert.equal(machine.state.phase, 'stopped');
    assert.deepEqual(machine.effects, [{ type: 'disarm', timer: 'backoff' }]);
    assert.equal(machine.send({ type: 'timer', timer: 'backoff' }).state.phase, 'stopped');
  });

  it('starts again after a stop that was taken back, without waiting', () => {
    const machine = new Machine().serve().send({ type: 'stop' }).send({ type: 'start' });
    assert.equal(machine.state.phase, 'draining');
    assert.equal(machine.crash(CLEAN).state.phase, 'starting');
    assert.equal(machine.state.restarts, 0);
  });

  it('counts a start that took too long as one that never got ready', () => {
    const machine = new Machine().send({ type: 'start' }).send({ type: 'timer', timer: 'ready' });
    assert.ok(machine.reports('worker-start-timeout'));
    machine.crash();
    assert.equal(machine.state.lastExit?.cause, 'start-timeout');
    assert.equal(machine.waitMs, 200);
  });

  it('keeps an OOM kill as the explanation of a hang', () => {
    const machine = new Machine().serve().send({ type: 'hung', reason: 'no answer' });
    machine.crash({ code: null, signal: 'SIGKILL', cause: 'oom', detail: null });
    assert.equal(machine.state.lastExit?.cause, 'oom');
  });

  it('is hurried out of a backoff, and only out of that', () => {
    const machine = new Machine().send({ type: 'start' }).crash();
    assert.equal(machine.send({ type: 'hurry' }).state.phase, 'starting');
    assert.equal(machine.send({ type: 'hurry' }).state.generation, 2);
  });

  it('adopts a worker that was ready without a ready timer, and one that was not with one', () => {
    const ready = new Machine().send({ type: 'adopt', generation: 7, pid: 42, isReady: true });
    assert.deepEqual([ready.state.phase, ready.state.generation, ready.state.pid], ['running', 7, 42]);
    assert.ok(!ready.has('arm'));
    const booting = new Machine().send({ type: 'adopt', generation: 7, pid: 42, isReady: false });
    assert.equal(booting.state.phase, 'starting');
    assert.ok(booting.has('arm'));
  });

  it('reports what cannot happen as a defect, and carries on', () => {
    const machine = new Machine().serve();
    const before = machine.state;
    machine.send({ type: 'spawn-failed', reason: 'ENOENT' });
    assert.ok(machine.reports('defect'));
    assert.equal(machine.state, before);
  });

  it('holds its promises over random histories, and every cell that can happen happens', () => {
    const visited = new Set<string>();
    const property = fc.property(workerHistories, (history) => {
      playWorkerHistory(history, WORKER_TABLE, visited);
    });
    fc.assert(property, { numRuns: 20_000, seed: 1 });
    assertCoverage(WORKER_TABLE, visited);
  });

  it('holds its promises over histories that nobody has seen before', () => {
    fc.assert(
      fc.property(workerHistories, (history) => void playWorkerHistory(history)),
      { numRuns: 2000 },
    );
  });
});
