/** Makes suspects of places that grew: what, where, who holds it, what to do; places that tell one story are one suspect. */
import { nameByFields } from '../compare/classes.ts';
import { isStorage, labelOfNode } from '../compare/labels.ts';
import { classKey, type Place, type StepGrowth } from '../compare/growth.ts';
import type { Ownership } from '../compare/ownership.ts';
import type { Reading } from '../compare/reading.ts';
import type { Territory } from '../compare/territory.ts';
import { NODE } from '../model/node-types.ts';
import { NONE } from '../source/words.ts';
import { type ChainStep, describeChain, readChain } from './chain.ts';
import { type NamedHolder, nameHolder } from './holder.ts';
import { type Members, readMembers } from './members.ts';
import { directClass, findPattern } from './pattern.ts';
import { type Places, writeLocation } from './places.ts';
import { findRemedy, remedyNames } from './remedies.ts';
import type { HeapSuspect, LeakPattern, PathStep } from './verdict.ts';

export interface Draft {
  readonly place: Place;
  readonly chain: readonly ChainStep[];
  readonly members: Members;
  readonly pattern: LeakPattern;
  readonly named: NamedHolder;
  /** An object that is held: the end of the path. */
  readonly example: number;
}

export function draftSuspect(places: Places, territory: Territory, place: Place): Draft {
  const { reading, ownership } = territory;
  const [main] = place.holdings;
  const holder = place.holders[0] as number;
  const chain = readChain(reading, ownership, holder);
  const members = readMembers(territory, place);
  // A variable or a property that leads to what is new is the last name on the way.
  const typical = place.holdings.find((holding) => holding.holder === holder) ?? main;
  if (typical !== undefined && typical.slot !== '[]') {
    chain.push({ node: reading.graph.edgeTo[typical.edge] as number, owner: holder, edge: typical.edge });
  }
  const pattern = findPattern(reading, chain, place, members);
  const className = directClass(place);
  const example =
    place.holdings.find((holding) => holding.className === className)?.example ?? (chain.at(-1) as ChainStep).node;
  return { place, chain, members, pattern, named: nameHolder(places, territory, chain, members, pattern), example };
}

export interface Ranking {
  readonly rank: number;
  /** Bytes of all growth in the last step. */
  readonly total: number;
  /** Per node, bytes with all that hangs from it. */
  readonly owned: Float64Array;
}

/**
 * @param drafts Of one holder, the largest first.
 * @param steps Growth of all places of that holder.
 */
export function finishSuspect(
  places: Places,
  territory: Territory,
  drafts: readonly Draft[],
  steps: readonly StepGrowth[],
  { rank, total, owned }: Ranking,
): HeapSuspect {
  const { graph } = places.reading;
  const [main] = drafts as [Draft];
  const { chain, named } = main;
  // An array inside something with a class of its own is how that collection is made.
  const pattern = main.pattern === 'array' && named.holder.what !== 'Array' ? 'collection' : main.pattern;
  const callback = named.callback === NONE ? '' : graph.strings.get(graph.nodeName[named.callback] as number);
  const unit = findUnit(main, steps);
  const isOfLists = isMapOfLists(places.reading, main);
  const remedy = findRemedy(pattern, remedyNames(named.holder, unit.className, callback, isOfLists));
  const gained = steps.map(({ bytes }) => bytes);
  const held = holdersOf(territory, drafts);
  const last = unit.isDirect
    ? countDirect(territory, new Set(main.place.holders), unit.className)
    : countBelow(territory, held, unit.className);
  const allocation = writeAllocation(places, main.example, named.callback);
  return {
    rank,
    basis: 'growth',
    pattern,
    className: readableUnit(places.reading, unit.className, main),
    counts: countBack(Math.max(last, unit.gains.at(-1) as number), unit.gains),
    retainedBytes: sum([...held], (node) => owned[node] as number),
    growth: {
      objects: unit.gains,
      bytes: gained,
      share: total === 0 ? 0 : Math.min(1, Math.max(0, (gained.at(-1) as number) / total)),
    },
    path: writePath(places, chain, main.example),
    holder: named.text,
    holding: named.holder,
    ...(allocation !== undefined && { allocation }),
    remedy: remedy.text,
    remedyCode: remedy.code,
  };
}

/** Whether what grows are lists in a Map that the holder's name leads to, and not the Map itself. */
function isMapOfLists(reading: Reading, { chain, named }: Draft): boolean {
  const last = (chain.at(-1) as ChainStep).node;
  return named.held !== NONE && labelOfNode(reading, last) === 'Array' && reading.words.isNamed(named.held, 'Map');
}

/** Plain objects are told by their fields. V8's own cells are not what a program thinks it keeps; what is in them is. */
function readableUnit(reading: Reading, className: string, { example, members }: Draft): string {
  if (className === 'Object' && labelOfNode(reading, example) === className) return nameByFields(reading, example);
  const inside = className.startsWith('system / ')
    ? members.classes.find(({ label }) => !/^(?:system \/ |string$|number$|\(storage\)$)/.test(label))?.label
    : undefined;
  return (inside ?? className).trim() || 'object';
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

/** What keeps all of it: where a suspect has several places, what the holder's own name leads to. */
function holdersOf({ reading, ownership }: Territory, drafts: readonly Draft[]): ReadonlySet<number> {
  const nodes = new Set<number>();
  for (const { chain, place, named } of drafts) {
    if (drafts.length > 1 && named.held !== NONE) nodes.add(named.held);
    else if (place.holders.length > 1) for (const holder of place.holders) nodes.add(holder);
    else nodes.add(wholeList(reading, ownership, chain.at(-1) as ChainStep));
  }
  return nodes;
}

/** A list that is appended to grows at its end; the whole of it begins where its first link hangs. */
function wholeList(reading: Reading, { parent }: Ownership, { node, owner }: ChainStep): number {
  const label = labelOfNode(reading, node);
  let at = owner !== NONE && !isScopeLike(reading, owner) && isLink(reading, owner, label) ? owner : node;
  while (parent[at] !== at && labelOfNode(reading, at) === label && isLink(reading, parent[at] as number, label)) {
    at = parent[at] as number;
  }
  return at;
}

const isLink = (reading: Reading, node: number, label: string): boolean =>
  labelOfNode(reading, node) === label || reading.words.hasProperty(node, '_idleNext');

const isScopeLike = (reading: Reading, node: number): boolean =>
  reading.graph.nodeType[node] !== NODE.object || labelOfNode(reading, node) === 'Context';

interface Unit {
  readonly className: string;
  /** Whether the holder holds each of them, and not one of them the next. */
  readonly isDirect: boolean;
  readonly gains: number[];
}

/** What is counted: the class of most of what is held, and how many each step brought. */
function findUnit({ place, members, pattern }: Draft, steps: readonly StepGrowth[]): Unit {
  const timer = pattern === 'timers' ? members.classes.find(({ label }) => label === 'Timeout') : undefined;
  const className = timer?.label ?? directClass(place);
  const last = steps.at(-1) as StepGrowth;
  const direct = last.byClass.get(classKey(className)) ?? 0;
  if (timer === undefined && direct >= 6) {
    return { className, isDirect: true, gains: steps.map((step) => step.byClass.get(classKey(className)) ?? 0) };
  }
  // A chain hangs from its first link: count the links, and take the steps before to be made alike.
  const links = members.classes
    .filter(({ label }) => classKey(label) === classKey(className))
    .reduce((total, { count }) => total + count, 0);
  return {
    className,
    isDirect: false,
    gains: steps.map(({ count }) => Math.round((count / Math.max(1, last.count)) * links)),
  };
}

/** Objects of a class that `holders` hold themselves, their storage between. */
function countDirect({ reading, ownership }: Territory, holders: ReadonlySet<number>, className: string): number {
  const { order, parent } = ownership;
  const key = classKey(className);
  let count = 0;
  for (const node of order) {
    const owner = parent[node] as number;
    const holder = isStorage(reading, owner) ? (parent[owner] as number) : owner;
    if (holders.has(holder) && node !== owner && classKey(labelOfNode(reading, node)) === key) count++;
  }
  return count;
}

/** Objects of a class among `holders` and what hangs from them: the first link of a list counts. */
function countBelow({ reading, ownership }: Territory, holders: ReadonlySet<number>, className: string): number {
  const { order, parent } = ownership;
  const isBelow = new Uint8Array(reading.graph.nodeCount);
  for (const holder of holders) isBelow[holder] = 1;
  const key = classKey(className);
  let count = 0;
  for (const node of order) {
    if (isBelow[node] === 0 && isBelow[parent[node] as number] === 1) isBelow[node] = 1;
    if (isBelow[node] === 1 && classKey(labelOfNode(reading, node)) === key) count++;
  }
  return count;
}

/** A number per snapshot: what is there at the end, less what each step brought. */
function countBack(last: number, gains: readonly number[]): number[] {
  const counts = [last];
  for (const gain of gains.toReversed()) counts.unshift(Math.max(0, (counts[0] as number) - gain));
  return counts;
}

function writeAllocation(places: Places, example: number, callback: number): string | undefined {
  const { graph } = places.reading;
  const own = places.ofNode(example);
  if (own !== undefined && !own.file.startsWith('node:')) {
    return `${graph.strings.get(graph.nodeName[example] as number) || 'function'} at ${writeLocation(own)}`;
  }
  const location = callback === NONE ? undefined : places.ofNode(callback);
  return location === undefined
    ? undefined
    : `${graph.strings.get(graph.nodeName[callback] as number) || 'function'} at ${writeLocation(location)}`;
}

const MOST_STEPS = 24;

/** A list is one thing, however many links it has: of equal steps in a row the first and the last stay. */
function foldSteps(steps: readonly PathStep[]): PathStep[] {
  const folded: PathStep[] = [];
  for (let at = 0; at < steps.length;) {
    const first = steps[at] as PathStep;
    let end = at + 1;
    while (end < steps.length && steps[end]?.edge === first.edge && steps[end]?.node === first.node) end++;
    const last = steps[end - 1] as PathStep;
    folded.push(first);
    if (end - at > 3) folded.push({ edge: '…', node: `${end - at - 2} more like it`, id: steps[at + 1]?.id ?? 0 });
    else folded.push(...steps.slice(at + 1, end - 1));
    if (end - at > 1) folded.push(last);
    at = end;
  }
  return folded;
}

function writePath(places: Places, chain: readonly ChainStep[], example: number): PathStep[] {
  const { reading } = places;
  const { graph } = reading;
  const steps = foldSteps(describeChain(reading, chain).map(({ edge, node, label }) => step(edge, node, label)));
  if (steps.length > MOST_STEPS) {
    const cut = steps.length - MOST_STEPS;
    const middle = MOST_STEPS / 2;
    steps.splice(middle, cut, { edge: '…', node: `${cut} more steps`, id: steps[middle]?.id ?? 0 });
  }
  if (steps.at(-1)?.id !== graph.nodeId[example]) {
    steps.push(step('[]', example, labelOfNode(reading, example).trim()));
  }
  return steps;

  function step(edge: string, node: number, label: string): PathStep {
    const location = places.ofNode(node);
    return {
      edge,
      node: label,
      ...(location !== undefined && { location: writeLocation(location) }),
      id: graph.nodeId[node] as number,
    };
  }
}
