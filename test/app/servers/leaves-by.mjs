// A graceful server of the protocol that the first argument names; every answer takes as long as the second one says.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createSecureServer, createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { createServer as createNet } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { GracefulServer } from 'drover/app';

const [, , protocol, ms] = process.argv;
const pem = readFileSync(new URL('../../fixtures/localhost.pem', import.meta.url));
const TLS = { key: pem, cert: pem };
/** RFC 6455, 1.3. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const answer = (_request, response) => {
  console.log('begun');
  setTimeout(() => response.end('answer'), Number(ms));
};
const echo = (socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    console.log('begun');
    setTimeout(() => socket.end(data), Number(ms));
  });
};
const withWebSockets = (server) =>
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1')
      .update(request.headers['sec-websocket-key'] + MAGIC)
      .digest('base64');
    socket.on('error', () => undefined);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    // Answers a closing frame as it should: by ending.
    socket.on('data', () => socket.end());
    console.log('begun');
  });

const SERVERS = {
  https: () => createHttps(TLS, answer),
  http2: () => createSecureServer(TLS, answer),
  h2c: () => createHttp2(answer),
  tls: () => createTls(TLS, echo),
  net: () => createNet(echo),
  websocket: () => withWebSockets(createHttp(answer)),
};

const graceful = new GracefulServer(SERVERS[protocol](), { idleGrace: 3000 });
graceful.onShutdown(async () => console.log(`cut ${JSON.stringify(await graceful.close())}`));
const { port } = await graceful.listen(0, '127.0.0.1');
console.log(JSON.stringify({ port }));
