import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeliveryRecord, SilenceDocument } from '../protocol/index.ts';
import { MOST_DEAD } from './alerts.ts';
import { openStore } from './index.ts';

const clock = { monotonicMs: () => 0, wallMs: () => Date.UTC(2026, 0, 1) };
const open = () => openStore({ file: ':memory:', clock, random: () => 0.5 });

const delivery = (id: string, fields: Partial<DeliveryRecord> = {}): DeliveryRecord => ({
  id,
  receiver: 'webhook-1',
  place: 1,
  createdAtMs: 5,
  attempts: 0,
  nextAtMs: 5,
  error: null,
  message: { groupKey: '{}:{}', groupLabels: {}, kind: 'firing', alerts: [], truncated: 0 },
  ...fields,
});
const silence = (id: string, fields: Partial<SilenceDocument> = {}): SilenceDocument => ({
  id,
  matchers: [{ label: 'app', kind: 'is', value: 'shop' }],
  startsAt: '2026-01-01T00:00:00.000Z',
  endsAt: '2026-01-01T01:00:00.000Z',
  everyMs: null,
  comment: 'ünï',
  createdBy: null,
  ...fields,
});

describe('the records of alerts', () => {
  it('keep states by kind and id', () => {
    const { alerts } = open();
    alerts.states.put('alert', 'f1', { phase: 'firing' });
    alerts.states.put('receiver', 'f1', { count: 1 });
    alerts.states.put('alert', 'f1', { phase: 'easing' });
    assert.deepEqual(alerts.states.list('alert'), [{ id: 'f1', state: { phase: 'easing' } }]);
    alerts.states.remove('alert', 'f1');
    assert.deepEqual(alerts.states.list('alert'), []);
    assert.deepEqual(alerts.states.list('receiver'), [{ id: 'f1', state: { count: 1 } }]);
  });

  it('keep what waits for each receiver as it was put last, in its order', () => {
    const { deliveries } = open().alerts;
    const [one, two] = [delivery('1'), delivery('2', { place: 2 })];
    const other = delivery('3', { receiver: 'command-1' });
    deliveries.putWaiting('webhook-1', [two, one]);
    deliveries.putWaiting('command-1', [other]);
    assert.deepEqual(deliveries.listWaiting(), [other, one, two]);
    const failed = { ...one, attempts: 1, nextAtMs: 99, error: 'answered 500' };
    deliveries.putWaiting('webhook-1', [failed]);
    assert.deepEqual(deliveries.listWaiting(), [other, failed]);
  });

  it('keep what was given up apart, also when it waited before, and give it back', () => {
    const { deliveries } = open().alerts;
    const one = delivery('1');
    deliveries.putWaiting('webhook-1', [one]);
    deliveries.bury({ ...one, deadAtMs: 7 });
    deliveries.putWaiting('webhook-1', []);
    assert.deepEqual(deliveries.listWaiting(), []);
    assert.deepEqual(deliveries.listDead(), [{ ...one, deadAtMs: 7 }]);
    assert.deepEqual(deliveries.findDead('1'), { ...one, deadAtMs: 7 });
    assert.deepEqual([deliveries.removeDead('1'), deliveries.removeDead('1')], [true, false]);
    assert.equal(deliveries.findDead('1'), undefined);
  });

  it('forget the oldest of too many that were given up', () => {
    const { deliveries } = open().alerts;
    for (let index = 0; index <= MOST_DEAD + 10; index += 1)
      deliveries.bury({ ...delivery(`d${index}`), deadAtMs: index });
    const dead = deliveries.listDead();
    assert.equal(dead.length, MOST_DEAD);
    assert.deepEqual([dead[0]?.id, dead.at(-1)?.id], ['d11', `d${MOST_DEAD + 10}`]);
  });

  it('keep silences until some time after their end, and those that come again for good', () => {
    const { silences } = open().alerts;
    const daily = silence('b', { everyMs: 86_400_000 });
    silences.put(silence('a'), 0);
    silences.put(daily, 0);
    assert.deepEqual(silences.list(), [silence('a'), daily]);
    const late = silence('c', { endsAt: '2027-01-01T00:00:00.000Z' });
    silences.put(late, Date.UTC(2026, 6, 1));
    assert.deepEqual(silences.list(), [daily, late]);
  });
});
