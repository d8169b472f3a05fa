/** The program of the thread that describes nodes: gets one graph by its shared memory, answers once, and ends. */
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { DescriptionRequest } from './describe-beside.ts';

/** A third of what the other thread gets where both want the same processor. */
const NICE = 5;

/**
 * The other thread has the longer half of the work, and V8 compiles it meanwhile: on two cores a snapshot of 90 MB is
 * done 5 to 12 % earlier when this one lets them go first. Linux has a priority for each thread, and its number here.
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
