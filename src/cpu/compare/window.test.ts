import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { profileOf, type Sample } from '../../../test/support/cpu-profiles.ts';
import { tabulate } from './table.ts';
import { measureWindow } from './window.ts';

describe('a window of a comparison', () => {
  it('counts samples outside idle', () => {
    const window = measureWindow(
      profileOf([
        ['main>work', 1000],
        ['main', 1000],
        ['(idle)', 1000],
        ['main>work>inner', 1000],
      ]),
    );
    assert.equal(window.onCpuTicks, 3);
    assert.equal(window.isSampled, true);
    assert.equal(window.onCpuMs, 3);
    assert.equal(window.durationMs, 4);
  });

  it('gives the time in which nobody looked to nobody', () => {
    const steady = Array.from({ length: 99 }, (): Sample => ['main', 1000]);
    const window = measureWindow(profileOf([...steady, ['main>unlucky', 200_000]]));
    assert.equal(window.onCpuTicks, 100);
    assert.equal(window.onCpuMs, 100.5);
  });

  it('takes time where the format has no samples', () => {
    const profile = profileOf([
      ['main', 3000],
      ['(idle)', 1000],
    ]);
    const window = measureWindow({ ...profile, sampleCount: null, isChronological: false });
    assert.equal(window.isSampled, false);
    assert.equal(window.onCpuTicks, 3);
    assert.equal(window.onCpuMs, 3);
  });
});

describe('a table of two sets of windows', () => {
  it('has self and total ticks by function of either version, recursion counted once', () => {
    const a = measureWindow(
      profileOf([
        ['main>walk@/app/a.js:5:1>walk@/app/a.js:5:1', 1000],
        ['main', 1000],
      ]),
    );
    const b = measureWindow(
      profileOf([
        ['main>walk@/app/a.js:9:1', 1000],
        ['main>walk@/app/a.js:9:1>extra@/app/a.js:20:1', 1000],
      ]),
    );
    const { rows, columns } = tabulate([a], [b]);
    const rowOf = (name: string): number => rows.findIndex((row) => (row.a ?? row.b)?.name === name);
    const ticks = (key: 'self' | 'total', name: string): (number | undefined)[] =>
      columns.map((column) => column[key][rowOf(name)]);
    assert.deepEqual(ticks('self', 'walk'), [1, 1]);
    assert.deepEqual(ticks('total', 'walk'), [1, 2]);
    assert.deepEqual(ticks('self', 'extra'), [0, 1]);
    assert.deepEqual(ticks('total', 'main'), [2, 2]);
    assert.equal(rows[rowOf('walk')]?.by, 'name');
    assert.equal(rows[rowOf('extra')]?.a, null);
  });
});
