/**
 * A port whose workers all accept on one socket, without weights: Unix paths, which have no reuseport, and hosts where the
 * kernel does not spread connections. Nothing to move, cover or poll.
 */
import { rmSync } from 'node:fs';
import { acceptQueue, closeDescriptor, inodeOf, stopListening } from '../os/index.ts';
import type { Lane } from '../protocol/index.ts';
import type { AppTraffic, Place } from './app-traffic.ts';
import { placeKey } from './app-traffic.ts';
import { writeKeptName } from './kept-name.ts';
import type { PortFacts } from './kept-name.ts';
import type { KeptDescriptor, ManagedPort, PortView, PrivateSocket, ShardSocket } from './port.ts';
import type { KeptPrivate, PrivateSockets } from './private-sockets.ts';
import { percentages } from './shares.ts';

export interface SharedPortParts {
  readonly key: string;
  readonly facts: PortFacts;
  readonly traffic: AppTraffic;
  readonly privates: PrivateSockets;
  readonly fd: number;
  readonly onDescriptors: () => void;
}

export class SharedPort implements ManagedPort {
  readonly key: string;
  readonly #parts: SharedPortParts;
  readonly #socket: ShardSocket;
  readonly #places = new Map<string, Place>();

  constructor(parts: SharedPortParts) {
    this.#parts = parts;
    this.key = parts.key;
    this.#socket = { fd: parts.fd, inode: inodeOf(parts.fd) };
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

  privateSocket(slot: number, worker: string): PrivateSocket | null {
    return this.#parts.privates.open(slot, worker);
  }

  /** A private socket of the daemon before us. */
  adoptPrivate(socket: KeptPrivate): void {
    this.#parts.privates.add(socket);
  }

  refresh(): void {
    // Whoever accepts takes what comes.
  }

  poll(): null {
    return null;
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
    closeDescriptor(this.#socket.fd);
    this.#parts.privates.close();
    this.#parts.onDescriptors();
  }

  end(): void {
    stopListening(this.#socket.fd);
    if (this.address.kind === 'unix' && !this.address.path.startsWith('\0')) rmSync(this.address.path, { force: true });
    this.#parts.privates.end();
    this.close();
  }
}
