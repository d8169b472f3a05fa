/**
 * Lets a process finish what it has begun, without code in the app: after the listening sockets stopped accepting,
 * every open connection is brought to its end in the way its protocol has for that, and only what is left at the
 * deadline is cut, and counted.
 *
 *     HTTP/1      next response says `Connection: close`; idle connections are closed once nobody can still rely on them
 *     HTTP/2      GOAWAY in two phases
 *     WebSocket   close frame 1012, spread over a window, so that the clients do not all come back at once
 *     events      ended after the last chunk, spread likewise; clients reconnect by themselves
 *     other       ended once nothing has moved for the grace
 *
 * The clock of the drain starts here; whoever calls has already stopped accepting.
 */
import type { DrainSummary } from '../protocol/index.ts';
import { closeAfter, endEventStream, isEventStream } from './closing.ts';
import type { Http2Sessions } from './http2.ts';
import { openSockets, type HttpResponse, type NetServer, type NetSocket } from './node-internals.ts';
import type { RequestMeter } from './requests.ts';
import { closeWebSocket, isAnswered, type Upgrade, type Upgrades } from './upgrades.ts';

export interface DrainOptions {
  readonly timeoutMs: number;
  readonly idleGraceMs: number;
  readonly websocketCode: number;
  readonly websocketSpreadMs: number;
}

/** What there is to drain. */
export interface DrainScope {
  readonly servers: ReadonlySet<NetServer>;
  /** Sockets on top of TLS, which Node lists nowhere. */
  readonly tlsSockets: ReadonlySet<NetSocket>;
  readonly meter: Pick<RequestMeter, 'onResponse' | 'inFlight' | 'connectionOf'>;
  readonly upgrades: Upgrades;
  readonly http2: Http2Sessions;
  readonly now: () => number;
}

const SWEEP_MS = 50;
/** The spread ends early enough for the closing handshakes to finish before the deadline. */
const SPREAD_SHARE = 0.7;
/** How long a client may take to answer a close frame that we wrote before its socket is ended. */
const CLOSE_ANSWER_MS = 2000;

interface Activity {
  bytes: number;
  since: number;
}

export class Drain {
  readonly #scope: DrainScope;
  readonly #options: DrainOptions;
  readonly #onEnd: (summary: DrainSummary) => void;
  readonly #startedAt: number;
  readonly #spreadMs: number;
  /** When each event stream or WebSocket is to be closed. */
  readonly #turns = new Map<object, number>();
  readonly #activity = new WeakMap<NetSocket, Activity>();
  // Not unref'ed: the process has to stay until what it has begun is finished.
  readonly #timer: NodeJS.Timeout;
  #closedUpgrades = 0;
  #hasEnded = false;

  constructor(scope: DrainScope, options: DrainOptions, onEnd: (summary: DrainSummary) => void) {
    this.#scope = scope;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#startedAt = scope.now();
    this.#spreadMs = Math.min(options.websocketSpreadMs, options.timeoutMs * SPREAD_SHARE);
    scope.meter.onResponse = closeAfter;
    for (const response of this.#responses()) {
      const connection = scope.meter.connectionOf(response.socket as NetSocket);
      if (connection !== undefined) closeAfter(connection.newest ?? response, connection);
    }
    this.#scheduleTurns();
    this.#timer = setInterval(() => this.#tick(), SWEEP_MS);
    setImmediate(() => this.#tick());
  }

  get #elapsedMs(): number {
    return this.#scope.now() - this.#startedAt;
  }

  #tick(): void {
    // In the check phase, so that what has arrived was read: an "idle" connection may hold the next request.
    setImmediate(() => {
      if (this.#hasEnded) return;
      const isOver = this.#elapsedMs >= this.#options.timeoutMs;
      if (isOver) this.#end(this.#cut());
      // A request may have come in a way that no look at sockets finds: its socket unref'ed, or no socket at all.
      else if (this.#sweep() === 0 && this.#scope.meter.inFlight === 0)
        this.#end({ cutRequests: 0, cutUpgrades: 0, cutConnections: 0 });
    });
  }

  /** Brings everything a step further and says how much is still open. */
  #sweep(): number {
    const { http2, upgrades } = this.#scope;
    this.#scheduleTurns();
    this.#takeTurns();
    for (const session of http2.open) {
      if (this.#elapsedMs >= this.#spreadMs) session.endEventStreams();
      session.leave();
    }
    const sockets = this.#sockets();
    for (const socket of sockets) this.#closeWhenIdle(socket);
    return sockets.length + upgrades.open.size + http2.open.size;
  }

  /** Sockets that are neither upgraded nor HTTP/2. */
  #sockets(): NetSocket[] {
    const { servers, tlsSockets, http2, upgrades } = this.#scope;
    const spokenFor = new Set<object>();
    for (const { socket } of upgrades.open) spokenFor.add(socket);
    for (const { session } of http2.open) if (!session.destroyed) spokenFor.add(identityOf(session.socket));
    for (const socket of tlsSockets) if (socket._parent !== undefined) spokenFor.add(socket._parent);
    return [...openSockets(servers), ...tlsSockets].filter(
      (socket) => !socket.destroyed && !spokenFor.has(socket) && !spokenFor.has(identityOf(socket)),
    );
  }

  *#responses(): Generator<HttpResponse> {
    const { servers, tlsSockets } = this.#scope;
    for (const { _httpMessage } of [...openSockets(servers), ...tlsSockets]) if (_httpMessage) yield _httpMessage;
  }

  #scheduleTurns(): void {
    const waiting = [...this.#eventStreams(), ...this.#webSockets()].filter((item) => !this.#turns.has(item));
    // What came later than the others has no window left to be spread over.
    const windowMs = this.#turns.size === 0 ? this.#spreadMs : 0;
    const from = this.#scope.now();
    waiting.forEach((item, index) => this.#turns.set(item, from + (windowMs * index) / waiting.length));
  }

  #eventStreams(): HttpResponse[] {
    return [...this.#responses()].filter(isEventStream);
  }

  /** A handshake under way is left alone: the app alone can end it. */
  #answeredUpgrades(): Upgrade[] {
    return [...this.#scope.upgrades.open].filter(isAnswered);
  }

  #webSockets(): Upgrade[] {
    return this.#answeredUpgrades().filter(({ isWebSocket }) => isWebSocket);
  }

  #takeTurns(): void {
    const at = this.#scope.now();
    const isDue = (item: object): boolean => (this.#turns.get(item) ?? Infinity) <= at;
    for (const upgrade of this.#webSockets()) {
      if (upgrade.closedAt !== null) {
        if (at - upgrade.closedAt >= CLOSE_ANSWER_MS && !upgrade.socket.writableEnded) upgrade.socket.end();
      } else if (isDue(upgrade)) {
        closeWebSocket(upgrade, this.#options.websocketCode, at);
        this.#closedUpgrades++;
      }
    }
    for (const response of this.#eventStreams()) {
      if (!isDue(response)) continue;
      const connection = this.#scope.meter.connectionOf(response.socket as NetSocket);
      if (connection !== undefined) connection.ending = 'served';
      endEventStream(response);
    }
    for (const upgrade of this.#answeredUpgrades()) {
      if (!upgrade.isWebSocket && this.#isQuiet(upgrade.socket as NetSocket, this.#options.idleGraceMs)) {
        upgrade.socket.end();
      }
    }
  }

  #closeWhenIdle(socket: NetSocket): void {
    const connection = this.#scope.meter.connectionOf(socket);
    if (connection !== undefined && connection.pending > 0) return;
    const isHttp = socket.parser !== undefined && socket.parser !== null;
    // A client may send its next request as long as the server said it would keep the connection.
    const announcedMs = isHttp ? (socket.server?.keepAliveTimeout ?? 0) : 0;
    if (!this.#isQuiet(socket, Math.max(this.#options.idleGraceMs, announcedMs))) return;
    if (isHttp) socket.destroySoon();
    else socket.end();
  }

  /** True when nothing was read or written for so long. */
  #isQuiet(socket: NetSocket, forMs: number): boolean {
    const at = this.#scope.now();
    const bytes = (socket.bytesRead ?? 0) + (socket.bytesWritten ?? 0);
    const activity = this.#activity.get(socket);
    if (activity === undefined) {
      // What was idle before the drain began is as if it had last moved then.
      const isFromBefore = this.#elapsedMs < 2 * SWEEP_MS;
      this.#activity.set(socket, { bytes, since: isFromBefore ? this.#startedAt : at });
      return forMs === 0;
    }
    if (activity.bytes !== bytes) {
      activity.bytes = bytes;
      activity.since = at;
    }
    return at - activity.since >= forMs;
  }

  #cut(): Omit<DrainSummary, 'closedUpgrades'> {
    const { http2, upgrades, meter } = this.#scope;
    const cutRequests = meter.inFlight;
    let cutConnections = 0;
    for (const session of http2.open) {
      cutConnections++;
      session.cut();
    }
    for (const socket of this.#sockets()) {
      const connection = meter.connectionOf(socket);
      if (connection?.ending === 'aborted') connection.ending = 'lost';
      cutConnections++;
      socket.destroy();
    }
    const cutUpgrades = upgrades.open.size;
    for (const { socket } of upgrades.open) socket.destroy();
    return { cutRequests, cutUpgrades, cutConnections };
  }

  #end(cut: Omit<DrainSummary, 'closedUpgrades'>): void {
    this.#hasEnded = true;
    clearInterval(this.#timer);
    const summary = { ...cut, closedUpgrades: this.#closedUpgrades };
    // Sockets tell of their end in a later tick; the counts are to include what was cut.
    setImmediate(() => setImmediate(() => this.#onEnd(summary)));
  }
}

/** An HTTP/2 session shows a proxy of its socket; the handle below is the same object on both. */
function identityOf(socket: object): object {
  return (socket as NetSocket)._handle ?? socket;
}
