/**
 * `heap strings`: texts that are in the heap several times. Two strings are the same when V8 wrote the same text and the
 * same size for both: texts are cut at 1,024 characters in the file, and what follows shows in the size alone.
 */
import { basename } from 'node:path';
import type { HeapGraph } from '../model/graph.ts';
import { NODE } from '../model/node-types.ts';
import type { StringGroup, StringsDocument } from '../report/documents.ts';
import { valueOf } from './describe.ts';

export interface StringsWish {
  /** Groups that are listed at most; null for all. */
  readonly top: number | null;
}

const MOST_IDS = 5;

interface Group {
  readonly name: number;
  readonly size: number;
  count: number;
}

export const answerStrings = (
  graph: HeapGraph,
  file: string,
  { top }: StringsWish,
  isRedacted: boolean,
): StringsDocument => {
  const { nodeCount, nodeType, nodeName, selfSize } = graph;
  // Nearly every text has one size, and most stand there once: columns for those, objects for the others.
  const sizeOf = new Float64Array(graph.strings.count).fill(-1);
  const countOf = new Uint32Array(graph.strings.count);
  const otherSizes = new Map<string, Group>();
  let strings = 0;
  let bytes = 0;
  for (let node = 0; node < nodeCount; node++) {
    // Concatenated and sliced strings have no text of their own in the file.
    if (nodeType[node] !== NODE.string) continue;
    const name = nodeName[node]!;
    const size = selfSize[node]!;
    strings += 1;
    bytes += size;
    if (countOf[name] === 0) sizeOf[name] = size;
    if (sizeOf[name] === size) countOf[name]! += 1;
    else countOther(otherSizes, name, size);
  }
  const duplicates = [...otherSizes.values()].filter(({ count, size }) => count > 1 && size > 0);
  for (const [name, count] of countOf.entries())
    if (count > 1 && sizeOf[name]! > 0) duplicates.push({ name, size: sizeOf[name]!, count });
  duplicates.sort((one, two) => wastedBy(two) - wastedBy(one) || one.name - two.name);
  const listed = duplicates.slice(0, top ?? duplicates.length);
  const nodes = findNodes(graph, listed);
  return {
    file: basename(file),
    strings,
    bytes,
    wastedBytes: duplicates.reduce((sum, group) => sum + wastedBy(group), 0),
    duplicates: listed.map((group, at) => describe(graph, group, nodes[at] ?? [], isRedacted)),
    isRedacted,
  };
};

const wastedBy = ({ count, size }: Group): number => (count - 1) * size;

const keyOf = (name: number, size: number): string => `${name},${size}`;

const countOther = (groups: Map<string, Group>, name: number, size: number): void => {
  const key = keyOf(name, size);
  const known = groups.get(key);
  if (known === undefined) groups.set(key, { name, size, count: 1 });
  else known.count += 1;
};

/** Some strings of each group. */
const findNodes = ({ nodeCount, nodeType, nodeName, selfSize }: HeapGraph, groups: readonly Group[]): number[][] => {
  const found: number[][] = groups.map(() => []);
  const names = new Set(groups.map(({ name }) => name));
  const places = new Map(groups.map(({ name, size }, at) => [keyOf(name, size), at]));
  for (let node = 0; node < nodeCount; node++) {
    if (nodeType[node] !== NODE.string || !names.has(nodeName[node]!)) continue;
    const at = places.get(keyOf(nodeName[node]!, selfSize[node]!));
    const list = at === undefined ? undefined : found[at];
    if (list !== undefined && list.length < MOST_IDS) list.push(node);
  }
  return found;
};

const describe = (graph: HeapGraph, group: Group, nodes: readonly number[], isRedacted: boolean): StringGroup => ({
  count: group.count,
  bytes: group.count * group.size,
  wastedBytes: wastedBy(group),
  length: lengthOf(graph, group.name),
  sample: valueOf(graph, nodes[0] ?? 0, isRedacted),
  ids: nodes.map((node) => graph.nodeId[node]!),
});

/** A redacted graph's strings tell it in words. */
const lengthOf = (graph: HeapGraph, name: number): number => {
  const text = graph.strings.get(name);
  const told = /^‹(\d+) characters/.exec(text)?.[1];
  return told === undefined ? text.length : Number(told);
};
