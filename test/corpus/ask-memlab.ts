/**
 * memlab's answer to the same three snapshots, with the settings that find most: every object traced (its default rules are
 * for pages, and find next to nothing in servers). A cluster of leak traces counts as "leaks"; its holder counts as right
 * when any word of the trace is one of the holder's names, which is kinder than what the engine is held to.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from './manifest.ts';

const FOLDER = join(import.meta.dirname, 'memlab');
const BOUND_MS = 120_000;

export interface MemlabAnswer {
  readonly clusters: number;
  /** It was not done in two minutes, and was ended: no answer. */
  readonly isTimeOut: boolean;
  /** In the first cluster, and in any of them. */
  readonly isHolderFirst: boolean;
  readonly isHolderAnywhere: boolean;
  readonly elapsedMs: number;
}

export async function askMemlab(program: Program, files: readonly string[]): Promise<MemlabAnswer> {
  const [baseline = '', target = '', final = ''] = files;
  const workDir = mkdtempSync(join(tmpdir(), 'drover-memlab-'));
  const startedAt = performance.now();
  try {
    const snapshots = ['--baseline', baseline, '--target', target, '--final', final];
    const output = await run(['find-leaks', ...snapshots, '--trace-all-objects', '--work-dir', workDir]);
    if (output === null) {
      const elapsedMs = performance.now() - startedAt;
      return { clusters: 0, isTimeOut: true, isHolderFirst: false, isHolderAnywhere: false, elapsedMs };
    }
    // Before the first such line are its progress and its clustering.
    const [, ...clusters] = output.split(/^--Similar leaks in this run: \d+--$/m);
    const isHeld = (trace: string): boolean => {
      const words = new Set(trace.split(/[^\w$]+/));
      return program.leaks.some(({ holder }) => holder.names.some((name) => words.has(name)));
    };
    return {
      clusters: clusters.length,
      isTimeOut: false,
      isHolderFirst: isHeld(clusters[0] ?? ''),
      isHolderAnywhere: clusters.some(isHeld),
      elapsedMs: performance.now() - startedAt,
    };
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

async function run(words: readonly string[]): Promise<string | null> {
  const child = spawn(
    process.execPath,
    [join(FOLDER, 'node_modules', '@memlab', 'cli', 'bin', 'memlab.js'), ...words],
    {
      cwd: FOLDER,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: BOUND_MS,
      killSignal: 'SIGKILL',
    },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (child.killed) return null;
  if (code !== 0) throw new Error(`memlab ended with ${code}:\n${output.slice(-2000)}`);
  return output;
}
