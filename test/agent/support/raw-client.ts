/** A client that sends what it is told and keeps what it gets, byte by byte. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { eventually } from '../../support/eventually.ts';

export class RawClient {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  hasEnded = false;

  constructor(port: number, text: string, isTls = false) {
    const write = (): void => void this.socket.write(text);
    this.socket = isTls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, write)
      : connect(port, '127.0.0.1', write);
    this.socket.on('data', (bytes) => (this.received = Buffer.concat([this.received, bytes])));
    this.socket.on('end', () => (this.hasEnded = true));
    this.socket.on('error', () => (this.hasEnded = true));
  }

  async gets(text: string): Promise<void> {
    await eventually(`'${text}' in '${this.received.toString('latin1')}'`, () =>
      this.received.includes(text, 0, 'latin1'),
    );
  }

  async ends(): Promise<void> {
    await eventually('the end of the connection', () => this.hasEnded);
  }
}

export const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
export const UPGRADE =
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
