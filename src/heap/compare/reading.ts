/** A snapshot with what comparison needs to know of it; made once, used for each step that the snapshot is part of. */
import type { HeapGraph } from '../model/graph.ts';
import { readScriptNames, type ScriptNames } from '../source/script-names.ts';
import { Words } from '../source/words.ts';

export interface Reading {
  readonly graph: HeapGraph;
  readonly words: Words;
  readonly scripts: ScriptNames;
}

export function openReading(graph: HeapGraph): Reading {
  const words = new Words(graph);
  return { graph, words, scripts: readScriptNames(words) };
}
