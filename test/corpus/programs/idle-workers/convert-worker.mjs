import { parentPort } from 'node:worker_threads';

parentPort.on('message', ({ text }) => {
  parentPort.postMessage(text.replaceAll('<', '&lt;'));
});
