import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { assertCoverage } from '../../test/support/machine-cells.ts';
import { operationHistories, playOperationHistory } from '../../test/support/operation-world.ts';
import { newOperation, OPERATION_TABLE, releaseOf, stepOperation } from './operation.ts';
import type {
  ChangeKind,
  OperationEffect,
  OperationEvent,
  OperationState,
  SlotAction,
  SlotStage,
} from './operation-types.ts';

/** An operation whose orders are written as `boot 0`; answers carry the turn of their slot. */
class Course {
  state: OperationState;
  orders: string[] = [];
  end: Extract<OperationEffect, { type: 'finish' }> | null = null;

  constructor(kind: ChangeKind, actions: readonly SlotAction[], batchSize: number) {
    this.state = newOperation(
      kind,
      actions.map((action, slot) => ({ slot, action })),
      batchSize,
    );
    this.send({ type: 'begin' });
  }

  send(event: OperationEvent): this {
    const { state, effects } = stepOperation(this.state, event);
    this.state = state;
    this.orders = effects.flatMap((effect) => ('turn' in effect ? [`${effect.type} ${effect.slot}`] : []));
    for (const effect of effects) if (effect.type === 'finish') this.end = effect;
    return this;
  }

  answer(type: 'booted' | 'drained' | 'discarded' | 'old-booted', ...slots: readonly number[]): this {
    for (const slot of slots) this.send({ type, slot, turn: this.turnOf(slot) });
    return this;
  }

  fail(slot: number, type: 'boot-failed' | 'old-boot-failed' = 'boot-failed'): this {
    return this.send({ type, slot, turn: this.turnOf(slot), reason: 'it exited with code 1' });
  }

  private turnOf(slot: number): number {
    return this.state.slots.find((progress) => progress.slot === slot)?.turn ?? 0;
  }
}

const four = ['replace', 'replace', 'replace', 'replace'] as const;

describe('a reload', () => {
  it('boots a whole batch, hands it over together, and waits for the old ones before the next', () => {
    const course = new Course('reload', four, 2);
    assert.deepEqual(course.orders, ['boot 0', 'boot 1']);
    assert.deepEqual(course.answer('booted', 0).orders, []);
    assert.deepEqual(course.answer('booted', 1).orders, ['hand-over 0', 'hand-over 1']);
    assert.deepEqual(course.answer('drained', 1).orders, []);
    assert.deepEqual(course.answer('drained', 0).orders, ['boot 2', 'boot 3']);
    course.answer('booted', 2, 3).answer('drained', 2, 3);
    assert.deepEqual([course.state.phase, course.end?.outcome], ['done', 'completed']);
  });

  it('fails without touching an old worker when a replacement of the first batch does not boot', () => {
    const course = new Course('reload', four, 4).answer('booted', 0).fail(1);
    assert.deepEqual(course.orders, ['discard 0', 'discard 1', 'discard 2', 'discard 3']);
    assert.equal(course.state.phase, 'reverting', 'it has not ended while replacements still live');
    course.answer('discarded', 0, 1, 2, 3);
    assert.equal(course.end?.outcome, 'failed');
    assert.equal(course.end?.reason, 'it exited with code 1');
  });

  it('brings the old release back when a later batch fails, and says that it was put back', () => {
    const course = new Course('reload', four, 2).answer('booted', 0, 1).answer('drained', 0, 1).fail(2);
    assert.deepEqual(course.orders, ['boot-old 0', 'boot-old 1', 'discard 2', 'discard 3']);
    assert.deepEqual(course.answer('old-booted', 0).orders, ['hand-over 0']);
    course.answer('old-booted', 1).answer('drained', 0, 1).answer('discarded', 2, 3);
    assert.deepEqual([course.state.phase, course.end?.outcome], ['failed', 'rolled-back']);
  });

  it('waits for an old worker to be gone before it boots the old release again', () => {
    const course = new Course('reload', ['replace', 'replace'], 2).answer('booted', 0, 1).fail(0);
    assert.deepEqual(course.orders, [], 'a third worker in the slot would be one too many');
    assert.deepEqual(course.answer('drained', 0).orders, ['boot-old 0']);
  });

  it('is stuck, and still serves, when the old release does not boot either', () => {
    const course = new Course('reload', ['replace', 'replace'], 1).answer('booted', 0).answer('drained', 0).fail(1);
    assert.deepEqual(course.fail(0, 'old-boot-failed').orders, ['discard 0']);
    course.answer('discarded', 0, 1);
    assert.deepEqual([course.state.phase, course.end?.outcome], ['stuck', 'failed']);
    assert.equal(course.end?.reason, 'it exited with code 1; could not be put back: slot 0');
  });

  it('is aborted by discarding what boots', () => {
    const course = new Course('reload', four, 4).send({ type: 'abort', reason: 'the user asked' });
    course.answer('discarded', 0, 1, 2, 3);
    assert.deepEqual([course.end?.outcome, course.end?.reason], ['aborted', 'the user asked']);
  });

  it('is put back when it is aborted half-way, and cannot be aborted when only old workers are ending', () => {
    const half = new Course('reload', ['replace', 'replace'], 1).answer('booted', 0);
    half.send({ type: 'abort', reason: 'the user asked' }).answer('drained', 0).answer('old-booted', 0);
    assert.equal(half.answer('drained', 0).end?.outcome, 'rolled-back');
    const late = new Course('reload', ['replace', 'replace'], 2).answer('booted', 0, 1);
    late.send({ type: 'abort', reason: 'the user asked' }).answer('drained', 0, 1);
    assert.equal(late.end?.outcome, 'completed');
  });

  it('repeats what is under way after the daemon was restored, and takes either answer once', () => {
    const course = new Course('reload', four, 2).answer('booted', 0).send({ type: 'restored', undone: [] });
    assert.deepEqual(course.orders, ['boot 0', 'boot 1'], 'one that was up may have gone meanwhile');
    course.answer('booted', 0, 1).send({ type: 'restored', undone: [] });
    assert.deepEqual(course.orders, ['hand-over 0', 'hand-over 1']);
    course.answer('drained', 0, 1);
    assert.deepEqual(course.send({ type: 'drained', slot: 1, turn: 2 }).orders, []);
    assert.equal(course.state.phase, 'booting');
  });

  it('boots again what was to take over and has gone before it could', () => {
    const course = new Course('reload', four, 2).answer('booted', 0, 1);
    assert.deepEqual(course.orders, ['hand-over 0', 'hand-over 1']);
    course.send({ type: 'restored', undone: [1] });
    assert.deepEqual(course.orders, ['hand-over 0', 'boot 1']);
    course.answer('drained', 0);
    assert.deepEqual(course.orders, []);
    assert.deepEqual(course.answer('booted', 1).orders, ['hand-over 1']);
    assert.deepEqual(course.answer('drained', 1).orders, ['boot 2', 'boot 3']);
  });

  it('changes again what was put back by a daemon that could not write that down', () => {
    const course = new Course('reload', ['replace', 'replace'], 1).answer('booted', 0).answer('drained', 0);
    assert.deepEqual(course.orders, ['boot 1']);
    course.send({ type: 'restored', undone: [0] });
    assert.deepEqual(course.orders, ['boot 1']);
    course.answer('booted', 1).answer('drained', 1);
    assert.deepEqual(course.orders, ['boot 0']);
    assert.deepEqual(course.answer('booted', 0).orders, ['hand-over 0']);
    assert.equal(course.answer('drained', 0).end?.outcome, 'completed');
  });

  it('goes on putting back after the daemon was restored', () => {
    const course = new Course('reload', four, 2).answer('booted', 0, 1).answer('drained', 0).fail(1);
    assert.deepEqual(course.orders, ['boot-old 0']);
    course.send({ type: 'restored', undone: [] });
    assert.deepEqual(course.orders, ['boot-old 0', 'hand-over 1']);
  });
});

describe('other operations', () => {
  it('a restart stops everything before it boots anything', () => {
    const course = new Course('restart', ['stop-start', 'stop-start'], 1);
    assert.deepEqual(course.orders, ['stop 0', 'stop 1']);
    assert.deepEqual(course.answer('drained', 0).orders, []);
    assert.deepEqual(course.answer('drained', 1).orders, ['boot 0', 'boot 1']);
    assert.equal(course.answer('booted', 0, 1).end?.outcome, 'completed');
  });

  it('a start that fails leaves the workers to their own restarts', () => {
    const course = new Course('start', ['boot', 'boot'], 2).answer('booted', 0).fail(1);
    assert.deepEqual([course.end?.outcome, course.orders], ['failed', []]);
  });

  it('a start succeeds when a slot comes up after all, before the others are decided', () => {
    const course = new Course('start', ['boot', 'boot'], 2).fail(1).answer('booted', 1, 0);
    assert.equal(course.end?.outcome, 'completed');
  });

  it('an aborted start leaves nothing behind', () => {
    const course = new Course('start', ['boot', 'boot'], 2)
      .answer('booted', 0)
      .send({ type: 'abort', reason: 'Ctrl-C' });
    assert.deepEqual(course.orders, ['stop 0', 'stop 1']);
    assert.equal(course.answer('drained', 0, 1).end?.outcome, 'aborted');
  });

  it('scaling up ends new workers when one of them does not boot', () => {
    const course = new Course('scale', ['boot', 'boot'], 2).answer('booted', 0).fail(1);
    assert.deepEqual(course.orders, ['stop 0', 'stop 1']);
    assert.equal(course.answer('drained', 0, 1).end?.outcome, 'rolled-back');
  });

  it('nothing is removed before everything is replaced', () => {
    const course = new Course('reload', ['remove', 'replace'], 2);
    assert.deepEqual(course.orders, ['boot 1']);
    assert.deepEqual(course.answer('booted', 1).answer('drained', 1).orders, ['stop 0']);
  });

  it('an operation without slots is complete at once', () => {
    assert.equal(new Course('stop', [], 1).end?.outcome, 'completed');
  });
});

describe('a slot that a new daemon finds empty', () => {
  const progress = (action: SlotAction, stage: SlotStage) => ({ slot: 0, action, stage, turn: 1 });

  it('gets the release that the operation has come to, and nothing where it is about to fill it itself', () => {
    assert.equal(releaseOf(progress('replace', 'waiting')), 'old', 'it should have gone on serving until its turn');
    assert.equal(releaseOf(progress('boot', 'waiting')), null);
    assert.equal(releaseOf(progress('replace', 'changed')), 'new');
    assert.equal(releaseOf(progress('remove', 'changed')), null, 'nobody is to be there any more');
    assert.equal(releaseOf(progress('replace', 'kept')), 'old');
    assert.equal(releaseOf(progress('replace', 'booting')), null);
    assert.equal(releaseOf(progress('stop-start', 'stopped')), null);
  });

  it('gets the old one where a restart is aborted, or takes too long, before its turn came to an end', () => {
    const early = new Course('restart', ['stop-start'], 1);
    early.state = newOperation('restart', [{ slot: 0, action: 'stop-start' }], 1);
    assert.deepEqual(early.send({ type: 'abort', reason: 'the user asked' }).state.slots.map(releaseOf), ['old']);
    const late = new Course('restart', ['stop-start', 'stop-start'], 1).answer('drained', 0).send({ type: 'deadline' });
    assert.deepEqual(late.state.slots.map(releaseOf), ['old', 'old']);
    const removal = new Course('scale', ['remove'], 1).send({ type: 'deadline' });
    assert.deepEqual(removal.state.slots.map(releaseOf), [null]);
  });
});

describe('an operation machine', () => {
  it('holds its promises over random histories, and every cell that can happen happens', () => {
    const visited = new Set<string>();
    const property = fc.property(operationHistories, (history) => {
      playOperationHistory(history, OPERATION_TABLE, visited);
    });
    fc.assert(property, { numRuns: 30_000, seed: 1 });
    assertCoverage(OPERATION_TABLE, visited);
  });

  it('holds its promises over histories that nobody has seen before', () => {
    fc.assert(
      fc.property(operationHistories, (history) => void playOperationHistory(history)),
      { numRuns: 2000 },
    );
  });
});
