/**
 * Where the app's servers get their connections from. `server.listen` ends in `_listen2` once Node has parsed its
 * arguments and resolved names; from there on:
 *
 *     shard known from the start  ──────────────────────────▶ listening at once
 *     unknown: ask the daemon  ──grant + descriptors────────▶ listening
 *                              ──refuse─────────────────────▶ 'error', as from the kernel
 *                              ──bind, or no answer in 10 s──▶ bound by this process itself
 *
 * The public shard is accepted from only while the worker is to serve; the private socket from the start.
 */
import type { BootShard, DaemonMessage, ListenAddress, ListenRequest, ServerState } from '../protocol/agent.ts';
import {
  FLAG_IPV6_ONLY,
  FLAG_REUSE_PORT,
  protocolOf,
  type ClientHandle,
  type Listen2,
  type NetModule,
  type NetServer,
  type ServerHandle,
  type SocketName,
} from '../runtime/index.ts';
import { inodeOf, verifyDescriptor } from './boot.ts';
import { FauxHandle, type SourceRole } from './faux-handle.ts';
import type { Link } from './link.ts';
import { listenError } from './listen-error.ts';
import { addressOf, isClash, matchShard, normalizeHost, pathRequest, socketNameOf } from './listen-request.ts';
import { SharedPaths } from './put-back.ts';

const ANSWER_WAIT_MS = 10_000;
/** After a long block of the event loop the timer is looked at before the answer that has arrived meanwhile. */
const ANSWER_GRACE_MS = 50;
const UV_EADDRINUSE = -98;
const UV_EINVAL = -22;

interface Listening {
  readonly id: number;
  readonly server: NetServer;
  readonly protocol: ServerState['protocol'];
  readonly request: ListenRequest;
  readonly flags: number;
  readonly faux: FauxHandle;
  address: ListenAddress;
  key: string | null;
  /** `asking` until it is known where the server listens. */
  state: 'asking' | 'open';
  timer: NodeJS.Timeout | null;
  /** The public socket while it is not accepted from. */
  shard: ServerHandle | null;
  /** Slots of siblings whose shards it accepts from as well. */
  readonly covers: Set<number>;
  isAccepting: boolean;
  /** Of this process's life, in seconds: when it began to listen. */
  since: number;
}

export interface ListenersOptions {
  readonly net: NetModule;
  readonly shards: readonly BootShard[];
  readonly link: Link;
  /** Every server that listens through us, before its first connection. */
  readonly onServer: (server: NetServer, protocol: ServerState['protocol']) => void;
  readonly onConnection: (role: SourceRole, client: ClientHandle) => void;
}

type Answer<Type extends DaemonMessage['type']> = Extract<DaemonMessage, { type: Type }>;

export class Listeners {
  readonly #net: NetModule;
  readonly #original: Listen2;
  readonly #options: ListenersOptions;
  readonly #unused: Set<BootShard>;
  readonly #open = new Map<number, Listening>();
  readonly #paths = new SharedPaths();
  #nextId = 1;
  #randomCount = 0;
  #mayAccept: boolean;
  /** The process is about to end: whatever it were given now, it would take along. */
  #isLeaving = false;
  #hasIpv6: boolean | null = null;

  constructor(options: ListenersOptions, mayAccept: boolean) {
    this.#options = options;
    this.#net = options.net;
    this.#mayAccept = mayAccept;
    this.#unused = new Set(options.shards);
    const { prototype } = options.net.Server;
    this.#original = prototype._listen2;
    const listen = (server: NetServer, ...args: Parameters<Listen2>): void => this.#listen(server, ...args);
    prototype._listen2 = function _listen2(...args) {
      listen(this, ...args);
    };
  }

  /** Begins to accept on every public socket. */
  accept(): void {
    this.#mayAccept = true;
    for (const listening of this.#open.values()) this.#acceptOn(listening);
  }

  /** Stops accepting on every public socket; with the private ones as well when the process is about to end. */
  hold(everything: boolean): void {
    this.#mayAccept = false;
    if (everything) {
      this.#isLeaving = true;
      this.#paths.leave();
    }
    for (const listening of this.#open.values()) {
      if (everything) {
        listening.covers.clear();
        listening.faux.detachAll();
      } else listening.faux.detach('shard');
      listening.isAccepting = false;
    }
  }

  /** Servers that were held for good do not keep the process alive any more. */
  letGo(): void {
    for (const { faux } of this.#open.values()) faux.unref();
  }

  states(): ServerState[] {
    return [...this.#open.values()]
      .filter(({ state }) => state === 'open')
      .map(({ id, key, address, isAccepting, covers, since, protocol }) => ({
        id,
        key,
        address,
        accepting: isAccepting,
        ...(covers.size > 0 && { covers: [...covers] }),
        listeningMs: Math.round((process.uptime() - since) * 1000),
        protocol,
      }));
  }

  /** A new daemon may not know of what we asked the old one. */
  askAgain(): void {
    for (const listening of this.#open.values()) if (listening.state === 'asking') this.#ask(listening);
  }

  onGrant({ id, key, address }: Answer<'grant'>): void {
    const listening = this.#open.get(id);
    if (listening === undefined) return;
    listening.key = key;
    listening.address = address;
    this.#wait(listening);
  }

  onDescriptor({ role, key, slot }: Answer<'descriptor'>, handle: ServerHandle | null): void {
    if (handle === null) return;
    // Of a daemon that does not know it yet.
    if (this.#isLeaving) return handle.close();
    const listening = [...this.#open.values()].find((one) => one.key === key);
    if (listening === undefined) return handle.close();
    if (role === 'cover') {
      listening.covers.add(slot);
      listening.faux.attach('cover', `cover ${slot}`, handle);
    } else if (role === 'private') listening.faux.attach('private', 'private', handle);
    else if (listening.isAccepting) handle.close();
    else {
      listening.shard?.close();
      listening.shard = handle;
      // The daemon has just looked after its path.
      this.#paths.reach(listening.address, inodeOf(handle.fd ?? -1));
      if (listening.state === 'asking') this.#opened(listening);
      else this.#acceptOn(listening);
    }
  }

  onUncover({ key, slot }: Answer<'uncover'>): void {
    for (const { key: own, covers, faux } of this.#open.values()) {
      if (own === key && covers.delete(slot)) faux.detach(`cover ${slot}`);
    }
  }

  onRefuse({ id, errno }: Answer<'refuse'>): void {
    const listening = this.#open.get(id);
    if (listening?.state === 'asking') this.#refused(listening, -Math.abs(errno));
  }

  onBind({ id, reusePort }: Answer<'bind'>): void {
    const listening = this.#open.get(id);
    if (listening?.state === 'asking') this.#bind(listening, reusePort);
  }

  #listen(server: NetServer, ...args: Parameters<Listen2>): void {
    const [address, port, addressType, , fd, flags] = args;
    const isTcp = typeof port === 'number' && port >= 0;
    const isPath = port === -1 && addressType === -1 && typeof address === 'string';
    // A handle or descriptor that the app brought itself (from node:cluster, systemd, a parent) is none of ours.
    if (server._handle !== null || typeof fd === 'number' || (!isTcp && !isPath)) {
      this.#original.apply(server, args);
      return;
    }
    const request = isTcp ? this.#tcpRequest(address, port, flags ?? 0) : pathRequest(address ?? '');
    if (typeof request === 'number') return this.#emitError(server, request, address, port ?? 0);
    const wanted = addressOf(request, this.#isIpv6Here());
    const rival = [...this.#open.values()].find((one) => isClash(one.address, wanted));
    if (rival !== undefined) {
      const isShared = ((flags ?? 0) & rival.flags & FLAG_REUSE_PORT) !== 0;
      if (isShared) this.#original.apply(server, args);
      else this.#emitError(server, UV_EADDRINUSE, address, port ?? 0);
      return;
    }
    const boot = matchShard(this.#unused, request, this.#isIpv6Here());
    const listening = this.#begin(server, request, boot?.address ?? wanted, flags ?? 0);
    if (boot === undefined || !this.#adopt(listening, boot)) this.#ask(listening);
  }

  #begin(server: NetServer, request: ListenRequest, address: ListenAddress, flags: number): Listening {
    const id = this.#nextId++;
    const faux = new FauxHandle(socketNameOf(address), {
      onConnection: this.#options.onConnection,
      onClose: () => this.#closed(id),
    });
    const listening: Listening = {
      id,
      server,
      protocol: protocolOf(server),
      request,
      flags,
      faux,
      address,
      key: null,
      state: 'asking',
      timer: null,
      shard: null,
      covers: new Set(),
      isAccepting: false,
      since: 0,
    };
    this.#open.set(id, listening);
    server._handle = faux;
    return listening;
  }

  /** Takes a shard that was inherited. */
  #adopt(listening: Listening, boot: BootShard): boolean {
    this.#unused.delete(boot);
    const shard = this.#openDescriptor(boot.shard);
    if (shard === null) return false;
    if (!this.#paths.reach(boot.address, inodeOf(shard.fd ?? -1))) {
      shard.close();
      return false;
    }
    listening.key = boot.key;
    listening.shard = shard;
    const own = this.#openDescriptor(boot.private);
    if (own !== null) listening.faux.attach('private', 'private', own);
    this.#opened(listening);
    return true;
  }

  #openDescriptor(name: BootShard['private']): ServerHandle | null {
    const fd = verifyDescriptor(name);
    if (fd === null) return null;
    const handle = this.#net._createServerHandle(null, null, null, fd);
    return typeof handle === 'number' ? null : handle;
  }

  #ask(listening: Listening): void {
    const { id, request, protocol } = listening;
    this.#options.link.send({ type: 'listen', id, request, protocol });
    this.#wait(listening);
  }

  /** From now on the answer, or the rest of it, has to come within a time. */
  #wait(listening: Listening): void {
    if (listening.state !== 'asking') return;
    if (listening.timer !== null) clearTimeout(listening.timer);
    listening.timer = setTimeout(() => {
      listening.timer = setTimeout(() => {
        if (listening.state !== 'asking' || listening.faux.isClosed) return;
        listening.key = null;
        // Nobody is there to say when this worker may serve, and nobody else serves in its place.
        this.#bind(listening, true, true);
      }, ANSWER_GRACE_MS);
    }, ANSWER_WAIT_MS);
  }

  #bind(listening: Listening, reusePort: boolean, acceptAtOnce = false): void {
    const { request, id } = listening;
    const isUnix = request.path !== null;
    const host = request.path ?? request.host ?? (this.#isIpv6Here() ? '::' : '0.0.0.0');
    const port = isUnix ? -1 : (request.reservedPort ?? request.port);
    const type = isUnix ? -1 : host.includes(':') ? 6 : 4;
    const flags = listening.flags | (reusePort && !isUnix && HAS_REUSE_PORT ? FLAG_REUSE_PORT : 0);
    const handle = this.#net._createServerHandle(host, port, type, undefined, flags);
    if (typeof handle === 'number') return this.#refused(listening, handle);
    const name: SocketName = {};
    // libuv keeps EADDRINUSE back until here.
    const failure = handle.getsockname?.(name) ?? 0;
    if (failure !== 0) {
      handle.close();
      return this.#refused(listening, failure);
    }
    if (listening.address.kind === 'tcp' && name.port !== undefined) {
      listening.address = { ...listening.address, host, port: name.port };
    }
    listening.shard = handle;
    this.#opened(listening);
    // Whoever hears of the socket is to find one that listens.
    if (acceptAtOnce) this.#acceptOn(listening, true);
    const fd = handle.fd ?? -1;
    this.#options.link.send({ type: 'bound', id, fd, inode: inodeOf(fd), address: listening.address });
  }

  /** The server has its place: Node goes on from here as if it had bound it. */
  #opened(listening: Listening): void {
    const { id, server, faux, address, protocol } = listening;
    this.#options.onServer(server, protocol);
    if (listening.timer !== null) clearTimeout(listening.timer);
    listening.timer = null;
    listening.state = 'open';
    listening.since = process.uptime();
    const name = socketNameOf(address);
    if (typeof name !== 'string') faux.rename(name);
    faux.placed();
    if (listening.shard !== null) listening.shard = faux.dress(listening.shard);
    server._handle = faux.face;
    this.#acceptOn(listening);
    if (address.kind === 'unix') this.#original.call(server, address.path, -1, -1, undefined, undefined, undefined);
    else {
      const { host, port } = address;
      this.#original.call(server, host, port, host.includes(':') ? 6 : 4, undefined, undefined, undefined);
    }
    this.#options.link.send({ type: 'listening', id, key: listening.key, protocol });
  }

  #acceptOn(listening: Listening, evenSo = false): void {
    if ((!this.#mayAccept && !evenSo) || listening.isAccepting || listening.state !== 'open') return;
    const { shard, faux, server } = listening;
    listening.shard = null;
    if (shard === null) {
      // Stopping closed our descriptor; the daemon, which has just told us to accept, has others.
      this.#options.link.send({
        type: 'listen',
        id: listening.id,
        request: listening.request,
        protocol: listening.protocol,
      });
      return;
    }
    const failure = faux.attach('shard', 'shard', shard);
    if (failure === 0) listening.isAccepting = true;
    else process.nextTick(() => server.emit('error', this.#errorFor(listening, failure)));
  }

  #refused(listening: Listening, errno: number): void {
    const { server, faux, request } = listening;
    faux.close();
    server._handle = null;
    this.#emitError(server, errno, request.path ?? request.host, request.port);
  }

  #closed(id: number): void {
    const listening = this.#open.get(id);
    if (listening === undefined) return;
    this.#open.delete(id);
    if (listening.timer !== null) clearTimeout(listening.timer);
    listening.shard?.close();
    listening.shard = null;
    this.#options.link.send({ type: 'closed', id });
  }

  #emitError(server: NetServer, errno: number, address: string | null, port: number): void {
    // Node tries `::` first and names what it tried last.
    const any = errno === UV_EADDRINUSE && this.#isIpv6Here() ? '::' : '0.0.0.0';
    const error = listenError(errno, address ?? any, port);
    process.nextTick(() => server.emit('error', error));
  }

  #errorFor({ request }: Listening, errno: number): Error {
    return listenError(errno, request.path ?? request.host, request.port);
  }

  /** For port 0, binds for a moment to learn a free port, so that `address()` has an answer at once. */
  #tcpRequest(address: string | null, port: number, flags: number): ListenRequest | number {
    const host = address === null ? null : normalizeHost(address);
    const v6only = (flags & FLAG_IPV6_ONLY) !== 0;
    if (port !== 0) return { host, port, v6only, path: null, randomIndex: null, reservedPort: null };
    const randomIndex = this.#randomCount++;
    const request: ListenRequest = { host, port, v6only, path: null, randomIndex, reservedPort: null };
    if (matchShard(this.#unused, request, this.#isIpv6Here()) !== undefined) return request;
    const bound = host ?? (this.#isIpv6Here() ? '::' : '0.0.0.0');
    const handle = this.#net._createServerHandle(bound, 0, bound.includes(':') ? 6 : 4, undefined, flags);
    if (typeof handle === 'number') return handle;
    const name: SocketName = {};
    handle.getsockname?.(name);
    handle.close();
    return name.port === undefined ? UV_EINVAL : { ...request, reservedPort: name.port };
  }

  #isIpv6Here(): boolean {
    if (this.#hasIpv6 === null) {
      const trial = this.#net._createServerHandle('::', 0, 6, undefined, 0);
      this.#hasIpv6 = typeof trial !== 'number';
      if (typeof trial !== 'number') trial.close();
    }
    return this.#hasIpv6;
  }
}

/** Node hands `UV_TCP_REUSEPORT` on since 22.12; an older one refuses the flag. */
const HAS_REUSE_PORT = ((): boolean => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 12);
})();
