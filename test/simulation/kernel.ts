/**
 * The kernel's part of the data path: listening sockets with their queues, who holds a descriptor of each, and the
 * program that picks one for a new connection. It outlives every daemon. Below the real `net/` (`net-kernel.ts`).
 */
import { turnsOf } from '../../src/net/shares.ts';
import type { Random } from './random.ts';

export interface Connection {
  readonly at: number;
  readonly port: number;
  readonly listener: Listener;
  end: 'served' | 'reset' | null;
}

/** Who can hold descriptors: a daemon, the guard, a worker. */
export type Owner = object;

export class Listener {
  readonly inode: number;
  readonly port: number;
  readonly queue: Connection[] = [];
  /** Connections that it was given so far. */
  given = 0;
  isOpen = true;
  readonly holders = new Map<Owner, number>();

  constructor(inode: number, port: number) {
    this.inode = inode;
    this.port = port;
  }
}

/** What is in force for a port: each shard's weight, and the turns that come of them. */
interface Program {
  readonly weights: ReadonlyMap<Listener, number>;
  readonly turns: readonly Listener[];
  readonly run: number;
  next: number;
}

export interface KernelHooks {
  /** A connection waits on this socket. */
  readonly onQueued: (listener: Listener) => void;
  /** Nobody holds, or listens on, the socket that it waited on. */
  readonly onReset: (connection: Connection) => void;
}

export class Kernel {
  /** Every connection that waits. */
  readonly waiting = new Set<Connection>();
  readonly #hooks: KernelHooks;
  readonly #random: Random;
  readonly #now: () => number;
  #listeners: Listener[] = [];
  readonly #programs = new Map<number, Program>();
  readonly #descriptors = new Map<number, { readonly listener: Listener; readonly owner: Owner }>();
  #numbers = 10;

  constructor(random: Random, now: () => number, hooks: KernelHooks) {
    this.#random = random;
    this.#now = now;
    this.#hooks = hooks;
  }

  // ── sockets and descriptors ────────────────────────────────────────────────────────────────────────────────────

  listen(port: number, owner: Owner): number {
    const listener = new Listener(++this.#numbers, port);
    this.#listeners.push(listener);
    return this.duplicate(listener, owner);
  }

  duplicate(listener: Listener, owner: Owner): number {
    const fd = ++this.#numbers;
    this.#descriptors.set(fd, { listener, owner });
    this.hold(listener, owner);
    return fd;
  }

  /** Throws where there is no such descriptor of that owner: it was closed, or is somebody else's. */
  listenerOf(fd: number, owner: Owner): Listener {
    const found = this.#descriptors.get(fd);
    if (found === undefined || found.owner !== owner) throw new Error(`bad file descriptor ${fd}`);
    return found.listener;
  }

  closeDescriptor(fd: number, owner: Owner): void {
    const listener = this.listenerOf(fd, owner);
    this.#descriptors.delete(fd);
    this.drop(listener, owner);
  }

  /** Its process is gone. */
  closeAll(owner: Owner): void {
    for (const [fd, each] of this.#descriptors) if (each.owner === owner) this.#descriptors.delete(fd);
    for (const listener of this.#listeners) {
      if (!listener.holders.delete(owner)) continue;
      if (listener.holders.size === 0) this.end(listener);
    }
  }

  hold(listener: Listener, owner: Owner): void {
    listener.holders.set(owner, (listener.holders.get(owner) ?? 0) + 1);
  }

  drop(listener: Listener, owner: Owner): void {
    const count = (listener.holders.get(owner) ?? 0) - 1;
    if (count > 0) listener.holders.set(owner, count);
    else listener.holders.delete(owner);
    if (listener.holders.size === 0) this.end(listener);
  }

  /** Nobody can connect to it any more, and what waits on it is reset. */
  end(listener: Listener): void {
    listener.isOpen = false;
    for (const connection of listener.queue.splice(0)) {
      connection.end = 'reset';
      this.waiting.delete(connection);
      this.#hooks.onReset(connection);
    }
    this.#listeners = this.#listeners.filter((each) => each !== listener);
  }

  listeners(port: number): readonly Listener[] {
    return this.#listeners.filter((listener) => listener.port === port);
  }

  /** The machine goes down. */
  clear(): void {
    for (const listener of this.#listeners) this.end(listener);
    this.#descriptors.clear();
    this.#programs.clear();
  }

  // ── connections ────────────────────────────────────────────────────────────────────────────────────────────────

  setProgram(port: number, weights: ReadonlyMap<Listener, number>, run: number): void {
    const listeners = [...weights.keys()];
    const turns = turnsOf([...weights.values()]).map((at) => listeners[at]!);
    if (turns.length > 0) this.#programs.set(port, { weights, turns, run, next: 0 });
  }

  weightOf(listener: Listener): number | null {
    return this.#programs.get(listener.port)?.weights.get(listener) ?? null;
  }

  /** Share of the new connections of its port, 0–1; null where no program says. */
  shareOf(listener: Listener): number | null {
    const weights = this.#programs.get(listener.port)?.weights;
    if (weights === undefined) return null;
    let total = 0;
    for (const [each, weight] of weights) if (each.isOpen) total += weight;
    return total > 0 ? (weights.get(listener) ?? 0) / total : null;
  }

  /** Null: refused. */
  connect(port: number): Connection | null {
    const listener = this.#pick(port);
    if (listener === null) return null;
    const connection: Connection = { at: this.#now(), port, listener, end: null };
    listener.queue.push(connection);
    listener.given += 1;
    this.waiting.add(connection);
    this.#hooks.onQueued(listener);
    return connection;
  }

  accept(listener: Listener): Connection | null {
    const connection = listener.queue.shift();
    if (connection === undefined) return null;
    connection.end = 'served';
    this.waiting.delete(connection);
    return connection;
  }

  #pick(port: number): Listener | null {
    const program = this.#programs.get(port);
    if (program !== undefined) {
      const at = Math.floor(program.next / program.run) % program.turns.length;
      program.next += 1;
      const chosen = program.turns[at];
      if (chosen?.isOpen === true) return chosen;
    }
    // The kernel spreads by its own hash where the program names nobody.
    const open = this.listeners(port);
    return open.length === 0 ? null : this.#random.pick(open);
  }
}
