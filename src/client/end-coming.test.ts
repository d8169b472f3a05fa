import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DroverError } from '../protocol/index.ts';
import type { DaemonProcess } from '../program/index.ts';
import type { DroverClient } from './client.ts';
import { endComing } from './end-coming.ts';

const HOME = '/home/of/this/daemon';
const GUARD: DaemonProcess = { pid: 2 ** 30, isGuard: true, env: { DROVER_HOME: HOME } };

/** A daemon that answers from that look on, and what is seen at each. */
const openWorld = (seen: readonly (readonly DaemonProcess[])[], answersFrom = Infinity) => {
  let looks = 0;
  const client = {
    daemonStatus: async () => {
      if (looks >= answersFrom) return {};
      throw new DroverError('DROVER_DAEMON_UNREACHABLE', { socketPath: `${HOME}/drover.sock` });
    },
  } as unknown as DroverClient;
  const look = (): readonly DaemonProcess[] => seen[looks++] ?? [];
  return { end: () => endComing(client, HOME, false, look) };
};

describe('a daemon that answers nobody', () => {
  it('is absent where nothing is seen of it', async () => {
    assert.equal(await openWorld([]).end(), 'absent');
  });

  it('is waited for where it is not seen for a moment, because it becomes another program', async () => {
    assert.equal(await openWorld([[], [], [GUARD], [], [GUARD]], 5).end(), 'answers');
  });

  it('of another home is none', async () => {
    const other = [{ ...GUARD, env: { DROVER_HOME: '/home/of/another' } }];
    assert.equal(await openWorld([other, other, other, other, other]).end(), 'absent');
  });
});
