/**
 * Many apps unlink their path before they listen, which under Drover removes it for all workers. The daemon puts it back
 * as soon as it hears of that; here it is done in the very tick of the `listen`, so that whoever does something with the
 * path in `listening` (`chmod`) finds it, however busy the daemon is, or gone.
 */
import { existsSync, linkSync } from 'node:fs';
import { secondName, type DescriptorName } from '../protocol/agent.ts';

/** False where the socket has no file any more, and clients could not reach whoever listens on it. */
export function isReachable(path: string, socket: DescriptorName): boolean {
  if (path.startsWith('\0') || existsSync(path)) return true;
  try {
    linkSync(secondName(path, Number(socket.split(':')[1])), path);
    return true;
  } catch {
    // Perhaps the daemon, or a sibling, was faster.
    return existsSync(path);
  }
}
