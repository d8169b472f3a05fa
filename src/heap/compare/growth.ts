/**
 * What grew between two or three snapshots of one process, place by place. A place is a path of labels from a module
 * variable (or another start) to a holder and the way it holds; paths that only repeat themselves (a list's `next`, a
 * chain of scopes) are one place, and so are all objects of one kind that hold in the same way.
 */
import { NONE } from '../source/words.ts';
import { type Identity, matchById } from './identity.ts';
import { HANDLE, isGlobal, labelOfEdge, labelOfNode } from './labels.ts';
import type { Ownership } from './ownership.ts';
import type { Reading } from './reading.ts';
import { type Holding, readTerritory, type Territory } from './territory.ts';

/** Growth in one step: later minus earlier. */
export interface StepGrowth {
  readonly entries: number;
  readonly count: number;
  readonly bytes: number;
  /** Objects of the later snapshot that the earlier one did not have. */
  readonly born: number;
  readonly bornBytes: number;
  /** Of `born`, those that the snapshot after has too; 0 in the last step. */
  readonly survivors: number;
  /** Entries by class: later minus earlier. Functions count as one class. */
  readonly byClass: ReadonlyMap<string, number>;
}

/** A class in `byClass`. */
export const classKey = (className: string): string => (className.startsWith('function ') ? 'function ' : className);

export interface Place {
  /** The labels, joined: the same in every snapshot. */
  readonly key: string;
  /** One of its holders, its ordinal in the last snapshot; NONE when none of them lives. */
  readonly holder: number;
  /** How the holder holds: the last of the labels. */
  readonly slot: string;
  /** Growth of each step, the first step first. */
  readonly steps: readonly StepGrowth[];
  /** What piled up in the last step, the most bytes first. Ordinals are of the last snapshot. */
  readonly holdings: readonly Holding[];
  /** Ordinals in the last snapshot of the holders that gained in the last step, the greatest gain first. */
  readonly holders: readonly number[];
}

export interface GrowthReport {
  readonly isOneProcess: boolean;
  readonly identities: readonly Identity[];
  readonly last: Reading;
  /** What is new in the last snapshot, and the tree in which it was found. */
  readonly territory: Territory;
  /** Places that gained or lost, the greatest gain in the last step first. */
  readonly places: readonly Place[];
}

interface Gain {
  entries: number;
  count: number;
  bytes: number;
  born: number;
  bornBytes: number;
  survivors: number;
  readonly byClass: Map<string, number>;
}

/** @param readings Two or three, the oldest first. */
export function findGrowth(readings: readonly Reading[]): GrowthReport {
  const last = readings.at(-1) as Reading;
  const identities: Identity[] = [];
  for (let at = 1; at < readings.length; at++) {
    identities.push(matchById((readings[at - 1] as Reading).graph, (readings[at] as Reading).graph));
  }
  const isOneProcess = identities.every((identity) => identity.isOneProcess);
  const steps = identities.map((identity, at) => {
    const earlier = readings[at] as Reading;
    const later = readings[at + 1] as Reading;
    const next = identities[at + 1]?.later;
    return {
      identity,
      before: readTerritory(earlier, flags(identity.later), identity.later),
      after: readTerritory(later, flags(identity.earlier), next),
    };
  });
  const final = (steps.at(-1) as (typeof steps)[number]).after;

  const finalLabels = new PathLabels(final);
  const gains = new Map<string, Gain[]>();
  const living = new Map<string, number>();
  const held = new Map<string, Map<number, { gain: number; holdings: Holding[] }>>();
  for (const [at, { identity, before, after }] of steps.entries()) {
    const isLast = after === final;
    const labels = isLast ? finalLabels : new PathLabels(after);
    const nameAfter = placeNamer(labels, isLast ? undefined : toLast(identities, at + 1), {
      territory: final,
      labels: finalLabels,
    });
    const inAfter = identity.later;
    const add = (territory: Territory, sign: 1 | -1): void => {
      for (const holding of territory.holdings) {
        const holder = sign === 1 ? holding.holder : (inAfter[holding.holder] as number);
        const key = nameAfter(holder, holding);
        const inLast = isLast ? holder : toLast(identities, at + 1)(holder);
        if (inLast !== NONE) living.set(key, inLast);
        let perStep = gains.get(key);
        if (perStep === undefined) gains.set(key, (perStep = steps.map(() => emptyGain())));
        const gain = perStep[at] as Gain;
        gain.entries += sign * holding.entries;
        const kind = classKey(holding.className);
        gain.byClass.set(kind, (gain.byClass.get(kind) ?? 0) + sign * holding.entries);
        gain.count += sign * holding.count;
        gain.bytes += sign * holding.bytes;
        if (sign === 1) {
          gain.born += holding.count;
          gain.bornBytes += holding.bytes;
          gain.survivors += holding.survivors;
        }
        if (!isLast) continue;
        let holders = held.get(key);
        if (holders === undefined) held.set(key, (holders = new Map()));
        let one = holders.get(holder);
        if (one === undefined) holders.set(holder, (one = { gain: 0, holdings: [] }));
        one.gain += sign * holding.bytes;
        if (sign === 1) one.holdings.push(holding);
      }
    };
    add(before, -1);
    add(after, 1);
  }

  const places: Place[] = [];
  for (const [key, perStep] of gains) {
    const byGain = [...(held.get(key) ?? [])].sort((a, b) => b[1].gain - a[1].gain);
    places.push({
      key,
      holder: byGain[0]?.[0] ?? living.get(key) ?? NONE,
      slot: key.slice(key.lastIndexOf(' > ') + 3),
      steps: perStep,
      holders: byGain.map(([holder]) => holder),
      holdings: byGain.flatMap(([, { holdings }]) => holdings).sort((a, b) => b.bytes - a.bytes),
    });
  }
  places.sort((a, b) => (b.steps.at(-1) as StepGrowth).bytes - (a.steps.at(-1) as StepGrowth).bytes);
  return { isOneProcess, identities, last, territory: final, places };
}

const emptyGain = (): Gain => ({
  entries: 0,
  count: 0,
  bytes: 0,
  born: 0,
  bornBytes: 0,
  survivors: 0,
  byClass: new Map(),
});

const flags = (other: Uint32Array): Uint8Array => {
  const isStable = new Uint8Array(other.length);
  for (let node = 0; node < other.length; node++) if (other[node] !== NONE) isStable[node] = 1;
  return isStable;
};

/** From ordinals of snapshot `from` to those of the last one. */
function toLast(identities: readonly Identity[], from: number): (node: number) => number {
  return (node) => {
    let at = node;
    for (let step = from; step < identities.length && at !== NONE; step++) {
      at = (identities[step] as Identity).later[at] as number;
    }
    return at;
  };
}

/**
 * Names places. The path is taken in the last snapshot wherever the holder still lives there, so that a holder has one
 * path for all steps even when two paths cost the same.
 */
function placeNamer(
  labels: PathLabels,
  toFinal: ((node: number) => number) | undefined,
  final: { readonly territory: Territory; readonly labels: PathLabels },
): (holder: number, holding: Holding) => string {
  return (holder, holding) => {
    const inFinal = toFinal === undefined ? holder : toFinal(holder);
    const isThere = inFinal !== NONE && final.territory.ownership.parent[inFinal] !== NONE;
    const path = isThere ? final.labels.of(inFinal) : labels.of(holder);
    const last = append(path, `${holding.slot} ${holding.className}`);
    // What is held may be of several classes; the place is one. A root's handles hold whatever there is: a place a class.
    if (holding.slot === HANDLE) return last.join(' > ');
    return [...last.slice(0, -1), (last.at(-1) as string).slice(0, holding.slot.length)].join(' > ');
  };
}

const LONGEST_PATH = 60;

/** Labels from the start down to a node, a step each, repetitions taken together; remembered for each node passed. */
class PathLabels {
  private readonly known = new Map<number, readonly string[]>();
  private readonly reading: Reading;
  private readonly ownership: Ownership;

  constructor({ reading, ownership }: Territory) {
    this.reading = reading;
    this.ownership = ownership;
  }

  of(node: number): readonly string[] {
    const { parent, parentEdge } = this.ownership;
    const pending: number[] = [];
    let at = node;
    let labels = this.known.get(at);
    while (labels === undefined) {
      pending.push(at);
      const owner = parent[at] as number;
      if (owner === at || owner === NONE) break;
      at = owner;
      labels = this.known.get(at);
    }
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const owner = parent[next] as number;
      if (labels === undefined) labels = [labelOfStart(this.reading, next)];
      else if (labels.length < LONGEST_PATH) {
        const label = labelOfEdge(this.reading, owner, parentEdge[next] as number);
        labels = append(labels, `${label} ${labelOfNode(this.reading, next)}`);
      }
      this.known.set(next, labels);
    }
    return labels as readonly string[];
  }
}

function labelOfStart(reading: Reading, node: number): string {
  const { scripts, graph } = reading;
  const script = scripts.moduleContexts.get(node) ?? scripts.exportCells.get(node)?.script ?? scripts.modules.get(node);
  if (script !== undefined) return `module ${scripts.fileOf(script)}`;
  return isGlobal(reading, node) ? 'global' : graph.strings.get(graph.nodeName[node] as number);
}

/** One label more; when the last ones only repeat what stands before them, they are dropped: a path down a list is as long as the list. */
export function append(labels: readonly string[], label: string): readonly string[] {
  const out = [...labels, label];
  for (let period = 1; period <= 4 && 2 * period <= out.length; period++) {
    let isRepeat = true;
    for (let at = 1; at <= period && isRepeat; at++) isRepeat = out[out.length - at] === out[out.length - at - period];
    if (isRepeat) return out.slice(0, -period);
  }
  return out;
}
