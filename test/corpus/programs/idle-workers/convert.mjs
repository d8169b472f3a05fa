import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const SCRIPT = new URL('./convert-worker.mjs', import.meta.url);
const idle = [];

function takeWorker() {
  return new Worker(SCRIPT, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 16 } });
}

export async function convert(number) {
  const worker = takeWorker();
  worker.postMessage({ text: `<p>page ${number}</p>` });
  const [html] = await once(worker, 'message');
  worker.unref();
  idle.push(worker);
  return html;
}
