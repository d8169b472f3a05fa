import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppTraffic } from './app-traffic.ts';
import type { Place } from './app-traffic.ts';

const places: readonly Place[] = [
  { slot: 0, lane: 'stable' },
  { slot: 1, lane: 'stable' },
  { slot: 2, lane: 'stable' },
  { slot: 0, lane: 'candidate' },
];

const KEY = 'shop :::80';

function trafficOf(up: readonly Place[]): AppTraffic {
  const traffic = new AppTraffic({ monotonicMs: () => 0, wallMs: () => 0 });
  for (const { slot, lane } of up) {
    traffic.addHolder({
      id: `${lane}/${slot}`,
      app: 'shop',
      slot,
      lane,
      pid: null,
      serves: () => true,
      cover: () => {},
      uncover: () => {},
    });
  }
  return traffic;
}

describe('the share of a shard', () => {
  it('is a part of its lane, however many shards that has', () => {
    const traffic = trafficOf(places);
    traffic.setLanes({ stable: 90, candidate: 10 });
    assert.deepEqual(traffic.baseWeights(places, KEY), [30, 30, 30, 10]);
  });

  it('does not pass to the other lane when a worker is down', () => {
    const traffic = trafficOf(places.slice(1));
    traffic.setLanes({ stable: 90, candidate: 10 });
    assert.deepEqual(traffic.baseWeights(places, KEY).slice(1), [45, 45, 10]);
  });

  it('is less for a worker that warms up, and the others make up for it', () => {
    const traffic = trafficOf(places);
    traffic.setFactor({ slot: 1, lane: 'stable' }, 0);
    assert.deepEqual(traffic.baseWeights(places, KEY), [50, 0, 50, 0]);
  });

  it('is that of workers that listen on the port: others have another one', () => {
    const traffic = trafficOf([]);
    for (const { slot, lane } of places.slice(0, 3)) {
      const serves = (key: string): boolean => key === KEY || slot === 2;
      traffic.addHolder({
        id: `${slot}`,
        app: 'shop',
        slot,
        lane,
        pid: null,
        serves,
        cover: () => {},
        uncover: () => {},
      });
    }
    assert.equal(traffic.baseWeights(places.slice(0, 3), 'shop :::9002')[2], 100);
    assert.equal(traffic.findHolder({ slot: 0, lane: 'stable' }, 'shop :::9002'), null);
    assert.deepEqual(traffic.baseWeights(places.slice(0, 3), KEY).map(Math.round), [33, 33, 33]);
  });

  it('is what the lane gives when nobody is up', () => {
    assert.deepEqual(trafficOf([]).baseWeights(places.slice(0, 2), KEY), [50, 50]);
  });
});

describe('the holder of a place', () => {
  it('is the newest during a handover', () => {
    const traffic = trafficOf(places);
    const holder = {
      id: 'new',
      app: 'shop',
      slot: 0,
      lane: 'stable',
      pid: null,
      serves: () => true,
      cover: () => {},
      uncover: () => {},
    } as const;
    traffic.addHolder(holder);
    assert.equal(traffic.findHolder({ slot: 0, lane: 'stable' }, KEY), holder);
    traffic.removeHolder('new');
    assert.equal(traffic.findHolder({ slot: 0, lane: 'stable' }, KEY)?.id, 'stable/0');
  });
});
