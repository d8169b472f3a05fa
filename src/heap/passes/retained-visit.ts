/**
 * The depth-first visit of everything that is retained: the program's part first, which tells what belongs to it, then the
 * rest from the root, then what nothing retains. Rules for edges as in `edge-rules.ts`, written out for speed.
 */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE } from '../model/node-types.ts';
import { edgeRule } from './edge-rules.ts';
import { NumberChains } from './number-chains.ts';
import { isDomTreesRoot } from './user-roots.ts';
import type { WeakMapNames } from './weak-map-edges.ts';

export interface RetainedVisit {
  /** By preorder number: the node. */
  readonly order: Uint32Array<ArrayBuffer>;
  /** By node: the preorder number. */
  readonly number: Int32Array<ArrayBuffer>;
  /** By preorder number: that of the parent; 0 for what hangs from the root. */
  readonly parent: Int32Array<ArrayBuffer>;
  /**
   * Two per preorder number: the least number that retains it and is smaller than it; and those that do and are larger: none
   * (0), one, or below zero the place of the last one in `links`. A number is left out when there is one below it in the
   * tree: the way up from there goes through it.
   */
  readonly cells: Int32Array<ArrayBuffer>;
  /** Few nodes have more than one, and a handful (the maps of common shapes, say) have most of all there are. */
  readonly links: NumberChains;
  /** Numbers below this one were visited; the others are circles that nothing retains, which hold nothing that was. */
  readonly connected: number;
  /** Per node: 1 where it is reachable from the program's globals. */
  readonly isUser: Uint8Array;
}

/**
 * Below zero, like all that is no number of a node: until V8 has compiled these loops, each number of 2^31 or more that they read
 * becomes an object. The reader refuses snapshots with so many nodes.
 */
const NOT_SEEN = -1;

export function visitRetained(graph: HeapGraph, weakMaps: WeakMapNames): RetainedVisit {
  const { edgeCount, edgeTo, edgeType, firstEdge, nodeCount } = graph;
  const state: VisitState = {
    number: new Int32Array(nodeCount).fill(NOT_SEEN),
    order: new Uint32Array(nodeCount),
    parent: new Int32Array(nodeCount),
    cells: new Int32Array(2 * nodeCount),
    // Room for every edge costs nothing until it is written to.
    links: new NumberChains(4 * edgeCount),
    isUser: new Uint8Array(nodeCount),
    stack: new Uint32Array(2048),
    count: 1,
    isUserPhase: true,
    reachesRoot: false,
    dropped: [],
  };
  const { number, order, isUser, dropped } = state;
  number[0] = 0;

  const rootEnd = firstEdge[1] as number;
  for (let edge = 0; edge < rootEnd; edge += 1) {
    const type = edgeType[edge];
    if (type === EDGE.shortcut || (type === EDGE.element && isDomTreesRoot(graph, edgeTo[edge] as number)))
      visit(graph, weakMaps, state, 0, edge, edge + 1);
  }
  state.isUserPhase = false;
  // What the root holds belongs to the program when the program holds the root.
  if (state.reachesRoot) dropped.push(0);
  floodUser(graph, dropped, isUser);
  visit(graph, weakMaps, state, 0, 0, rootEnd);
  if (state.count < nodeCount) {
    const isRetained = findRetained(graph, weakMaps, number, isUser);
    for (let node = 1; node < nodeCount; node += 1) {
      if (number[node] !== NOT_SEEN || isRetained[node] === 1) continue;
      number[node] = state.count;
      order[state.count] = node;
      state.count += 1;
      visit(graph, weakMaps, state, state.count - 1, firstEdge[node] as number, firstEdge[node + 1] as number);
    }
  }
  const connected = state.count;
  for (let node = 0, count = connected; count < nodeCount; node += 1) {
    if (number[node] !== NOT_SEEN) continue;
    number[node] = count;
    order[count] = node;
    count += 1;
  }
  return { order, number, parent: state.parent, cells: state.cells, links: state.links, connected, isUser };
}

interface VisitState extends Omit<RetainedVisit, 'connected'> {
  /** Two per level: the next edge and the end of the edges. */
  stack: Uint32Array<ArrayBuffer>;
  count: number;
  isUserPhase: boolean;
  reachesRoot: boolean;
  /** Targets of edges that do not retain: they belong to the program nevertheless. */
  readonly dropped: number[];
}

/** Visits edges from `from` up to `until` of the node with number `start`, and all below it. */
function visit(
  { edgeName, edgeTo, edgeType, firstEdge, nodeId }: HeapGraph,
  weakMaps: WeakMapNames,
  state: VisitState,
  start: number,
  from: number,
  until: number,
): void {
  const { number, order, parent, cells, links, isUser, isUserPhase, dropped } = state;
  const { weak: WEAK, shortcut: SHORTCUT, internal: INTERNAL } = EDGE;
  const { isName } = weakMaps;
  const hasWeakMaps = weakMaps.count > 0;
  let { stack, count } = state;
  let v = start;
  let node = order[v] as number;
  let edge = from;
  let end = until;
  let height = 0;
  let isFree = isUserPhase || v === 0 || isUser[node] === 1;
  for (;;) {
    if (edge === end) {
      if (height === 0) break;
      height -= 2;
      edge = stack[height] as number;
      end = stack[height + 1] as number;
      const above = ~(parent[v] as number);
      parent[v] = above;
      v = above;
      node = order[v] as number;
      isFree = isUserPhase || v === 0 || isUser[node] === 1;
      continue;
    }
    const at = edge;
    edge += 1;
    const type = edgeType[at] as number;
    if (type === WEAK) continue;
    const to = edgeTo[at] as number;
    const w = number[to] as number;
    const isDropped =
      (type === SHORTCUT && v !== 0) ||
      (hasWeakMaps &&
        type === INTERNAL &&
        isName[edgeName[at] as number] === 1 &&
        weakMaps.tables.get(edgeName[at] as number) === nodeId[node]);
    if (isDropped) {
      if (isUserPhase && (w === NOT_SEEN || w === 0)) dropped.push(to);
      continue;
    }
    if (!isFree && isUser[to] === 1) continue;
    if (w === NOT_SEEN) {
      number[to] = count;
      order[count] = to;
      // Inverted while its child is on the way to the present number.
      parent[count] = ~v;
      cells[2 * count] = v;
      if (isUserPhase) isUser[to] = 1;
      else isFree = isUser[to] === 1;
      if (height === stack.length) state.stack = stack = doubled(stack);
      stack[height] = edge;
      stack[height + 1] = end;
      height += 2;
      edge = firstEdge[to] as number;
      end = firstEdge[to + 1] as number;
      v = count;
      node = to;
      count += 1;
    } else if (w > v) {
      // A way down to a node that was met below: this one is nearer to the root.
      if ((cells[2 * w] as number) > v) cells[2 * w] = v;
    } else if (w === 0) {
      if (isUserPhase) state.reachesRoot = true;
    } else if (w < v) {
      const known = cells[2 * w + 1] as number;
      const last = known < 0 ? links.last(-known) : known;
      // One that was met since this one was is below it; one that is still open is above it.
      if (last >= v) continue;
      const isAbove = last === 0 || (parent[last] as number) < 0;
      if (known >= 0) cells[2 * w + 1] = isAbove ? v : -links.begin(last, v);
      else cells[2 * w + 1] = -(isAbove ? links.replaceLast(-known, v) : links.append(-known, v));
    }
  }
  state.count = count;
}

/** Marks what the program reaches only over edges that do not retain. */
function floodUser(graph: HeapGraph, starts: readonly number[], isUser: Uint8Array): void {
  const { edgeTo, edgeType, firstEdge } = graph;
  const stack = starts.filter((node) => isUser[node] === 0);
  for (const node of stack) isUser[node] = 1;
  while (stack.length > 0) {
    const node = stack.pop() as number;
    for (let edge = firstEdge[node] as number; edge < (firstEdge[node + 1] as number); edge += 1) {
      const to = edgeTo[edge] as number;
      if (edgeType[edge] === EDGE.weak || isUser[to] === 1) continue;
      isUser[to] = 1;
      stack.push(to);
    }
  }
}

/** Of the nodes that were not visited: which ones another such node retains. */
function findRetained(graph: HeapGraph, weakMaps: WeakMapNames, number: Int32Array, isUser: Uint8Array): Uint8Array {
  const { edgeTo, firstEdge, nodeCount } = graph;
  const isRetained = new Uint8Array(nodeCount);
  const retains = edgeRule(graph, weakMaps, isUser);
  for (let node = 1; node < nodeCount; node += 1) {
    if (number[node] !== NOT_SEEN) continue;
    for (let edge = firstEdge[node] as number; edge < (firstEdge[node + 1] as number); edge += 1)
      if (retains(node, edge)) isRetained[edgeTo[edge] as number] = 1;
  }
  return isRetained;
}

function doubled(words: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(words.length * 2);
  longer.set(words);
  return longer;
}
