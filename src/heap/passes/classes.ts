/**
 * The class of every node, named and told apart as in DevTools (HeapSnapshot.calculateObjectNames, classKeyInternal):
 * objects by their constructor's name and place, plain objects by their properties, everything of V8's by its kind.
 */
import type { HeapGraph } from '../model/graph.ts';
import { NODE, NODE_TYPE_NAMES } from '../model/node-types.ts';
import { findInterfaces } from './interfaces.ts';
import { PairTable } from './pair-table.ts';

export interface ClassIdentity {
  readonly name: string;
  readonly location: { readonly scriptId: number; readonly line: number; readonly column: number } | null;
}

export interface Classes {
  readonly classOf: Uint32Array<ArrayBuffer>;
  readonly identities: readonly ClassIdentity[];
}

const UNKNOWN = 0xffff_ffff;

/** `classOf`: room for a number a node, whatever is in it. */
export function findClasses(
  graph: HeapGraph,
  detached: ReadonlySet<number>,
  classOf: Uint32Array<ArrayBuffer>,
): Classes {
  const { nodeCount, nodeName, nodeType, strings } = graph;
  const identities: ClassIdentity[] = [];
  const byText = new Map<string, number>();
  const add = (name: string, location: ClassIdentity['location'] = null): number =>
    identities.push({ name, location }) - 1;
  /** Names that are made here are one class whatever string they came from. */
  const named = (text: string): number => {
    const known = byText.get(text) ?? add(text);
    byText.set(text, known);
    return known;
  };
  const byType = Uint32Array.from(NODE_TYPE_NAMES, (type) => named(CLASS_OF_TYPE[type] ?? `(${type})`));
  // One more than the class: most strings name no object, and pages of zeros cost nothing.
  const byName = new Uint32Array(strings.count);
  const byDetachedName = new Map<number, number>();
  const ofName = (name: number): number => {
    const text = strings.get(name);
    const own = text.startsWith('<') || text.startsWith('Detached <') ? named(cutTag(text)) : add(text);
    byName[name] = own + 1;
    return own;
  };
  const ofDetached = (name: number): number => {
    const text = `Detached ${strings.get(name)}`;
    const own = byDetachedName.get(name) ?? (text.startsWith('Detached <') ? named(cutTag(text)) : add(text));
    byDetachedName.set(name, own);
    return own;
  };

  for (let node = 0; node < nodeCount; node += 1) {
    const type = nodeType[node] as number;
    if (type !== NODE.object && type !== NODE.native) {
      classOf[node] = byType[type] as number;
      continue;
    }
    const name = nodeName[node] as number;
    const known = byName[name] as number;
    classOf[node] = known === 0 ? ofName(name) : known - 1;
  }
  for (const node of detached) classOf[node] = ofDetached(nodeName[node] as number);
  const interfaces = findInterfaces(graph);
  const ofInterface = interfaces.names.map((name) => add(name));
  interfaces.forEach((node, name) => {
    if (name !== -1) classOf[node] = ofInterface[name] as number;
  });
  splitByLocation(graph, classOf, identities, add);
  return dropEmpty(classOf, identities);
}

/** Constructors often share a name: objects with a location are told apart by it. */
function splitByLocation(
  { locations, nodeType }: HeapGraph,
  classOf: Uint32Array,
  identities: readonly ClassIdentity[],
  add: (name: string, location: ClassIdentity['location']) => number,
): void {
  // Script and line are one number, that and the column another one, that and the name's class the class.
  const lines = new PairTable();
  const places = new PairTable();
  const classes = new PairTable();
  const intern = (table: PairTable, first: number, second: number): number => {
    const known = table.get(first, second);
    if (known !== -1) return known;
    table.set(first, second, table.size);
    return table.size - 1;
  };
  for (let at = 0; at < locations.count; at += 1) {
    const node = locations.node[at] as number;
    if (nodeType[node] !== NODE.object) continue;
    const scriptId = locations.scriptId[at] as number;
    const line = locations.line[at] as number;
    const column = locations.column[at] as number;
    const place = intern(places, intern(lines, scriptId, line), column);
    const plain = classOf[node] as number;
    let own = classes.get(place, plain);
    if (own === -1) {
      own = add(identities[plain]?.name ?? '', { scriptId, line, column });
      classes.set(place, plain, own);
    }
    classOf[node] = own;
  }
}

/** Classes whose objects all went to another one are none. */
function dropEmpty(classOf: Uint32Array<ArrayBuffer>, identities: readonly ClassIdentity[]): Classes {
  const isUsed = new Uint8Array(identities.length);
  for (let node = 0; node < classOf.length; node += 1) isUsed[classOf[node] as number] = 1;
  const used: ClassIdentity[] = [];
  const renumbered = Uint32Array.from(identities, (identity, at) =>
    isUsed[at] === 1 ? used.push(identity) - 1 : UNKNOWN,
  );
  for (let node = 0; node < classOf.length; node += 1) classOf[node] = renumbered[classOf[node] as number] as number;
  return { classOf, identities: used };
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
