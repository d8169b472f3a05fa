// Allocates in a function with a name, and writes a timeline or a sampling profile of that: kind, file.
import { createWriteStream, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { finished } from 'node:stream/promises';

const [, , kind, file] = process.argv;
const session = new Session();
session.connect();
globalThis.kept = [];

function makeTickets(count) {
  for (let number = 0; number < count; number++) globalThis.kept.push({ ticket: number, text: `ticket ${number}` });
}

await session.post('HeapProfiler.enable');
if (kind === 'sampling') {
  await session.post('HeapProfiler.startSampling', { samplingInterval: 256 });
  makeTickets(20_000);
  const { profile } = await session.post('HeapProfiler.stopSampling');
  writeFileSync(file, JSON.stringify(profile));
} else {
  const output = createWriteStream(file);
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => output.write(params.chunk));
  await session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
  makeTickets(20_000);
  await session.post('HeapProfiler.stopTrackingHeapObjects', { reportProgress: false });
  output.end();
  await finished(output);
}
