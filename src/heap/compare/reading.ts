/** A snapshot with what comparison needs to know of it; made once, used for each step that the snapshot is part of. */
import type { HeapGraph } from '../model/graph.ts';
import { BlockVariables } from '../source/block-variables.ts';
import { Declarations, type SourceOptions } from '../source/declarations.ts';
import { readScriptNames, type ScriptNames } from '../source/script-names.ts';
import { Words } from '../source/words.ts';

export interface Reading {
  readonly graph: HeapGraph;
  readonly words: Words;
  readonly scripts: ScriptNames;
  readonly declarations: Declarations;
  readonly blocks: BlockVariables;
}

export function openReading(graph: HeapGraph, source: SourceOptions = {}): Reading {
  const words = new Words(graph);
  const scripts = readScriptNames(words);
  const declarations = new Declarations(scripts, source);
  return { graph, words, scripts, declarations, blocks: new BlockVariables(words, scripts, declarations) };
}
