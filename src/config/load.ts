/**
 * Reads a configuration file. TypeScript and JavaScript run in a child process, as the caller: what they print goes to
 * stderr, and a file that throws, hangs, exits, or exports what is not plain data cannot harm the CLI. The child is
 * given 10 s and 1 MB.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type ConfigProblem, DroverError } from '../protocol/index.ts';
import type { LoadAnswer } from './load-child.ts';
import { findFileProblem } from './file-problem.ts';
import { toConfigError } from './check.ts';
import { isNestedTooDeeply } from './nesting.ts';

export interface LoadedConfig {
  /** Absolute path. */
  readonly file: string;
  /** What the file exports: plain JSON, not validated yet. */
  readonly value: unknown;
}

export interface LoadLimits {
  readonly timeoutMs: number;
  readonly bytes: number;
}

const LIMITS: LoadLimits = { timeoutMs: 10_000, bytes: 1024 * 1024 };
const NAMES = ['drover.config.ts', 'drover.config.js', 'drover.config.mjs', 'drover.config.json'] as const;
const EXTENSIONS: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs', '.cjs', '.json']);

/** The configuration file of a directory, or undefined. */
export const findConfigFile = (directory: string): string | undefined =>
  NAMES.map((name) => join(directory, name)).find((path) => existsSync(path));

/** Whether a path on the command line means a configuration rather than a script. */
export const isConfigFile = (path: string): boolean => {
  const name = basename(path);
  if (name.endsWith('.json') || /\.config\.[cm]?[jt]s$/.test(name)) return true;
  if (!EXTENSIONS.has(extname(name))) return false;
  try {
    return (
      statSync(path).size <= LIMITS.bytes &&
      /\bdefineConfig\b[^;]*\bfrom\s+['"]drover['"]/.test(readFileSync(path, 'utf8'))
    );
  } catch {
    return false; // Missing or unreadable: it is reported as the script that it probably is.
  }
};

/** Reads one file. Throws DROVER_CONFIG_UNREADABLE or, where it exports what is no plain data, DROVER_CONFIG_INVALID. */
export const loadConfig = async (path: string, limits: LoadLimits = LIMITS): Promise<LoadedConfig> => {
  const { problems, ...loaded } = await inspectConfig(path, limits);
  if (problems.length > 0) throw toConfigError(problems);
  return loaded;
};

/** The same, where the problems are wanted and no error; without a value where there are any. */
export const inspectConfig = async (
  path: string,
  limits: LoadLimits = LIMITS,
): Promise<LoadedConfig & { readonly problems: readonly ConfigProblem[] }> => {
  const file = resolve(path);
  const fail: Fail = (message, cause, line) =>
    new DroverError(
      'DROVER_CONFIG_UNREADABLE',
      { file, message, isThere: true, ...(line === undefined ? {} : { line }) },
      { cause },
    );
  const problem = findFileProblem(file);
  if (problem !== null) throw new DroverError('DROVER_CONFIG_UNREADABLE', { file, message: `it ${problem}.` });
  if (statSync(file).size > limits.bytes) throw fail(`it is bigger than ${limits.bytes} bytes.`);
  if (!EXTENSIONS.has(extname(file))) throw fail(`its name ends in none of ${[...EXTENSIONS].join(', ')}.`);
  if (extname(file) === '.json') return { file, value: readJson(file, fail), problems: [] };
  const answer = await runFile(file, limits, fail);
  if (answer.outcome === 'threw') throw fail(answer.message, undefined, findMissingLine(file, answer.message));
  if (answer.outcome === 'not-plain')
    return { file, value: null, problems: answer.problems.map((each) => ({ ...each, suggestion: null })) };
  return { file, value: answer.value, problems: [] };
};

/** `line`: what the file lacks. */
type Fail = (message: string, cause?: unknown, line?: string) => DroverError;

/** The line that brings in what a file calls without having it. */
const findMissingLine = (file: string, message: string): string | undefined => {
  if (!message.includes('ReferenceError: defineConfig is not defined')) return undefined;
  return /\bmodule\.exports\b|\bexports\.\w/.test(readFileSync(file, 'utf8'))
    ? "const { defineConfig } = require('drover');"
    : "import { defineConfig } from 'drover';";
};

const readJson = (file: string, fail: Fail): unknown => {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw fail(`it is not JSON: ${(cause as Error).message}.`, cause);
  }
  if (isNestedTooDeeply(value)) throw fail('it is nested too deeply.');
  return value;
};

const runFile = async (file: string, limits: LoadLimits, fail: Fail): Promise<LoadAnswer> => {
  // Not needed for JSON, nor for a bare script.
  const { spawn } = await import('node:child_process');
  // By way of its room, because this may run from the command line's bundle.
  const here = fileURLToPath(import.meta.url);
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--max-old-space-size=512',
      join(here, `../../config/load-child${extname(here)}`),
      file,
      String(limits.bytes),
    ],
    // The answer has a pipe of its own; what the file prints must not get into `--json` output.
    { stdio: ['ignore', 2, 2, 'pipe'] },
  );
  const { promise, resolve: settle, reject } = Promise.withResolvers<LoadAnswer>();
  const timer = setTimeout(() => {
    reject(fail(`it was still running after ${limits.timeoutMs / 1000} s.`));
  }, limits.timeoutMs);
  const pipe = child.stdio[3] as Readable;
  let text = '';
  pipe.setEncoding('utf8');
  pipe.on('data', (chunk: string) => {
    text += chunk;
    // JSON may need six bytes for one of the file's; beyond that the child has not kept to its limit.
    if (text.length > limits.bytes * 6 + 1024) reject(fail(`it exports more than ${limits.bytes} bytes.`));
    if (!text.endsWith('\n')) return;
    try {
      settle(JSON.parse(text) as LoadAnswer);
    } catch (cause) {
      // The file runs in the same process, and descriptor 3 is open to it as well.
      reject(fail('it wrote to descriptor 3, which carries what it exports.', cause));
    }
  });
  pipe.on('error', reject);
  child.on('error', (cause) => {
    reject(fail(cause.message, cause));
  });
  child.on('exit', (code, signal) => {
    const how = signal === null ? `ended the process with code ${code}` : `was ended by ${signal}`;
    // What was written before the exit may still be in the pipe.
    if (pipe.readableEnded) reject(fail(`it ${how}.`));
    pipe.on('end', () => {
      reject(fail(`it ${how}.`));
    });
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    pipe.destroy();
    child.kill('SIGKILL');
  }
};
