/**
 * The class of every node, named and told apart as in DevTools (HeapSnapshot.calculateObjectNames, classKeyInternal):
 * objects by their constructor's name and place, plain objects by their properties, everything of V8's by its kind.
 */
import type { HeapGraph } from '../model/graph.ts';
import { NODE, NODE_TYPE_NAMES } from '../model/node-types.ts';
import { findInterfaces } from './interfaces.ts';

export interface ClassIdentity {
  readonly name: string;
  readonly location: { readonly scriptId: number; readonly line: number; readonly column: number } | null;
}

export interface Classes {
  readonly classOf: Uint32Array;
  readonly identities: readonly ClassIdentity[];
}

const UNKNOWN = 0xffff_ffff;

export function findClasses(graph: HeapGraph, detached: ReadonlySet<number>): Classes {
  const { nodeCount, nodeName, nodeType, strings } = graph;
  const identities: ClassIdentity[] = [];
  const byKey = new Map<string, number>();
  const intern = (key: string, name: string, location: ClassIdentity['location'] = null): number => {
    let known = byKey.get(key);
    if (known === undefined) {
      known = identities.push({ name, location }) - 1;
      byKey.set(key, known);
    }
    return known;
  };
  const named = (text: string): number => intern(`=${text}`, text);
  const byType = NODE_TYPE_NAMES.map((type) => CLASS_OF_TYPE[type] ?? `(${type})`);
  const byName = new Uint32Array(strings.count).fill(UNKNOWN);
  const ofName = (name: number): number => {
    if (byName[name] === UNKNOWN) {
      const text = strings.get(name);
      byName[name] =
        text.startsWith('<') || text.startsWith('Detached <') ? named(cutTag(text)) : intern(`#${name}`, text);
    }
    return byName[name] as number;
  };
  const ofDetached = (name: number): number => {
    const text = `Detached ${strings.get(name)}`;
    return text.startsWith('Detached <') ? named(cutTag(text)) : intern(`d${name}`, text);
  };

  const classOf = new Uint32Array(nodeCount);
  for (let node = 0; node < nodeCount; node += 1) {
    const type = nodeType[node] as number;
    if (type !== NODE.object && type !== NODE.native) classOf[node] = named(byType[type] ?? '(unknown)');
    else classOf[node] = detached.has(node) ? ofDetached(nodeName[node] as number) : ofName(nodeName[node] as number);
  }
  const interfaces = findInterfaces(graph);
  const ofInterface = interfaces.names.map((name) => intern(`{${name}`, name));
  interfaces.forEach((node, name) => {
    if (name !== -1) classOf[node] = ofInterface[name] as number;
  });
  splitByLocation(graph, classOf, identities, intern);
  return dropEmpty(classOf, identities);
}

/** Classes whose objects all went to another one are none. */
function dropEmpty(classOf: Uint32Array, identities: readonly ClassIdentity[]): Classes {
  const isUsed = new Uint8Array(identities.length);
  for (let node = 0; node < classOf.length; node += 1) isUsed[classOf[node] as number] = 1;
  const used: ClassIdentity[] = [];
  const renumbered = Uint32Array.from(identities, (identity, at) =>
    isUsed[at] === 1 ? used.push(identity) - 1 : UNKNOWN,
  );
  for (let node = 0; node < classOf.length; node += 1) classOf[node] = renumbered[classOf[node] as number] as number;
  return { classOf, identities: used };
}

/** Constructors often share a name: objects with a location are told apart by it. */
function splitByLocation(
  { locations, nodeType }: HeapGraph,
  classOf: Uint32Array,
  identities: readonly ClassIdentity[],
  intern: (key: string, name: string, location: ClassIdentity['location']) => number,
): void {
  for (let at = 0; at < locations.count; at += 1) {
    const node = locations.node[at] as number;
    if (nodeType[node] !== NODE.object || locations.node[at + 1] === node) continue;
    const name = identities[classOf[node] as number]?.name ?? '';
    const scriptId = locations.scriptId[at] as number;
    const line = locations.line[at] as number;
    const column = locations.column[at] as number;
    classOf[node] = intern(`@${scriptId},${line},${column},${name}`, name, { scriptId, line, column });
  }
}

const CLASS_OF_TYPE: Readonly<Record<string, string>> = {
  hidden: '(system)',
  code: '(compiled code)',
  closure: 'Function',
  regexp: 'RegExp',
};

/** `<div id="a">` is a `<div>`. */
function cutTag(text: string): string {
  const space = text.indexOf(' ', text.startsWith('<') ? 0 : 'Detached <'.length);
  return space === -1 ? text : `${text.slice(0, space)}>`;
}
