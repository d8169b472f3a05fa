/** The whole work of memlab on a snapshot (it has neither distances nor sums by class): `memlab.mjs FILE`. */
import { createRequire } from 'node:module';
import { report } from './report.mjs';

const require = createRequire(new URL('../../oracle/package.json', import.meta.url));
const { getFullHeapFromFile } = require('@memlab/heap-analysis');
const { config } = require('@memlab/core');
config.isContinuousTest = true;
const heap = await getFullHeapFromFile(process.argv[2]);
report(heap.nodes.length);
process.exit(0);
