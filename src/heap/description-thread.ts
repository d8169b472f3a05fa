/** The program of the thread that describes nodes: gets one graph by its shared memory, answers once, and ends. */
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { DescriptionRequest } from './describe-beside.ts';

/** A tenth of what the other threads get where they want the same processor. */
const NICE = 10;

/**
 * The other thread has the longer half of the work, and V8's own threads compile for both meanwhile: on two cores it waits 35 of
 * 800 ms for a processor with this priority, 58 with 5, and 75 where all are equals (`docs/internals/heap-engine.md`). Linux has
 * a priority for each thread, and its number here.
 */
function stepBack(): void {
  try {
    setPriority(Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0]), NICE);
  } catch {
    // Another system, or one without /proc: they are equals.
  }
}

if (parentPort === null) throw new Error('this runs in a thread');
stepBack();
const asked = once(parentPort, 'message') as Promise<[DescriptionRequest]>;
// Loaded at the lower priority too, while the other thread reads the file.
const { receiveGraph } = await import('./model/shared-graph.ts');
const { describeNodes } = await import('./passes/description.ts');
const [{ graph, weakMaps }] = await asked;
const description = describeNodes(receiveGraph(graph), weakMaps);
const { classOf, shallowSize, distance } = description;
// Sizes that nothing was merged into are the graph's own.
const own = [classOf, shallowSize, distance]
  .map(({ buffer }) => buffer)
  .filter((buffer) => buffer instanceof ArrayBuffer);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort.postMessage(description, own);
