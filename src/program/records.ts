/**
 * What a home remembers of the programs that its daemon was started from, in files beside their copies, so that whoever
 * starts the next daemon (a command, systemd) can read it without opening the state.
 *
 * `current.json`: the program that served last, the one before it, and how the last upgrade ended.
 * `upgrade.json`: an upgrade that was begun and has not ended. It is written before the new program is tried, by a daemon
 * or by whoever holds the start lock (`start-lock.ts`); whoever serves next removes it: the new program, which has come up
 * then, or the old one, and then the new one has not. Where `current.json` knows its end, a note that stayed says nothing.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { UpgradeDocument } from '../protocol/index.ts';
import { isSameProgram, type Program } from './program.ts';

/** Below the home. */
export const VERSIONS_FOLDER = 'versions';
/** Begins the name of a copy that is being made, with the pid of who makes it. */
export const UNFINISHED = '.unfinished-';

export interface ProgramRecord {
  readonly program: Program;
  readonly before: Program | null;
  readonly lastUpgrade: UpgradeDocument | null;
}

export interface Pending {
  readonly id: string;
  readonly from: Program;
  readonly to: Program;
  readonly atMs: number;
  /** Why it did not come up, where it could say so itself. */
  readonly problem: string | null;
}

const recordFile = (home: string): string => join(home, VERSIONS_FOLDER, 'current.json');
const pendingFile = (home: string): string => join(home, VERSIONS_FOLDER, 'upgrade.json');

/** Null where there is none, or none that can be read. */
export const readRecord = (home: string): ProgramRecord | null => read(recordFile(home)) as ProgramRecord | null;
export const readPending = (home: string): Pending | null => {
  const pending = read(pendingFile(home)) as Pending | null;
  return pending === null || hasEnded(pending, readRecord(home)) ? null : pending;
};

/** It served, or is on record as put back. */
const hasEnded = ({ id, to }: Pending, record: ProgramRecord | null): boolean =>
  record !== null && (isSameProgram(record.program, to) || record.lastUpgrade?.id === id);

/** Throws what the file system says, here and below. */
export const writeRecord = (home: string, record: ProgramRecord): void => {
  const file = recordFile(home);
  try {
    write(file, record);
  } catch (error) {
    if (!existsSync(spareOf(file))) throw error;
    // A program that serves and could not say so would be taken for one that did not come up.
    fill(spareOf(file), 'r+', textOf(record));
    renameSync(spareOf(file), file);
    return;
  }
  keepRoom(spareOf(file));
};
export const notePending = (home: string, pending: Pending): void => write(pendingFile(home), pending);
export const settlePending = (home: string): void => rmSync(pendingFile(home), { force: true });

/** By whoever noted it, and found another daemon in the place of the one that was to be tried. */
export const withdrawPending = (home: string, id: string): void => {
  if (readPending(home)?.id === id) settlePending(home);
};

/** Of a program that is being tried and gives up: whoever takes its place can tell why. */
export const noteProblem = (home: string, root: string, problem: string): void => {
  const pending = readPending(home);
  if (pending !== null && pending.to.root === root) notePending(home, { ...pending, problem });
};

const read = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
};

/** Whole or not at all, and on the disk when it returns. */
const write = (file: string, content: unknown): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.new`;
  try {
    fill(draft, 'w', textOf(content));
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
};

const textOf = (content: unknown): string => `${JSON.stringify(content)}\n`;

const fill = (file: string, flags: 'w' | 'r+', text: string): void => {
  const fd = openSync(file, flags, 0o600);
  try {
    writeSync(fd, text);
    ftruncateSync(fd, Buffer.byteLength(text));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** Room on the disk for the next record. */
const spareOf = (file: string): string => `${file}.spare`;

/** Blocks that are written over need no others, but on file systems that copy on write. */
const SPARE_BYTES = 4096;

const keepRoom = (spare: string): void => {
  try {
    if (!existsSync(spare)) fill(spare, 'w', ' '.repeat(SPARE_BYTES));
  } catch {
    // There is room for what had to be written, and for nothing else.
    rmSync(spare, { force: true });
  }
};
