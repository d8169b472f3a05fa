import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { NO_LOCATIONS } from '../read/locations.ts';
import { StringTable } from '../read/string-table.ts';
import { StringArrayReader } from '../read/string-array.ts';
import { findDominators } from './dominators.ts';
import { edgeRule } from './edge-rules.ts';
import { findWeakMapNames } from './weak-map-edges.ts';

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly type: number;
  readonly name: number;
}

/** The last one is a WeakMap entry whose table is node 2, by its id. */
const STRINGS = ['', 'name', '1 / part of key (A @3) -> value (B @5) pair in WeakMap (table @5)'];

function build(nodeCount: number, edges: readonly Edge[]): HeapGraph {
  const sorted = edges.toSorted((a, b) => a.from - b.from);
  const firstEdge = new Uint32Array(nodeCount + 1);
  for (const { from } of sorted) firstEdge[from + 1] = (firstEdge[from + 1] ?? 0) + 1;
  for (let node = 0; node < nodeCount; node += 1)
    firstEdge[node + 1] = (firstEdge[node + 1] ?? 0) + (firstEdge[node] ?? 0);
  const strings = new StringTable();
  new StringArrayReader(strings, { file: 'strings', chunkStart: 0 }, null).push(
    Buffer.from(JSON.stringify(STRINGS)),
    0,
  );
  const numbers = Array.from({ length: nodeCount }, (_, node) => node);
  return {
    nodeCount,
    edgeCount: edges.length,
    nodeType: Uint8Array.from(numbers, (node) => (node === 0 ? NODE.synthetic : NODE.object)),
    nodeName: new Uint32Array(nodeCount),
    nodeId: Uint32Array.from(numbers, (node) => 2 * node + 1),
    selfSize: Uint32Array.from(numbers, () => 8),
    detachedness: new Uint8Array(nodeCount),
    firstEdge,
    edgeType: Uint8Array.from(sorted, ({ type }) => type),
    edgeName: Uint32Array.from(sorted, ({ name }) => name),
    edgeTo: Uint32Array.from(sorted, ({ to }) => to),
    strings,
    locations: NO_LOCATIONS,
    extraNativeBytes: 0,
    allocations: null,
    samples: { count: 0, timestampUs: new Float64Array(0), lastAssignedId: new Float64Array(0) },
  };
}

/** Reachable from `starts` over edges that `follows` lets pass, never through `without`. */
function reach(
  graph: HeapGraph,
  starts: readonly number[],
  follows: (from: number, edge: number) => boolean,
  without = -1,
) {
  const seen = new Set(starts.filter((node) => node !== without));
  const open = [...seen];
  for (let node = open.pop(); node !== undefined; node = open.pop())
    for (let edge = graph.firstEdge[node] ?? 0; edge < (graph.firstEdge[node + 1] ?? 0); edge += 1) {
      const to = graph.edgeTo[edge] ?? 0;
      if (to === without || seen.has(to) || !follows(node, edge)) continue;
      seen.add(to);
      open.push(to);
    }
  return seen;
}

/** By the definition: d dominates n when n cannot be reached without d; the immediate one is the nearest. */
function naive(graph: HeapGraph): { readonly dominator: number[]; readonly isUser: number[] } {
  const nodes = Array.from({ length: graph.nodeCount }, (_, node) => node);
  const entries = nodes.filter((node) => {
    for (let edge = 0; edge < (graph.firstEdge[1] ?? 0); edge += 1)
      if (graph.edgeTo[edge] === node && graph.edgeType[edge] === EDGE.shortcut) return true;
    return false;
  });
  const user = reach(graph, entries, (_, edge) => graph.edgeType[edge] !== EDGE.weak);
  const isUser = nodes.map((node) => Number(user.has(node)));
  const retains = edgeRule(graph, findWeakMapNames(graph.strings), Uint8Array.from(isUser));
  const reached = reach(graph, [0], retains);
  const isRetained = new Set<number>();
  for (const node of nodes)
    for (let edge = graph.firstEdge[node] ?? 0; edge < (graph.firstEdge[node + 1] ?? 0); edge += 1)
      if (retains(node, edge)) isRetained.add(graph.edgeTo[edge] ?? 0);
  const orphans = nodes.filter((node) => !reached.has(node) && !isRetained.has(node));
  const connected = reach(graph, [0, ...orphans], retains);
  // An orphan hangs from the root: without the root there is nothing.
  const without = nodes.map((node) => (node === 0 ? new Set<number>() : reach(graph, [0, ...orphans], retains, node)));
  const dominator = nodes.map((node) => {
    if (node === 0 || !connected.has(node)) return 0;
    const above = nodes.filter((other) => other !== node && connected.has(other) && !without[other]?.has(node));
    // The nearest is dominated by all others.
    return above.find((other) => above.every((rest) => rest === other || !without[rest]?.has(other))) ?? -1;
  });
  return { dominator, isUser };
}

const graphs = fc.integer({ min: 1, max: 14 }).chain((nodeCount) => {
  const node = fc.integer({ min: 0, max: nodeCount - 1 });
  const type = fc.constantFrom(
    EDGE.property,
    EDGE.property,
    EDGE.element,
    EDGE.internal,
    EDGE.internal,
    EDGE.shortcut,
    EDGE.weak,
  );
  const edge = fc.record({
    from: fc.oneof(node, fc.constant(0)),
    to: node,
    type,
    name: fc.integer({ min: 0, max: 2 }),
  });
  return fc.array(edge, { maxLength: 40 }).map((edges) => build(nodeCount, edges));
});

describe('dominators', () => {
  it('are those of the definition, whatever the graph', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { dominator, isUser, order } = findDominators(graph, findWeakMapNames(graph.strings));
        const expected = naive(graph);
        assert.deepEqual(Array.from(isUser), expected.isUser);
        assert.deepEqual(Array.from(dominator), expected.dominator);
        const place = new Map(Array.from(order, (node, at) => [node, at]));
        assert.equal(place.size, graph.nodeCount);
        for (const [node, above] of dominator.entries())
          if (node !== 0) assert.ok((place.get(above) as number) < (place.get(node) as number));
      }),
      { numRuns: 1000 },
    );
  });

  it('of a chain of a hundred thousand nodes need no deep stack', () => {
    const nodeCount = 100_000;
    const edges = Array.from({ length: nodeCount - 1 }, (_, from) => ({
      from,
      to: from + 1,
      type: EDGE.property,
      name: 1,
    }));
    const graph = build(nodeCount, edges);
    const { dominator } = findDominators(graph, findWeakMapNames(graph.strings));
    assert.ok(dominator.every((above, node) => above === Math.max(node - 1, 0)));
  });

  it('of what hundreds of nodes share is what all of them have in common', () => {
    // Root → hub → 500 → shared: more retainers than a block of links holds.
    const edges: Edge[] = [{ from: 0, to: 1, type: EDGE.property, name: 1 }];
    for (let at = 2; at < 502; at += 1) {
      edges.push({ from: 1, to: at, type: EDGE.property, name: 1 });
      edges.push({ from: at, to: 502, type: EDGE.property, name: 1 });
    }
    const { dominator } = findDominators(build(503, edges), findWeakMapNames(build(503, edges).strings));
    assert.equal(dominator[502], 1);
  });
});
