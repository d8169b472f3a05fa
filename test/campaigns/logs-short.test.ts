/** The campaign on logs in its shortest form, for every `npm test`: a few rotations, the daemon killed at each step. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureWhole } from './logs.ts';

describe('four workers that print much', () => {
  it('lose no line, in order each, over rotations and daemons killed between copy and punch', async () => {
    const { lost, outOfOrder, rotations, killsAtStep, hasSameWorkers, lines } = await measureWhole(8, 4, 2_000_000);
    assert.deepEqual(
      { lost, outOfOrder, killsAtStep, hasSameWorkers },
      {
        lost: 0,
        outOfOrder: 0,
        killsAtStep: 3,
        hasSameWorkers: true,
      },
    );
    assert.ok(rotations >= 8 && lines > 10_000, `${rotations} rotations, ${lines} lines`);
  });
});
