/**
 * Describes the nodes of a large graph in a second thread, while this one finds dominators. The thread is begun before the
 * graph is there, so that it starts while the file is read.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { HeapGraph } from './model/graph.ts';
import { type SharedGraph, shareGraph } from './model/shared-graph.ts';
import type { Description } from './passes/description.ts';
import type { WeakMapNames } from './passes/weak-map-edges.ts';

/** What the thread is asked, once. */
export interface DescriptionRequest {
  readonly graph: SharedGraph;
  readonly weakMaps: WeakMapNames;
}

export class DescriptionThread {
  readonly #thread: Worker;

  constructor() {
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    // By the room's name: bundles lie as deep as rooms do.
    this.#thread = new Worker(new URL(`../heap/description-thread${extension}`, import.meta.url));
    // One that nobody waits for yet must not keep the program, and its failure is told to who asks.
    this.#thread.unref();
    this.#thread.on('error', () => undefined);
  }

  /** Null for graphs that are not in shared memory: those are described where they are. At most one call. */
  describe(graph: HeapGraph, weakMaps: WeakMapNames): Promise<Description> | null {
    const shared = shareGraph(graph);
    if (shared === null) return null;
    this.#thread.ref();
    const ended = once(this.#thread, 'exit').then(() => {
      throw new Error('the thread that describes nodes ended early');
    });
    const answered = once(this.#thread, 'message').then(([description]) => description as Description);
    const request: DescriptionRequest = { graph: shared, weakMaps };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#thread.postMessage(request);
    const description = Promise.race([answered, ended]);
    // Whoever waits for it hears of it; until then it is nobody's failure.
    description.catch(() => undefined);
    return description;
  }

  /** Ends the thread, whether it is done or not. */
  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}
