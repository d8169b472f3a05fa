/** Everything bad at once through one daemon, in the small size of the campaign of that name. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { findBroken, SMALL } from '../campaigns/bad-input.ts';
import { playBadInput } from '../campaigns/bad-input/play.ts';
import { isInPath } from '../provisions.ts';

it(
  'bad metrics, probes that hang, receivers that stall and a killed daemon, all at once, cost nothing but themselves',
  { skip: !isInPath('promtool') && 'promtool is not installed' },
  async () => {
    assert.deepEqual(findBroken(await playBadInput(SMALL), SMALL), []);
  },
);
