/** Has a range of a log file compressed into an archive, by a process of its own that ends with its work. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ArchiveFormat } from './archive-name.ts';

export interface CompressRequest {
  readonly source: string;
  /** Must not exist. */
  readonly target: string;
  readonly start: number;
  readonly end: number;
  readonly format: ArchiveFormat;
  /** From 0, as the daemon, to 19, behind everything else. */
  readonly niceness: number;
}

export type CompressStep = 'copied' | 'synced';

/** Resolves when the archive is safe on disk. Throws, with the system's code where there is one, when it is not. */
export type Compress = (request: CompressRequest, onStep: (step: CompressStep) => void) => Promise<void>;

const PROGRAM = fileURLToPath(new URL(`./compress-child${import.meta.url.slice(-3)}`, import.meta.url));

export const compressApart: Compress = async (request, onStep) => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', PROGRAM, JSON.stringify(request)],
    // None of the daemon's environment: its options of Node are not for this one. A session of its own, to step back with.
    { stdio: ['ignore', 'pipe', 'inherit'], env: {}, cwd: '/', detached: true },
  );
  const failures: Error[] = [];
  let isSynced = false;
  const { promise: hasEnded, resolve } = Promise.withResolvers<string>();
  child.once('error', (error) => {
    failures.push(error);
    resolve('was not started');
  });
  child.once('close', (code, signal) => resolve(signal ?? `code ${code}`));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'copied') onStep(line);
    else if (line === 'synced') {
      isSynced = true;
      onStep(line);
    } else {
      const [, code = 'UNKNOWN', ...words] = line.split(' ');
      failures.push(Object.assign(new Error(words.join(' ')), { code }));
    }
  }
  const end = await hasEnded;
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  if (!isSynced) throw new Error(`the compressor ended with ${end}`);
};
