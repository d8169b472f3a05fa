/** The simulated kernel as one daemon's `net/` sees it, and what puts weights in force there. */
import type { Dispatch, Member, Share } from '../../src/net/dispatch.ts';
import type { NetKernel } from '../../src/net/kernel.ts';
import { OsError } from '../../src/os/index.ts';
import type { ListenAddress } from '../../src/protocol/index.ts';
import type { Kernel, Listener, Owner } from './kernel.ts';

const EADDRINUSE = 98;

export const addressOf = (port: number): ListenAddress => ({ kind: 'tcp', host: '0.0.0.0', port, v6only: false });

const portOf = (address: ListenAddress): number => (address.kind === 'tcp' ? address.port : 0);

export interface NetDoors {
  readonly owner: Owner;
  /** Throws at a daemon that is dead. */
  readonly assertAlive: () => void;
  /** Everything that the daemon does goes through it: a dead one does nothing. */
  readonly effect: <Result>(name: string, work: () => Result) => Result;
  readonly after: NetKernel['after'];
  /** Weights were put in force. */
  readonly onWeights: (weights: ReadonlyMap<Listener, number>) => void;
}

export const netKernel = (kernel: Kernel, { owner, assertAlive, effect, after }: NetDoors): NetKernel => {
  const listenerOf = (fd: number): Listener => {
    assertAlive();
    return kernel.listenerOf(fd, owner);
  };
  return {
    after,
    acceptQueue: (fd) => ({ depth: listenerOf(fd).queue.length, limit: 4096 }),
    canBindExclusively(address) {
      assertAlive();
      return kernel.listeners(portOf(address)).length === 0 ? null : new OsError('bind', EADDRINUSE);
    },
    closeDescriptor: (fd) => effect('close socket', () => kernel.closeDescriptor(fd, owner)),
    findPortOwner: () => null,
    handshakesOn: () => new Set(),
    inodeOf: (fd) => listenerOf(fd).inode,
    isListening: (fd) => listenerOf(fd).isOpen,
    listenSocket: ({ port }) => effect('open socket', () => kernel.listen(port, owner)),
    // Nobody tells how much of a core a worker gets: none counts as starved.
    readRunning: () => null,
    setBacklog: () => {},
    setReusePort: () => {},
    socketAddress: (fd) => addressOf(listenerOf(fd).port),
    stopListening: (fd) => effect('end socket', () => kernel.end(listenerOf(fd))),
    ownerOf: () => 0,
  };
};

export class SimDispatch implements Dispatch {
  readonly level = 'exact';
  readonly #kernel: Kernel;
  readonly #doors: NetDoors;
  readonly #port: number;
  readonly #listeners = new Map<Member, Listener>();

  constructor(kernel: Kernel, doors: NetDoors, address: ListenAddress) {
    this.#kernel = kernel;
    this.#doors = doors;
    this.#port = portOf(address);
  }

  add(member: Member): void {
    this.#listeners.set(member, this.#kernel.listenerOf(member.fd, this.#doors.owner));
  }

  remove(member: Member): void {
    this.#listeners.delete(member);
  }

  apply(shares: readonly Share[], run: number): void {
    this.#doors.assertAlive();
    const weights = new Map(shares.map(({ member, weight }) => [this.#listeners.get(member)!, weight]));
    this.#doors.effect('set weights', () => {
      this.#kernel.setProgram(this.#port, weights, run);
      this.#doors.onWeights(weights);
    });
  }

  countGiven(): (member: Member) => number {
    return (member) => this.#listeners.get(member)?.given ?? 0;
  }

  settle(): boolean {
    return true;
  }

  positionOf(): null {
    return null;
  }

  close(): void {
    // What is in force stays so, until the next daemon puts its own in its place.
  }
}
