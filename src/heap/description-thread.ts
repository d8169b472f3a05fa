/** The program of the thread that describes nodes: gets one graph by its shared memory, answers once, and ends. */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import type { DescriptionRequest } from './describe-beside.ts';
import { receiveGraph } from './model/shared-graph.ts';
import { describeNodes } from './passes/description.ts';

if (parentPort === null) throw new Error('this runs in a thread');
const [{ graph, weakMaps }] = (await once(parentPort, 'message')) as [DescriptionRequest];
const description = describeNodes(receiveGraph(graph), weakMaps);
const { classOf, shallowSize, distance } = description;
// Sizes that nothing was merged into are the graph's own.
const own = [classOf, shallowSize, distance]
  .map(({ buffer }) => buffer)
  .filter((buffer) => buffer instanceof ArrayBuffer);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort.postMessage(description, own);
