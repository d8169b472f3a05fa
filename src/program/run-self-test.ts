/** Lets a program test itself in a process of its own, before anything is entrusted to it (`daemon/self-test.ts`). */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Program } from './program.ts';
import { VERSIONS_FOLDER } from './records.ts';

/** What the program says of itself, as JSON on its standard output. */
export interface Verdict {
  readonly version: string;
  /** Number of its last migration. */
  readonly schema: number;
  /** What is wrong; empty: nothing. */
  readonly problems: readonly string[];
  /** Operations that are under way and that it could not go on with, as `kind of app`. */
  readonly stuck: readonly string[];
}

const PATIENCE_MS = 30_000;
const MOST_OUTPUT = 1024 * 1024;

/**
 * `state` is a copy, in a folder of its own, on which migrations may be tried; null where there is none. Never throws: a
 * program that cannot even tell has a problem.
 */
export const runSelfTest = async (
  program: Program,
  state: string | null,
  patienceMs = PATIENCE_MS,
): Promise<Verdict> => {
  const file = join(dirname(program.main), 'self-test.js');
  const failed = (problem: string): Verdict => ({
    version: program.version,
    schema: 0,
    problems: [problem],
    stuck: [],
  });
  try {
    const { stdout } = await promisify(execFile)(program.node, [...program.options, file, state ?? ''], {
      timeout: patienceMs,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT,
      cwd: '/',
    });
    const verdict = JSON.parse(stdout) as Partial<Verdict>;
    if (!Array.isArray(verdict.problems)) return failed('it said nothing that can be understood');
    return { ...failed(''), ...verdict, problems: verdict.problems, stuck: verdict.stuck ?? [] };
  } catch (error) {
    const { killed, signal, code, stderr } = error as {
      killed?: boolean;
      signal?: string;
      code?: unknown;
      stderr?: string;
    };
    if (killed === true) return failed(`it did not answer within ${patienceMs / 1000} s`);
    const said = findReason(stderr ?? '');
    const end = typeof signal === 'string' ? signal : `code ${String(code)}`;
    return failed(said === null ? `it ended with ${end}` : `it ended with ${end}: ${said}`);
  }
};

/** The line of a stack trace that says what happened. */
const findReason = (stderr: string): string | null => {
  const lines = stderr.split('\n').map((line) => line.trim());
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.findLast((line) => line !== '') ?? null;
};

/**
 * The same on a copy of the home's state, which `copyState` makes in the folder that it is given (and returns; null where
 * there is no state yet). The folder is gone afterwards. Throws what `copyState` throws.
 */
export const testOnCopy = async (
  home: string,
  program: Program,
  copyState: (folder: string) => string | null,
): Promise<Verdict> => {
  const folder = join(home, VERSIONS_FOLDER, `self-test-${process.pid}`);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    // Of a process of this pid that was killed.
    remove();
    return await runSelfTest(program, copyState(folder));
  } finally {
    remove();
  }
};

/** Of a state that no daemon has open. Null where there is none. Throws what the file system says. */
export const copyState = (file: string, folder: string): string | null => {
  if (!existsSync(file)) return null;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const copy = join(folder, 'state.db');
  for (const part of ['', '-wal']) if (existsSync(`${file}${part}`)) copyFileSync(`${file}${part}`, `${copy}${part}`);
  return copy;
};
