/**
 * Who owns what: a tree over the data of a heap in which every object hangs from the holder that a person would name.
 *
 * A heap has many paths to most objects, and the shortest one often runs through a handle of the runtime, a prototype or
 * somebody else's closure. Here paths start at the places where source code keeps things (variables of modules of the
 * application first, then of packages, the global object, Node's own modules, and last the roots of V8), and cost
 * decides between them. What is reached only through compiled code, object shapes, feedback or V8's own tables is no data
 * and hangs from nothing: that is how the noise of compilation and of first use stays out, without a list of names.
 *
 * The tree is found with Dial's variant of Dijkstra's algorithm (R. Dial, "Algorithm 360", CACM 12, 1969): costs of edges
 * are small integers, so a ring of buckets replaces the heap and the whole is linear in nodes and edges.
 */
import type { ScriptKind, ScriptNames } from '../source/script-names.ts';
import { NONE, type Words, wordNumber } from '../source/words.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { findWeakTable } from './weak-table.ts';

export interface Ownership {
  /** Per node: the node that owns it; itself for a start; NONE for what is no data. */
  readonly parent: Uint32Array;
  /** Per node: the edge from its owner; NONE for a start. */
  readonly parentEdge: Uint32Array;
  /** Data nodes, owners before what they own. */
  readonly order: Uint32Array;
}

/** What a start costs, by what it is. Paths differ by some tens, so the classes hardly ever mix. */
const START_COST: Readonly<Record<ScriptKind | 'global' | 'handles' | 'native', number>> = {
  application: 0,
  global: 30,
  dependency: 60,
  runtime: 150,
  handles: 300,
  native: 450,
};

/** Roots that hold what somebody still waits for: sockets, timers of libuv, jobs to run. The others are V8's or the stack's. */
const HANDLE_ROOTS: ReadonlySet<string> = new Set(['(Global handles)', '(Traced handles)', '(Micro tasks)']);

/** A step between what is old and what is new. */
const CROSSING = 48;
const COST_RING = 1024;

/**
 * @param isStable Per node, 1 for nodes that other snapshots have too: paths that stay among them are preferred, because
 * what is old is not held by what is new. Absent for a snapshot that stands alone.
 */
export function readOwnership(words: Words, scripts: ScriptNames, isStable: Uint8Array | undefined): Ownership {
  const { graph } = words;
  const { nodeCount, nodeType, edgeType, edgeTo, firstEdge } = graph;
  const cost = new Uint32Array(nodeCount).fill(NONE);
  const parent = new Uint32Array(nodeCount).fill(NONE);
  const parentEdge = new Uint32Array(nodeCount).fill(NONE);
  const isDone = new Uint8Array(nodeCount);
  const order = new Uint32Array(nodeCount);
  let done = 0;
  const queue = new CostQueue(nodeCount);

  const start = (node: number, at: number): void => {
    if (isStable !== undefined && isStable[node] === 0) return;
    if (at >= (cost[node] as number)) return;
    if (cost[node] !== NONE) queue.remove(node, cost[node] as number);
    cost[node] = at;
    parent[node] = node;
    queue.add(node, at);
  };
  const starts = listStarts(words, scripts);
  for (const { node, at } of starts) start(node, at);

  for (let node = queue.next(); node !== NONE; node = queue.next()) {
    isDone[node] = 1;
    order[done++] = node;
    const from = cost[node] as number;
    const end = firstEdge[node + 1] as number;
    const isClosure = nodeType[node] === NODE.closure;
    const isRuntimeClosure = isClosure && scripts.kindOf(scripts.scriptOfClosure(node)) === 'runtime';
    for (let edge = firstEdge[node] as number; edge < end; edge++) {
      const to = edgeTo[edge] as number;
      if (isDone[to] === 1) continue;
      // A module's variables are a start of their own, whoever's function leads to them.
      if (scripts.moduleContexts.has(to) || scripts.modules.has(to)) continue;
      if (words.isNamed(to, 'system / NativeContext')) continue;
      let step = costOfEdge(words, edge, edgeType[edge] as number, nodeType[to] as number);
      if (step === NONE) continue;
      // What a WeakMap keeps it keeps for as long as the key lives: it hangs from the key.
      if (nodeType[node] === NODE.array && findWeakTable(graph, edge) === graph.nodeId[node]) continue;
      // Functions of Node lead to everything that Node knows; what they lead to belongs to Node.
      if (isRuntimeClosure) step += 120;
      if (isStable !== undefined && isStable[node] !== isStable[to]) step += CROSSING;
      const at = from + step;
      const before = cost[to] as number;
      if (at >= before) continue;
      if (before !== NONE) queue.remove(to, before);
      cost[to] = at;
      parent[to] = node;
      parentEdge[to] = edge;
      queue.add(to, at);
    }
  }
  return { parent, parentEdge, order: order.subarray(0, done) };
}

const MAP = wordNumber('map');
const PROTO = wordNumber('__proto__');
const CONSTRUCTOR = wordNumber('constructor');
const PREVIOUS = wordNumber('previous');
const CONTEXT = wordNumber('context');

function costOfEdge(words: Words, edge: number, type: number, toType: number): number {
  if (type === EDGE.weak || toType === NODE.code || toType === NODE['object shape']) return NONE;
  if (type === EDGE.element || type === EDGE.context) return 2;
  if (type === EDGE.hidden) return 3;
  const word = words.ofEdge(edge);
  if (type === EDGE.property) return word === PROTO || word === CONSTRUCTOR ? 10 : 2;
  if (word === MAP) return NONE;
  if (word === CONTEXT) return 3;
  return word === PREVIOUS ? 5 : 1;
}

interface Start {
  readonly node: number;
  readonly at: number;
}

function listStarts(words: Words, scripts: ScriptNames): Start[] {
  const { graph } = words;
  const starts: Start[] = [];
  const nameOf = (node: number): string => graph.strings.get(graph.nodeName[node] as number);
  for (const [context, script] of scripts.moduleContexts) {
    starts.push({ node: context, at: START_COST[scripts.kindOf(script)] });
  }
  for (const module of scripts.modules.keys()) {
    // The record leads to all that the module imports, so it comes last; its variables are above.
    starts.push({ node: module, at: START_COST.native });
  }
  for (const [cell, { script }] of scripts.exportCells) {
    starts.push({ node: cell, at: START_COST[scripts.kindOf(script)] });
  }
  for (let edge = 0; edge < (graph.firstEdge[1] as number); edge++) {
    const root = graph.edgeTo[edge] as number;
    if (graph.edgeType[edge] === EDGE.shortcut) {
      starts.push(...listGlobals(words, root));
    } else if (nameOf(root) === '(GC roots)') {
      for (let inner = graph.firstEdge[root] as number; inner < (graph.firstEdge[root + 1] as number); inner++) {
        const kind = graph.edgeTo[inner] as number;
        if (HANDLE_ROOTS.has(nameOf(kind))) starts.push({ node: kind, at: START_COST.handles });
      }
    } else {
      starts.push({ node: root, at: START_COST.native });
    }
  }
  return starts;
}

/** Up to Node 24 a shortcut leads to the global object; from 26 on to the native context, which has it as a property of its own. */
function listGlobals(words: Words, root: number): Start[] {
  const { graph } = words;
  if (!words.isNamed(root, 'system / NativeContext')) return [{ node: root, at: START_COST.global }];
  const starts: Start[] = [{ node: root, at: START_COST.native }];
  for (let edge = graph.firstEdge[root] as number; edge < (graph.firstEdge[root + 1] as number); edge++) {
    if (graph.edgeType[edge] !== EDGE.internal) continue;
    const name = graph.strings.get(graph.edgeName[edge] as number);
    if (name === 'global_object' || name === 'global_proxy_object' || name === 'extension') {
      starts.push({ node: graph.edgeTo[edge] as number, at: START_COST.global });
    }
  }
  return starts;
}

/** Nodes by cost: a ring of doubly linked lists, so that a node which gets cheaper can leave the list it is in. */
class CostQueue {
  private readonly first = new Uint32Array(COST_RING).fill(NONE);
  private readonly after: Uint32Array;
  private readonly before: Uint32Array;
  private at = 0;
  private size = 0;

  constructor(nodeCount: number) {
    this.after = new Uint32Array(nodeCount);
    this.before = new Uint32Array(nodeCount);
  }

  add(node: number, cost: number): void {
    const bucket = cost % COST_RING;
    const head = this.first[bucket] as number;
    this.after[node] = head;
    this.before[node] = NONE;
    if (head !== NONE) this.before[head] = node;
    this.first[bucket] = node;
    this.size++;
  }

  remove(node: number, cost: number): void {
    const after = this.after[node] as number;
    const before = this.before[node] as number;
    if (before === NONE) this.first[cost % COST_RING] = after;
    else this.after[before] = after;
    if (after !== NONE) this.before[after] = before;
    this.size--;
  }

  /** The cheapest, taken out; NONE when there is none. */
  next(): number {
    if (this.size === 0) return NONE;
    while (this.first[this.at % COST_RING] === NONE) this.at++;
    const node = this.first[this.at % COST_RING] as number;
    this.remove(node, this.at);
    return node;
  }
}
