import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventInput, EventType } from '../protocol/index.ts';
import { newCorrelation, stepCorrelation } from './correlation.ts';

type Told = Pick<EventInput, 'type'> & Partial<EventInput> & { readonly at?: number };

/** The ids of these events, in letters: `a` for the first that was made; `ask` for what somebody asked for. */
function idsOf(events: readonly Told[], recalled: Readonly<Record<string, string>> = {}): (string | null)[] {
  let state = newCorrelation();
  let made = 0;
  return events.map(({ at = 0, ...event }) => {
    const step = stepCorrelation(state, { app: 'shop', ...event }, at, {
      asked: () => 'ask',
      fresh: () => String.fromCharCode(97 + made++),
      recall: (operation) => recalled[operation] ?? null,
    });
    ({ state } = step);
    return step.correlation;
  });
}

const of = (slot: number, type: EventType, data: EventInput['data'] = {}): Told => ({
  type,
  worker: `shop/${slot}`,
  data,
});
const started = (slots: readonly number[], isAsked = true, id = 'op'): Told => ({
  type: 'operation-started',
  operation: { id, slots, isAsked },
});
const ENDED: Told = { type: 'operation-ended' };

describe('events that belong together', () => {
  it('are those of an operation and of the workers that it changes', () => {
    const events = [
      started([0, 1]),
      of(0, 'worker-spawned'),
      of(0, 'worker-ready'),
      { type: 'port-opened' } as const,
      of(1, 'worker-draining'),
      of(1, 'worker-exited'),
      ENDED,
    ];
    assert.deepEqual(
      idsOf(events),
      Array.from(events, () => 'ask'),
    );
    assert.deepEqual(idsOf([...events, of(0, 'worker-spawned')]).at(-1), null, 'not what comes after it');
    assert.deepEqual(idsOf([started([0]), of(1, 'worker-exited'), of(1, 'worker-ready')]), ['ask', 'a', 'a']);
  });

  it('are those of a crash, up to the worker that is ready again', () => {
    assert.deepEqual(
      idsOf([
        of(0, 'worker-exited'),
        of(0, 'worker-backoff'),
        of(1, 'worker-exited'),
        of(0, 'worker-spawned'),
        of(0, 'worker-ready'),
        of(0, 'worker-exited'),
      ]),
      ['a', 'a', 'b', 'a', 'a', 'c'],
    );
    const loop = [of(0, 'worker-exited'), of(0, 'crash-loop'), of(0, 'worker-ready'), of(0, 'worker-exited')];
    assert.deepEqual(idsOf([...loop, of(0, 'crash-loop-ended')]), ['a', 'a', 'a', 'a', 'a']);
  });

  it('are those of a trouble, until nothing is wrong any more', () => {
    assert.deepEqual(
      idsOf([
        of(0, 'probe-failed', { probe: 'readiness' }),
        of(0, 'check-failed', { check: 'db' }),
        { type: 'health-changed' },
        of(0, 'probe-passed', { probe: 'readiness' }),
        of(0, 'check-passed', { check: 'db' }),
        of(0, 'probe-failed', { probe: 'readiness' }),
      ]),
      ['a', 'a', 'a', 'a', 'a', 'b'],
    );
  });

  it('are those of one run of the ladder, with the operation that it begins and what comes back within its time', () => {
    const run: Told[] = [
      of(0, 'worker-blocked'),
      of(0, 'worker-hung'),
      of(0, 'worker-recovering'),
      started([0], false),
      of(0, 'worker-spawned'),
      of(0, 'worker-ready'),
      of(0, 'worker-draining'),
      of(0, 'worker-killed'),
      of(0, 'worker-exited'),
      ENDED,
    ];
    assert.deepEqual(
      idsOf(run),
      Array.from(run, () => 'a'),
    );
    const again = (at: number): string | null | undefined => idsOf([...run, { ...of(0, 'worker-blocked'), at }]).at(-1);
    assert.equal(again(299_000), 'a');
    assert.equal(again(301_000), 'b');
  });

  it('are told of the app as a whole only where one thing goes on', () => {
    const changed: Told = { type: 'health-changed' };
    assert.deepEqual(idsOf([changed, of(0, 'worker-blocked'), changed, of(1, 'worker-blocked'), changed]), [
      null,
      'a',
      'a',
      'b',
      null,
    ]);
  });

  it('keep the id of an operation over the death of a daemon', () => {
    const resumed: Told = { type: 'operation-resumed', operation: { id: 'op', slots: [0], isAsked: true } };
    assert.deepEqual(idsOf([resumed, of(0, 'worker-ready')], { op: 'before' }), ['before', 'before']);
  });

  it('are those of a deletion up to its end, and none of the next app of that name', () => {
    const removed: Told = { type: 'app-removed' };
    const crash = of(0, 'worker-exited');
    const run = [of(1, 'worker-blocked'), started([0], false), crash, removed, ENDED];
    assert.deepEqual(idsOf(run), ['a', 'b', 'b', 'b', 'b']);
    assert.deepEqual(idsOf([...run, of(1, 'worker-unblocked'), crash]).slice(-2), [null, 'c']);
    assert.deepEqual(idsOf([removed]), ['ask'], 'without an operation it is what somebody asked for');
  });
});
