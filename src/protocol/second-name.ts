/**
 * The second name of the file of a shared Unix socket, by which its path is put back after an app has removed it. Daemon
 * and agent both know it without asking: it is made of the path and of the socket's inode, which is the same whoever
 * holds the socket, and of no other socket of this boot.
 */

/** How the second names of all sockets that were ever bound to the path begin; the inode follows. */
export function secondNamePrefix(path: string): string {
  const start = path.lastIndexOf('/') + 1;
  // Hidden, and with another end: neither a listing nor who cleans up `*.sock` finds it.
  return `${path.slice(0, start)}.${path.slice(start)}.drover-`;
}

export function secondName(path: string, inode: number): string {
  return `${secondNamePrefix(path)}${inode}`;
}
