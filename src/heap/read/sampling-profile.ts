/**
 * Reads a `.heapprofile`, which `node --heap-prof` and `HeapProfiler.stopSampling` write: a tree of calls with the bytes
 * that each allocated and that were still alive, estimated by V8 from samples. Streams; costs memory by the number of
 * nodes, not by the size of the file. Refuses what is not such a tree, naming the place.
 */
import { array, number, object, openInput, type OpenOptions, readJson, string, WrongValue } from '../../input/index.ts';
import type { AllocationTree } from '../model/allocation-tree.ts';
import { AllocationTreeBuilder } from './allocation-tree-builder.ts';

export interface SamplingProfile {
  readonly tree: AllocationTree;
  /** Samples that were alive; null where the file does not list them. */
  readonly sampleCount: number | null;
}

/** How deep calls may be nested; V8 itself stops at some ten thousand frames. */
const DEEPEST_CALLS = 50_000;
/** A node of the tree is an object in an array. */
const CONTAINERS_A_CALL = 2;

/**
 * Reads one file, compressed or not. Lines and columns in the result count from 1. Throws `BadFile` for what is in the
 * file, the file system's errors as they are, and the reason of `signal` when it is aborted.
 */
export const readSamplingProfile = async (path: string, options: OpenOptions = {}): Promise<SamplingProfile> => {
  const builder = new AllocationTreeBuilder();
  let sampleCount: number | null = null;
  const node = object(
    {
      callFrame: object({
        functionName: string((name) => builder.setFrame({ name })),
        scriptId: string((id) => builder.setFrame({ scriptId: toScriptId(id) })),
        url: string((scriptName) => builder.setFrame({ scriptName })),
        lineNumber: number((line) => builder.setFrame({ line: toOneBased(line) })),
        columnNumber: number((column) => builder.setFrame({ column: toOneBased(column) })),
      }),
      selfSize: number((bytes) => builder.setBytes(bytes)),
      children: array(() => node),
    },
    { onStart: () => builder.open(), onEnd: () => builder.close() },
  );
  const sample = object({}, { onStart: () => (sampleCount = (sampleCount ?? 0) + 1) });
  const shape = object({ head: node, samples: array(sample, { onStart: () => (sampleCount ??= 0) }) });
  await readJson(openInput(path, options), shape, { file: path, maxDepth: DEEPEST_CALLS * CONTAINERS_A_CALL });
  return { tree: builder.finish(path), sampleCount };
};

const toOneBased = (value: number): number => {
  if (!Number.isInteger(value) || value < -1 || value > 0x7fff_ffff)
    throw new WrongValue(`a line or column was expected, found ${value}`);
  return value + 1;
};

const toScriptId = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new WrongValue(`the id of a script was expected, found ${JSON.stringify(text)}`);
  return Number(text);
};
