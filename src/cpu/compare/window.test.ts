import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { functionOf, profileOf, type Sample } from '../../../test/support/cpu-profiles.ts';
import { measureWindow, placeOf, type ProfileWindow } from './window.ts';

const timeOf = (window: ProfileWindow, name: string) => window.functions.get(placeOf(functionOf(name)));

describe('a window of a comparison', () => {
  it('has self and total time by function, and no idle time', () => {
    const window = measureWindow(
      profileOf([
        ['main>work', 10],
        ['main', 5],
        ['(idle)', 10],
        ['main>work>inner', 10],
      ]),
    );
    assert.equal(window.onCpuUs, 25);
    assert.equal(window.hits, 3);
    assert.equal(window.durationUs, 35);
    assert.equal(timeOf(window, 'work')?.selfUs, 10);
    assert.equal(timeOf(window, 'work')?.totalUs, 20);
    assert.equal(timeOf(window, 'main')?.totalUs, 25);
    assert.equal(timeOf(window, '(idle)'), undefined);
  });

  it('counts recursion once', () => {
    const window = measureWindow(
      profileOf([
        ['main>walk>walk>walk', 10],
        ['main>walk>visit>walk', 10],
      ]),
    );
    assert.equal(timeOf(window, 'walk')?.selfUs, 20);
    assert.equal(timeOf(window, 'walk')?.totalUs, 20);
  });

  it('knows the nearest callers that have names', () => {
    const window = measureWindow(
      profileOf([
        ['main>list>(anonymous)>compare', 10],
        ['main>compare', 30],
      ]),
    );
    assert.deepEqual(
      [...(timeOf(window, 'compare')?.callers ?? [])],
      [
        ['list', 10],
        ['main', 30],
      ],
    );
  });

  it('gives the time in which nobody looked to nobody', () => {
    const steady = Array.from({ length: 99 }, (): Sample => ['main', 1000]);
    const window = measureWindow(profileOf([...steady, ['main>unlucky', 200_000]]));
    assert.equal(timeOf(window, 'unlucky')?.selfUs, 4000);
    assert.equal(window.onCpuUs, 103_000);
  });
});
