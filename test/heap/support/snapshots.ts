/** Snapshots for tests, of programs that are run for them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a program of this folder with these words and waits for its end. Returns what it printed. */
export const runProgram = async (
  name: string,
  words: readonly string[],
  node: string = process.execPath,
  options: readonly string[] = [],
): Promise<string> => {
  const { stdout } = await run(node, [...options, join(import.meta.dirname, name), ...words]);
  return stdout;
};
