/**
 * Real snapshots of every supported Node, cut down to a few hundred nodes, so that a hundred thousand of them can be
 * damaged and read. The cut keeps the format as that Node writes it: fields, types, order of sections.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listNodes } from '../support/nodes.ts';
import { temporaryFolder } from '../support/temporary.ts';
import type { Original } from './mutate.ts';

interface RawSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly (readonly string[] | string)[];
      readonly location_fields: readonly string[];
      readonly trace_function_info_fields: readonly string[];
    };
    readonly [key: string]: unknown;
  };
  readonly nodes: number[];
  readonly edges: number[];
  readonly trace_function_infos: number[];
  readonly trace_tree: unknown[];
  readonly locations: number[];
  readonly strings: string[];
  readonly [section: string]: unknown;
}

const PROGRAM = `
  class Basket { items = new Map([[{}, 'äöü €\\n"']]); #id = Symbol('id') }
  globalThis.baskets = Array.from({ length: 20 }, () => new Basket());
  globalThis.later = new WeakMap(globalThis.baskets.map((basket) => [basket, [basket]]));
  const inspector = require('node:inspector');
  const session = new inspector.Session();
  session.connect();
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => require('node:fs').appendFileSync(process.argv[1], params.chunk));
  session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
  globalThis.more = Array.from({ length: 50 }, (_, n) => ({ n, text: 'x'.repeat(n) }));
  session.post('HeapProfiler.stopTrackingHeapObjects');
`;

/** One of each Node, each with allocation stacks, about `nodeCount` nodes. */
export async function takeSmallSnapshots(nodeCount = 150): Promise<Original[]> {
  await using folder = await temporaryFolder('hostile');
  return listNodes().map(({ name, path }) => {
    const file = join(folder.path, `${name.replace(' ', '-')}.heaptimeline`);
    execFileSync(path, ['--eval', PROGRAM, file], { stdio: 'ignore' });
    const text = cutSnapshot(JSON.parse(readFileSync(file, 'utf8')) as RawSnapshot, nodeCount);
    return toOriginal(name, text);
  });
}

export function toOriginal(name: string, text: string): Original {
  const bytes = Buffer.from(text);
  const borders = [
    ...text.matchAll(/"(?:snapshot|nodes|edges|trace_function_infos|trace_tree|samples|locations|strings)":|[\][]/g),
  ].map(({ index }) => Buffer.byteLength(text.slice(0, index)));
  return { name, bytes, borders };
}

/** The first nodes that a walk from the root meets, with the edges between them and the strings that they use. */
function cutSnapshot(raw: RawSnapshot, nodeCount: number): string {
  const { meta } = raw.snapshot;
  const nodeWidth = meta.node_fields.length;
  const edgeWidth = meta.edge_fields.length;
  const inNode = (field: string): number => meta.node_fields.indexOf(field);
  const inEdge = (field: string): number => meta.edge_fields.indexOf(field);
  const edgeTypes = meta.edge_types[inEdge('type')] as readonly string[];
  const edgesOf = readEdges(raw, nodeWidth, edgeWidth, inNode('edge_count'));
  const kept = walk(nodeCount, (node) =>
    edgesOf(node).map((edge) => (raw.edges[edge + inEdge('to_node')] as number) / nodeWidth),
  );

  const strings: string[] = [];
  const stringOf = new Map<number, number>();
  const keepString = (index: number): number => {
    const known = stringOf.get(index);
    if (known !== undefined) return known;
    stringOf.set(index, strings.length);
    return strings.push((raw.strings[index] as string).slice(0, 60)) - 1;
  };
  const nodes: number[] = [];
  const edges: number[] = [];
  const ordinalOf = new Map([...kept].map((node, ordinal) => [node, ordinal]));
  for (const node of kept) {
    const record = raw.nodes.slice(node * nodeWidth, (node + 1) * nodeWidth);
    const own = edgesOf(node).filter((edge) =>
      ordinalOf.has((raw.edges[edge + inEdge('to_node')] as number) / nodeWidth),
    );
    record[inNode('name')] = keepString(record[inNode('name')] as number);
    record[inNode('edge_count')] = own.length;
    nodes.push(...record);
    for (const edge of own) {
      const copy = raw.edges.slice(edge, edge + edgeWidth);
      const type = edgeTypes[copy[inEdge('type')] as number];
      const name = inEdge('name_or_index');
      if (type !== 'element' && type !== 'hidden') copy[name] = keepString(copy[name] as number);
      const to = inEdge('to_node');
      copy[to] = (ordinalOf.get((copy[to] as number) / nodeWidth) as number) * nodeWidth;
      edges.push(...copy);
    }
  }
  const locationWidth = meta.location_fields.length;
  const locations: number[] = [];
  for (let at = 0; at < raw.locations.length; at += locationWidth) {
    const [object = 0, ...rest] = raw.locations.slice(at, at + locationWidth);
    const ordinal = ordinalOf.get(object / nodeWidth);
    if (ordinal !== undefined) locations.push(ordinal * nodeWidth, ...rest);
  }
  const functionWidth = meta.trace_function_info_fields.length;
  const functions = raw.trace_function_infos.slice(0, functionWidth * 20);
  for (const field of ['name', 'script_name'])
    for (let at = meta.trace_function_info_fields.indexOf(field); at < functions.length; at += functionWidth)
      functions[at] = keepString(functions[at] as number);
  const cut = {
    ...raw,
    snapshot: { ...raw.snapshot, node_count: kept.size, edge_count: edges.length / edgeWidth },
    nodes,
    edges,
    trace_function_infos: functions,
    trace_tree: cutTree(raw.trace_tree, 20, 6),
    samples: (raw['samples'] as number[]).slice(0, 20),
    locations,
    strings,
  };
  return JSON.stringify(cut);
}

function readEdges(
  raw: RawSnapshot,
  nodeWidth: number,
  edgeWidth: number,
  countAt: number,
): (node: number) => number[] {
  const firsts: number[] = [0];
  for (let at = countAt; at < raw.nodes.length; at += nodeWidth)
    firsts.push((firsts.at(-1) as number) + (raw.nodes[at] as number) * edgeWidth);
  return (node) => {
    const from = firsts[node] as number;
    const count = ((firsts[node + 1] as number) - from) / edgeWidth;
    return Array.from({ length: count }, (_, index) => from + index * edgeWidth);
  };
}

/** Deep rather than wide: a few of each node's targets, so that chains are in the cut as well. */
function walk(most: number, targetsOf: (node: number) => number[]): Set<number> {
  const kept = new Set([0]);
  for (const node of kept) {
    for (const target of targetsOf(node).slice(0, 12)) {
      if (kept.size >= most) return kept;
      kept.add(target);
    }
  }
  return kept;
}

/** `[id, function, count, size, [children…]]`, a record of five after the other, with functions that are left. */
function cutTree(tree: unknown[], functions: number, depth: number): unknown[] {
  const cut: unknown[] = [];
  for (let at = 0; at < Math.min(tree.length, 15); at += 5) {
    const children = depth === 0 ? [] : cutTree(tree[at + 4] as unknown[], functions, depth - 1);
    cut.push(tree[at], Math.min(tree[at + 1] as number, functions - 1), tree[at + 2], tree[at + 3], children);
  }
  return cut;
}
