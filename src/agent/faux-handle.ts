/**
 * Stands in for the native handle of one of the app's listening servers, as node:cluster's round robin does. The
 * server keeps listening, has its address and can be closed, whatever happens to the sockets that connections really
 * come from: its *sources*. Those can be none (before the worker is ready, after it began to drain) or several (its
 * own shard, its private socket, the shard of a sibling that it covers).
 */
import { chmodSync } from 'node:fs';
import type { ClientHandle, ServerHandle, SocketName } from '../runtime/index.ts';

/** Node would cut the queue of an inherited socket to 511. */
export const BACKLOG = 4096;

/** `setTimeout`'s largest delay. */
const LONGEST_MS = 2 ** 31 - 1;

export type SourceRole = 'shard' | 'private' | 'cover';

interface Source {
  readonly role: SourceRole;
  readonly name: string;
  readonly handle: ServerHandle;
}

export interface FauxEvents {
  readonly onConnection: (role: SourceRole, client: ClientHandle) => void;
  /** `server.close()` was called. */
  readonly onClose: () => void;
}

export class FauxHandle implements ServerHandle {
  onconnection: ServerHandle['onconnection'] = null;
  /** TCP only, as in Node: its absence says that the server listens on a path. */
  readonly getsockname?: (out: SocketName) => number;
  readonly #path: string | null;
  readonly #events: FauxEvents;
  #name: SocketName;
  #sources: Source[] = [];
  // A server that listens keeps its process alive, also while it has no source: the timer stands for that.
  #anchor: NodeJS.Timeout | null = null;
  #isClosed = false;
  #isPlaced = false;
  /** What `fchmod` was asked before the path was there. */
  #mode: number | null = null;
  /** What the server has as its `_handle`: this object, or the native handle that was dressed as it. */
  #face: ServerHandle = this;

  constructor(where: SocketName | string, events: FauxEvents) {
    this.#events = events;
    this.#path = typeof where === 'string' ? where : null;
    this.#name = typeof where === 'string' ? {} : where;
    if (this.#path === null) this.getsockname = (out) => (Object.assign(out, this.#name), 0);
    this.ref();
  }

  get fd(): number {
    return this.#sources[0]?.handle.fd ?? -1;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get face(): ServerHandle {
    return this.#face;
  }

  /**
   * Makes a native handle answer as this object does, and be the server's `_handle` in its place: Node's C++ must find
   * a real one there when the app sends its server to a child process. Returns the handle as it was, for a source.
   */
  dress(native: ServerHandle): ServerHandle {
    const naked = new NakedHandle(native);
    for (const name of ['listen', 'close', 'ref', 'unref', 'hasRef', 'fchmod'] as const) {
      define(native, name, { value: this[name].bind(this), writable: true });
    }
    if (this.getsockname !== undefined) define(native, 'getsockname', { value: this.getsockname, writable: true });
    define(native, 'onconnection', {
      // Read by Node for each connection, written by whoever is to have them.
      get: () => naked.onconnection,
      set: (onconnection: ServerHandle['onconnection']) => (this.onconnection = onconnection),
    });
    native.onconnection = this.onconnection;
    this.#face = native;
    return naked;
  }

  rename(name: SocketName): void {
    this.#name = name;
  }

  /** The socket exists from now on, at the address that the server asked for. */
  placed(): void {
    this.#isPlaced = true;
    if (this.#mode !== null) this.fchmod(this.#mode);
  }

  listen(): number {
    return 0;
  }

  ref(): void {
    if (!this.#isClosed) this.#anchor ??= setInterval(() => undefined, LONGEST_MS);
  }

  unref(): void {
    if (this.#anchor !== null) clearInterval(this.#anchor);
    this.#anchor = null;
  }

  hasRef(): boolean {
    return this.#anchor !== null;
  }

  /** `readableAll`, `writableAll`: libuv's `UV_READABLE` is 1, `UV_WRITABLE` 2. */
  fchmod(mode: number): number {
    if (this.#path === null) return 0;
    if (!this.#isPlaced) {
      // `listen` asks in its own tick, while the daemon has yet to answer.
      this.#mode = mode;
      return 0;
    }
    try {
      chmodSync(this.#path, 0o600 | ((mode & 1) * 0o444) | (((mode >> 1) & 1) * 0o222));
      return 0;
    } catch (error) {
      return (error as NodeJS.ErrnoException).errno ?? -1;
    }
  }

  close(callback?: () => void): void {
    if (typeof callback === 'function') setImmediate(callback);
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.unref();
    this.detachAll();
    this.#events.onClose();
  }

  /** Begins to accept from a listening socket, which this handle then owns. Zero, or a negative errno. */
  attach(role: SourceRole, name: string, handle: ServerHandle): number {
    this.detach(name);
    handle.onconnection = (status, client) => {
      if (client !== undefined) this.#events.onConnection(role, client);
      this.onconnection?.call(this.#face, status, client);
    };
    const failure = this.#isClosed ? -1 : handle.listen(BACKLOG);
    if (failure !== 0) {
      handle.close();
      return failure;
    }
    handle.unref();
    this.#sources.push({ role, name, handle });
    return 0;
  }

  /** Stops accepting from one source. The daemon holds another descriptor of it, so nothing that waits there is lost. */
  detach(name: string): boolean {
    const index = this.#sources.findIndex((source) => source.name === name);
    if (index === -1) return false;
    this.#sources.splice(index, 1)[0]?.handle.close();
    return true;
  }

  /** Stops accepting in the place of siblings. */
  detachCovers(): void {
    for (const { name } of this.#sources.filter(({ role }) => role === 'cover')) this.detach(name);
  }

  detachAll(): void {
    for (const { handle } of this.#sources) handle.close();
    this.#sources = [];
  }
}

/** A native handle below what it was dressed as. */
class NakedHandle implements ServerHandle {
  onconnection: ServerHandle['onconnection'] = null;
  readonly listen: ServerHandle['listen'];
  readonly close: ServerHandle['close'];
  readonly ref: ServerHandle['ref'];
  readonly unref: ServerHandle['unref'];
  readonly #native: ServerHandle;

  constructor(native: ServerHandle) {
    this.#native = native;
    this.listen = native.listen.bind(native);
    this.close = native.close.bind(native);
    this.ref = native.ref.bind(native);
    this.unref = native.unref.bind(native);
  }

  get fd(): number {
    return this.#native.fd ?? -1;
  }
}

function define(target: object, name: string, property: PropertyDescriptor): void {
  Object.defineProperty(target, name, { configurable: true, enumerable: false, ...property });
}
