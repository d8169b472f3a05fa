/**
 * Many apps unlink their path before they listen, or on their way out, which under Drover removes it for all workers. The
 * daemon puts it back as soon as it hears of that; here it is done before anybody can: in the very tick of the `listen`,
 * so that whoever does something with the path in `listening` (`chmod`) finds it, and when a worker that was asked to end
 * has nothing left to do. It needs no daemon, which may be busy, or gone.
 */
import { existsSync, linkSync } from 'node:fs';
import { secondName, type ListenAddress } from '../protocol/agent.ts';

export class SharedPaths {
  /** Path → inode of the socket that this worker has had there. */
  readonly #inodes = new Map<string, number>();
  #isLeaving = false;

  /**
   * A server listens on this socket. False where that has no file any more, and clients could not reach whoever accepts
   * on it; true as well for what is no path.
   */
  reach(address: ListenAddress, inode: number): boolean {
    if (address.kind !== 'unix' || address.path.startsWith('\0')) return true;
    this.#inodes.set(address.path, inode);
    return isThere(address.path, inode);
  }

  /** From now on whatever the app does may be the last, also in listeners for `exit` of its own: ours comes behind them. */
  leave(): void {
    if (this.#isLeaving || this.#inodes.size === 0) return;
    this.#isLeaving = true;
    process.once('exit', () => {
      for (const [path, inode] of this.#inodes) isThere(path, inode);
    });
  }
}

/** Whether the path is there, after it was put back where it could be. */
function isThere(path: string, inode: number): boolean {
  if (existsSync(path)) return true;
  try {
    linkSync(secondName(path, inode), path);
    return true;
  } catch {
    // Perhaps the daemon, or a sibling, was faster.
    return existsSync(path);
  }
}
