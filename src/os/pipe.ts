/** A pipe of which both ends are descriptors of this process: for programs that find it under a number of ours. */
import { setCloexec } from './descriptor.ts';
import { call } from './libc.ts';

export interface Pipe {
  readonly readFd: number;
  readonly writeFd: number;
}

/** Both ends are closed on exec, and reading waits. */
export function openPipe(): Pipe {
  const ends = Buffer.alloc(8);
  call('pipe', ends);
  const [readFd, writeFd] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  for (const fd of [readFd, writeFd]) setCloexec(fd, true);
  return { readFd, writeFd };
}
