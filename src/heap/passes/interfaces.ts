/**
 * Names plain objects by their properties, `{id, name}`, where enough objects begin with the same ones: the inference of
 * DevTools (HeapSnapshot.inferInterfaceDefinitions, applyInterfaceDefinitions), so that classes come out alike. Objects of
 * one shape share the work: shapes are numbered as paths through a trie over their property names.
 */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { PairTable } from './pair-table.ts';

const MAX_NAME_LENGTH = 120;
const MIN_OBJECTS = 2;
/** An interface is worth naming when at least one in so many plain objects begins with it. */
const MIN_PROPORTION = 1000;

export interface Interfaces {
  readonly names: readonly string[];
  /** Calls back for every plain object: index into `names`, or −1 where it stays an `Object`. */
  forEach(visit: (node: number, name: number) => void): void;
}

interface Definition {
  readonly name: string;
  readonly properties: readonly string[];
  count: number;
}

export function findInterfaces(graph: HeapGraph): Interfaces {
  const [objectName = -1, proto = -1] = graph.strings.find(['Object', '__proto__']);
  const definitions = objectName === -1 ? [] : inferDefinitions(graph, objectName, proto);
  return {
    names: definitions.map(({ name }) => name),
    forEach: (visit) => {
      if (objectName !== -1) applyDefinitions(graph, objectName, definitions, visit);
    },
  };
}

function inferDefinitions(graph: HeapGraph, objectName: number, proto: number): Definition[] {
  const { edgeName, edgeType, firstEdge, nodeCount, nodeName, nodeType, strings } = graph;
  const shapes = new PairTable();
  // Per shape: its last property, the shape before that, the length of its name so far, objects, in order of the first.
  const last: number[] = [-1];
  const before: number[] = [-1];
  const nameLength: number[] = [1];
  const count: number[] = [0];
  const inOrder: number[] = [];
  const formatted = new Map<number, string>();
  const format = (name: number): string => {
    let text = formatted.get(name);
    if (text === undefined) formatted.set(name, (text = formatProperty(strings.get(name))));
    return text;
  };
  let total = 0;
  for (let node = 0; node < nodeCount; node += 1) {
    if (nodeType[node] !== NODE.object || nodeName[node] !== objectName) continue;
    total += 1;
    let shape = 0;
    const end = firstEdge[node + 1] as number;
    for (let edge = firstEdge[node] as number; edge < end; edge += 1) {
      const name = edgeName[edge] as number;
      if (edgeType[edge] !== EDGE.property || name === proto) continue;
      const length = nameLength[shape] as number;
      const known = shapes.get(shape, name);
      const addedLength =
        known === -1 ? format(name).length : (nameLength[known] as number) - length - (shape === 0 ? 0 : 2);
      if (shape !== 0 && length + addedLength > MAX_NAME_LENGTH) break;
      if (known !== -1) {
        shape = known;
        continue;
      }
      const added = last.length;
      shapes.set(shape, name, added);
      last.push(name);
      before.push(shape);
      nameLength.push(length + addedLength + (shape === 0 ? 0 : 2));
      count.push(0);
      shape = added;
    }
    if (shape === 0) continue;
    if (count[shape] === 0) inOrder.push(shape);
    count[shape] = (count[shape] as number) + 1;
  }
  const minCount = Math.max(MIN_OBJECTS, total / MIN_PROPORTION);
  const byName = new Map<string, Definition>();
  for (const shape of inOrder) {
    const properties: number[] = [];
    for (let at = shape; at !== 0; at = before[at] as number) properties.unshift(last[at] as number);
    const name = `{${properties.map(format).join(', ')}}`;
    const definition = byName.get(name);
    if (definition !== undefined) definition.count += count[shape] as number;
    else
      byName.set(name, {
        name,
        properties: properties.map((property) => strings.get(property)),
        count: count[shape] as number,
      });
  }
  const sorted = [...byName.values()].sort((a, b) => b.count - a.count);
  return sorted.filter((definition) => definition.count >= minCount);
}

/** Names with commas, quotes or braces could be taken for more than one. */
const formatProperty = (name: string): string => (/[,'"{}]/.test(name) ? JSON.stringify(name) : name);

interface Step {
  readonly next: Map<string, Step>;
  /** The definition that ends here; −1 for none. */
  match: number;
}

/** The largest definition whose properties an object has; of equal ones the one that more objects begin with. */
function applyDefinitions(
  graph: HeapGraph,
  objectName: number,
  definitions: readonly Definition[],
  visit: (node: number, name: number) => void,
): void {
  const { edgeName, edgeType, firstEdge, nodeCount, nodeName, nodeType, strings } = graph;
  const root: Step = { next: new Map(), match: -1 };
  for (const [at, { properties }] of definitions.entries()) {
    let step = root;
    for (const property of properties.toSorted()) {
      let next = step.next.get(property);
      if (next === undefined) step.next.set(property, (next = { next: new Map(), match: -1 }));
      step = next;
    }
    if (step.match === -1) step.match = at;
  }
  const used = new Set(definitions.flatMap(({ properties }) => properties));
  const isUsed = new Map<number, boolean>();
  // Properties that no definition has make no difference: objects that have the others in the same order are one case.
  const shapes = new PairTable();
  const last: number[] = [-1];
  const before: number[] = [-1];
  const matches: number[] = [-1];
  const UNMATCHED = -2;
  for (let node = 0; node < nodeCount; node += 1) {
    if (nodeType[node] !== NODE.object || nodeName[node] !== objectName) continue;
    let shape = 0;
    const end = firstEdge[node + 1] as number;
    for (let edge = firstEdge[node] as number; edge < end; edge += 1) {
      if (edgeType[edge] !== EDGE.property) continue;
      const name = edgeName[edge] as number;
      let counts = isUsed.get(name);
      if (counts === undefined) isUsed.set(name, (counts = used.has(strings.get(name))));
      if (!counts) continue;
      let next = shapes.get(shape, name);
      if (next === -1) {
        next = last.length;
        shapes.set(shape, name, next);
        last.push(name);
        before.push(shape);
        matches.push(UNMATCHED);
      }
      shape = next;
    }
    if (matches[shape] === UNMATCHED) {
      const properties: string[] = [];
      for (let at = shape; at !== 0; at = before[at] as number) properties.push(strings.get(last[at] as number));
      matches[shape] = findMatch(root, properties.sort(), definitions);
    }
    visit(node, matches[shape] as number);
  }
}

function findMatch(root: Step, properties: readonly string[], definitions: readonly Definition[]): number {
  const steps = new Set([root]);
  let best = -1;
  for (const property of properties) {
    for (const step of Array.from(steps)) {
      const next = step.next.get(property);
      if (next === undefined) continue;
      steps.add(next);
      if (next.match !== -1) best = better(next.match, best, definitions);
    }
  }
  return best;
}

function better(a: number, b: number, definitions: readonly Definition[]): number {
  if (b === -1) return a;
  const more = (definitions[a]?.properties.length ?? 0) - (definitions[b]?.properties.length ?? 0);
  if (more !== 0) return more > 0 ? a : b;
  return Math.min(a, b);
}
