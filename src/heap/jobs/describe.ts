/** Objects and edges of a snapshot as data for documents. */
import { type HeapAnalysis, SYSTEM_DISTANCE } from '../model/analysis.ts';
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE, NODE_TYPE_NAMES } from '../model/node-types.ts';
import type { PathStep } from '../judge/verdict.ts';
import type { RetainingPath } from '../passes/paths.ts';
import type { HeapObject } from '../report/documents.ts';
import type { Places } from './places.ts';

const LONGEST_VALUE = 200;

/** What is described from: the passes' results, and where things were written. */
export interface Described {
  readonly analysis: HeapAnalysis;
  readonly places: Places;
  /** Contents of strings are not to be shown, even where they are words of the code. */
  readonly isRedacted: boolean;
}

export const isText = (type: number): boolean =>
  type === NODE.string || type === NODE['concatenated string'] || type === NODE['sliced string'];

export const describeObject = ({ analysis, places, isRedacted }: Described, node: number): HeapObject => {
  const { graph, shallowSize, retainedSize, distance } = analysis;
  const type = graph.nodeType[node]!;
  const location = places.ofNode(node);
  return {
    id: graph.nodeId[node]!,
    className: nameOf(analysis, node),
    type: NODE_TYPE_NAMES[type] ?? 'unknown',
    shallowBytes: shallowSize[node]!,
    retainedBytes: retainedSize[node]!,
    distance: distance[node]! >= 0 && distance[node]! < SYSTEM_DISTANCE ? distance[node]! : null,
    ...(location === undefined ? {} : { location }),
    ...(isText(type) ? { value: valueOf(graph, node, isRedacted) } : {}),
  };
};

/** The beginning of a string, or, redacted, its length. */
export const valueOf = (graph: HeapGraph, node: number, isRedacted: boolean): string => {
  const text = graph.strings.get(graph.nodeName[node]!);
  if (!isRedacted) return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
  // What the redacted graph left as a word of the code is content all the same.
  return text.startsWith('‹') ? text : `‹${text.length} characters›`;
};

/** A class as people say it: functions by their own name. */
const nameOf = (analysis: HeapAnalysis, node: number): string => {
  const { graph, classes, classOf } = analysis;
  if (graph.nodeType[node] !== NODE.closure) return classes[classOf[node]!]?.name ?? '';
  const name = graph.strings.get(graph.nodeName[node]!);
  return name === '' ? 'function (anonymous)' : `function ${name}`;
};

/** How an edge is written: `.items`, `["my key"]`, `[12]`, `variable sessions`, `internal table`. */
export const describeEdge = ({ edgeType, edgeName, strings }: HeapGraph, edge: number): string => {
  const type = edgeType[edge];
  if (type === EDGE.element) return `[${edgeName[edge]}]`;
  if (type === EDGE.hidden) return `internal [${edgeName[edge]}]`;
  const name = strings.get(edgeName[edge]!);
  if (type === EDGE.property)
    return /^[\p{L}_$#][\p{L}\p{N}_$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  if (type === EDGE.context) return `variable ${name}`;
  if (type === EDGE.shortcut) return `global ${name}`;
  return type === EDGE.weak ? `weakly ${name}` : `internal ${name}`;
};

/** A path with its first node, which has no edge to it. */
export const describePath = (described: Described, path: RetainingPath): PathStep[] => {
  const { graph } = described.analysis;
  const [first] = path;
  const toStep = (edge: string, node: number): PathStep => {
    const { className, id, location } = describeObject(described, node);
    return { edge, node: className, id, ...(location === undefined ? {} : { location }) };
  };
  if (first === undefined) return [];
  return [toStep('', first.from), ...path.map(({ edge, to }) => toStep(describeEdge(graph, edge), to))];
};
