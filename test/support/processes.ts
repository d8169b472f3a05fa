/** What the kernel says about a process that the tests look at or kill. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import koffi from 'koffi';
import { readTcpTables } from './tcp-table.ts';

/** Every process of the machine, at the moment of the look. */
export const listProcesses = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);

/** What a process was started with; empty when it is gone, or belongs to somebody else. */
export function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

/** The name of what a process runs; empty when it is gone. */
export const readProgram = (pid: number): string =>
  readUnlessGone(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), '');

/** Direct children of a process; none when it is gone. */
export function listChildren(pid: number): number[] {
  const text = readUnlessGone(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), '').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** A process and everything below it. */
export function listTree(pid: number): number[] {
  return [pid, ...listChildren(pid).flatMap(listTree)];
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie still has its pid, but does nothing any more.
  return !/^State:\s+Z/m.test(readUnlessGone(() => readFileSync(`/proc/${pid}/status`, 'utf8'), 'State:\tZ'));
}

/**
 * Kills a process tree with SIGKILL (or another signal that ends it) and returns the ports of the clients that were
 * connected to it. It is stopped first, so that it cannot accept one more connection between the look and the kill.
 */
export function killAndListClients(pid: number, signal: NodeJS.Signals = 'SIGKILL'): Set<number> {
  const tree = listTree(pid);
  for (const one of tree) process.kill(one, 'SIGSTOP');
  while (tree.some(isOnItsWay));
  const inodes = new Set(tree.flatMap(listSockets));
  // The tables are no snapshot: an entry is missed when its neighbours come and go meanwhile. Not twice.
  const ports = new Set(
    [...readTcpTables(), ...readTcpTables()]
      .filter(({ inode }) => inodes.has(inode))
      .map(({ remotePort }) => remotePort),
  );
  for (const one of tree) end(one, signal);
  return ports;
}

function end(pid: number, signal: NodeJS.Signals): void {
  if (signal === 'SIGKILL') {
    process.kill(pid, signal);
    return;
  }
  // To the main thread: were another one to take it, this one would go on for a moment, and could accept a connection.
  signalThread(pid, pid, constants.signals[signal]);
  process.kill(pid, 'SIGCONT');
}

const signalThread = koffi.load(null).func('int tgkill(int, int, int)') as (
  pid: number,
  thread: number,
  signal: number,
) => number;

/** A stop takes effect when the process next comes out of the kernel. */
const isOnItsWay = (pid: number): boolean =>
  !/^State:\s+[TZ]/m.test(readUnlessGone(() => readFileSync(`/proc/${pid}/status`, 'utf8'), 'State:\tZ'));

/** The inodes of the sockets that a process has open; none when it is gone. */
export function listSockets(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readUnlessGone(() => readdirSync(folder), []).flatMap((fd) => {
    const target = readUnlessGone(() => readlinkSync(`${folder}/${fd}`), '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    return inode === undefined ? [] : [inode];
  });
}

/** What `read` returns; `otherwise` where the process, or what it had open, is gone. */
export function readUnlessGone<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return otherwise;
    throw error;
  }
}
