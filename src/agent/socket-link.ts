/**
 * The way to the daemon for a process that the channel did not reach (behind `npm start`, say): the app's Unix socket.
 * Carries no descriptors. When the daemon goes away it is tried again for ever, without holding the process.
 */
import type * as Net from 'node:net';
import { encode, LineReader, type Link, type LinkEvents } from './link.ts';
import { LineWriter } from './line-writer.ts';

const RETRY_MS = 500;

export function openSocketLink(path: string, events: LinkEvents): Link {
  const { connect } = require('node:net') as typeof Net;
  let writer: LineWriter | null = null;
  const open = (): void => {
    const socket = connect({ path }).unref();
    const reader = new LineReader(events.onMessage);
    socket.on('connect', () => {
      writer = new LineWriter(descriptorOf(socket), () => socket.destroy());
      events.onOpen();
    });
    socket.on('data', (bytes: Buffer) => reader.push(bytes, null));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      writer?.close();
      writer = null;
      setTimeout(open, RETRY_MS).unref();
    });
  };
  open();
  return { send: (message) => writer?.write(encode(message)) ?? false };
}

function descriptorOf(socket: Net.Socket): number {
  return (socket as Net.Socket & { readonly _handle: { readonly fd: number } })._handle.fd;
}
