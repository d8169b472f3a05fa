/** The process that jobs on heaps run in (`engine.ts`). */
import { serveEngine } from '../input/index.ts';
import { type HeapJob, runHeapJob } from './jobs/run-job.ts';

// Not awaited: what it throws is its answer.
void serveEngine(async (job, onProgress) => runHeapJob(job as HeapJob, { onProgress }));
