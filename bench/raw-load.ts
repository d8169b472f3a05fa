/**
 * The lightest client there is: a fixed number of `GET /` over plain sockets, with answers told apart by their length
 * alone. It takes less CPU than a Node server that answers, so that the server is busy all the time, as it must be
 * where the CPU of a request is measured. Not for anything else: it checks nothing.
 */
import { connect, type Socket } from 'node:net';

export interface RawLoad {
  readonly port: number;
  readonly requests: number;
  readonly connections: number;
  /** Keep connections, or make one for each request. */
  readonly isKept: boolean;
}

const ask = (connection: string): Buffer =>
  Buffer.from(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: ${connection}\r\n\r\n`);
const KEPT = ask('keep-alive');
const CLOSE = ask('close');

export async function driveRaw(load: RawLoad): Promise<void> {
  const shares = Array.from({ length: load.connections }, (_, index) =>
    Math.floor((load.requests + index) / load.connections),
  );
  await Promise.all(
    shares.map(async (share) => (load.isKept ? driveKept(load.port, share) : driveNew(load.port, share))),
  );
}

/** One connection, one request after the other. */
async function driveKept(port: number, requests: number): Promise<void> {
  let left = requests;
  await withSocket(port, (socket) => {
    let answerBytes = 0;
    let received = 0;
    socket.on('data', (bytes) => {
      // The server writes its first answer in one piece; the others are as long.
      if (answerBytes === 0) answerBytes = bytes.length;
      received += bytes.length;
      if (received < answerBytes) return;
      received -= answerBytes;
      if (--left > 0) socket.write(KEPT);
      else socket.end();
    });
    socket.write(KEPT);
  });
  if (left !== 0) throw new Error(`the server ended a connection with ${left} requests to come`);
}

async function driveNew(port: number, requests: number): Promise<void> {
  for (let left = requests; left > 0; left--) {
    await withSocket(port, (socket) => socket.resume().write(CLOSE));
  }
}

async function withSocket(port: number, use: (socket: Socket) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => use(socket));
    socket.on('error', reject).on('close', () => resolve());
  });
}
