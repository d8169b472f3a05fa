/** Hosts that hang, each in its own way: what probes are sent to, and receivers and collectors. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Host extends AsyncDisposable {
  readonly port: number;
}

const open = async (server: Server): Promise<Host> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};

/** Writes for as long as somebody reads. */
const flood = (socket: Socket, chunk: string): void => {
  const more = (): void => void (socket.destroyed || socket.write(chunk, () => setImmediate(more)));
  more();
};

const MANNERS: Readonly<Record<string, (socket: Socket) => void>> = {
  silent: (socket) => void socket.resume(),
  drip: (socket) => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
    let at = 0;
    const timer = setInterval(() => socket.write(text[at++ % text.length] ?? 'x'), 1000);
    socket.resume().on('close', () => clearInterval(timer));
  },
  'endless-headers': (socket) => {
    socket.resume().write('HTTP/1.1 200 OK\r\n');
    flood(socket, `X-More: ${'y'.repeat(1000)}\r\n`);
  },
  'endless-body': (socket) => {
    socket.resume().write('HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n');
    flood(socket, `1000\r\n${'z'.repeat(0x1000)}\r\n`);
  },
  reset: (socket) => void socket.once('data', () => socket.resetAndDestroy()),
  nonsense: (socket) => void socket.resume().end('220 mail.example ESMTP\r\n\0\uFFFD\r\n'),
};
export const HANGING = Object.keys(MANNERS);

/** Of the manner of that name. */
export const openHangingHost = async (manner: string): Promise<Host> =>
  open(createServer((socket) => MANNERS[manner]?.(socket)));

/** A collector that takes nothing until `isWell`, then everything. */
export interface Collector extends Host {
  isWell: boolean;
  taken: number;
  asked: number;
}

export const openCollector = async (): Promise<Collector> => {
  const server = createHttpServer((request, response) => {
    collector.asked += 1;
    request.resume().on('end', () => {
      // Nobody ever answers it.
      if (!collector.isWell) return;
      collector.taken += 1;
      response.setHeader('content-type', 'application/x-protobuf');
      response.end();
    });
  });
  const host = await open(server);
  const collector: Collector = Object.assign(host, { isWell: false, taken: 0, asked: 0 });
  return collector;
};
