/**
 * The worker's end of the channel. Node's own IPC code opens it (there is no other public way to a pipe that receives
 * descriptors), then everything that this leaves on `process` is taken away again: the app must not find a channel,
 * wait for it, or hear of its end. Reading is ours from then on; writing goes to the descriptor directly.
 */
import { writeSync } from 'node:fs';
import { LineReader, writeMessage, type Link, type LinkEvents } from './link.ts';
import { LineWriter } from './line-writer.ts';
import type { IpcPipe } from '../runtime/index.ts';

interface ChildProcessInternals {
  readonly _forkChild: (fd: number, serialization: 'json') => void;
}

export function openChannelLink(fd: number, onMessage: LinkEvents['onMessage'], onLost: () => void): Link {
  const writer = new LineWriter((bytes) => writeSync(fd, bytes), onLost);
  // Nothing can arrive before the event loop runs, so opening waits until the app has been loaded; that keeps
  // `child_process` out of the time before its first line. Unref'ed: an app that is done may end.
  setImmediate(() => {
    const reader = new LineReader(onMessage);
    const pipe = openPipe(fd);
    pipe.onread = (bytes) => {
      const handle = pipe.pendingHandle ?? null;
      pipe.pendingHandle = null;
      if (bytes !== undefined) return reader.push(Buffer.from(bytes), handle);
      pipe.close();
      writer.close();
      onLost();
    };
  }).unref();
  return {
    send: (message) => writeMessage(writer, message),
    doubt: () => undefined,
    share: (beat) => {
      beat.descriptor = fd;
      writer.onWaiting = (isWaiting) => (beat.isWaiting = isWaiting);
    },
  };
}

/** Opens the pipe by `_forkChild`, which makes it `process`'s, and makes `process` what it was before. */
function openPipe(fd: number): IpcPipe {
  const before = Object.getOwnPropertyDescriptors(process);
  const listeners = new Map(HOOKED.map((name) => [name, process.rawListeners(name)]));
  const { _forkChild } = require('node:child_process') as ChildProcessInternals;
  _forkChild(fd, 'json');
  const own = Object.getOwnPropertyDescriptors(process) as Record<PropertyKey, PropertyDescriptor>;
  let pipe: IpcPipe | null = null;
  for (const key of Reflect.ownKeys(own)) {
    const previous = (before as Record<PropertyKey, PropertyDescriptor>)[key];
    if (typeof key === 'symbol' && key.description === 'kChannelHandle') pipe = own[key]?.value as IpcPipe;
    if (previous === undefined) Reflect.deleteProperty(process, key);
    else if (previous.value !== own[key]?.value || previous.get !== own[key]?.get) {
      Object.defineProperty(process, key, previous);
    }
  }
  for (const name of HOOKED) {
    for (const listener of process.rawListeners(name)) {
      if (listeners.get(name)?.includes(listener) !== true) process.removeListener(name, listener as () => void);
    }
  }
  if (pipe === null) throw new Error('Node opened no IPC channel');
  return pipe;
}

const HOOKED = ['internalMessage', 'newListener', 'removeListener'] as const;
