import { createHash } from 'node:crypto';

const BATCH = 500;
let batch = [];
const written = { batches: 0, digest: '' };

async function writeBatch(events) {
  const hash = createHash('sha1');
  for (const event of events) hash.update(JSON.stringify(event));
  written.batches += 1;
  written.digest = hash.digest('hex');
}

export async function ingest(number) {
  batch.push({
    id: number,
    kind: ['view', 'click', 'buy'][number % 3],
    at: Date.now(),
    page: `/p/${number % 90}`,
    meta: { ref: `r${number}` },
  });
  if (batch.length < BATCH) return;
  const full = batch;
  batch = [];
  await writeBatch(full);
}
