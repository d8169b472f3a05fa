/**
 * The names that V8 and Node give to their own edges and nodes, by number: comparing numbers is what makes it possible to
 * ask "is this the `context` of a closure?" of every edge of a large heap. A string is decoded once, when it is first met.
 */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE } from '../model/node-types.ts';

/** No node, no edge. */
export const NONE = 0xffff_ffff;

const WORDS = [
  'shared',
  'context',
  'script',
  'script_or_debug_info',
  'name_or_scope_info',
  'scope_info',
  'previous',
  'source',
  'map',
  'table',
  'elements',
  'properties',
  'value',
  'extension',
  'buffer',
  'backing_store',
  'first',
  'second',
  'parent',
  'reactions_or_result',
  '__proto__',
  'constructor',
  'prototype',
  '_events',
  '_onTimeout',
  '_idlePrev',
  '_idleNext',
  '_onImmediate',
  '_readableState',
  '_writableState',
  'system / Context',
  'system / NativeContext',
  'system / SourceTextModule',
  'system / PromiseReaction',
  'system / Cell',
  'system / WeakCell',
  'Map',
  'Set',
  'WeakMap',
  'Array',
  'Object',
  'Promise',
  'Generator',
] as const;

export type Word = (typeof WORDS)[number];

const NUMBER = new Map<string, number>(WORDS.map((word, at) => [word, at + 1]));
const LONGEST = Math.max(...WORDS.map((word) => word.length));
const OTHER = 255;

/** Number of a word, for comparison with `Words.of`. */
export const wordNumber = (word: Word): number => NUMBER.get(word) as number;

export class Words {
  readonly graph: HeapGraph;
  private readonly numbers: Uint8Array;

  constructor(graph: HeapGraph) {
    this.graph = graph;
    this.numbers = new Uint8Array(graph.strings.count);
  }

  /** The number of the string at `index`, or one that equals no word's. */
  of(index: number): number {
    let number = this.numbers[index] as number;
    if (number === 0) {
      const { strings } = this.graph;
      number = strings.byteLength(index) > LONGEST ? OTHER : (NUMBER.get(strings.get(index)) ?? OTHER);
      this.numbers[index] = number;
    }
    return number;
  }

  /** The word on an edge; edges that are numbered, not named, have none. */
  ofEdge(edge: number): number {
    const type = this.graph.edgeType[edge];
    return type === EDGE.element || type === EDGE.hidden ? OTHER : this.of(this.graph.edgeName[edge] as number);
  }

  /** Whether the node is called so. */
  isNamed(node: number, word: Word): boolean {
    return this.of(this.graph.nodeName[node] as number) === wordNumber(word);
  }

  /** Where V8's own edge of that name leads; NONE if there is none. A variable or property may be called so too, and does not count. */
  follow(node: number, word: Word): number {
    const edge = this.find(node, word, EDGE.internal);
    return edge === NONE ? NONE : (this.graph.edgeTo[edge] as number);
  }

  /** Whether the object has a property of that name. */
  hasProperty(node: number, word: Word): boolean {
    return this.find(node, word, EDGE.property) !== NONE;
  }

  private find(node: number, word: Word, type: number): number {
    const { firstEdge, edgeType, edgeName } = this.graph;
    const wanted = wordNumber(word);
    const end = firstEdge[node + 1] as number;
    for (let edge = firstEdge[node] as number; edge < end; edge++) {
      if (edgeType[edge] === type && this.of(edgeName[edge] as number) === wanted) return edge;
    }
    return NONE;
  }
}
