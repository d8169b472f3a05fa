/**
 * A graph that remembers the strings it was asked for: whoever names nodes asks for the same few names millions of times,
 * and decoding one (or hiding it, in a redacted graph) costs far more than finding it again. Bounded: two halves, of which
 * the older one is dropped when the younger one is full.
 */
import type { HeapGraph, HeapStrings } from '../model/graph.ts';

const HALF = 32_768;
/** Longer ones are texts, which nobody asks for twice. */
const LONGEST = 256;

export const rememberStrings = (graph: HeapGraph): HeapGraph => {
  const { strings } = graph;
  let young = new Map<number, string>();
  let old = new Map<number, string>();
  const remembered: HeapStrings = {
    count: strings.count,
    get: (index) => {
      const known = young.get(index);
      if (known !== undefined) return known;
      const text = old.get(index) ?? strings.get(index);
      if (text.length > LONGEST) return text;
      if (young.size >= HALF) {
        old = young;
        young = new Map();
      }
      young.set(index, text);
      return text;
    },
    byteLength: (index) => strings.byteLength(index),
    findNumbered: (text) => strings.findNumbered(text),
    find: (texts) => strings.find(texts),
  };
  return { ...graph, strings: remembered };
};
