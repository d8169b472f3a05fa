/** What Node offers by itself: node:cluster, bare processes that share a port by `reusePort`, and one plain process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import { listChildren } from '../../test/support/processes.ts';
import { type Contender, type RunningApp, type StartRequest, untilAnswers } from './contender.ts';

const PRIMARY = join(import.meta.dirname, 'cluster-primary.mjs');

export const clusterContender: Contender = {
  name: 'node:cluster',
  start: async (wish) => {
    const startedAt = performance.now();
    const primary = run([PRIMARY, wish.script, String(wish.workers)], wish);
    const workers = (): number[] => listChildren(primary.pid ?? 0);
    await untilAnswers(wish.port);
    const firstAnswerMs = performance.now() - startedAt;
    await eventually('all workers are there', () => workers().length === wish.workers);
    return {
      firstAnswerMs,
      listWorkers: async () => workers(),
      listManagers: async () => [primary.pid ?? 0],
      [Symbol.asyncDispose]: async () => end([primary]),
    };
  },
};

export const reusePortContender: Contender = {
  name: 'reusePort',
  start: async (wish) => startBare({ ...wish, env: { ...wish.env, REUSE_PORT: '1' } }),
};

export const plainContender: Contender = {
  name: 'plain node',
  start: async (wish) => startBare({ ...wish, workers: 1 }),
};

async function startBare(wish: StartRequest): Promise<RunningApp> {
  const startedAt = performance.now();
  const workers = Array.from({ length: wish.workers }, () => run([wish.script], wish));
  await untilAnswers(wish.port);
  return {
    firstAnswerMs: performance.now() - startedAt,
    listWorkers: async () => workers.map(({ pid }) => pid ?? 0),
    listManagers: async () => [],
    [Symbol.asyncDispose]: async () => end(workers),
  };
}

const run = (args: readonly string[], { port, env }: StartRequest): ChildProcess =>
  spawn(process.execPath, args, { env: { ...process.env, ...env, APP_PORT: String(port) }, stdio: 'ignore' });

async function end(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }),
  );
}
