/** What is wanted of an app after what was asked for: as a whole, and slot by slot. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { appConfig } from '../../test/support/app-config.ts';
import type { SlotAction } from '../core/index.ts';
import { type AppState, wishAfter } from './app-state.ts';

const up: AppState = {
  config: appConfig('shop', {}),
  release: 1,
  instances: 3,
  wanted: 'up',
  stoppedSlots: [2],
  readySignalSeen: false,
};
const on = (slots: readonly number[], action: SlotAction) => slots.map((slot) => ({ slot, action }));

describe('what is wanted', () => {
  it('is without the slots that a stop was asked for', () => {
    const plan = { kind: 'stop', changes: on([0], 'remove'), isAsked: true } as const;
    assert.deepEqual(wishAfter(up, plan), { wanted: 'up', stoppedSlots: [0, 2] });
  });

  it('is the same while a daemon ends its workers', () => {
    const plan = { kind: 'stop', changes: on([0, 1], 'remove'), isAsked: false } as const;
    assert.deepEqual(wishAfter(up, plan), { wanted: 'up', stoppedSlots: [2] });
    // As it looks then: nobody is to be started again.
    const standingDown = { ...up, wanted: 'stopped' } as const;
    assert.deepEqual(wishAfter(standingDown, plan), { wanted: 'stopped', stoppedSlots: [2] });
  });

  it('is with every slot that something is started in', () => {
    for (const action of ['boot', 'replace', 'stop-start'] as const) {
      const plan = { kind: 'reload', changes: on([1, 2], action), isAsked: true } as const;
      assert.deepEqual(wishAfter(up, plan).stoppedSlots, []);
    }
  });

  it('is nothing slot by slot once the app is stopped', () => {
    const plan = { kind: 'stop', changes: on([0, 1], 'remove'), isAsked: true } as const;
    assert.deepEqual(wishAfter(up, plan, { wants: 'stopped' }), { wanted: 'stopped', stoppedSlots: [] });
  });

  it('is the started slots alone where some of a stopped app are started, and all of them where the app is', () => {
    const stopped = { ...up, wanted: 'stopped', stoppedSlots: [] } as const;
    const plan = { kind: 'start', changes: on([1], 'boot'), isAsked: true } as const;
    const one = wishAfter(stopped, plan, { wants: 'up', slots: [1] });
    assert.deepEqual(one, { wanted: 'up', stoppedSlots: [0, 2] });
    // Whoever is still there need not be booted, and is wanted like the others.
    assert.deepEqual(wishAfter(stopped, plan, { wants: 'up' }), { wanted: 'up', stoppedSlots: [] });
    const rest = { kind: 'start', changes: on([0, 2], 'boot'), isAsked: true } as const;
    assert.deepEqual(wishAfter({ ...up, ...one }, rest, { wants: 'up' }), { wanted: 'up', stoppedSlots: [] });
  });

  it('is nothing slot by slot where one worker of a stopped app is stopped', () => {
    const plan = { kind: 'stop', changes: on([0], 'remove'), isAsked: true } as const;
    const stopped = { ...up, wanted: 'stopped', stoppedSlots: [] } as const;
    assert.deepEqual(wishAfter(stopped, plan), { wanted: 'stopped', stoppedSlots: [] });
  });

  it('keeps what was stopped when another slot goes for good', () => {
    const plan = { kind: 'scale', changes: on([1], 'remove'), isAsked: true } as const;
    assert.deepEqual(wishAfter(up, plan), { wanted: 'up', stoppedSlots: [2] });
  });
});
