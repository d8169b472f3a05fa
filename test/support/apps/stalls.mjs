/** An app of which the worker in slot 0 blocks its event loop for 400 ms of each second. */
import { serve } from './server.mjs';

const BLOCK_MS = 400;
const slot = process.env.DROVER_SLOT ?? process.env.NODE_APP_INSTANCE;

serve();
if (slot === '0') setInterval(block, 1000);

function block() {
  const until = performance.now() + BLOCK_MS;
  while (performance.now() < until);
}
