/**
 * Runs the repository's own tools (tsc, oxlint, oxfmt) by the path of their package, so that the scripts work the same
 * from `npm run`, from a bare `node scripts/check.ts` and during `npm ci`, where `PATH` may lack `node_modules/.bin`.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');

export interface CommandResult {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** Runs a tool of `node_modules/.bin` and collects what it prints; never throws for a non-zero exit. */
export async function runTool(name: string, args: readonly string[]): Promise<CommandResult> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(ROOT, 'node_modules', '.bin', name), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    // A tool that died by a signal has not passed either.
    child.once('close', (status) => resolve(status ?? 1));
  });
  return { code, output: Buffer.concat(chunks).toString('utf8'), seconds: (performance.now() - startedAt) / 1000 };
}
