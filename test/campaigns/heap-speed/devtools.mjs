/**
 * The whole work of Chrome DevTools on a snapshot, with its second thread: `devtools.mjs FILE BUNDLE`, where BUNDLE is what
 * `bundleDevTools` wrote.
 */
import { createReadStream } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { report } from './report.mjs';

const [file, bundle] = process.argv.slice(2);
const { HeapSnapshotLoader } = await import(bundle);
const loader = new HeapSnapshotLoader.HeapSnapshotLoader({ sendEvent: () => {} });
const { port1, port2 } = new MessageChannel();
const second = new Worker(
  `const { workerData } = require('node:worker_threads');
   import(workerData.bundle).then(({ HeapSnapshot }) => new HeapSnapshot.SecondaryInitManager(workerData.port));`,
  { eval: true, workerData: { bundle, port: port2 }, transferList: [port2] },
);
for await (const text of createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 20 })) loader.write(text);
loader.close();
await loader.parsingComplete;
const snapshot = await loader.buildSnapshot(port1);
if (Object.keys(snapshot.getAggregatesByClassKey(false, 'all')).length === 0) throw new Error('no classes');
report(snapshot.nodeCount);
port1.close();
await second.terminate();
