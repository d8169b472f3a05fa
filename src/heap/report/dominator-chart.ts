/**
 * The dominator tree, folded to what a person can look at: from the root down, objects of the same class under the same
 * holder are one box; boxes below a share of the whole are left out, and what they keep counts as their holder's own.
 */
import type { HeapAnalysis } from '../model/analysis.ts';
import { NODE } from '../model/node-types.ts';
import { findDominated } from '../passes/dominated.ts';

export interface DominatorChart {
  /** Per box: its holder, which always stands before it; −1 for the root, box 0. */
  readonly parent: readonly number[];
  /** Per box: index into `names`. */
  readonly name: readonly number[];
  readonly names: readonly string[];
  /** Per box: V8's type of its objects. */
  readonly type: readonly number[];
  /** Per box: how many objects. */
  readonly count: readonly number[];
  /** Per box: what they keep alive, with everything below. */
  readonly retainedBytes: readonly number[];
  /** Per box: id of its largest object, for `heap query --id`. */
  readonly id: readonly number[];
}

export interface ChartLimits {
  readonly boxes: number;
  /** Of the whole, below which a box is left out. */
  readonly share: number;
  readonly depth: number;
}

const LIMITS: ChartLimits = { boxes: 4_000, share: 0.0005, depth: 60 };

export const foldDominators = (analysis: HeapAnalysis, limits: ChartLimits = LIMITS): DominatorChart => {
  const { graph, retainedSize } = analysis;
  const { first, node: children } = findDominated(analysis);
  const names: string[] = [];
  const nameOf = new Map<string, number>();
  const chart = {
    parent: [] as number[],
    name: [] as number[],
    names,
    type: [] as number[],
    count: [] as number[],
    retainedBytes: [] as number[],
    id: [] as number[],
  };
  const add = (parent: number, box: Box): number => {
    const text = boxName(analysis, box.largest);
    let name = nameOf.get(text);
    if (name === undefined) nameOf.set(text, (name = names.push(text) - 1));
    chart.parent.push(parent);
    chart.name.push(name);
    chart.type.push(graph.nodeType[box.largest]!);
    chart.count.push(box.nodes.length);
    chart.retainedBytes.push(box.bytes);
    chart.id.push(graph.nodeId[box.largest]!);
    return chart.parent.length - 1;
  };
  const threshold = retainedSize[0]! * limits.share;
  const root: Box = { nodes: [0], largest: 0, bytes: retainedSize[0]! };
  // The largest are opened first, so that the limit on boxes leaves out the smallest.
  let layer = [{ at: add(-1, root), box: root }];
  for (let depth = 0; depth < limits.depth && layer.length > 0; depth++) {
    const next: typeof layer = [];
    for (const { at, box } of layer)
      for (const below of foldChildren(analysis, first, children, box, threshold)) {
        if (chart.parent.length >= limits.boxes) return chart;
        next.push({ at: add(at, below), box: below });
      }
    layer = next.toSorted((one, two) => two.box.bytes - one.box.bytes);
  }
  return chart;
};

interface Box {
  readonly nodes: number[];
  largest: number;
  bytes: number;
}

const foldChildren = (
  { graph, classOf, retainedSize }: HeapAnalysis,
  first: Uint32Array,
  children: Uint32Array,
  box: Box,
  threshold: number,
): Box[] => {
  const boxes = new Map<number, Box>();
  for (const holder of box.nodes)
    for (let at = first[holder]!; at < first[holder + 1]!; at++) {
      const node = children[at]!;
      const bytes = retainedSize[node]!;
      if (bytes === 0) continue;
      // Functions and V8's own roots are known by their names, not by their class.
      const type = graph.nodeType[node];
      const isNamed = type === NODE.closure || type === NODE.synthetic;
      const key = isNamed ? -1 - graph.nodeName[node]! : classOf[node]!;
      const known = boxes.get(key);
      if (known === undefined) boxes.set(key, { nodes: [node], largest: node, bytes });
      else {
        known.bytes += bytes;
        known.nodes.push(node);
        if (bytes > retainedSize[known.largest]!) known.largest = node;
      }
    }
  return [...boxes.values()].filter(({ bytes }) => bytes >= threshold).sort((one, two) => two.bytes - one.bytes);
};

const boxName = ({ graph, classes, classOf }: HeapAnalysis, node: number): string => {
  const own = (): string => graph.strings.get(graph.nodeName[node]!);
  if (node === 0) return '(root)';
  if (graph.nodeType[node] === NODE.closure) return `function ${own() || '(anonymous)'}`;
  if (graph.nodeType[node] === NODE.synthetic) return own();
  return classes[classOf[node]!]?.name ?? '';
};
