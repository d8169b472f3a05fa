/**
 * What is known about each program of the corpus: how it is put under load, whether it leaks, in which ways, and who
 * holds what leaks. Each program has this as `program.json` beside its sources; nothing here is known to the engine.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const PROGRAMS = join(import.meta.dirname, 'programs');

/** Numbers in braces are filled in: `{n}` counts requests, `{n%40}` counts modulo 40; a body of `{4096}` is so many bytes. */
export interface ProgramRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface ProgramLoad {
  /** How often all `requests` are sent, all `sockets` messages exchanged, or `calls` made before the first snapshot. */
  readonly warmUp: number;
  /** And how often between two snapshots. */
  readonly each: number;
  /** Wait before each snapshot: what ends by itself may end. */
  readonly settleMs?: number;
  readonly requests?: readonly ProgramRequest[];
  /** One WebSocket per round: each message is answered by at least one. */
  readonly sockets?: { readonly path: string; readonly messages: readonly unknown[] };
  /** The name of an export that takes a number. */
  readonly calls?: string;
}

export interface ProgramLeak {
  /** Patterns that describe it rightly; the first is the best. */
  readonly patterns: readonly string[];
  readonly holder: {
    readonly file: string;
    /** The first line of that file that begins so, without its indentation. */
    readonly line: string;
    /** Words of the source, one of which must be in the answer: variable, property, class or function. */
    readonly names: readonly string[];
    /** Other files of the program that an answer may name as rightly. */
    readonly also?: readonly string[];
  };
}

export interface Program {
  readonly name: string;
  readonly folder: string;
  readonly about: string;
  readonly entry: string;
  /** The oldest major version of Node that runs it; 20 unless said. */
  readonly minNode: number;
  readonly load: ProgramLoad;
  readonly leaks: readonly ProgramLeak[];
}

/** All programs, or those of these names; throws on a name that there is none of. */
export function listPrograms(only: readonly string[] = [], root: string = PROGRAMS): Program[] {
  const names = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`There is no program ${unknown.join(', ')}.`);
  return names.filter((name) => only.length === 0 || only.includes(name)).map((name) => readProgram(root, name));
}

function readProgram(root: string, name: string): Program {
  const folder = join(root, name);
  const written = JSON.parse(readFileSync(join(folder, 'program.json'), 'utf8')) as Omit<
    Program,
    'name' | 'folder' | 'minNode'
  > & { readonly minNode?: number };
  const program: Program = { ...written, name, folder, minNode: written.minNode ?? 20 };
  for (const leak of program.leaks) findHolderLine(program, leak);
  return program;
}

/** The number of the holder's line, from 1. */
export function findHolderLine(program: Program, leak: ProgramLeak): number {
  const lines = readFileSync(join(program.folder, leak.holder.file), 'utf8').split('\n');
  const index = lines.findIndex((line) => line.trim().startsWith(leak.holder.line));
  if (index === -1) throw new Error(`${program.name}: ${leak.holder.file} has no line ${leak.holder.line}`);
  return index + 1;
}
