/**
 * Connections that left HTTP: WebSockets above all. Closing one is done by its own library where that is found on the
 * socket (`ws`), which knows where its frames end; else a close frame is written at a tick's border, where no library
 * that writes a frame in one tick can be in the middle of one.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { NetServer, NetSocket } from './node-internals.ts';

export interface Upgrade {
  readonly socket: Duplex;
  readonly isWebSocket: boolean;
  /** What the socket had been given to send when the client asked; undefined where a stream does not count it. */
  readonly sentBefore: number | undefined;
  /** Set once the closing handshake was begun by us; it is begun once. */
  closedAt: number | null;
}

export class Upgrades {
  readonly open = new Set<Upgrade>();
  readonly #onUpgrade: () => void;

  constructor(onUpgrade: () => void) {
    this.#onUpgrade = onUpgrade;
  }

  /**
   * Listens to a server's upgrades, but only while the app does: a server without such a listener treats an upgrade
   * as an ordinary request, and must go on doing so. `events`: for a server of HTTP/2 only the first, which is of its
   * HTTP/1.1 clients; 'connect' is also what it makes of a stream.
   */
  watch(server: NetServer, events: readonly ('upgrade' | 'connect')[]): void {
    for (const event of events) {
      const own = (request: IncomingMessage, socket: Duplex): void => this.#add(request, socket);
      const others = (): number => server.listeners(event).filter((listener) => listener !== own).length;
      const isListening = (): boolean => server.listeners(event).includes(own);
      if (others() > 0) server.prependListener(event, own);
      server.on('newListener', (name: unknown, listener: unknown) => {
        if (name === event && listener !== own && !isListening()) server.prependListener(event, own);
      });
      server.on('removeListener', (name: unknown, listener: unknown) => {
        if (name === event && listener !== own && others() === 0) server.removeListener(event, own);
      });
    }
  }

  #add(request: IncomingMessage, socket: Duplex): void {
    this.#onUpgrade();
    const isWebSocket = request.method !== 'CONNECT' && /^websocket$/i.test(request.headers.upgrade ?? '');
    const upgrade: Upgrade = { socket, isWebSocket, sentBefore: bytesWritten(socket), closedAt: null };
    this.open.add(upgrade);
    socket.once('close', () => this.open.delete(upgrade));
  }
}

/**
 * Whether the app has said anything to the upgrade, which it may decide on for a while: until then the client waits for
 * a status line, and would take anything else for one.
 */
export function isAnswered({ socket, sentBefore }: Upgrade): boolean {
  return sentBefore === undefined || bytesWritten(socket) !== sentBefore;
}

function bytesWritten(socket: Duplex): number | undefined {
  return (socket as Partial<NetSocket>).bytesWritten;
}

interface WsSocket {
  readonly readyState: number;
  readonly close: (code: number) => void;
}

const WS_OPEN = 1;

/** Begins a WebSocket's closing handshake, once. */
export function closeWebSocket(upgrade: Upgrade, code: number, at: number): void {
  if (upgrade.closedAt !== null || upgrade.socket.destroyed) return;
  upgrade.closedAt = at;
  const library = findLibrary(upgrade.socket);
  if (library === null) {
    if (upgrade.socket.writable) upgrade.socket.write(closeFrame(code));
  } else if (library.readyState === WS_OPEN) {
    library.close(code);
  }
}

/** An unmasked, final close frame: servers do not mask. */
function closeFrame(code: number): Buffer {
  return Buffer.from([0x88, 0x02, code >> 8, code & 0xff]);
}

function findLibrary(socket: object): WsSocket | null {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    if (symbol.description !== 'websocket') continue;
    const found = (socket as Record<symbol, unknown>)[symbol] as Partial<WsSocket> | undefined;
    if (typeof found?.close === 'function' && typeof found.readyState === 'number') return found as WsSocket;
  }
  return null;
}
