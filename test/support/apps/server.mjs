/** The server of the plain apps: HTTP/1.1 with a WebSocket echo, or HTTP/2 when `PROTOCOL=http2`. */
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { echo, listener, PORT } from './routes.mjs';

export function serve() {
  const isHttp2 = process.env.PROTOCOL === 'http2';
  const server = isHttp2 ? createHttp2Server(listener) : createServer(listener);
  if (!isHttp2) echo(server);
  // The benchmarks' bare processes share the port by themselves; everything else just listens.
  if (process.env.REUSE_PORT === '1') server.listen({ port: PORT, reusePort: true });
  else server.listen(PORT);
  return server;
}
