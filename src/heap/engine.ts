/** Jobs on files of heaps, in a process of their own: with a limit on memory, and an end at any moment. */
import { type EngineRun, runEngine } from '../input/index.ts';
import { NotInSnapshot } from './jobs/not-in-snapshot.ts';
import type { HeapAnswerTo, HeapJob } from './jobs/run-job.ts';

export type HeapEngineOptions = Pick<EngineRun, 'memoryLimitBytes' | 'signal' | 'onProgress'>;

/** As `runHeapJob`, and `EngineFailure` for too little memory and for crashes. */
export const runHeapEngine = async <Job extends HeapJob>(
  job: Job,
  options: HeapEngineOptions,
): Promise<HeapAnswerTo<Job>> => {
  // By way of its room, because this may run from the command line's bundle.
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const entry = new URL(`../heap/engine-child${extension}`, import.meta.url);
  try {
    return await runEngine<HeapAnswerTo<Job>>({ entry, request: job, ...options });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'NotInSnapshot') throw error;
    const { file, what, suggestion } = error as NotInSnapshot;
    throw new NotInSnapshot(file, what, suggestion);
  }
};
