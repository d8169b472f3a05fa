/** In which order the shards of a port get their connections, and how many of them at a time. */

/** Smooth weighted round robin over `size` turns: indices, spread evenly; weight 0 never gets one. */
export const schedule = (weights: readonly number[], size = 256): number[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= 0) return [];
  const credit = weights.map(() => 0);
  const turns: number[] = [];
  for (let turn = 0; turn < size; turn++) {
    let best = -1;
    for (const [index, weight] of weights.entries()) {
      if (weight <= 0) continue;
      credit[index] = credit[index]! + weight;
      if (best === -1 || credit[index] > credit[best]!) best = index;
    }
    credit[best] = credit[best]! - total;
    turns.push(best);
  }
  return turns;
};

/** How fast connections come, and how many of them in a row each turn of the schedule is worth. */
export interface RunState {
  /** Connections per second, smoothed. */
  readonly perSecond: number;
  /** A power of two. */
  readonly run: number;
}

export const NEW_RUN: RunState = { perSecond: 0, run: 1 };

/** What a second of traffic may count in the smoothed rate, so that a burst of a thousand connections is dealt out one by one. */
const SMOOTH_MS = 1000;
/** A worker that is woken once for what arrives within a millisecond costs nobody any time. */
const RUN_MS = 1;
const SHORTEST_RUN = 4;
const LONGEST_RUN = 16;
/** A run is kept while its span stays above this part of what it was made for. */
const KEEP_ABOVE = 0.75;

/**
 * The length of runs after `arrivals` more connections within `elapsedMs`. One by one wakes the most workers for the
 * same connections: at thousands a second, with more workers than cores, that costs a fifth of their time
 * (docs/decisions/runs-of-connections.md). Slower traffic is dealt out one by one.
 */
export const stepRun = (state: RunState, arrivals: number, elapsedMs: number): RunState => {
  if (elapsedMs <= 0) return state;
  const gain = 1 - Math.exp(-elapsedMs / SMOOTH_MS);
  const perSecond = state.perSecond + gain * ((arrivals * 1000) / elapsedMs - state.perSecond);
  const inSpan = (perSecond * RUN_MS) / 1000;
  if (inSpan >= state.run * KEEP_ABOVE && inSpan < state.run * 2) return { perSecond, run: state.run };
  const run = inSpan < SHORTEST_RUN ? 1 : Math.min(LONGEST_RUN, 2 ** Math.floor(Math.log2(inSpan)));
  return { perSecond, run };
};
