/** The other side of `grep.ts`: tests each batch of lines that it is sent. It may be ended at any moment. */
import { parentPort, workerData } from 'node:worker_threads';

const { source, flags } = workerData as { readonly source: string; readonly flags: string };
const expression = new RegExp(source, flags);
// Only now: the time that it took to come here is no time that it takes to match.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage('ready');

parentPort?.on('message', (lines: readonly string[]) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(lines.map((line) => expression.test(line)));
});
