/**
 * What the comparison keeps of one profile: the call tree with how often each node was found running, and how long the
 * process ran. Idle time is no part of it: a service that has less to do has not become faster.
 */
import type { CpuFunction, CpuProfile } from '../model/profile.ts';

/** A profile of a stretch of time, reduced: some 16 bytes a node, nothing a sample. */
export interface ProfileWindow {
  readonly functions: readonly CpuFunction[];
  readonly nodeCount: number;
  /** Per node: its parent, −1 for the root; parents stand before their children. */
  readonly parent: Int32Array;
  /** Per node: index into `functions`. */
  readonly functionOf: Uint32Array;
  /**
   * Per node: samples that found it running, 0 where it is idle. A share is a share of these: see `isSampled`. Where the
   * format has no samples, milliseconds (or whatever it counts) in their place.
   */
  readonly ticks: Float64Array;
  readonly onCpuTicks: number;
  /** Whether `ticks` are samples, so that their number tells how precise a share is. */
  readonly isSampled: boolean;
  /** Milliseconds of a core: the time that samples outside idle stand for, without what nobody saw. Null where unknown. */
  readonly onCpuMs: number | null;
  readonly durationMs: number;
  /**
   * Which run of the process it is from: windows of one run are more alike than those of two (compiled code, layout of
   * memory, what the load was). Null where nobody knows; each such window counts as a run of its own.
   */
  readonly launch: string | null;
}

/**
 * How many times the lower quartile of all intervals one sample may stand for. Behind a longer interval the process did not
 * run, or the profiler did not: on a busy machine the sum of raw intervals was 1.4 to 3.6 times the processor time that the
 * kernel counted, and this sum 0.7 to 1.2 times (docs/internals/cpu-diff.md).
 */
const MOST_INTERVALS = 1.5;

/** Reduces a profile. Memory and time are linear in its nodes and samples. */
export function measureWindow(profile: CpuProfile, launch: string | null = null): ProfileWindow {
  const { functions, nodeCount, parent, functionOf, hits, selfUs, sampleCount, unit } = profile;
  // Samples, not the time between them: that time varies with what else the machine does, which is noise here. Over a
  // window it is as long for one function as for another, so that shares are the same without it.
  const isSampled = sampleCount !== null && hits.some((count) => count > 0);
  const ticks = new Float64Array(nodeCount);
  let onCpuTicks = 0;
  for (let node = 1; node < nodeCount; node++) {
    if (functions[functionOf[node] ?? 0]?.category === 'idle') continue;
    const count = isSampled ? (hits[node] ?? 0) : (selfUs[node] ?? 0) / 1000;
    ticks[node] = count;
    onCpuTicks += count;
  }
  return {
    functions,
    nodeCount,
    parent,
    functionOf,
    ticks,
    onCpuTicks,
    isSampled,
    onCpuMs: unit === 'microseconds' ? (seenUs(profile) ?? 1000 * onCpuTicks) / 1000 : null,
    durationMs: profile.durationUs / 1000,
    launch,
  };
}

/** Microseconds that samples outside idle stand for; null where there are no samples in time. */
function seenUs({ samples, isChronological, functions, functionOf }: CpuProfile): number | null {
  if (!isChronological || samples.count < 4) return null;
  const sorted = samples.durationUs.slice().sort();
  const most = MOST_INTERVALS * (sorted[sorted.length >> 2] ?? 0);
  if (most === 0) return null;
  let sum = 0;
  for (let at = 0; at < samples.count; at++) {
    const own = functions[functionOf[samples.node[at] ?? 0] ?? 0];
    if (own?.category !== 'idle') sum += Math.min(samples.durationUs[at] ?? 0, most);
  }
  return sum;
}

/** Equal for two functions of one version exactly when they are the same. */
export const placeOf = ({ name, url, line, column }: CpuFunction): string => `${name}\n${url}\n${line}:${column}`;
