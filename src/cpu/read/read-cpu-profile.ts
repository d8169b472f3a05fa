/**
 * Reads a CPU profile of any usual format. The content decides which it is, never the name; compressed files are opened
 * first. One pass; memory grows with the tree and the samples, not with the text.
 */
import { BadFile, openInput, type SourceMaps, WrongValue } from '../../input/index.ts';
import type { FunctionPlace } from '../model/function-table.ts';
import type { CpuProfile } from '../model/profile.ts';
import { mapFunctions, mapLineTicks } from '../passes/map-sources.ts';
import { readCollapsed } from './collapsed.ts';
import { readJsonProfile } from './json-profile.ts';
import { isPerfScript, readPerfScript } from './perf-script.ts';
import { readPprof } from './pprof.ts';
import type { RawProfile } from './raw-profile.ts';

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Bytes read from the disk, and the size of the file. */
  readonly onProgress?: (readBytes: number, fileBytes: number) => void;
  /** Where functions are looked up in their sources; without, they stay where the profile has them. */
  readonly sourceMaps?: SourceMaps;
}

/**
 * The profile in `path`. Throws `BadFile` for what is in the file, the file system's own errors, and the signal's reason
 * after an abort.
 */
export async function readCpuProfile(path: string, options: ReadOptions = {}): Promise<CpuProfile> {
  let leftBytes = 0;
  const onProgress = (readBytes: number, fileBytes: number): void => {
    leftBytes = fileBytes - readBytes;
    options.onProgress?.(readBytes, fileBytes);
  };
  const { signal } = options;
  const chunks = openInput(path, { onProgress, ...(signal === undefined ? {} : { signal }) });
  try {
    return await readChunks(chunks, path, { ...options, remainingBytes: () => leftBytes });
  } finally {
    // Closes the file where the content was refused before its end.
    await chunks.return();
  }
}

/** The same for bytes that come from elsewhere, not compressed; `file` is for messages. */
export async function readCpuProfileChunks(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  { sourceMaps }: Pick<ReadOptions, 'sourceMaps'> = {},
): Promise<CpuProfile> {
  return readChunks(chunks, file, { remainingBytes: () => null, ...(sourceMaps === undefined ? {} : { sourceMaps }) });
}

interface Reading {
  readonly sourceMaps?: SourceMaps;
  /** Bytes that can still come, where known. */
  readonly remainingBytes: () => number | null;
}

async function readChunks(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  { sourceMaps, remainingBytes }: Reading,
): Promise<CpuProfile> {
  try {
    return await complete(await readByContent(chunks, file, remainingBytes), sourceMaps);
  } catch (error) {
    // What the model cannot hold; readers that know the place have said it already.
    if (error instanceof WrongValue) throw new BadFile({ file, where: null, what: error.message }, { cause: error });
    throw error;
  }
}

const WHITE_SPACE = new Set([0x20, 0x0a, 0x0d, 0x09]);
/** As much of the beginning is looked at; one deep stack of perf must fit. */
const LOOK_BYTES = 128 * 1024;

async function readByContent(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  remainingBytes: () => number | null,
): Promise<RawProfile> {
  const { start, all } = await peek(chunks);
  if (start.length === 0) throw new BadFile({ file, where: null, what: 'the file is empty' });
  const first = start.find((byte) => !WHITE_SPACE.has(byte));
  if (first === 0x7b || first === 0xef) return readJsonProfile(all, file, remainingBytes);
  // No text has bytes below the tab, and a pprof profile without any would have no lengths below 9.
  if (start.some((byte) => byte < 0x09)) return readPprof(all, file);
  const text = Buffer.from(start).toString('utf8');
  if (text.startsWith('v8-version,')) {
    const what = 'a log of V8, not a profile: it is read beside one, for deoptimisations';
    throw new BadFile({ file, where: 'line 1', what });
  }
  return isPerfScript(text) ? readPerfScript(all, file) : readCollapsed(all, file);
}

/** As many bytes from the beginning as decide, and an iterable that still begins with them. */
async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly start: Uint8Array; readonly all: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let size = 0;
  while (size < LOOK_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    seen.push(next.value);
    size += next.value.length;
  }
  const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => iterator };
  const all = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield* seen.splice(0);
    yield* rest;
  };
  return { start: Buffer.concat(seen).subarray(0, LOOK_BYTES), all: all() };
}

async function complete(
  { functions, withoutFile, ...profile }: RawProfile,
  maps: SourceMaps | undefined,
): Promise<CpuProfile> {
  if (maps === undefined) return { ...profile, functions: functions.list(withoutFile) };
  const mapped = await mapFunctions(functions, maps);
  const before = profile.functionOf;
  const functionOf = before.map((index) => mapped.functionOf[index] as number);
  const placeOf = (node: number): { before: FunctionPlace; now: FunctionPlace } => ({
    before: functions.places[before[node] as number] as FunctionPlace,
    now: mapped.functions.places[functionOf[node] as number] as FunctionPlace,
  });
  return {
    ...profile,
    functions: mapped.functions.list(withoutFile),
    functionOf,
    lineTicks: await mapLineTicks(profile.lineTicks, placeOf, maps),
    notes: [...profile.notes, ...maps.notes],
  };
}
