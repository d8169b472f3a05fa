/**
 * The parts of Node that we rely on without a promise from its documentation, in one place. Read in the sources of
 * Node 20, 22, 24 and 26, and exercised by `test/agent/` on each of them.
 */
import type { Server, Socket } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What libuv delivers for an accepted connection: a `TCP` or `Pipe` wrap. */
export interface ClientHandle {
  /** What went out so far. */
  readonly bytesWritten?: number;
}

export interface SocketName {
  address?: string;
  family?: string;
  port?: number;
}

/** The native handle of a listening `net.Server` (`server._handle`), or what stands in for it. */
export interface ServerHandle {
  readonly fd?: number;
  onconnection: ((this: unknown, status: number, client: ClientHandle | undefined) => void) | null;
  listen: (backlog: number) => number;
  close: (callback?: () => void) => void;
  ref: () => void;
  unref: () => void;
  getsockname?: (out: SocketName) => number;
}

/** A pipe of Node's IPC kind: a descriptor that arrived lies in `pendingHandle` while `onread` runs. */
export interface IpcPipe {
  readonly fd: number;
  onread: (bytes: ArrayBuffer | undefined) => void;
  pendingHandle: ServerHandle | null;
  readonly close: () => void;
}

export type Listen2 = (
  this: NetServer,
  address: string | null,
  port: number | null,
  addressType: number | null,
  backlog: number | undefined,
  fd: number | undefined,
  flags: number | undefined,
) => void;

export interface NetServer extends Server {
  _handle: ServerHandle | null;
  _listen2: Listen2;
  /** `http`, `https`: milliseconds an idle connection is kept, as announced to clients. */
  keepAliveTimeout?: number;
}

export interface NetModule {
  readonly Server: { readonly prototype: NetServer };
  /** A bound or opened handle, or a negative errno. */
  readonly _createServerHandle: (
    address: string | null,
    port: number | null,
    addressType: number | null,
    fd: number | undefined,
    flags?: number,
  ) => ServerHandle | number;
}

/** `TCPConstants.UV_TCP_IPV6ONLY` and `UV_TCP_REUSEPORT` (libuv's `uv_tcp_flags`; the second since Node 22.12). */
export const FLAG_IPV6_ONLY = 1;
export const FLAG_REUSE_PORT = 2;

export interface NetSocket extends Socket {
  server?: NetServer;
  _handle?: ClientHandle | null;
  /** The plain socket under a `TLSSocket`. */
  _parent?: NetSocket;
  /** The HTTP/1 parser; taken away when the connection is upgraded. */
  parser?: HttpParser | null;
  /** The response being written on this HTTP/1 connection. */
  _httpMessage?: HttpResponse | null;
}

/** One of a pool: `freeParser` in `_http_common.js` calls `remove`, and then gives it back. */
export interface HttpParser {
  remove: () => void;
}

export interface HttpResponse extends ServerResponse {
  /** The status line and headers, once they are settled. */
  _header: string | null;
  /** The bytes of the body, where Node or the app has told them in a header or would have. */
  _contentLength: number | null;
  /** Not in answers to HEAD, nor those of 204 and 304. */
  _hasBody: boolean;
  /** `100 Continue` went before. */
  _sent100: boolean;
  /** Close the connection after this response. */
  _last: boolean;
  _storeHeader: (firstLine: string, headers: unknown) => void;
}

/** What `http.server.request.start` and `http.server.response.finish` publish. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: HttpResponse;
  readonly socket: NetSocket;
  readonly server: NetServer;
}

export type ServerProtocol = 'http' | 'https' | 'http2' | 'tls' | 'tcp';

/** Told by shape and by class name: loading `http2` or `tls` to ask would cost every app 10 MB. */
export function protocolOf(server: NetServer): ServerProtocol {
  const isTls = 'setSecureContext' in server;
  for (let at: object | null = server; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const name = at.constructor?.name;
    if (name === 'Http2Server' || name === 'Http2SecureServer') return 'http2';
  }
  if ('keepAliveTimeout' in server && 'maxHeadersCount' in server) return isTls ? 'https' : 'http';
  return isTls ? 'tls' : 'tcp';
}

/** Every plain socket that the servers accepted and that is still open. Not those of TLS servers above them. */
export function openSockets(servers: ReadonlySet<NetServer>): NetSocket[] {
  const active = (process as unknown as { _getActiveHandles: () => object[] })._getActiveHandles();
  return active.filter((handle): handle is NetSocket => {
    const { server } = handle as NetSocket;
    return server !== undefined && servers.has(server);
  });
}

/** Whether Node has loaded this module of its own, such as `internal/worker`: asked without loading any. */
export function hasLoaded(module: string): boolean {
  return (process as unknown as { readonly moduleLoadList: readonly string[] }).moduleLoadList.includes(
    `NativeModule ${module}`,
  );
}
