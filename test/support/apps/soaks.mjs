/**
 * A server for long runs: the routes of the plain apps, and two more.
 *
 * - `/flood?mb=N` prints so much, in lines of 100 bytes, and answers when it is printed; others are answered meanwhile
 * - `/memory` collects garbage (`--expose-gc`) and answers what is left, as JSON
 */
import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { echo, listener, PORT } from './routes.mjs';

const LINE = 'x'.repeat(99);
const LINES_A_TURN = 100;

async function flood(megabytes) {
  for (let left = (megabytes * 1e6) / (LINE.length + 1); left > 0; left -= LINES_A_TURN) {
    for (let line = 0; line < Math.min(left, LINES_A_TURN); line += 1) console.log(LINE);
    await turn();
  }
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://app');
  if (pathname !== '/flood' && pathname !== '/memory') return listener(request, response);
  response.setHeader('x-worker', process.pid);
  if (pathname === '/flood') return void flood(Number(searchParams.get('mb'))).then(() => response.end('printed\n'));
  globalThis.gc?.();
  response.end(JSON.stringify({ pid: process.pid, ...process.memoryUsage() }));
});
echo(server);
server.listen(PORT);
