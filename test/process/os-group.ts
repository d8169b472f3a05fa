/** A bare reuseport group, for tests that ask the kernel where a connection goes. */
import assert from 'node:assert/strict';
import {
  acceptQueue,
  attachClassic,
  closeDescriptor,
  ExactDispatch,
  listenSocket,
  socketAddress,
} from '../../src/os/index.ts';
import { connectTo } from './net-support.ts';

export class Group implements Disposable {
  readonly fds: readonly number[];
  readonly port: number;

  constructor(size: number, host = '127.0.0.1') {
    const options = { host, v6only: host === '::1', reusePort: true };
    const first = listenSocket({ ...options, port: 0 });
    const address = socketAddress(first);
    this.port = address.kind === 'tcp' ? address.port : 0;
    const more = Array.from({ length: size - 1 }, () => listenSocket({ ...options, port: this.port }));
    this.fds = [first, ...more];
  }

  get depths(): readonly number[] {
    return this.fds.map((fd) => acceptQueue(fd)?.depth ?? 0);
  }

  async connect(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) (await connectTo(this.port)).unref();
  }

  /** Which socket of the group a client gets. */
  async placeOf(host: string, client: string): Promise<number> {
    const before = this.depths;
    (await connectTo(this.port, host, client)).unref();
    return this.depths.findIndex((depth, at) => depth > (before[at] ?? 0));
  }

  [Symbol.dispose](): void {
    for (const fd of this.fds) closeDescriptor(fd);
  }
}

export const SIZE = 64;
const table = Array.from({ length: 256 }, (_, bucket) => bucket % SIZE);

/** Puts {@link table} in force, at each level. */
export const ATTACH_STICKY: Readonly<Record<string, (group: Group) => void>> = {
  classic: (group) => attachClassic(group.fds[0]!, { kind: 'sticky', table }),
  exact: (group) => {
    const dispatch = ExactDispatch.create('sticky');
    group.fds.forEach((fd, index) => assert.ok(dispatch.setSocket(index, fd)));
    dispatch.setSchedule(table);
    dispatch.attach(group.fds[0]!);
    dispatch.close();
  },
};
