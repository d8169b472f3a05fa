/**
 * In which way memory is kept, told by structure: what holds (an event's listeners, Node's timers, a Map, a chain of
 * scopes) and what is held (promises, buffers, streams). Names are only those that V8 and Node give to their own parts.
 */
import { type Place } from '../compare/growth.ts';
import { countProperties, isCollection, labelOfEdge, labelOfNode } from '../compare/labels.ts';
import type { Reading } from '../compare/reading.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { NONE, type Word } from '../source/words.ts';
import type { ChainStep } from './chain.ts';
import type { Members } from './members.ts';
import type { LeakPattern } from './verdict.ts';

/** @param chain From a start to the holder, and on to what it holds where the way there is a variable or a property. */
export function findPattern(
  reading: Reading,
  chain: readonly ChainStep[],
  place: Place,
  members: Members,
): LeakPattern {
  const { entries } = members;
  const most = (test: (node: number) => boolean): boolean =>
    entries.length > 0 && entries.filter(test).length * 2 > entries.length;
  const holder = (chain.at(-1) as ChainStep).node;

  if (members.contextBytes * 2 > members.bytes) return 'async-context';
  if (isTimers(reading, chain) || most((node) => isTimer(reading, node))) return 'timers';
  if (most((node) => isStream(reading, node))) return 'streams';
  if (members.bufferBytes * 2 > members.bytes) return 'buffers';
  if (isListeners(reading, chain)) return most((node) => leadsToStream(reading, node)) ? 'streams' : 'listeners';
  if (labelOfNode(reading, holder) === 'Promise' || most((node) => isPending(reading, node))) return 'promises';
  // A list's ends look like a tree's top; its links are not held one by one.
  if (entries.length >= 3 && most((node) => isDetached(reading, node))) return 'detached';
  const direct = directClass(place);
  if (members.scopeDepth >= 3 && !isCollection(reading, holder)) return 'shared-context';
  // Handles of the runtime hold what is open: sockets, ports, files.
  if (reading.graph.nodeType[(chain[0] as ChainStep).node] === NODE.synthetic) {
    return most((node) => targets(reading, node).some((to) => isStream(reading, to))) ? 'streams' : 'unknown';
  }
  if (direct.startsWith('function ')) return 'closures';
  if (labelOfNode(reading, holder) === 'Array') return 'array';
  if (isCollection(reading, holder)) return 'collection';
  if (direct === 'string') return 'unknown';
  // Neither a collection nor one object that grows: objects that hold one another, one more each time.
  return isList(place) ? 'collection' : 'unknown';
}

/** The class of most of what is held directly, storage and keys aside. */
export function directClass({ holdings }: Place): string {
  const real = holdings.filter(
    ({ className }) => className !== '(storage)' && className !== 'string' && className !== 'number',
  );
  const pool = real.length > 0 ? real : holdings;
  const sums = new Map<string, number>();
  for (const { className, bytes } of pool) {
    // Functions count together, whatever their names are.
    const key = className.startsWith('function ') ? 'function ' : className;
    sums.set(key, (sums.get(key) ?? 0) + bytes);
  }
  const [key = ''] = [...sums].sort((a, b) => b[1] - a[1])[0] ?? [];
  return key === 'function ' ? (pool.find(({ className }) => className.startsWith(key))?.className ?? key) : key;
}

const isList = ({ steps }: Place): boolean => {
  const last = steps.at(-1);
  return last !== undefined && last.count >= 8 && last.entries * 4 <= last.count;
};

const stepLabels = (reading: Reading, chain: readonly ChainStep[]): string[] =>
  chain.map(({ owner, edge }) => (edge === NONE ? '' : labelOfEdge(reading, owner, edge)));

/** Held in the listeners of an EventEmitter or of an EventTarget, and in nothing nearer than that. */
function isListeners(reading: Reading, chain: readonly ChainStep[]): boolean {
  return findEventsStep(reading, chain) !== -1;
}

/** Position of the table of events in the chain; −1 where there is none close to the end. */
export function findEventsStep(reading: Reading, chain: readonly ChainStep[]): number {
  const labels = stepLabels(reading, chain);
  const at = Math.max(labels.lastIndexOf('._events'), labels.lastIndexOf('.<symbol kEvents>'));
  if (at === -1) return -1;
  // Behind the table come the event and its list of listeners; a linked list of them is many steps and one thing.
  const behind = labels.slice(at + 1).filter((label) => label !== '.next' && label !== '[]');
  return behind.length <= 2 ? at : -1;
}

/** The event whose listeners pile up; empty when the way does not end in a table of events. */
export function findEvent(reading: Reading, chain: readonly ChainStep[]): string {
  const table = findEventsStep(reading, chain);
  if (table === -1) return '';
  const { graph } = reading;
  for (const { owner, edge } of chain.slice(table + 1)) {
    const label = labelOfEdge(reading, owner, edge);
    if (label.startsWith('.')) return label.slice(1);
    // In a Map the key stands before the value.
    if (graph.nodeType[owner] !== NODE.array) continue;
    const key = edge > (graph.firstEdge[owner] as number) ? (graph.edgeTo[edge - 1] as number) : NONE;
    if (key !== NONE && graph.nodeType[key] === NODE.string) return graph.strings.get(graph.nodeName[key] as number);
  }
  return 'events';
}

/** Held in a list of timers, or behind a timer of one: what a timer's callback or argument leads to is held by that. */
export function isTimers(reading: Reading, chain: readonly ChainStep[]): boolean {
  return chain
    .slice(1)
    .slice(-2)
    .some(({ node }) => has(reading, node, '_idleNext'));
}

/** A timer or an immediate. */
export const isTimer = (reading: Reading, node: number): boolean =>
  has(reading, node, '_idleNext') || has(reading, node, '_onImmediate');

const isStream = (reading: Reading, node: number): boolean =>
  reading.graph.nodeType[node] === NODE.object &&
  (has(reading, node, '_readableState') || has(reading, node, '_writableState'));

/** A listener whose scope has a stream in it: what `pipe` leaves at its source. */
function leadsToStream(reading: Reading, node: number): boolean {
  const { graph } = reading;
  return (
    targets(reading, node).some(
      (to) =>
        isStream(reading, to) ||
        (isScope(reading, to) && targets(reading, to).some((inner) => isStream(reading, inner))),
    ) && graph.nodeType[node] === NODE.closure
  );
}

const isScope = ({ graph, words }: Reading, node: number): boolean =>
  graph.nodeType[node] === NODE.object && words.isNamed(node, 'system / Context');

/** A promise, a reaction to one, the function that settles one, or an object that has such a function. */
function isPending(reading: Reading, node: number): boolean {
  const { graph, words } = reading;
  if (words.isNamed(node, 'Promise') || words.isNamed(node, 'system / PromiseReaction')) return true;
  if (isSettler(reading, node)) return true;
  if (graph.nodeType[node] !== NODE.object || countProperties(reading, node) > 12) return false;
  return targets(reading, node).some((to) => isSettler(reading, to));
}

/** `resolve` and `reject` are functions without a script whose scope holds the promise. */
function isSettler(reading: Reading, node: number): boolean {
  const { graph, scripts, words } = reading;
  if (graph.nodeType[node] !== NODE.closure || scripts.scriptOfClosure(node) !== NONE) return false;
  const scope = words.follow(node, 'context');
  return scope !== NONE && targets(reading, scope).some((to) => words.isNamed(to, 'Promise'));
}

/**
 * A part that was taken out of a tree: its children point back at it with a property, and its own property of that name
 * leads to nothing. V8's own mark for elements of a page counts too.
 */
function isDetached(reading: Reading, node: number): boolean {
  const { graph } = reading;
  if (graph.detachedness[node] === 2) return true;
  if (graph.nodeType[node] !== NODE.object) return false;
  const own = new Map<number, number>();
  for (const edge of properties(reading, node)) own.set(graph.edgeName[edge] as number, graph.edgeTo[edge] as number);
  const near = targets(reading, node).flatMap((to) => [to, ...targets(reading, to).slice(0, 40)]);
  for (const child of near) {
    if (child === node || graph.nodeType[child] !== NODE.object) continue;
    for (const edge of properties(reading, child)) {
      if (graph.edgeTo[edge] !== node) continue;
      const up = own.get(graph.edgeName[edge] as number);
      if (up !== undefined && isNothing(reading, up)) return true;
    }
  }
  return false;
}

const isNothing = ({ graph }: Reading, node: number): boolean => {
  const name = graph.strings.get(graph.nodeName[node] as number);
  return graph.nodeType[node] === NODE.hidden && /^(?:null|undefined|system \/ Oddball)$/.test(name);
};

function properties({ graph }: Reading, node: number): number[] {
  const out: number[] = [];
  const end = graph.firstEdge[node + 1] as number;
  for (let edge = graph.firstEdge[node] as number; edge < end && out.length < 60; edge++) {
    if (graph.edgeType[edge] === EDGE.property) out.push(edge);
  }
  return out;
}

function targets({ graph }: Reading, node: number): number[] {
  const out: number[] = [];
  const end = graph.firstEdge[node + 1] as number;
  for (let edge = graph.firstEdge[node] as number; edge < end && out.length < 60; edge++) {
    if (graph.edgeType[edge] !== EDGE.weak) out.push(graph.edgeTo[edge] as number);
  }
  return out;
}

const has = ({ graph, words }: Reading, node: number, word: Word): boolean =>
  graph.nodeType[node] === NODE.object && words.hasProperty(node, word);
