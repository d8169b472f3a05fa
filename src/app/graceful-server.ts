/**
 * A server that leaves without losing a request: readiness fails, the listening socket closes, what has begun is finished
 * in the way of its protocol (`runtime/drain.ts`, as the agent does it), the clean-up hooks run, and the process ends. Under the
 * daemon the agent does the draining, across processes, and this only runs the hooks.
 */
import type { RequestListener, Server as HttpServer } from 'node:http';
import type { AddressInfo, ListenOptions, Server } from 'node:net';
import type { DrainSummary } from '../protocol/index.ts';
import {
  Drain,
  Http2Sessions,
  monotonicMs,
  protocolOf,
  Upgrades,
  type NetServer,
  type NetSocket,
} from '../runtime/index.ts';
import { loadPackage } from './load-package.ts';
import {
  SHUTDOWN_TIMEOUT_MS,
  type ExitHook,
  type HookOptions,
  type HookTrouble,
  type Lifecycle,
  type Signal,
} from './lifecycle.ts';
import { meterFor, type ServerMeter } from './server-meter.ts';

export interface GracefulServerOptions {
  /** Milliseconds for all of it, from the signal to the end of the process; default 30,000. */
  readonly shutdownTimeout?: number;
  /** Milliseconds for what has begun; what is left then is cut, and counted. Default 10,000. */
  readonly drainTimeout?: number;
  /** Default SIGTERM, SIGINT and SIGUSR2 (which nodemon sends). */
  readonly signals?: readonly Signal[];
  /**
   * Milliseconds for which it goes on accepting while readiness fails already; default 0. In Kubernetes about 5,000, until
   * nobody sends new connections any more, unless a `preStop` hook waits.
   */
  readonly delay?: number;
  /** Milliseconds an idle connection stays open at least; longer where keep-alive was announced for longer. Default 3,000. */
  readonly idleGrace?: number;
  /** The process ends when all is done, with exit code 0. Default true. */
  readonly exit?: boolean;
}

const DEFAULT_SIGNALS: readonly Signal[] = ['SIGTERM', 'SIGINT', 'SIGUSR2'];
const DRAIN_TIMEOUT_MS = 10_000;
const IDLE_GRACE_MS = 3000;
/** "Service restart" (RFC 6455's registry): clients come back. */
const WEBSOCKET_CODE = 1012;

const NOTHING_CUT: DrainSummary = { cutRequests: 0, cutUpgrades: 0, cutConnections: 0, closedUpgrades: 0 };

export interface GracefulServerSite {
  readonly lifecycle: Lifecycle;
  readonly hasAgent: boolean;
}

export class GracefulServerCore<Kind extends Server = HttpServer> {
  /** The server itself: of `node:http`, `https`, `http2`, `tls` or `net`. */
  readonly server: Kind;
  readonly #options: GracefulServerOptions;
  readonly #site: GracefulServerSite;
  /** Null under the daemon, whose agent has its own. */
  readonly #parts: DrainParts | null;
  readonly #remove: () => void;
  #closing: Promise<DrainSummary> | null = null;

  /** `server`: one that is there, or what would be given to `http.createServer` (an Express app, say). */
  constructor(server: Kind | RequestListener, options: GracefulServerOptions, site: GracefulServerSite) {
    this.server = isServer(server) ? server : (createHttpServer(server) as unknown as Kind);
    this.#options = options;
    this.#site = site;
    this.#parts = site.hasAgent ? null : watch(this.server as unknown as NetServer);
    const { signals = DEFAULT_SIGNALS, shutdownTimeout = SHUTDOWN_TIMEOUT_MS, exit = true } = options;
    this.#remove = site.lifecycle.addDrainer(async () => this.close(), signals, shutdownTimeout, exit);
  }

  get isDraining(): boolean {
    return this.#closing !== null;
  }

  /** As the server's own `listen`; resolves with the address once it listens. */
  async listen(port?: number | string | ListenOptions, host?: string): Promise<AddressInfo | string | null> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      const listening = (): void => {
        this.server.off('error', reject);
        resolve();
      };
      if (host === undefined) this.server.listen(port, listening);
      else this.server.listen(port as number, host, listening);
    });
    return this.server.address();
  }

  /** Runs on the way out, after the drain, the newest first. The returned function takes it away. */
  onShutdown(run: ExitHook, options: HookOptions = {}): () => void {
    return this.#site.lifecycle.onShutdown(run, options);
  }

  /** Takes the way out as on a signal, hooks included, but leaves the process running. What did not go as it should. */
  async shutdown(reason = 'shutdown'): Promise<readonly HookTrouble[]> {
    return this.#site.lifecycle.shutdown(reason);
  }

  /** Drains and closes this server alone. Says what had to be cut. */
  async close(): Promise<DrainSummary> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<DrainSummary> {
    const { delay = 0, drainTimeout: timeoutMs = DRAIN_TIMEOUT_MS, idleGrace = IDLE_GRACE_MS } = this.#options;
    try {
      if (this.#site.lifecycle.isDrainedByAgent) return NOTHING_CUT;
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      if (this.#parts === null) return await closeBounded(this.server, timeoutMs);
      await stopAccepting(this.server);
      const { meter, upgrades, http2, tlsSockets } = this.#parts;
      const servers = new Set([this.server as unknown as NetServer]);
      const scope = { servers, tlsSockets, meter, upgrades, http2, now: monotonicMs };
      const options = {
        timeoutMs,
        idleGraceMs: Math.min(idleGrace, timeoutMs),
        websocketCode: WEBSOCKET_CODE,
        websocketSpreadMs: timeoutMs,
      };
      return await new Promise<DrainSummary>((resolve) => void new Drain(scope, options, resolve));
    } finally {
      this.#remove();
      this.#parts?.meter.close();
      // What Node does on a close beyond closing the socket; it is closed already.
      if (this.server.listening || this.#parts !== null) this.server.close();
    }
  }
}

interface DrainParts {
  readonly meter: ServerMeter;
  readonly upgrades: Upgrades;
  readonly http2: Http2Sessions;
  readonly tlsSockets: Set<NetSocket>;
}

/** As the agent watches a server, but this one alone. */
function watch(server: NetServer): DrainParts {
  const protocol = protocolOf(server);
  const upgrades = new Upgrades(() => undefined);
  const tlsSockets = new Set<NetSocket>();
  const meter = meterFor(server, protocol, () => http2.open);
  const http2 = new Http2Sessions(meter.requests, () => false);
  if (protocol === 'http' || protocol === 'https') upgrades.watch(server, ['upgrade', 'connect']);
  if (protocol === 'http2') {
    http2.watch(server);
    upgrades.watch(server, ['upgrade']);
  }
  if ('setSecureContext' in server) {
    server.prependListener('secureConnection', (socket: NetSocket) => {
      tlsSockets.add(socket);
      socket.once('close', () => tlsSockets.delete(socket));
    });
  }
  return { meter, upgrades, http2, tlsSockets };
}

/** `http.Server`'s own `close` would cut idle connections on which a request may be under way. */
async function stopAccepting(server: Server): Promise<void> {
  const { Server: Plain } = await import('node:net');
  if (server.listening) Plain.prototype.close.call(server);
}

/** Under the daemon, where a signal came without it: as Node closes a server, and not for ever. */
async function closeBounded(server: Server, timeoutMs: number): Promise<DrainSummary> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<number>((resolve) => {
    timer = setTimeout(() => {
      server.getConnections((_error, count) => {
        (server as Partial<HttpServer>).closeAllConnections?.();
        resolve(count ?? 0);
      });
    }, timeoutMs);
  });
  const closed = new Promise<number>((resolve) => server.close(() => resolve(0)));
  const cutConnections = await Promise.race([closed, late]);
  clearTimeout(timer);
  return { ...NOTHING_CUT, cutConnections };
}

function isServer(value: unknown): value is Server {
  // Express apps are functions, and have a `listen` as well.
  return typeof value === 'object' && value !== null && 'listen' in value && 'address' in value;
}

function createHttpServer(listener: RequestListener): HttpServer {
  if (typeof listener !== 'function') throw new TypeError('GracefulServer takes a server, or a request listener');
  const { createServer } = loadPackage('node:http') as {
    readonly createServer: (listener: RequestListener) => HttpServer;
  };
  return createServer(listener);
}
