/**
 * A graph whose data cannot be read from it any more, so that no report on it can give a secret away, whoever writes it:
 *
 * - contents of strings, numbers, symbols and regular expressions become `‹24 characters #1f0c9a›`;
 * - names of properties stay where they are words of the program's code and look like names; keys that were made at run
 *   time (ids, tokens, addresses) are replaced the same way;
 * - names of classes, functions, variables, files and V8's own stay.
 *
 * Equal texts stay equal, in all snapshots that are read with the same key; without the key nobody can find out by trying
 * which text it was. Sizes and shapes stay as they are.
 */
import { createHmac } from 'node:crypto';
import type { HeapGraph, HeapStrings } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { findCodeWords } from './code-words.ts';

/** What a string is used for in the graph; one may be used for several. */
const CONTENT = 1;
const PROPERTY = 2;
/** Name of a class, a function, a variable, or of something of V8's. */
const NAME = 4;
/** The text of a script, which other readers look into; nobody prints it. */
const SOURCE = 8;

const CONTENT_TYPES: ReadonlySet<number> = new Set([
  NODE.string,
  NODE['concatenated string'],
  NODE['sliced string'],
  NODE.symbol,
  NODE.regexp,
  NODE.number,
  NODE.bigint,
]);

/** What V8 itself calls nodes of these types when it does not write their contents. */
const V8_CONTENT_NAMES: ReadonlySet<string> = new Set([
  '(concatenated string)',
  '(sliced string)',
  'symbol',
  'bigint',
  'heap number',
  'smi number',
]);

/** `key`: any bytes; the same for all snapshots whose texts are to be compared. */
export const redactGraph = (graph: HeapGraph, key: Uint8Array): HeapGraph => {
  const uses = findUses(graph);
  const codeWords = findCodeWords(graph);
  const { strings } = graph;
  const hide = (text: string): string =>
    `‹${text.length} characters #${createHmac('sha256', key).update(text).digest('hex').slice(0, 6)}›`;
  const isKept = (index: number, text: string): boolean => {
    const use = uses[index]!;
    if ((use & (NAME | SOURCE)) !== 0 || V8_CONTENT_NAMES.has(text)) return true;
    return (use & PROPERTY) !== 0 && ((codeWords[index] === 1 && looksLikeName(text)) || isOfNode(text));
  };
  const redacted: HeapStrings = {
    count: strings.count,
    get: (index) => {
      const text = strings.get(index);
      return isKept(index, text) ? hidePairs(text, hide) : hide(text);
    },
    byteLength: (index) => strings.byteLength(index),
    findNumbered: (text) => strings.findNumbered(text),
    find: (texts) => strings.find(texts),
  };
  return { ...graph, strings: redacted };
};

/** Per string, what it is used for. */
const findUses = (graph: HeapGraph): Uint8Array => {
  const { nodeCount, nodeType, nodeName, edgeCount, edgeType, edgeName, edgeTo, firstEdge, strings } = graph;
  const uses = new Uint8Array(strings.count);
  const [source = -1] = strings.find(['source']);
  for (let node = 0; node < nodeCount; node++) {
    const type = nodeType[node]!;
    uses[nodeName[node]!]! |= CONTENT_TYPES.has(type) ? CONTENT : NAME;
    if (type !== NODE.code) continue;
    for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++)
      if (edgeType[edge] === EDGE.internal && edgeName[edge] === source) uses[nodeName[edgeTo[edge]!]!]! |= SOURCE;
  }
  for (let edge = 0; edge < edgeCount; edge++) {
    const type = edgeType[edge];
    if (type === EDGE.property) uses[edgeName[edge]!]! |= PROPERTY;
    else if (type !== EDGE.element && type !== EDGE.hidden) uses[edgeName[edge]!]! |= NAME;
  }
  return uses;
};

/** Names of entries in WeakMaps hold the names of what they join, which may be strings. */
const PAIR = /^(\d+ \/ part of key )\((.*?) (@\d+\) -> value )\((.*?) (@\d+\) pair in WeakMap \(table @\d+\))$/s;

const hidePairs = (text: string, hide: (text: string) => string): string => {
  if (!text.includes(' / part of key (')) return text;
  const found = PAIR.exec(text);
  if (found === null) return hide(text);
  const [, start = '', key = '', middle = '', value = '', end = ''] = found;
  return `${start}(${hide(key)} ${middle}(${hide(value)} ${end}`;
};

/** Properties of Node's own objects that readers go by, and of the language; V8 does not always have code that names them. */
const OF_NODE: ReadonlySet<string> = new Set([
  '_events',
  '_idleNext',
  '_idlePrev',
  '_onTimeout',
  '_onImmediate',
  '_readableState',
  '_writableState',
  '__proto__',
  'constructor',
  'prototype',
]);

/** `<symbol kState>` and `get size` are made of a name each. */
const isOfNode = (text: string): boolean => {
  const inner = /^<symbol ([\w.:]+)>$/.exec(text)?.[1] ?? /^[gs]et (\w+)$/.exec(text)?.[1];
  return inner === undefined ? OF_NODE.has(text) : looksLikeName(inner.replaceAll(/[.:]/g, '_'));
};

const LONGEST_NAME = 40;
const MOST_DIGITS = 4;

/** An identifier as people write them; a key that was copied into the code is long and full of digits. */
const looksLikeName = (text: string): boolean =>
  text.length <= LONGEST_NAME &&
  /^[\p{L}_$#][\p{L}\p{N}_$-]*$/u.test(text) &&
  text.replaceAll(/\D/g, '').length <= MOST_DIGITS;
