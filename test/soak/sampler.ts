/** Looks at the memory and the threads of some processes every two seconds, from the outside. */
import { readFileSync } from 'node:fs';
import { readMemory } from '../../bench/processes.ts';

const EVERY_MS = 2_000;

export interface Sample {
  /** Since the sampler was started. */
  readonly atMs: number;
  readonly pid: number;
  readonly rssBytes: number;
  readonly pssBytes: number;
  readonly privateDirtyBytes: number;
}

export interface Sampler extends Disposable {
  /** All so far, oldest first. */
  readonly samples: readonly Sample[];
}

export function startSampler(pids: readonly number[]): Sampler {
  const startedAt = performance.now();
  const samples: Sample[] = [];
  const timer = setInterval(() => {
    const atMs = performance.now() - startedAt;
    for (const pid of pids) samples.push({ atMs, pid, ...readMemory([pid]) });
  }, EVERY_MS);
  return { samples, [Symbol.dispose]: () => clearInterval(timer) };
}

export const countThreads = (pid: number): number =>
  Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN);
