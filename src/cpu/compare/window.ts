/**
 * What the comparison needs of one profile: on-CPU time by function, self and total, and by whom a function was called.
 * Idle time is no part of it: a service that has less to do has not become faster.
 */
import type { CpuFunction, CpuProfile } from '../model/profile.ts';
import { ANONYMOUS } from './match-functions.ts';

/** One function in one window. */
export interface FunctionTime {
  readonly function: CpuFunction;
  readonly selfUs: number;
  /** With everything that it called; recursion counts once. */
  readonly totalUs: number;
  /** Samples that found it running; null where the format has none. */
  readonly hits: number | null;
  /** Microseconds below each named caller, the nearest one up the stack. */
  readonly callers: ReadonlyMap<string, number>;
}

/** A profile of a stretch of time, reduced. The numbers of time are in the unit of the profile. */
export interface ProfileWindow {
  /** By `placeOf` the function. */
  readonly functions: ReadonlyMap<string, FunctionTime>;
  /** Self time of all functions together, idle time left out. */
  readonly onCpuUs: number;
  /** Samples outside idle; null where the format has none. */
  readonly hits: number | null;
  /** From the first to the last moment, idle time included. */
  readonly durationUs: number;
}

/** Equal for two functions of one version exactly when they are the same. */
export const placeOf = ({ name, url, line, column }: CpuFunction): string => `${name}\n${url}\n${line}:${column}`;

/**
 * How many times the usual distance of two samples one of them may stand for. What lies between two samples that are far
 * apart was not seen: the process did not run (its core was taken), or the profiler did not. A time-weighted profile gives
 * the whole gap to whatever ran before it, which on a busy machine is most of the noise.
 */
const MOST_INTERVALS = 4;

/** Reduces a profile. Memory and time are linear in its nodes and samples. */
export function measureWindow(profile: CpuProfile): ProfileWindow {
  const { functions, nodeCount, parent, functionOf, hits } = profile;
  const selfUs = seenSelf(profile);
  const below = Float64Array.from(selfUs);
  for (let node = nodeCount - 1; node > 0; node--) {
    const up = parent[node] ?? 0;
    below[up] = (below[up] ?? 0) + (below[node] ?? 0);
  }
  const hasHits = profile.sampleCount !== null;
  const found = new Map<string, { -readonly [Key in keyof FunctionTime]: FunctionTime[Key] }>();
  const callersOf = new Map<string, Map<string, number>>();
  const places = functions.map(placeOf);
  let onCpuUs = 0;
  let onCpuHits = 0;
  const walk = new StackWalk(profile);
  for (let node = 1; node < nodeCount; node++) {
    const at = functionOf[node] ?? 0;
    const own = functions[at];
    const place = places[at];
    if (own === undefined || place === undefined || own.category === 'idle') continue;
    const self = selfUs[node] ?? 0;
    const nodeHits = hits[node] ?? 0;
    onCpuUs += self;
    onCpuHits += nodeHits;
    let time = found.get(place);
    if (time === undefined) {
      const callers = new Map<string, number>();
      callersOf.set(place, callers);
      found.set(place, (time = { function: own, selfUs: 0, totalUs: 0, hits: hasHits ? 0 : null, callers }));
    }
    time.selfUs += self;
    if (time.hits !== null) time.hits += nodeHits;
    const { isOutermost, caller } = walk.look(node);
    if (!isOutermost) continue;
    time.totalUs += below[node] ?? 0;
    const callers = callersOf.get(place);
    callers?.set(caller, (callers.get(caller) ?? 0) + (below[node] ?? 0));
  }
  return { functions: found, onCpuUs, hits: hasHits ? onCpuHits : null, durationUs: profile.durationUs };
}

/** Self time by node, with no sample standing for longer than it can have seen. */
function seenSelf({ selfUs, samples, isChronological, unit, nodeCount }: CpuProfile): Float64Array {
  if (!isChronological || unit !== 'microseconds' || samples.count < 2) return selfUs;
  const sorted = samples.durationUs.slice().sort();
  const most = MOST_INTERVALS * (sorted[sorted.length >> 1] ?? 0);
  if (most === 0) return selfUs;
  const seen = new Float64Array(nodeCount);
  for (let at = 0; at < samples.count; at++) {
    const node = samples.node[at] ?? 0;
    seen[node] = (seen[node] ?? 0) + Math.min(samples.durationUs[at] ?? 0, most);
  }
  return seen;
}

/** Looks up the stack of a node. */
class StackWalk {
  readonly #profile: CpuProfile;

  constructor(profile: CpuProfile) {
    this.#profile = profile;
  }

  look(node: number): { readonly isOutermost: boolean; readonly caller: string } {
    const { functions, parent, functionOf } = this.#profile;
    const own = functionOf[node];
    let caller: string | null = null;
    for (let up = parent[node] ?? -1; up > 0; up = parent[up] ?? -1) {
      const at = functionOf[up] ?? 0;
      if (at === own) return { isOutermost: false, caller: '' };
      const name = functions[at]?.name ?? '';
      if (caller === null && name !== ANONYMOUS) caller = name;
    }
    return { isOutermost: true, caller: caller ?? '' };
  }
}
