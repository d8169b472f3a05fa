/**
 * What is large in one snapshot: the points where much hangs from one holder and from no single thing below it. That is
 * size and not growth, and each suspect says so (`basis: 'size'`): a big table may be just what the program is for.
 * The idea of the accumulation point, where retained size drops from a holder to its largest child, is Eclipse MAT's.
 */
import type { Place } from '../compare/growth.ts';
import { isCollection, isStorage } from '../compare/labels.ts';
import { type Ownership, readOwnership } from '../compare/ownership.ts';
import { openReading, type Reading } from '../compare/reading.ts';
import { type Holding, readTerritory, type Territory } from '../compare/territory.ts';
import type { HeapGraph } from '../model/graph.ts';
import type { SourceOptions } from '../source/declarations.ts';
import { NONE } from '../source/words.ts';
import type { JudgeOptions } from './judge-heaps.ts';
import { sumOwned } from './owned.ts';
import { Places } from './places.ts';
import { type Draft, draftSuspect, finishSuspect } from './suspects.ts';
import type { HeapSuspect } from './verdict.ts';

/** Of all data, the share that a holder has to keep to be worth a line. */
const LEAST_SHARE = 0.02;
/** Of what a holder keeps, the most that one thing below it may keep; beyond, that thing is the point to look at. */
const MOST_OF_ONE = 0.6;
const MOST_SUSPECTS = 10;

/** The largest accumulations, the most bytes first. */
export function findSuspects(graph: HeapGraph, options: JudgeOptions & SourceOptions = {}): HeapSuspect[] {
  const reading = openReading(graph, options);
  const ownership = readOwnership(reading.words, reading.scripts, undefined);
  const owned = sumOwned({ reading, ownership });
  const points = findPoints(reading, ownership, owned, options.most ?? MOST_SUSPECTS);
  if (points.length === 0) return [];
  const territory = readTerritory(reading, markBelow(ownership, points), undefined, ownership);
  const places = new Places(reading, options);
  const drafts = points
    .map((point) => placeOf(territory, point))
    .filter((place) => place !== undefined)
    .map((place) => draftSuspect(places, territory, place))
    // What Node keeps for itself is the price of running.
    .filter(({ named }) => named.holder.kind !== 'runtime' || named.callback !== NONE);
  return [...groupByHolder(drafts)].map((same, at) => {
    const { growth: _growth, ...suspect } = finishSuspect(places, territory, same, same[0]?.place.steps ?? [], {
      rank: at + 1,
      total: 0,
      owned,
    });
    return { ...suspect, basis: 'size', counts: suspect.counts.slice(-1) };
  });
}

/** Parts of one thing are one suspect; the largest part comes first and speaks for all. */
function groupByHolder(drafts: readonly Draft[]): Iterable<readonly Draft[]> {
  return Map.groupBy(drafts, ({ named }) => named.text).values();
}

function findPoints(reading: Reading, ownership: Ownership, owned: Float64Array, most: number): number[] {
  const { order, parent } = ownership;
  let total = 0;
  for (const node of order) if (parent[node] === node) total += owned[node] as number;
  const least = total * LEAST_SHARE;
  const largestChild = new Float64Array(owned.length);
  for (const node of order) {
    if ((owned[node] as number) < least) continue;
    const owner = parent[node] as number;
    // The table of a Map is the Map's own: what counts are the entries.
    const holder = isStorage(reading, owner) ? (parent[owner] as number) : owner;
    if (isStorage(reading, node) || holder === node) continue;
    largestChild[holder] = Math.max(largestChild[holder] as number, owned[node] as number);
  }
  const isPoint = (node: number): boolean =>
    (owned[node] as number) >= least &&
    parent[node] !== node &&
    !isStorage(reading, node) &&
    (largestChild[node] as number) < MOST_OF_ONE * (owned[node] as number) &&
    (isCollection(reading, node) || largestChild[node] === 0);
  const points: number[] = [];
  const isTaken = new Uint8Array(owned.length);
  for (const node of order.filter(isPoint).sort((a, b) => (owned[b] as number) - (owned[a] as number))) {
    if (points.length === most) break;
    let isFree = true;
    for (let at = node; isFree && parent[at] !== at; at = parent[at] as number) isFree = isTaken[at] === 0;
    if (!isFree) continue;
    isTaken[node] = 1;
    points.push(node);
  }
  return points;
}

/** 0 for what hangs from a point, 1 for all else: as if what hangs there had come since. */
function markBelow({ order, parent }: Ownership, points: readonly number[]): Uint8Array {
  const isStable = new Uint8Array(parent.length).fill(1);
  const isPoint = new Set(points);
  for (const node of order) {
    const owner = parent[node] as number;
    if (owner !== node && (isPoint.has(owner) || isStable[owner] === 0)) isStable[node] = 0;
  }
  return isStable;
}

function placeOf(territory: Territory, point: number): Place | undefined {
  const holdings = territory.holdings.filter(({ holder }) => holder === point).sort((a, b) => b.bytes - a.bytes);
  if (holdings.length === 0) return undefined;
  const add = (of: (holding: Holding) => number): number => holdings.reduce((sum, holding) => sum + of(holding), 0);
  const byClass = new Map(holdings.map(({ className, entries }) => [className, entries]));
  const step = {
    entries: add(({ entries }) => entries),
    count: add(({ count }) => count),
    bytes: add(({ bytes }) => bytes),
    born: 0,
    bornBytes: 0,
    survivors: 0,
    byClass,
  };
  return { key: '', holder: point, slot: '[]', steps: [step], holders: [point], holdings };
}
