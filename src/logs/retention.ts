/**
 * Holds what is kept to its limits: those of an app after each rotation and once a minute, the quota of all and the
 * space on the disk as well. What goes first is always the oldest archive; then files of workers that have ended. What a
 * living worker has in its file stays, unless it is too old. What cannot be looked at or removed is told, and keeps nothing
 * else from its limits.
 */
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { ArchivedFile } from './archive-name.ts';
import { takeInventory } from './inventory.ts';
import type { ArchivePiece, FilePiece } from './inventory.ts';
import { beyondLimits, excessBytes, oldestFirst } from './limits.ts';
import type { DiskState, LogBudget, LogLimits } from './limits.ts';
import { namesIn } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { removeBelow, removeFile } from './removal.ts';
import type { RemovalTools } from './removal.ts';
import { alignDown } from './rotation.ts';
import { openTimeIndex } from './time-index.ts';

export interface RetentionOptions extends Omit<RemovalTools, 'isOutdated'> {
  readonly home: string;
  readonly limitsOf: (app: string) => LogLimits;
  readonly budget: () => LogBudget;
  readonly isAlive: (worker: Pick<LogFile, 'app' | 'slot' | 'generation'>) => boolean;
  /** Parts of files can be freed. */
  readonly canPunch: () => boolean;
  readonly wallMs: () => number;
  /** How often files were emptied so far. */
  readonly flushes: () => number;
  readonly onRemoved: (isGone: (file: ArchivedFile) => boolean) => void;
  readonly onProblem: (message: string) => void;
  /** What could not be looked at or removed, and why, each time anew. */
  readonly onFailure: (message: string) => void;
}

/** What of a living worker's file is too old goes in pieces of at least so much. */
const LEAST_BYTES = 64 * 1024;

/** Holds one app to its own limits. */
export async function holdToLimits(app: string, options: RetentionOptions): Promise<void> {
  const { keep, maxAgeMs } = options.limitsOf(app);
  const oldestMs = maxAgeMs === null ? -Infinity : options.wallMs() - maxAgeMs;
  const pieces = takeInventory(options.home, app);
  const tools = asOfNow(options);

  const gone = generationsToRemove(pieces, keep, oldestMs).filter(({ file }) => !options.isAlive(file));
  await removeFiles(gone, options);
  const left = pieces.filter((piece) => !gone.includes(piece));
  for (const ofStream of byStream(left.flatMap(({ archives }) => archives)))
    await removeArchives(beyondLimits(ofStream, keep, oldestMs), tools, options);
  if (maxAgeMs === null || !options.canPunch()) return;
  for (const piece of left) await attempt(piece.file.path, async () => removeTooOld(piece, oldestMs, tools), options);
}

/** Holds all apps together to the quota, and to the space that is to be left on the disk. */
export async function holdToBudget(options: RetentionOptions): Promise<void> {
  const pieces: FilePiece[] = [];
  const tools = asOfNow(options);
  for (const app of appsWithLogs(options.home)) {
    await attempt(join('logs', app), async () => pieces.push(...takeInventory(options.home, app)), options);
    // Many apps with many archives are many calls: let others have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const archives = pieces.flatMap((piece) => piece.archives);
  const used = sum(pieces) + sum(archives);
  const excess = excessBytes(used, readDisk(options.home), options.budget());
  if (excess === 0) return;
  const gone = await removeArchives(oldestFirst(byStream(archives), excess), tools, options);
  const isOver = ({ file }: FilePiece): boolean => !options.isAlive(file);
  const files = await removeFiles(oldestFirst(byStream(pieces.filter(isOver)), excess - sum(gone)), options);
  const freed = sum(gone) + sum(files);
  const what = `${gone.length} archives and ${files.length} files of ended workers, ${toMib(freed)} MiB`;
  if (freed > 0) options.onProblem(`logs are over their quota, or the disk is nearly full: removed ${what}`);
  else options.onProblem('logs are over their quota, or the disk is nearly full, and there is nothing to remove');
}

/** The space of the disk that logs are on; null where that cannot be told. */
export function readDisk(home: string): DiskState | null {
  try {
    mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 });
    const { bavail, blocks, bsize } = statfsSync(join(home, 'logs'));
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return null;
  }
}

/** Every app that has logs, deleted ones too. */
export const appsWithLogs = (home: string): string[] =>
  namesIn(join(home, 'logs')).filter((name) => !name.startsWith('.'));

/** What one worker of a slot after the other wrote to one stream: an inventory is in that order, whatever the times say. */
const byStream = <Piece extends { readonly file: LogFile }>(pieces: readonly Piece[]): Piece[][] =>
  Object.values(Object.groupBy(pieces, ({ file }) => `${file.app} ${file.slot} ${file.stream}`)).map((run = []) => run);

/** Of each slot the oldest generations, and those that nobody wrote to for too long. */
function generationsToRemove(pieces: readonly FilePiece[], keep: number, oldestMs: number): FilePiece[] {
  const slots = Object.groupBy(pieces, ({ file }) => file.slot);
  return Object.values(slots).flatMap((ofSlot = []) => {
    const generations = Object.entries(Object.groupBy(ofSlot, ({ file }) => file.generation)).map(
      ([generation, files = []]) => ({
        generation: Number(generation),
        bytes: 0,
        endedMs: Math.max(...files.map(({ endedMs }) => endedMs)),
      }),
    );
    generations.sort((a, b) => a.generation - b.generation);
    const beyond = new Set(beyondLimits(generations, keep, oldestMs).map(({ generation }) => generation));
    return ofSlot.filter(({ file }) => beyond.has(file.generation));
  });
}

/** What is decided now comes to nothing once files are emptied: the next look decides anew. */
const asOfNow = ({ punch, onStep, flushes }: RetentionOptions): RemovalTools => {
  const before = flushes();
  return { punch, onStep, isOutdated: () => flushes() !== before };
};

/** Returns those that went. */
async function removeArchives(
  pieces: readonly ArchivePiece[],
  tools: RemovalTools,
  options: RetentionOptions,
): Promise<ArchivePiece[]> {
  const cuts = new Map<LogFile, number>();
  for (const { file, archive } of pieces) cuts.set(file, Math.max(archive.end, cuts.get(file) ?? 0));
  const gone = new Set<LogFile>();
  for (const [file, cut] of cuts)
    if (await attempt(file.path, async () => removeBelow(file, cut, tools), options)) gone.add(file);
  return pieces.filter(({ file }) => gone.has(file));
}

/** Returns those that went. */
async function removeFiles(pieces: readonly FilePiece[], options: RetentionOptions): Promise<FilePiece[]> {
  const gone: FilePiece[] = [];
  for (const piece of pieces)
    if (await attempt(piece.file.path, async () => removeFile(piece.file), options)) gone.push(piece);
  const paths = new Set(gone.map(({ file }) => file.path));
  if (paths.size > 0) options.onRemoved(({ path }) => paths.has(path));
  return gone;
}

/** Whether it was done. */
async function attempt(what: string, work: () => Promise<unknown>, { onFailure }: RetentionOptions): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    onFailure(`limits of logs: ${what}: ${(error as Error).message}`);
    return false;
  }
}

/** The part of a file that was written before `oldestMs`. */
async function removeTooOld(piece: FilePiece, oldestMs: number, tools: RemovalTools): Promise<void> {
  const { file, size, archivedEnd, base } = piece;
  if (size === null) return;
  const index = openTimeIndex(file.indexPath);
  const offset = index.offsetOf(oldestMs) ?? index.last()?.offset ?? 0;
  index.close();
  const cut = alignDown(Math.min(offset, size));
  if (cut - Math.max(archivedEnd, base) >= LEAST_BYTES) await removeBelow(file, cut, tools);
}

const sum = (pieces: readonly { readonly bytes: number }[]): number =>
  pieces.reduce((total, { bytes }) => total + bytes, 0);

const toMib = (bytes: number): number => Math.round(bytes / 1024 ** 2);
