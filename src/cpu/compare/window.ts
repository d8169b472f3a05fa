/**
 * What the comparison needs of one profile: on-CPU time by function, self and total, and by whom a function was called.
 * Idle time is no part of it: a service that has less to do has not become faster.
 */
import type { CpuFunction, CpuProfile } from '../model/profile.ts';
import { markOutermost, totalUsByNode } from '../passes/totals.ts';
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
  const { functions, nodeCount, functionOf, hits, sampleCount, durationUs } = profile;
  const selfUs = seenSelf(profile);
  const totalUs = totalUsByNode({ ...profile, selfUs });
  const isOutermost = markOutermost(profile, Uint32Array.from(functions.keys()), functions.length);
  const callerOf = nearestNames(profile);
  const times: (MutableTime | null)[] = functions.map((own) =>
    own.category === 'idle' ? null : { function: own, selfUs: 0, totalUs: 0, hits: 0, callers: new Map() },
  );
  const isSeen = new Uint8Array(functions.length);
  for (let node = 1; node < nodeCount; node++) {
    const at = functionOf[node] ?? 0;
    const time = times[at] ?? null;
    if (time === null) continue;
    isSeen[at] = 1;
    time.selfUs += selfUs[node] ?? 0;
    time.hits += hits[node] ?? 0;
    if (isOutermost[node] !== 1) continue;
    const below = totalUs[node] ?? 0;
    time.totalUs += below;
    const caller = functions[callerOf[node] ?? 0]?.name ?? '';
    time.callers.set(caller, (time.callers.get(caller) ?? 0) + below);
  }
  const found = new Map<string, FunctionTime>();
  let onCpuUs = 0;
  let onCpuHits = 0;
  for (const [at, time] of times.entries()) {
    if (time === null || isSeen[at] !== 1) continue;
    onCpuUs += time.selfUs;
    onCpuHits += time.hits;
    found.set(placeOf(time.function), { ...time, hits: sampleCount === null ? null : time.hits });
  }
  return { functions: found, onCpuUs, hits: sampleCount === null ? null : onCpuHits, durationUs };
}

interface MutableTime {
  readonly function: CpuFunction;
  selfUs: number;
  totalUs: number;
  hits: number;
  readonly callers: Map<string, number>;
}

/** Per node, the function of the nearest node above that has a name; the root's where there is none. */
function nearestNames({ functions, nodeCount, parent, functionOf }: CpuProfile): Uint32Array {
  const nearest = new Uint32Array(nodeCount);
  for (let node = 1; node < nodeCount; node++) {
    const up = parent[node] ?? 0;
    const at = functionOf[up] ?? 0;
    nearest[node] = functions[at]?.name === ANONYMOUS ? (nearest[up] ?? 0) : at;
  }
  return nearest;
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
