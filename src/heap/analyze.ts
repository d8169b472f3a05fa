/** Runs all passes over a graph: half of them in a second thread where that pays, the loop gets a turn between the others. */
import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { DescriptionThread } from './describe-beside.ts';
import type { HeapAnalysis } from './model/analysis.ts';
import type { HeapGraph } from './model/graph.ts';
import { sumByClass } from './passes/aggregates.ts';
import { describeNodes } from './passes/description.ts';
import { findDominators } from './passes/dominators.ts';
import { edgeRule } from './passes/edge-rules.ts';
import { sumRetainedSizes } from './passes/retained-sizes.ts';
import { findWeakMapNames } from './passes/weak-map-edges.ts';
import { readSnapshot } from './read/read-snapshot.ts';

export interface AnalyzeOptions {
  readonly signal?: AbortSignal;
  /** Called before each pass: its name in words, and how many of `total` are done. */
  readonly onProgress?: (pass: string, done: number, total: number) => void;
}

/**
 * Classes, distances, dominators and sizes of a snapshot, equal to those of Chrome DevTools for the same file. Costs about
 * 40 bytes a node beside the graph. An abort throws the signal's reason between two passes.
 */
export async function analyzeHeap(graph: HeapGraph, options: AnalyzeOptions = {}): Promise<HeapAnalysis> {
  return runPasses(graph, options, null);
}

export interface AnalyzeSnapshotOptions extends AnalyzeOptions {
  /** `done` of `total` bytes of the file have been read. */
  readonly onRead?: (done: number, total: number) => void;
}

/**
 * Reads a snapshot and runs all passes over it, faster than one after the other: the second thread starts while the file
 * is read. Throws as `readSnapshot` and `analyzeHeap` do.
 */
export async function analyzeSnapshot(path: string, options: AnalyzeSnapshotOptions = {}): Promise<HeapAnalysis> {
  const { onRead, signal } = options;
  const thread = (await stat(path)).size < MIN_NODES * BYTES_PER_NODE ? null : new DescriptionThread();
  let graph: HeapGraph;
  try {
    graph = await readSnapshot(path, {
      ...(onRead !== undefined && { onProgress: onRead }),
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    await thread?.close();
    throw error;
  }
  return runPasses(graph, options, thread);
}

/** With the thread that was begun, which it closes, or its own where the graph is large (a compressed file does not tell). */
async function runPasses(
  graph: HeapGraph,
  options: AnalyzeOptions,
  begun: DescriptionThread | null,
): Promise<HeapAnalysis> {
  const thread = begun ?? (graph.nodeCount < MIN_NODES ? null : new DescriptionThread());
  let done = 0;
  const pass = async <T>(name: string, run: () => T | Promise<T>): Promise<T> => {
    options.signal?.throwIfAborted();
    options.onProgress?.(name, done, PASSES);
    await setImmediate();
    const result = await run();
    done += 1;
    return result;
  };
  try {
    const weakMaps = await pass('weak maps', () => findWeakMapNames(graph.strings));
    const beside = thread?.describe(graph, weakMaps);
    const dominators = await pass('dominators', () => findDominators(graph, weakMaps));
    const description = await pass('classes and distances', () => beside ?? describeNodes(graph, weakMaps));
    const { shallowSize, distance, classOf } = description;
    const retainedSize = await pass('retained sizes', () => sumRetainedSizes(dominators, shallowSize));
    const classes = await pass('sums by class', () => sumByClass(description, dominators, shallowSize, retainedSize));
    options.signal?.throwIfAborted();
    options.onProgress?.('done', PASSES, PASSES);
    const { dominator, isUser } = dominators;
    return {
      graph,
      totalBytes: (retainedSize[0] as number) + graph.extraNativeBytes,
      shallowSize,
      retainedSize,
      distance,
      dominator,
      classOf,
      classes,
      edgeRules: { isUser, retains: edgeRule(graph, weakMaps, isUser) },
    };
  } finally {
    await thread?.close();
  }
}

const PASSES = 5;
/** Below, starting a thread takes longer than it saves. */
const MIN_NODES = 200_000;
/** Of a file that is not compressed, about. */
const BYTES_PER_NODE = 80;
