/** The counters of a worker that has served nobody. */
import type { RequestCounters } from '../../src/protocol/index.ts';

export const NO_REQUESTS: RequestCounters = {
  begun: 0,
  served: 0,
  failed: 0,
  lost: 0,
  aborted: 0,
  refused: 0,
  connections: 0,
  upgrades: 0,
  byClass: [0, 0, 0, 0, 0, 0],
  latency: [],
};
