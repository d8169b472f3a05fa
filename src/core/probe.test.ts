import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { assertCoverage } from '../../test/support/machine-cells.ts';
import { playProbeHistory, probeHistories } from '../../test/support/probe-world.ts';
import { newProbe, PROBE_TABLE, spreadOf, stepProbe } from './probe.ts';
import type { ProbeEffect, ProbeOutcome, ProbePolicy, ProbeState, ProbeVerdict } from './probe-types.ts';

/** One probe with Kubernetes' defaults, and a clock that is moved by hand. */
class Machine {
  state: ProbeState = newProbe();
  effects: readonly ProbeEffect[] = [];
  at = 0;
  readonly policy: ProbePolicy;

  constructor(change: Partial<ProbePolicy> = {}) {
    this.policy = {
      kind: 'readiness',
      initialDelayMs: 0,
      periodMs: 10_000,
      successThreshold: 1,
      failureThreshold: 3,
      spread: 0,
      ...change,
    };
  }

  begin({ known = 'unknown', isGated = false }: { known?: ProbeVerdict; isGated?: boolean } = {}): this {
    const generation = this.state.generation + 1;
    return this.take(
      stepProbe(
        this.state,
        { type: 'begin', at: this.at, generation, startedAt: this.at, isGated, known },
        this.policy,
      ),
    );
  }

  /** The next attempt comes due, and ends after `afterMs`. */
  attempt(outcome: ProbeOutcome, afterMs = 1): this {
    this.at = Math.max(this.at, this.state.dueAt);
    this.send('timer');
    assert.equal(this.state.phase, 'asking');
    this.at += afterMs;
    return this.answer(outcome);
  }

  answer(outcome: ProbeOutcome): this {
    const { generation, attempt } = this.state;
    const event = { type: 'result', at: this.at, generation, attempt, outcome, detail: `it was a ${outcome}` } as const;
    return this.take(stepProbe(this.state, event, this.policy));
  }

  send(type: 'timer' | 'started' | 'stalled' | 'close'): this {
    const { generation, attempt } = this.state;
    return this.take(stepProbe(this.state, { type, at: this.at, generation, attempt }, this.policy));
  }

  private take({ state, effects }: ReturnType<typeof stepProbe>): this {
    this.state = state;
    this.effects = effects;
    return this;
  }

  get changed(): ProbeVerdict | null {
    return this.effects.find((effect) => effect.type === 'changed')?.verdict ?? null;
  }

  get waitMs(): number | null {
    return this.effects.find((effect) => effect.type === 'arm')?.afterMs ?? null;
  }
}

describe('a probe', () => {
  it('passes with the first good answer, and says so once', () => {
    const machine = new Machine().begin().attempt('pass');
    assert.equal(machine.changed, 'passed');
    assert.equal(machine.attempt('pass').changed, null);
  });

  it('fails with the third bad answer in a row, with its reason, and passes again with a good one', () => {
    const machine = new Machine().begin().attempt('pass').attempt('fail').attempt('fail');
    assert.equal(machine.state.verdict, 'passed');
    machine.attempt('fail');
    assert.deepEqual(machine.effects[0], {
      type: 'changed',
      generation: 1,
      verdict: 'failed',
      detail: 'it was a fail',
    });
    assert.equal(machine.attempt('fail').changed, null);
    assert.equal(machine.attempt('pass').changed, 'passed');
  });

  it('begins to count anew with every good answer', () => {
    const machine = new Machine().begin();
    for (const outcome of ['pass', 'fail', 'fail', 'pass', 'fail', 'fail'] as const) machine.attempt(outcome);
    assert.equal(machine.state.verdict, 'passed');
  });

  it('asks for as many good answers in a row as its success threshold says', () => {
    const machine = new Machine({ successThreshold: 3 }).begin().attempt('pass').attempt('pass').attempt('fail');
    machine.attempt('pass').attempt('pass');
    assert.equal(machine.state.verdict, 'unknown');
    assert.equal(machine.attempt('pass').changed, 'passed');
  });

  it('is not asked before its initial delay, and then a whole period apart however long the answers take', () => {
    const machine = new Machine({ initialDelayMs: 5000 }).begin();
    assert.equal(machine.waitMs, 5000);
    machine.attempt('pass', 400);
    assert.equal(machine.waitMs, 9600);
    machine.attempt('pass', 12_000);
    assert.equal(machine.waitMs, 8000, 'the place that was missed is left out');
  });

  it('is not asked twice where a timer is early and the answer quick', () => {
    const machine = new Machine().begin().attempt('pass');
    machine.at = machine.state.dueAt - 0.6;
    machine.send('timer').answer('pass');
    assert.equal(machine.waitMs, 10_000.6);
  });

  it('waits for the startup probe where there is one', () => {
    const machine = new Machine().begin({ isGated: true });
    assert.deepEqual(machine.effects, []);
    assert.equal(machine.send('started').waitMs, 0);
  });

  it('is done where it is a startup probe that has passed', () => {
    const machine = new Machine({ kind: 'startup' }).begin().attempt('fail').attempt('pass');
    assert.equal(machine.changed, 'passed');
    assert.equal(machine.state.phase, 'done');
    assert.equal(machine.waitMs, null);
  });

  it('takes what an earlier daemon knew of a worker, and asks a startup probe no second time', () => {
    const machine = new Machine({ kind: 'startup' }).begin({ known: 'passed' });
    assert.equal(machine.state.phase, 'done');
    const readiness = new Machine({ spread: 0.5 }).begin({ known: 'passed' });
    assert.equal(readiness.waitMs, 5000, 'workers that were found at once are spread over a period');
    assert.equal(readiness.attempt('pass').changed, null);
  });

  it('drops the answer of an attempt that is over, and a second one', () => {
    const machine = new Machine({ failureThreshold: 1 }).begin().attempt('pass');
    const { generation, attempt } = machine.state;
    const before = machine.state;
    const late = { type: 'result', at: machine.at, generation, outcome: 'fail', detail: null } as const;
    assert.equal(stepProbe(before, { ...late, attempt: attempt - 1 }, machine.policy).state, before);
    machine.begin();
    assert.equal(stepProbe(machine.state, { ...late, attempt }, machine.policy).state, machine.state);
  });

  it('begins anew with the next worker of its slot, and calls off what it asked the last one', () => {
    const machine = new Machine().begin().attempt('fail').attempt('fail');
    machine.at = machine.state.dueAt;
    machine.send('timer').begin();
    assert.equal(machine.effects[0]?.type, 'call-off');
    assert.equal(machine.attempt('fail').changed, null);
    assert.equal(machine.state.failures, 1);
  });

  it('counts missing data as a failure after the threshold, but not within a full threshold of its beginning', () => {
    const machine = new Machine().begin({ known: 'passed' });
    const failedAt = (): number => {
      while (machine.attempt('missing').changed !== 'failed') assert.ok(machine.at < 200_000);
      return machine.at;
    };
    // Asked at 0, 10, 20 (in grace until 30), and then at 30, 40, 50.
    assert.equal(failedAt(), 50_001);
  });

  it('forgives what was missed when its own loop had stalled, and waits a full threshold again', () => {
    const machine = new Machine().begin({ known: 'passed' });
    for (let turn = 0; turn < 5; turn++) machine.attempt('missing');
    assert.deepEqual([machine.at, machine.state.misses], [40_001, 2]);
    machine.send('stalled');
    // Asked at 50 and 60 (in grace until 70), and then at 70, 80, 90.
    while (machine.attempt('missing').changed !== 'failed') assert.ok(machine.at < 200_000);
    assert.equal(machine.at, 90_001);
  });

  it('does not believe a failure during which its own loop stalled, but believes the next one', () => {
    const machine = new Machine({ failureThreshold: 1 }).begin({ known: 'passed' });
    machine.at = machine.state.dueAt;
    machine.send('timer').send('stalled');
    assert.equal(machine.answer('fail').changed, null);
    assert.equal(machine.attempt('fail').changed, 'failed');
  });

  it('believes a good answer even after a stall', () => {
    const machine = new Machine().begin();
    machine.send('timer').send('stalled');
    assert.equal(machine.answer('pass').changed, 'passed');
  });

  it('leaves failures that were answered standing over a stall', () => {
    const machine = new Machine().begin().attempt('fail').attempt('fail').send('stalled');
    assert.equal(machine.attempt('fail').changed, 'failed');
  });

  it('does not ask all that is overdue after a stall at once, and is back at its place afterwards', () => {
    const machine = new Machine({ spread: 0.5 }).begin().attempt('pass');
    machine.at = machine.state.dueAt + 3000;
    assert.equal(machine.send('stalled').waitMs, 250);
    machine.attempt('pass');
    assert.equal(machine.waitMs, 10_000 - 3000 - 250 - 1);
  });

  it('calls its attempt off when its worker goes', () => {
    const machine = new Machine().begin();
    machine.send('timer').send('close');
    assert.deepEqual(
      machine.effects.map(({ type }) => type),
      ['call-off'],
    );
    assert.equal(machine.state.phase, 'idle');
  });

  it('holds its promises over random histories, and every cell that can happen happens', () => {
    const visited = new Set<string>();
    const property = fc.property(probeHistories, (history) => void playProbeHistory(history, PROBE_TABLE, visited));
    fc.assert(property, { numRuns: 10_000, seed: 1 });
    assertCoverage(PROBE_TABLE, visited);
  });

  it('holds its promises over histories that nobody has seen before', () => {
    fc.assert(
      fc.property(probeHistories, (history) => void playProbeHistory(history)),
      { numRuns: 2000 },
    );
  });
});

describe('the place of a probe within its period', () => {
  it('is the same every time, and another one for each worker and kind', () => {
    assert.equal(spreadOf('shop liveness', 3), spreadOf('shop liveness', 3));
    const places = Array.from({ length: 50 }, (_, slot) => spreadOf('shop liveness', slot));
    places.push(spreadOf('shop readiness', 0), spreadOf('api liveness', 0));
    assert.equal(new Set(places.map((place) => Math.floor(place * 10_000))).size, places.length);
  });

  it('has five or so of fifty workers in each tenth of the period, for any app', () => {
    for (const app of ['shop', 'api', 'a', 'a-very-long-name-of-an-app']) {
      const tenths = Array.from({ length: 10 }, () => 0);
      for (let slot = 0; slot < 50; slot++) {
        const place = spreadOf(app, slot);
        assert.ok(place >= 0 && place < 1);
        const tenth = Math.floor(place * 10);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      assert.ok(Math.max(...tenths) <= 6 && Math.min(...tenths) >= 4, `${app}: ${tenths.join(' ')}`);
    }
  });
});
