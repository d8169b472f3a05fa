/**
 * The way to the daemon for a process that the channel did not reach (behind `npm start`, say): the app's Unix socket.
 * It carries descriptors as the channel does, so that such a worker gets its shards as any other. When the daemon goes
 * away it is tried again for ever, without holding the process.
 */
import { writeSync } from 'node:fs';
import type * as Net from 'node:net';
import type { IpcPipe } from '../runtime/index.ts';
import { LineReader, writeMessage, type Link, type LinkEvents } from './link.ts';
import { LineWriter } from './line-writer.ts';
import type { SharedBeat } from './shared-beat.ts';

const RETRY_MS = 500;

export interface SocketLink extends Link {
  /** Hangs up, for good. */
  readonly close: () => void;
}

export function openSocketLink(path: string, events: LinkEvents): SocketLink {
  const net = require('node:net') as typeof Net;
  let writer: LineWriter | null = null;
  let current: Net.Socket | null = null;
  let isClosed = false;
  let beat: SharedBeat | null = null;
  let openFd: number | null = null;
  const shareWriter = (fd: number | null): void => {
    if (beat === null) return;
    const shared = beat;
    shared.descriptor = fd;
    shared.isWaiting = false;
    if (writer !== null) writer.onWaiting = (isWaiting) => (shared.isWaiting = isWaiting);
  };
  const open = (): void => {
    if (isClosed) return;
    const pipe = newIpcPipe(net);
    // `net.Socket` knows how to connect a pipe; reading is ours, because it would drop the descriptors.
    const socket = new net.Socket({ handle: pipe, manualStart: true } as object);
    current = socket;
    const reader = new LineReader(events.onMessage);
    socket.on('connect', () => {
      pipe.onread = (bytes) => {
        const handle = pipe.pendingHandle ?? null;
        pipe.pendingHandle = null;
        if (bytes === undefined) socket.destroy();
        else reader.push(Buffer.from(bytes), handle);
      };
      writer = new LineWriter(
        (bytes) => writeSync(pipe.fd, bytes),
        () => socket.destroy(),
      );
      openFd = pipe.fd;
      shareWriter(openFd);
      events.onOpen();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      writer?.close();
      writer = null;
      openFd = null;
      shareWriter(null);
      if (!isClosed) setTimeout(open, RETRY_MS).unref();
    });
    socket.connect({ path }).unref();
  };
  open();
  return {
    send: (message) => writer !== null && writeMessage(writer, message),
    // A connection that ends is opened again in any case.
    doubt: () => undefined,
    share: (shared) => {
      beat = shared;
      shareWriter(openFd);
    },
    close: () => {
      isClosed = true;
      current?.destroy();
    },
  };
}

type PipeClass = new (type: number) => IpcPipe;

/** `PipeConstants.IPC` of Node's `pipe_wrap`: a pipe that takes the descriptors that messages bring. */
const IPC = 2;
/** Nothing can listen below a device. */
const NOWHERE = '/dev/null/drover';

let pipeClass: PipeClass | null = null;

/** Node names the class of pipes nowhere: a socket that tries to connect has one. */
function newIpcPipe(net: typeof Net): IpcPipe {
  if (pipeClass === null) {
    const trial = net.connect({ path: NOWHERE }).on('error', () => undefined);
    pipeClass = (trial as Net.Socket & { readonly _handle: IpcPipe })._handle.constructor as PipeClass;
    trial.destroy();
  }
  return new pipeClass(IPC);
}
