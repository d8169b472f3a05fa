/** The first steps of jobs on snapshots: read one, redact it where that is wanted, and run all passes. */
import { basename } from 'node:path';
import { BadFile, type OnEngineProgress, openInput } from '../../input/index.ts';
import { type AnalyzeOptions, analyzeHeap, analyzeSnapshot, type AnalyzeSnapshotOptions } from '../analyze.ts';
import type { HeapAnalysis } from '../model/analysis.ts';
import type { HeapGraph } from '../model/graph.ts';
import { readSnapshot } from '../read/read-snapshot.ts';
import { redactGraph } from '../redact/redact-graph.ts';
import { rememberStrings } from './remember-strings.ts';

export interface LoadOptions {
  /** Replaces data in strings and keys (see `redact/`), equal texts alike in all files that are read with this key. */
  readonly redactKey: Uint8Array | null;
  readonly onProgress: OnEngineProgress;
  readonly signal?: AbortSignal;
}

/** Reads one snapshot. Throws `BadFile` for what is another command's, with the name of that command. */
export const loadGraph = async (path: string, options: LoadOptions): Promise<HeapGraph> => {
  const { redactKey, signal } = options;
  await refuseOtherKinds(path);
  const graph = await readSnapshot(path, {
    onProgress: readingOf(path, options),
    ...(signal !== undefined && { signal }),
  });
  return rememberStrings(redactKey === null ? graph : redactGraph(graph, redactKey));
};

/** Reads one snapshot and runs all passes over it. */
export const loadAnalysis = async (path: string, options: LoadOptions): Promise<HeapAnalysis> => {
  // Names of classes come from the passes, so what is to be hidden is hidden before.
  if (options.redactKey !== null) return analyze(await loadGraph(path, options), path, options);
  await refuseOtherKinds(path);
  const analysis = await analyzeSnapshot(path, { onRead: readingOf(path, options), ...passesOf(path, options) });
  return { ...analysis, graph: rememberStrings(analysis.graph) };
};

/** Runs all passes over it. */
export const analyze = async (
  graph: HeapGraph,
  path: string,
  tools: Omit<LoadOptions, 'redactKey'>,
): Promise<HeapAnalysis> => analyzeHeap(graph, passesOf(path, tools));

const readingOf = (
  path: string,
  { onProgress }: Pick<LoadOptions, 'onProgress'>,
): NonNullable<AnalyzeSnapshotOptions['onRead']> => {
  const name = basename(path);
  return (done, total) => onProgress(`reading ${name}`, total === 0 ? null : done / total);
};

const passesOf = (path: string, { onProgress, signal }: Omit<LoadOptions, 'redactKey'>): AnalyzeOptions => {
  const name = basename(path);
  return {
    onProgress: (pass, done, total) => onProgress(`${name}: ${pass}`, done / total),
    ...(signal !== undefined && { signal }),
  };
};

const refuseOtherKinds = async (path: string): Promise<void> => {
  if ((await findFileKind(path)) === 'sampling')
    throw new BadFile({
      file: path,
      where: null,
      what: 'this is a sampling profile, which only `drover heap analyze` reads',
    });
};

export type HeapFileKind = 'snapshot' | 'sampling';

const HEAD_BYTES = 4096;

/**
 * What a file is, by its beginning: a sampling profile starts with its tree, everything else is for the reader of snapshots
 * to judge. Throws `BadFile` for a CPU profile, which is another command's.
 */
export const findFileKind = async (path: string): Promise<HeapFileKind> => {
  for await (const chunk of openInput(path, { chunkBytes: HEAD_BYTES })) {
    const text = Buffer.from(chunk.subarray(0, HEAD_BYTES)).toString('latin1');
    if (/^[^"]{0,64}"head"\s*:/.test(text)) return 'sampling';
    if (/^[^"]{0,64}"(?:nodes"\s*:\s*\[\s*\{|startTime"|samples"|timeDeltas"|endTime")/.test(text))
      throw new BadFile({ file: path, where: null, what: 'this is a CPU profile, which `drover cpu top` reads' });
    break;
  }
  return 'snapshot';
};
