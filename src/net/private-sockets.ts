/**
 * The private listening sockets of one port: a Unix socket for each worker, which only the daemon connects to. A slot
 * has at most two workers at a time, so the two newest of each are kept.
 */
import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { closeDescriptor, isOsError, unixListenSocket, unixRows } from '../os/index.ts';
import type { PrivateSocket } from './port.ts';

export interface KeptPrivate extends PrivateSocket {
  readonly slot: number;
  readonly worker: string;
}

const KEPT_PER_SLOT = 2;
const FILE_NAME = /^[0-9a-f]{16}\.sock$/;

/**
 * Removes the files on which nobody listens any more: of workers that died while no daemon was there, or whose daemon died
 * with its guard. Only where the system shows who listens.
 */
export const sweepPrivateSockets = (folder: string): void => {
  const rows = unixRows();
  if (rows.length === 0) return;
  // By name: the folder may have had another one, or been reached by a link, when they were made.
  const listening = new Set(rows.filter(({ isListening }) => isListening).map(({ path }) => basename(path)));
  for (const name of namesIn(folder))
    if (FILE_NAME.test(name) && !listening.has(name)) rmSync(join(folder, name), { force: true });
};

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

export class PrivateSockets {
  readonly #folder: string | null;
  readonly #key: string;
  #sockets: readonly KeptPrivate[] = [];

  constructor(folder: string | null, key: string) {
    this.#folder = folder;
    this.#key = key;
  }

  /** Where the worker is reached alone; null where it was given no socket. */
  findPath(slot: number, worker: string): string | null {
    return this.#sockets.find((each) => each.slot === slot && each.worker === worker)?.path ?? null;
  }

  /** The worker's socket, made when missing; null where none can be made. */
  open(slot: number, worker: string): PrivateSocket | null {
    const known = this.#sockets.find((each) => each.slot === slot && each.worker === worker);
    if (known !== undefined) return known;
    if (this.#folder === null) return null;
    const name = createHash('sha256').update(`${this.#key} ${worker}`).digest('hex').slice(0, 16);
    const path = join(this.#folder, `${name}.sock`);
    try {
      const socket: KeptPrivate = { slot, worker, path, fd: unixListenSocket(path, { backlog: 64, mode: 0o600 }) };
      this.add(socket);
      return socket;
    } catch (error) {
      // No folder, no room in a path, a disk that is full: the worker does without.
      if (isOsError(error)) return null;
      throw error;
    }
  }

  /** Takes over one that the daemon before us made. */
  add(socket: KeptPrivate): void {
    this.#sockets = [...this.#sockets, socket];
    const ofSlot = this.#sockets.filter((each) => each.slot === socket.slot);
    for (const old of ofSlot.slice(0, -KEPT_PER_SLOT)) this.#drop(old);
  }

  list(): readonly KeptPrivate[] {
    return this.#sockets;
  }

  closeSlot(slot: number): void {
    for (const socket of this.#sockets) if (socket.slot === slot) this.#drop(socket);
  }

  /** Lets go of the sockets; their workers go on serving them. */
  close(): void {
    for (const { fd } of this.#sockets) closeDescriptor(fd);
    this.#sockets = [];
  }

  end(): void {
    for (const socket of this.#sockets) this.#drop(socket);
  }

  #drop(socket: KeptPrivate): void {
    this.#sockets = this.#sockets.filter((each) => each !== socket);
    closeDescriptor(socket.fd);
    rmSync(socket.path, { force: true });
  }
}
