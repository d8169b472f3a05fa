/**
 * Describes the nodes of a large graph in a second thread, while this one finds dominators. Falls back to this thread
 * where the graph is small or not in shared memory.
 */
import { Worker } from 'node:worker_threads';
import type { HeapGraph } from './model/graph.ts';
import { shareGraph } from './model/shared-graph.ts';
import type { Description } from './passes/description.ts';
import type { WeakMapNames } from './passes/weak-map-edges.ts';

/** Below, starting a thread takes longer than it saves. */
const MIN_NODES = 200_000;

export interface PendingDescription {
  readonly description: Promise<Description>;
  /** Ends the thread, whether it is done or not. */
  close(): Promise<void>;
}

export function describeBeside(graph: HeapGraph, weakMaps: WeakMapNames): PendingDescription | null {
  const shared = graph.nodeCount < MIN_NODES ? null : shareGraph(graph);
  if (shared === null) return null;
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  // By the room's name: bundles lie as deep as rooms do.
  const entry = new URL(`../heap/description-thread${extension}`, import.meta.url);
  const thread = new Worker(entry, { workerData: { graph: shared, weakMaps } });
  const description = new Promise<Description>((resolve, reject) => {
    thread.once('message', resolve).once('error', reject);
    thread.once('exit', () => reject(new Error('the thread that describes nodes ended early')));
  });
  // Whoever waits for it hears of it; until then it is nobody's failure.
  description.catch(() => undefined);
  return { description, close: async () => void (await thread.terminate()) };
}
