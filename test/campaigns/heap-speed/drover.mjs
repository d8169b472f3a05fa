/** Drover's whole work on a snapshot, as it ships: `drover.mjs FILE`, with `dist/` built. */
import { analyzeHeap, readSnapshot } from '../../../dist/heap/index.js';
import { report } from './report.mjs';

const { graph, classes } = await analyzeHeap(await readSnapshot(process.argv[2]));
if (classes.length === 0) throw new Error('no classes');
report(graph.nodeCount);
