/** Drover's whole work on a snapshot, as it ships: `drover.mjs FILE`, with `dist/` built. */
import { analyzeSnapshot } from '../../../dist/heap/index.js';
import { report } from './report.mjs';

const { graph, classes } = await analyzeSnapshot(process.argv[2]);
if (classes.length === 0) throw new Error('no classes');
report(graph.nodeCount);
