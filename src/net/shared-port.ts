/**
 * A port whose workers all accept on one socket, without weights: Unix paths, which have no reuseport, and hosts where the
 * kernel does not spread connections. Nothing to move or cover; the file of a Unix socket is looked after.
 */
import { acceptQueue, closeDescriptor, inodeOf, stopListening, unixListenSocket } from '../os/index.ts';
import type { Lane } from '../protocol/index.ts';
import type { AppTraffic, Place } from './app-traffic.ts';
import { placeKey } from './app-traffic.ts';
import { writeKeptName } from './kept-name.ts';
import type { PortFacts } from './kept-name.ts';
import type { KeptDescriptor, ManagedPort, PortView, PrivateSocket, ShardSocket } from './port.ts';
import type { KeptPrivate, PrivateSockets } from './private-sockets.ts';
import { percentages } from './shares.ts';
import { hasSecondName, SocketFile, type FileState } from './socket-file.ts';

export interface SharedPortParts {
  readonly key: string;
  readonly facts: PortFacts;
  readonly traffic: AppTraffic;
  readonly privates: PrivateSockets;
  readonly fd: number;
  /** The socket was bound just now, by us. */
  readonly isNew: boolean;
  readonly onDescriptors: () => void;
  /** Of a Unix socket: what its path leads to, told where it is no longer what it was. */
  readonly onFile: (state: FileState, inode: number) => void;
  /** To be polled soon. */
  readonly onTouch: () => void;
}

export class SharedPort implements ManagedPort {
  readonly key: string;
  readonly #parts: SharedPortParts;
  #socket: ShardSocket;
  /** Null where the socket has none. */
  #file: SocketFile | null;
  /** It was told that its path leads elsewhere, or nowhere. */
  #isToldAway = false;
  readonly #places = new Map<string, Place>();

  constructor(parts: SharedPortParts) {
    this.#parts = parts;
    this.key = parts.key;
    this.#socket = { fd: parts.fd, inode: inodeOf(parts.fd) };
    this.#file = this.#openFile(parts.isNew);
  }

  get app(): string {
    return this.#parts.facts.app;
  }

  get address(): PortFacts['address'] {
    return this.#parts.facts.address;
  }

  get declared(): boolean {
    return this.#parts.facts.declared;
  }

  shard(slot: number, lane: Lane = 'stable'): ShardSocket {
    this.#beReachable();
    this.#places.set(placeKey({ slot, lane }), { slot, lane });
    return this.#socket;
  }

  /** One socket for whoever comes. */
  hasShard(): boolean {
    return true;
  }

  isShardAmong(): boolean {
    return true;
  }

  giveUp(slot: number, lane: Lane = 'stable'): Promise<void> {
    this.#places.delete(placeKey({ slot, lane }));
    this.#parts.traffic.forgetPlace({ slot, lane });
    if (![...this.#places.values()].some((place) => place.slot === slot)) this.#parts.privates.closeSlot(slot);
    return Promise.resolve();
  }

  findPrivatePath(slot: number, worker: string): string | null {
    return this.#parts.privates.findPath(slot, worker);
  }

  privateSocket(slot: number, worker: string): PrivateSocket | null {
    return this.#parts.privates.open(slot, worker);
  }

  /** A private socket of the daemon before us. */
  adoptPrivate(socket: KeptPrivate): void {
    this.#parts.privates.add(socket);
  }

  /**
   * A worker has this socket, and it can be reached, while no path leads to the port's own: it takes that one's place, and
   * the descriptor is ours. Else false.
   */
  takeOver(fd: number): boolean {
    const { address } = this.#parts.facts;
    if (this.#file === null || this.#file.state === 'there' || address.kind !== 'unix') return false;
    const inode = inodeOf(fd);
    if (inode === this.#socket.inode || !hasSecondName(address.path, inode)) return false;
    this.#replace({ fd, inode }, false);
    return true;
  }

  /** Whoever accepts takes what comes. */
  refresh(): void {
    this.#file?.look();
  }

  poll(): number | null {
    return this.#file?.poll() ?? null;
  }

  view(): PortView {
    const places = [...this.#places.values()];
    const shares = percentages(
      places.map((place) => (this.#parts.traffic.findHolder(place, this.key) === null ? 0 : 1)),
    );
    const depth = this.address.kind === 'tcp' ? (acceptQueue(this.#socket.fd)?.depth ?? null) : null;
    const shards = places.map((place, at) => ({
      ...place,
      weight: shares[at] ?? 0,
      acceptQueue: depth,
      coveredBy: null,
    }));
    return { key: this.key, address: this.address, declared: this.declared, shards };
  }

  keep(): readonly KeptDescriptor[] {
    const { facts, privates } = this.#parts;
    return [
      { name: writeKeptName({ kind: 'shared', ...facts }), fd: this.#socket.fd },
      ...privates.list().map(({ slot, worker, path, fd }) => ({
        name: writeKeptName({ kind: 'private', ...facts, slot, worker, path }),
        fd,
      })),
    ];
  }

  hasSocket(inode: number): boolean {
    return this.#socket.inode === inode;
  }

  close(): void {
    this.#file?.close();
    closeDescriptor(this.#socket.fd);
    this.#parts.privates.close();
    this.#parts.onDescriptors();
  }

  end(): void {
    stopListening(this.#socket.fd);
    this.#file?.end();
    this.#parts.privates.end();
    this.close();
  }

  /**
   * Before somebody is given the socket: where both its names are gone (the app has removed its whole folder, or there
   * are no hard links) a new one is bound. Those who have the old one serve nobody until they are replaced.
   */
  #beReachable(): void {
    const { address, uid } = this.#parts.facts;
    if (this.#file?.look() !== 'lost' || address.kind !== 'unix') return;
    let fd: number;
    try {
      fd = unixListenSocket(address.path, { uid });
    } catch {
      // Its folder is not there, or the disk takes no name: it is tried again for whoever comes next.
      return;
    }
    this.#replace({ fd, inode: inodeOf(fd) }, true);
  }

  #replace(socket: ShardSocket, isNew: boolean): void {
    this.#file?.end();
    closeDescriptor(this.#socket.fd);
    this.#socket = socket;
    this.#file = this.#openFile(isNew);
    this.#parts.onDescriptors();
    if (this.#file?.state === 'there' && this.#isToldAway) this.#tell('there', socket.inode);
  }

  #tell(state: FileState, inode: number): void {
    this.#isToldAway = state !== 'there';
    this.#parts.onFile(state, inode);
  }

  #openFile(isNew: boolean): SocketFile | null {
    const { address } = this.#parts.facts;
    if (address.kind !== 'unix' || address.path.startsWith('\0')) return null;
    const { inode } = this.#socket;
    const onChange = (state: FileState): void => this.#tell(state, inode);
    return new SocketFile({ path: address.path, inode, isNew, onChange, onTouch: this.#parts.onTouch });
  }
}
