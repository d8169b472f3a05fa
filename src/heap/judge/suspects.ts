/** Makes suspects of places that grew: what, where, who holds it, what to do; places that tell one story are one suspect. */
import { labelOfNode } from '../compare/labels.ts';
import { classKey, type Place, type StepGrowth } from '../compare/growth.ts';
import type { Territory } from '../compare/territory.ts';
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
  const chain = readChain(ownership, holder);
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

/** Drafts that name one holder are one suspect: the parts of a cache, the lists that one kind of timer is in. The first is the largest. */
export function mergeDrafts(drafts: readonly Draft[]): Draft[][] {
  const byHolder = new Map<string, Draft[]>();
  for (const draft of drafts) {
    const same = byHolder.get(draft.named.text);
    if (same === undefined) byHolder.set(draft.named.text, [draft]);
    else same.push(draft);
  }
  return [...byHolder.values()];
}

/**
 * @param drafts Of one holder, the largest first.
 * @param totalBytes All growth in the last step.
 * @param owned Per node, bytes with all that hangs from it.
 */
export function finishSuspect(
  places: Places,
  territory: Territory,
  drafts: readonly Draft[],
  rank: number,
  totalBytes: number,
  owned: Float64Array,
): HeapSuspect {
  const { graph } = places.reading;
  const [main] = drafts as [Draft];
  const { chain, named } = main;
  const pattern = drafts.length > 1 && main.pattern === 'array' ? 'collection' : main.pattern;
  const callback = named.callback === NONE ? '' : graph.strings.get(graph.nodeName[named.callback] as number);
  const unit = findUnit(main);
  const remedy = findRemedy(pattern, remedyNames(named.holder, unit.className, callback));
  const gained = main.place.steps.map((_step, at) => sum(drafts, ({ place }) => (place.steps[at] as StepGrowth).bytes));
  const held = holdersOf(drafts);
  const last = countBelow(territory, held, unit.className);
  const allocation = writeAllocation(places, main.example, named.callback);
  return {
    rank,
    basis: 'growth',
    pattern,
    className: unit.className.trim() || 'object',
    counts: countBack(Math.max(last, unit.gains.at(-1) as number), unit.gains),
    retainedBytes: sum([...held], (node) => owned[node] as number),
    growth: {
      objects: unit.gains,
      bytes: gained,
      share: totalBytes === 0 ? 0 : Math.min(1, Math.max(0, (gained.at(-1) as number) / totalBytes)),
    },
    path: writePath(places, chain, main.example),
    holder: named.text,
    holding: named.holder,
    ...(allocation !== undefined && { allocation }),
    remedy: remedy.text,
    remedyCode: remedy.code,
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

/** What keeps all of it: where a suspect has several places, what the holder's own name leads to. */
function holdersOf(drafts: readonly Draft[]): ReadonlySet<number> {
  const nodes = new Set<number>();
  for (const { chain, place, named } of drafts) {
    if (drafts.length > 1 && named.held !== NONE) nodes.add(named.held);
    else if (place.holders.length > 1) for (const holder of place.holders) nodes.add(holder);
    else nodes.add((chain.at(-1) as ChainStep).node);
  }
  return nodes;
}

/** What is counted: the class of most of what is held, and how many each step brought. */
function findUnit({ place, members, pattern }: Draft): { className: string; gains: number[] } {
  const timer = pattern === 'timers' ? members.classes.find(({ label }) => label === 'Timeout') : undefined;
  const className = timer?.label ?? directClass(place);
  const last = place.steps.at(-1) as StepGrowth;
  const direct = last.byClass.get(classKey(className)) ?? 0;
  if (timer === undefined && direct >= 6) {
    return { className, gains: place.steps.map((step) => step.byClass.get(classKey(className)) ?? 0) };
  }
  // A chain hangs from its first link: count the links, and take the steps before to be made alike.
  const links = members.classes
    .filter(({ label }) => classKey(label) === classKey(className))
    .reduce((total, { count }) => total + count, 0);
  return { className, gains: place.steps.map(({ count }) => Math.round((count / Math.max(1, last.count)) * links)) };
}

/** Objects of a class that hang from any of `holders`. */
function countBelow({ reading, ownership }: Territory, holders: ReadonlySet<number>, className: string): number {
  const { order, parent } = ownership;
  const isBelow = new Uint8Array(reading.graph.nodeCount);
  for (const holder of holders) isBelow[holder] = 1;
  const key = classKey(className);
  let count = 0;
  for (const node of order) {
    if (isBelow[node] === 0 && isBelow[parent[node] as number] === 1) isBelow[node] = 1;
    if (isBelow[node] === 1 && !holders.has(node) && classKey(labelOfNode(reading, node)) === key) count++;
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

function writePath(places: Places, chain: readonly ChainStep[], example: number): PathStep[] {
  const { reading } = places;
  const { graph } = reading;
  const steps: PathStep[] = describeChain(reading, chain).map(({ edge, node, label }) => step(edge, node, label));
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
