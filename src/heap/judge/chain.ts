/**
 * The way from a start of the ownership tree down to a node, step by step, and which of its steps is something that a
 * person wrote: a variable, a property of a class, an event. Reports print it; the holder is chosen from it.
 */
import { isCollection, isGlobal, isStorage, labelOfEdge, labelOfNode } from '../compare/labels.ts';
import { findWeakTable } from '../compare/weak-table.ts';
import type { Ownership } from '../compare/ownership.ts';
import type { Reading } from '../compare/reading.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { pathOf } from '../source/declarations.ts';
import { NONE } from '../source/words.ts';

export interface ChainStep {
  readonly node: number;
  /** The node before, and the edge from it; NONE for the start. */
  readonly owner: number;
  readonly edge: number;
}

/**
 * From the start to `node`. The value of a WeakMap hangs from its key in the tree, as it must; a reader looks for it in
 * the WeakMap, so the way goes over that where it is found, unless it is somebody else's: a package that remembers things
 * about an object of the application in a WeakMap of its own keeps them as long as the application keeps the object.
 */
export function readChain(reading: Reading, { parent, parentEdge }: Ownership, node: number): ChainStep[] {
  const steps: ChainStep[] = [];
  let at = node;
  for (;;) {
    const owner = parent[at] as number;
    if (owner === NONE) break;
    if (owner === at) {
      steps.push({ node: at, owner: NONE, edge: NONE });
      break;
    }
    const edge = parentEdge[at] as number;
    const table = findWeakTable(reading.graph, edge);
    const weakMap = table === undefined ? NONE : findWeakMap(reading, table);
    const isOnWay = steps.some((step) => step.node === weakMap);
    const isHeld =
      weakMap !== NONE &&
      parent[weakMap] !== NONE &&
      parent[weakMap] !== weakMap &&
      !isOnWay &&
      (beginsInApplication(reading, parent, weakMap) || !beginsInApplication(reading, parent, owner));
    steps.push({ node: at, owner: isHeld ? weakMap : owner, edge });
    at = isHeld ? weakMap : owner;
  }
  return steps.reverse();
}

/** Whether the way to a node begins at a variable of the application. */
function beginsInApplication({ scripts }: Reading, parent: Uint32Array, node: number): boolean {
  let at = node;
  while (parent[at] !== at && parent[at] !== NONE) at = parent[at] as number;
  const script = scripts.moduleContexts.get(at) ?? scripts.exportCells.get(at)?.script;
  return script !== undefined && scripts.kindOf(script) === 'application';
}

/** The WeakMap that has the table with that id. */
function findWeakMap({ graph, words }: Reading, tableId: number): number {
  for (let node = 0; node < graph.nodeCount; node++) {
    if (graph.nodeId[node] !== tableId) continue;
    for (let map = 0; map < graph.nodeCount; map++) {
      if (words.isNamed(map, 'WeakMap') && words.follow(map, 'table') === node) return map;
    }
  }
  return NONE;
}

export type AnchorKind = 'module-variable' | 'captured-variable' | 'global' | 'property';

/** A step that has a name in the source. */
export interface Anchor {
  readonly kind: AnchorKind;
  /** Position in the chain of what the name holds. */
  readonly at: number;
  readonly name: string;
  /** Script node in which the name is written; NONE when the snapshot does not say. */
  readonly script: number;
  /** The file where it is written, when it is no Script node of the snapshot: what a module record is of. */
  readonly file?: string;
  /** Context, cell or object that has the variable or property. */
  readonly owner: number;
}

/** Where things are written, beyond what edges say. */
export interface Written {
  /** Script node of an object's constructor; NONE when the snapshot does not say. */
  scriptOfNode(node: number): number;
  /** The file that a module record of Node is of; empty for everything else. */
  fileOfModule(node: number): string;
}

/** Anchors along the chain, the outermost first. */
export function findAnchors(reading: Reading, chain: readonly ChainStep[], written: Written): Anchor[] {
  const anchors: Anchor[] = [];
  for (const [at, { owner, edge }] of chain.entries()) {
    if (edge === NONE) continue;
    const anchor = anchorOfEdge(reading, owner, edge, written);
    if (anchor !== undefined) anchors.push({ ...anchor, at });
  }
  return anchors;
}

/** The anchor that an edge is, if it is one. */
function anchorOfEdge(reading: Reading, owner: number, edge: number, written: Written): Omit<Anchor, 'at'> | undefined {
  const { graph, scripts, words } = reading;
  const cell = scripts.exportCells.get(owner);
  if (cell !== undefined) return { kind: 'module-variable', name: cell.name, script: cell.script, owner };
  const type = graph.edgeType[edge];
  const blockVariable = reading.blocks.nameOf(owner, edge);
  if (type === EDGE.context || blockVariable !== '') {
    const kind = scripts.isModuleContext(owner) ? 'module-variable' : 'captured-variable';
    return {
      kind,
      name: blockVariable || graph.strings.get(graph.edgeName[edge] as number),
      script: scripts.scriptOfContext(owner),
      owner,
    };
  }
  if (type !== EDGE.property) return undefined;
  const name = graph.strings.get(graph.edgeName[edge] as number);
  // Node keeps things of its own at the global object, under symbols.
  if (isGlobal(reading, owner)) {
    return name.startsWith('<symbol ') ? undefined : { kind: 'global', name, script: NONE, owner };
  }
  if (graph.nodeType[owner] === NODE.closure) {
    const script = scripts.scriptOfClosure(owner);
    return script === NONE ? undefined : { kind: 'property', name, script, owner };
  }
  if (graph.nodeType[owner] !== NODE.object || isCollection(reading, owner) || words.isNamed(owner, 'Object')) {
    return undefined;
  }
  const file = written.fileOfModule(owner);
  if (file !== '') return { kind: 'property', name, script: NONE, file, owner };
  const script = written.scriptOfNode(owner);
  return script === NONE ? undefined : { kind: 'property', name, script, owner };
}

/** The path in a reader's words, storage left out, at most `most` steps: the first and the last ones. */
export function describeChain(
  reading: Reading,
  chain: readonly ChainStep[],
): { edge: string; node: number; label: string }[] {
  const out: { edge: string; node: number; label: string }[] = [];
  for (const { node, owner, edge } of chain) {
    if (isStorage(reading, node) && node !== chain.at(-1)?.node) continue;
    const label = edge === NONE ? labelOfStart(reading, node) : labelOfNode(reading, node);
    out.push({ edge: edge === NONE ? '' : labelOfEdge(reading, owner, edge), node, label });
  }
  return out;
}

function labelOfStart(reading: Reading, node: number): string {
  const { scripts, graph } = reading;
  const script = scripts.moduleContexts.get(node) ?? scripts.exportCells.get(node)?.script;
  if (script !== undefined) return `module ${pathOf(scripts.fileOf(script))}`;
  return isGlobal(reading, node) ? 'global' : graph.strings.get(graph.nodeName[node] as number);
}
