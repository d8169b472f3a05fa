/** The program of the thread that describes nodes: gets one graph by its shared memory, answers once, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { receiveGraph, type SharedGraph } from './model/shared-graph.ts';
import { describeNodes } from './passes/description.ts';
import type { WeakMapNames } from './passes/weak-map-edges.ts';

const { graph, weakMaps } = workerData as { readonly graph: SharedGraph; readonly weakMaps: WeakMapNames };
const description = describeNodes(receiveGraph(graph), weakMaps);
const { classOf, shallowSize, distance } = description;
// Sizes that nothing was merged into are the graph's own.
const own = [classOf, shallowSize, distance]
  .map(({ buffer }) => buffer)
  .filter((buffer) => buffer instanceof ArrayBuffer);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(description, own);
