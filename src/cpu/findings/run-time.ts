/**
 * The part of a profile in which a service serves: what is left when loading modules and waiting are taken away. Boot is
 * not run time: a program may read files, compile and parse as it starts, and nobody waits for it.
 */
import type { CpuFunction, CpuProfile } from '../model/profile.ts';

/**
 * A sample stands for at most this many usual intervals. Longer ones are times in which the machine ran something else,
 * the sampling thread included: V8 goes on sampling while native code runs, so no call of the program leaves a gap. On a
 * busy machine a single such sample was seen to stand for 9 % of a profile.
 */
const MOST_INTERVALS = 5;

/** A program with less than this part of its busy time outside of loading, and this much work in it, is a script. */
const SCRIPT_SHARE = 0.1;
const SCRIPT_WORK_US = 300_000;

export interface RunTime {
  /** Per node: microseconds at run time, in it and not below. */
  readonly selfUs: Float64Array;
  /** Per node: samples at run time. */
  readonly hits: Uint32Array;
  readonly busyUs: number;
  /** Busy and idle. */
  readonly wallUs: number;
  readonly busyHits: number;
  /** First and one past the last sample of run time; both 0 where the profile has no samples. */
  readonly from: number;
  readonly to: number;
  /** Per sample from `from` on: microseconds, gaps cut. */
  readonly weightUs: (sample: number) => number;
  /** Per node: whether it loads or evaluates a module, and whether the application asked for that while it ran. */
  readonly loading: Uint8Array;
  /** Everything ran while the main module was evaluated: a script, whose evaluation is its work. */
  readonly isScript: boolean;
  /** The interval that most samples have, in microseconds; 0 where there are none. */
  readonly intervalUs: number;
}

/** Whoever takes connections or requests is no script, however long its start was. */
const isServer = ({ name, url }: CpuFunction): boolean =>
  (url === 'node:net' && name === 'onconnection') || (url === 'node:_http_server' && name === 'parserOnIncoming');

export const LOADING = { no: 0, atStart: 1, asked: 2 } as const;

export function findRunTime(profile: CpuProfile): RunTime {
  const asService = measure(profile, markLoading(profile, false), false);
  if (profile.functions.some(isServer)) return asService;
  const asScript = markLoading(profile, true);
  const work = sumWorkWhileLoading(profile, asService.loading, asScript);
  if (asService.busyUs >= SCRIPT_SHARE * (asService.busyUs + work) || work < SCRIPT_WORK_US) return asService;
  return measure(profile, asScript, true);
}

const LOADER_FILE =
  /^node:internal\/(?:modules|main|bootstrap|module)\b|^node:internal\/process\/(?:esm_loader|execution)/;
/** `evaluate` of a module is native, and stands alone at the root where a module waited for something. */
const isLoader = ({ name, url }: CpuFunction): boolean =>
  LOADER_FILE.test(url) || url === 'node:module' || (url === '' && name === 'evaluate');

/**
 * What is called from a loader is loading as well, down to the top of the module that is evaluated, and what that calls;
 * in a script, loading ends where a module of the application is evaluated, and what that asks for is still its start.
 */
function markLoading({ nodeCount, parent, functionOf, functions }: CpuProfile, isScript: boolean): Uint8Array {
  const loading = new Uint8Array(nodeCount);
  const hasApplication = new Uint8Array(nodeCount);
  for (let node = 1; node < nodeCount; node += 1) {
    const above = parent[node] as number;
    const one = functions[functionOf[node] as number] as CpuFunction;
    const isOwn = one.category === 'application' || one.category === 'dependency';
    hasApplication[node] = hasApplication[above] === 1 || isOwn ? 1 : 0;
    if (isScript && one.category === 'application') continue;
    if (loading[above] !== LOADING.no) loading[node] = loading[above] as number;
    else if (isLoader(one)) loading[node] = hasApplication[above] === 1 && !isScript ? LOADING.asked : LOADING.atStart;
  }
  return loading;
}

/** Time below the evaluation of modules that would be work if the program were a script. */
function sumWorkWhileLoading({ nodeCount, selfUs }: CpuProfile, asService: Uint8Array, asScript: Uint8Array): number {
  let us = 0;
  for (let node = 1; node < nodeCount; node += 1)
    if (asService[node] === LOADING.atStart && asScript[node] === LOADING.no) us += selfUs[node] as number;
  return us;
}

function measure(profile: CpuProfile, loading: Uint8Array, isScript: boolean): RunTime {
  const { nodeCount, samples, functions, functionOf } = profile;
  const selfUs = new Float64Array(nodeCount);
  const hits = new Uint32Array(nodeCount);
  const categoryOf = (node: number): string => (functions[functionOf[node] as number] as CpuFunction).category;
  const isStart = (node: number): boolean => loading[node] === LOADING.atStart;
  const rest = { selfUs, hits, loading, isScript };
  if (!profile.isChronological) {
    let [busyUs, idleUs, busyHits] = [0, 0, 0];
    const countHits = hasHits(profile)
      ? (node: number): number => profile.hits[node] as number
      : (node: number): number => Math.round((profile.selfUs[node] as number) / usOfHit(profile));
    for (let node = 1; node < nodeCount; node += 1) {
      if (isStart(node)) continue;
      const us = profile.selfUs[node] as number;
      if (categoryOf(node) === 'idle') idleUs += us;
      else {
        busyUs += us;
        busyHits += countHits(node);
        selfUs[node] = us;
        hits[node] = countHits(node);
      }
    }
    const weightUs = (): number => 0;
    return { ...rest, busyUs, wallUs: busyUs + idleUs, busyHits, from: 0, to: 0, weightUs, intervalUs: 0 };
  }
  const intervalUs = findUsual(samples.durationUs);
  const mostUs = intervalUs * MOST_INTERVALS;
  const weightUs = (sample: number): number => Math.min(samples.durationUs[sample] as number, mostUs);
  const isIdle = (sample: number): boolean => categoryOf(samples.node[sample] as number) === 'idle';
  const from = isScript ? 0 : findServing(profile, loading);
  let [busyUs, wallUs, busyHits] = [0, 0, 0];
  for (let sample = from; sample < samples.count; sample += 1) {
    const node = samples.node[sample] as number;
    // Waiting is as long as it is; only work can be cut short by the machine.
    if (isIdle(sample)) wallUs += samples.durationUs[sample] as number;
    else {
      const us = weightUs(sample);
      wallUs += us;
      busyUs += us;
      busyHits += 1;
      selfUs[node] = (selfUs[node] as number) + us;
      hits[node] = (hits[node] as number) + 1;
    }
  }
  return { ...rest, busyUs, wallUs, busyHits, from, to: samples.count, weightUs, intervalUs };
}

const hasHits = ({ hits }: CpuProfile): boolean => hits.some((count) => count > 0);

/** Sums without a count of samples: they are counts themselves, or are taken to have been sampled each millisecond. */
const usOfHit = ({ unit }: CpuProfile): number => (unit === 'samples' ? 1 : 1000);

/** The first sample that is in code of the application, outside of the loading of modules at the start. */
function findServing({ samples, parent, functions, functionOf }: CpuProfile, loading: Uint8Array): number {
  const isServing = (node: number): boolean => {
    if (loading[node] === LOADING.atStart) return false;
    for (let at = node; at > 0; at = parent[at] as number) {
      const { category } = functions[functionOf[at] as number] as CpuFunction;
      if (category === 'application' || category === 'dependency') return true;
    }
    return false;
  };
  const known = new Map<number, boolean>();
  for (let sample = 0; sample < samples.count; sample += 1) {
    const node = samples.node[sample] as number;
    let answer = known.get(node);
    if (answer === undefined) known.set(node, (answer = isServing(node)));
    if (answer) return sample;
  }
  return samples.count;
}

/** The median of what samples stand for, from at most some thousands of them. */
function findUsual(durationUs: ArrayLike<number>): number {
  const step = Math.max(1, Math.floor(durationUs.length / 4096));
  const some: number[] = [];
  for (let at = 0; at < durationUs.length; at += step) some.push(durationUs[at] as number);
  some.sort((a, b) => a - b);
  return some[Math.floor(some.length / 2)] ?? 0;
}
