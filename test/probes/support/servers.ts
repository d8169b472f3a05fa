/** Servers that answer in every bad way, each written byte by byte, so that it says what it looks like it says. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ProbeTarget } from '../../../src/protocol/index.ts';

/** Key and certificate, which nobody signed but itself. */
const PEM = readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'localhost.pem'));

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
}

const listen = async (server: Server, path?: string): Promise<TestServer> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo | null)?.port ?? 0,
    sockets,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
};

/** `answer` has the connection to itself. */
export const rawServer = async (answer: (socket: Socket) => void, path?: string): Promise<TestServer> =>
  listen(createServer(answer), path);

/** Says these bytes as soon as it was asked, and leaves the connection open. */
export const saying = async (bytes: string): Promise<TestServer> =>
  rawServer((socket) => socket.once('data', () => socket.write(bytes)));

export const httpServer = async (listener: RequestListener, path?: string): Promise<TestServer> =>
  listen(createHttpServer(listener), path);

export const httpsServer = async (listener: RequestListener): Promise<TestServer> =>
  listen(createHttpsServer({ key: PEM, cert: PEM }, listener));

export const http = (
  port: number | null,
  change: Partial<Extract<ProbeTarget, { kind: 'http' }>> = {},
): Extract<ProbeTarget, { kind: 'http' }> => ({
  kind: 'http',
  path: '/health',
  port,
  host: null,
  headers: {},
  scheme: 'http',
  ...change,
});

export const tcp = (port: number | null): ProbeTarget => ({ kind: 'tcp', port, host: null });
