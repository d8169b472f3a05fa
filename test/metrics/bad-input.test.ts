/** Everything bad at once through one daemon, in the small size of the campaign of that name. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { findBroken, SMALL } from '../campaigns/bad-input.ts';
import { playBadInput } from '../campaigns/bad-input/play.ts';
import { isInPath } from '../provisions.ts';

it(
  'bad metrics, probes that hang, receivers that stall and a killed daemon, all at once, cost nothing but themselves',
  // About a minute; on a machine that is busy with others its programs take longer to start and to end.
  { skip: !isInPath('promtool') && 'promtool is not installed', timeout: 240_000 },
  async () => {
    assert.deepEqual(findBroken(await playBadInput(SMALL), SMALL), []);
  },
);
