/**
 * What is in flight on one server, as `Drain` wants to know it. The requests of a connection are kept by the one
 * `RequestMeter` of this process, because they lie with Node's parsers; here each server gets its own part of it.
 */
import type { Http2Session, NetServer, NetSocket, ServerProtocol } from '../runtime/index.ts';
import { monotonicMs, RequestMeter } from '../runtime/index.ts';

type OnResponse = NonNullable<RequestMeter['onResponse']>;

const listeners = new Map<NetServer, OnResponse>();
let shared: RequestMeter | null = null;

/** Begins with the first server: apps without one pay nothing. */
function sharedMeter(): RequestMeter {
  if (shared !== null) return shared;
  shared = new RequestMeter({ now: monotonicMs, isPrivate: () => false });
  shared.onResponse = (response, connection) => {
    const server = connection.socket?.server;
    if (server !== undefined) listeners.get(server)?.(response, connection);
  };
  shared.attach();
  return shared;
}

export class ServerMeter {
  readonly requests: RequestMeter;
  readonly #server: NetServer;
  readonly #sessions: () => ReadonlySet<Http2Session>;
  #begun = 0;

  constructor(server: NetServer, protocol: ServerProtocol, sessions: () => ReadonlySet<Http2Session>) {
    this.requests = sharedMeter();
    this.#server = server;
    this.#sessions = sessions;
    // HTTP/2 would make a request of each stream for such a listener.
    if (protocol !== 'http' && protocol !== 'https') return;
    server.prependListener('request', (_request: unknown, response: NodeJS.EventEmitter) => {
      this.#begun++;
      response.once('close', () => this.#begun--);
    });
  }

  get inFlight(): number {
    let streams = 0;
    for (const session of this.#sessions()) streams += session.streams.size;
    return this.#begun + streams;
  }

  get onResponse(): OnResponse | null {
    return listeners.get(this.#server) ?? null;
  }

  set onResponse(listener: OnResponse | null) {
    if (listener === null) listeners.delete(this.#server);
    else listeners.set(this.#server, listener);
  }

  connectionOf(socket: NetSocket): ReturnType<RequestMeter['connectionOf']> {
    return this.requests.connectionOf(socket);
  }

  close(): void {
    listeners.delete(this.#server);
  }
}

export const meterFor = (
  server: NetServer,
  protocol: ServerProtocol,
  sessions: () => ReadonlySet<Http2Session>,
): ServerMeter => new ServerMeter(server, protocol, sessions);
