/**
 * Edges and nodes in the words of a program: `.items`, `[]`, `variable sessions`, `Cart`, `function onData`. Labels are the
 * same in every snapshot, and the same for all elements of a collection, so that equal paths have equal labels.
 */
import { EDGE, NODE } from '../model/node-types.ts';
import { NONE, wordNumber } from '../source/words.ts';
import type { Reading } from './reading.ts';
import { findWeakTable } from './weak-table.ts';

/** Plain objects with more properties than somebody writes down are tables whose keys the program makes up; so are others with very many. */
const MOST_FIELDS = 40;
const MOST_MEMBERS = 400;

const PREVIOUS = wordNumber('previous');
const CONTEXT = wordNumber('context');
const IDLE_PREV = wordNumber('_idlePrev');
const MAP = wordNumber('Map');
const SET = wordNumber('Set');
const ARRAY = wordNumber('Array');

/** A node that only carries the contents of another: the table of a Map, the elements of an array. */
export const isStorage = ({ graph }: Reading, node: number): boolean => graph.nodeType[node] === NODE.array;

/** Number of properties, prototype and symbols included. */
export function countProperties({ graph }: Reading, node: number): number {
  let count = 0;
  const end = graph.firstEdge[node + 1] as number;
  for (let edge = graph.firstEdge[node] as number; edge < end; edge++)
    if (graph.edgeType[edge] === EDGE.property) count++;
  return count;
}

/** The global object, which has hundreds of properties and is no table. Named so by V8, with the page's address in browsers. */
export const isGlobal = ({ graph }: Reading, node: number): boolean =>
  graph.nodeType[node] === NODE.object && /^global\b/.test(graph.strings.get(graph.nodeName[node] as number));

/** Whether children of the node are one kind of thing, and which one is which does not matter. */
export function isCollection(reading: Reading, node: number): boolean {
  const { graph, words } = reading;
  if (graph.nodeType[node] === NODE.array) return true;
  if (graph.nodeType[node] !== NODE.object) return false;
  if (isGlobal(reading, node)) return false;
  const name = words.of(graph.nodeName[node] as number);
  if (name === MAP || name === SET || name === ARRAY) return true;
  if (words.follow(node, 'table') !== NONE) return true;
  return countProperties(reading, node) > (words.isNamed(node, 'Object') ? MOST_FIELDS : MOST_MEMBERS);
}

/** The label of what a root holds, which is numbered and not named. */
export const HANDLE = 'handle';

/** How the edge is written: as a variable, a property, an element, or in V8's words. */
export function labelOfEdge(reading: Reading, owner: number, edge: number): string {
  const { graph, words } = reading;
  const type = graph.edgeType[edge] as number;
  const name = graph.edgeName[edge] as number;
  if (graph.nodeType[owner] === NODE.synthetic) return HANDLE;
  switch (type) {
    case EDGE.element:
      return '[]';
    case EDGE.context:
      return `variable ${graph.strings.get(name)}`;
    case EDGE.property:
      // Timers hang in rings: which way round a timer is reached does not matter.
      if (words.of(name) === IDLE_PREV) return '._idleNext';
      return isCollection(reading, owner) ? '[]' : `.${graph.strings.get(name)}`;
    case EDGE.hidden: {
      const variable = reading.blocks.nameOf(owner, edge);
      return variable === '' ? 'hidden' : `variable ${variable}`;
    }
    default: {
      if (isStorage(reading, owner) || isStorage(reading, graph.edgeTo[edge] as number)) return '[]';
      const cell = reading.scripts.exportCells.get(owner);
      if (cell !== undefined) return `variable ${cell.name}`;
      if (findWeakTable(reading.graph, edge) !== undefined) return '[]';
      const word = words.of(name);
      if (word === PREVIOUS) return 'outer scope';
      return word === CONTEXT ? 'scope' : `internal ${graph.strings.get(name)}`;
    }
  }
}

/** What the node is: its class, or its kind where it has no class. */
export function labelOfNode({ graph, words }: Reading, node: number): string {
  const name = graph.nodeName[node] as number;
  switch (graph.nodeType[node]) {
    case NODE.array:
      return '(storage)';
    case NODE.string:
    case NODE['concatenated string']:
    case NODE['sliced string']:
      return 'string';
    case NODE.closure:
      return `function ${graph.strings.get(name)}`;
    case NODE.regexp:
      return 'RegExp';
    case NODE.number:
      return 'number';
    case NODE.symbol:
      return 'symbol';
    case NODE.bigint:
      return 'bigint';
    case NODE.object:
      return words.isNamed(node, 'system / Context') ? 'Context' : graph.strings.get(name);
    default:
      return graph.strings.get(name);
  }
}
