/**
 * Counts and times HTTP requests. HTTP/1 comes over `diagnostics_channel`, so that `http` is loaded by the app or not
 * at all; HTTP/2 streams are reported by `http2.ts`. The cost is bounded by what a hello-world server can bear: no
 * object and no listener a request, and none a connection either. What is known of a connection lies with its HTTP
 * parser, which Node takes from a pool and gives back.
 */
import { isClosedByUs } from './closing.ts';
import { listenFirst } from './listen-first.ts';
import type { RequestCounters } from '../protocol/index.ts';
import type { RoutedRequest, Routes } from './routes.ts';
import { Tally } from './tally.ts';
import type { HttpExchange, HttpParser, HttpResponse, NetSocket } from './node-internals.ts';

/** What happened to a request that began. */
export type Outcome = 'lost' | 'aborted' | 'refused';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A connection that carried at least one HTTP/1 request; reused for the next one of the same parser. */
export class HttpConnection {
  /** Null between connections. */
  socket: NetSocket | null = null;
  /** Requests of the daemon's own probes are not the app's traffic. */
  isPrivate = false;
  pending = 0;
  startedAt = 0;
  /** What the socket had sent when the oldest pending request began. */
  sentBefore = 0;
  /** When the pipelined requests behind the first one began. */
  later: number[] | null = null;
  /** The response to the last of these; null while none is behind the first. */
  newest: HttpResponse | null = null;
  /** How the pending requests end if the connection closes now. */
  ending: 'served' | Outcome = 'aborted';

  open(socket: NetSocket, isPrivate: boolean): void {
    this.socket = socket;
    this.isPrivate = isPrivate;
    this.sentBefore = 0;
    this.later = null;
    this.ending = 'aborted';
  }

  /** A request began behind others. */
  queue(response: HttpResponse, at: number): void {
    (this.later ??= []).push(at);
    this.newest = response;
  }

  /** The only request is answered. */
  noteSent(response: HttpResponse, socket: NetSocket, tookMs: number): void {
    const size = tookMs < QUICK_MS ? sizeOf(response) : null;
    this.sentBefore = size === null ? sentBytes(socket) : this.sentBefore + size;
  }

  /** The oldest request is answered, others are behind it. */
  next(response: HttpResponse, socket: NetSocket): void {
    if (this.pending === 1) this.newest = null;
    // Nobody will answer what is queued behind it.
    if (isClosedByUs(response)) this.ending = 'lost';
    this.startedAt = this.later?.shift() ?? this.startedAt;
    this.sentBefore = sentBytes(socket);
  }
}

/** One call in so many is timed, because timing takes as long as the call. */
const TIMED = 128;

/** An answer as quick as that had no time for early hints. */
const QUICK_MS = 1;

const CONNECTION = Symbol('drover.connection');
interface Tracking {
  [CONNECTION]?: HttpConnection;
}

export interface RequestMeterOptions {
  readonly now: () => number;
  readonly isPrivate: (socket: NetSocket) => boolean;
}

export class RequestMeter {
  readonly #now: RequestMeterOptions['now'];
  readonly #isPrivate: RequestMeterOptions['isPrivate'];
  /** Of requests that are not counted by route. */
  readonly #unrouted = new Tally();
  readonly #counters: Mutable<Omit<RequestCounters, 'byClass' | 'latency'>> = {
    begun: 0,
    served: 0,
    failed: 0,
    lost: 0,
    aborted: 0,
    refused: 0,
    connections: 0,
    upgrades: 0,
  };
  /** Sees each response before the app does; null when there is nothing to change. */
  onResponse: ((response: HttpResponse, connection: HttpConnection) => void) | null = null;
  /** Where requests are counted by route, now or before; null: they never were. */
  routes: Routes | null = null;
  countsRoutes = false;
  inFlight = 0;
  /** Time that all this has taken, microseconds: an estimate from one call in {@link TIMED}. */
  costUs = 0;
  #starts = 0;
  #ends = 0;
  #losesInFlight = false;

  constructor({ now, isPrivate }: RequestMeterOptions) {
    this.#now = now;
    this.#isPrivate = isPrivate;
  }

  /** Begins to listen to Node's channels. Nothing is loaded by that. */
  attach(): void {
    listenFirst('http.server.request.start', (others) => (message) => {
      this.#start(message as HttpExchange);
      if (others.areThere) others.tell(message);
    });
    listenFirst('http.server.response.finish', (others) => (message) => {
      this.#finish(message as HttpExchange);
      if (others.areThere) others.tell(message);
    });
  }

  /** A call that is timed began then. */
  #addCost(beganMs: number): void {
    this.costUs += (this.#now() - beganMs) * 1000 * TIMED;
  }

  countConnection(): void {
    this.#counters.connections++;
  }

  countUpgrade(): void {
    this.#counters.upgrades++;
  }

  /** A request has begun; says when. */
  begin(at = this.#now()): number {
    this.#counters.begun++;
    this.inFlight++;
    return at;
  }

  /** `request`: where it is known. */
  finish(status: number, startedAt: number | null, request: RoutedRequest | null): void {
    this.#count(status, startedAt === null ? null : this.#now() - startedAt, request);
  }

  #count(status: number, tookMs: number | null, request: RoutedRequest | null): void {
    this.inFlight--;
    if (status >= 500) this.#counters.failed++;
    else this.#counters.served++;
    const routes = this.countsRoutes && tookMs !== null ? this.routes : null;
    const tally = routes === null || request === null ? this.#unrouted : routes.find(request, status);
    tally.count(status, tookMs);
  }

  drop(outcome: Outcome): void {
    this.inFlight--;
    this.#counters[outcome]++;
  }

  connectionOf(socket: NetSocket): HttpConnection | undefined {
    const atParser = (socket.parser as Tracking | null | undefined)?.[CONNECTION];
    return atParser?.socket === socket ? atParser : (socket as Tracking)[CONNECTION];
  }

  /** The process ends now: what is in flight counts as lost, unless the app answers it all the same on its way out. */
  loseInFlight(): void {
    this.#losesInFlight = true;
  }

  /** Changes whenever anything was counted. */
  get activity(): number {
    return this.#counters.begun + this.#counters.connections;
  }

  read(): RequestCounters {
    const lost = this.#counters.lost + (this.#losesInFlight ? this.inFlight : 0);
    const { byClass, latency } = this.#all;
    // The report that a worker makes while it loads shall not cost it what only a busy one needs.
    const sparse = this.#counters.begun === 0 ? [] : latency.toSparse();
    return { ...this.#counters, lost, byClass: [...byClass], latency: sparse };
  }

  get #all(): Tally {
    if (this.routes === null) return this.#unrouted;
    const all = new Tally();
    all.add(this.#unrouted);
    this.routes.addTo(all);
    return all;
  }

  /** Runs for each request, as does {@link #finish}: short, and without a call into Node but for the clock. */
  #start({ response, socket }: HttpExchange): void {
    const at = this.#now();
    const parser = socket.parser as HttpParser & Tracking;
    let connection = parser[CONNECTION];
    if (connection === undefined || connection.socket !== socket) connection = this.#open(parser, socket);
    if (!connection.isPrivate) {
      this.begin(at);
      if (connection.pending === 0) connection.startedAt = at;
      else connection.queue(response, at);
    }
    connection.pending++;
    if (this.onResponse !== null) this.onResponse(response, connection);
    if (++this.#starts % TIMED === 0) this.#addCost(at);
  }

  #finish({ request, response, socket }: HttpExchange): void {
    const connection = this.connectionOf(socket);
    // A response may finish after its connection was closed and its requests were counted as aborted.
    if (connection === undefined || connection.pending === 0) return;
    connection.pending--;
    if (connection.isPrivate) return;
    const at = this.#now();
    const tookMs = at - connection.startedAt;
    this.#count(response.statusCode, tookMs, request);
    if (connection.pending > 0) connection.next(response, socket);
    else connection.noteSent(response, socket, tookMs);
    if (++this.#ends % TIMED === 0) this.#addCost(at);
  }

  #open(parser: HttpParser & Tracking, socket: NetSocket): HttpConnection {
    const connection = parser[CONNECTION] ?? this.#track(parser);
    connection.open(socket, this.#isPrivate(socket));
    return connection;
  }

  /** Node calls `remove` when a connection is done with its parser: closed, or upgraded. */
  #track(parser: HttpParser & Tracking): HttpConnection {
    const connection = new HttpConnection();
    parser[CONNECTION] = connection;
    const { remove } = parser;
    const release = (): void => this.#release(connection);
    parser.remove = function () {
      remove.call(this);
      release();
    };
    return connection;
  }

  #release(connection: HttpConnection): void {
    const { socket, pending } = connection;
    connection.socket = null;
    if (socket === null || pending === 0) return;
    if (socket.destroyed) return this.#close(connection, socket);
    // Upgraded before the requests in front of that one were answered.
    const own = Object.assign(new HttpConnection(), connection, { socket });
    (socket as Tracking)[CONNECTION] = own;
    connection.pending = 0;
    connection.newest = null;
    socket.once('close', () => this.#close(own, socket));
  }

  /** The connection closed; whatever is pending on it has ended. */
  #close(connection: HttpConnection, socket: NetSocket): void {
    const { pending, ending, isPrivate } = connection;
    connection.pending = 0;
    connection.newest = null;
    if (isPrivate || pending === 0) return;
    const response = socket._httpMessage ?? null;
    const isWhole = response !== null && hasSentAll(response, socket.bytesWritten - connection.sentBefore);
    if (isWhole) this.finish(response.statusCode, connection.startedAt, response.req);
    for (let left = isWhole ? pending - 1 : pending; left > 0; left--) {
      if (ending !== 'served') this.drop(ending);
      else if (left === pending) this.finish(200, null, null);
      // Behind an event stream that we ended.
      else this.drop('lost');
    }
  }
}

/**
 * The bytes of a response that has finished, headers and all, by what Node left on it: the socket need not be asked, which is a call
 * into Node. What came before the headers is in no length (`writeContinue` leaves a note, early hints do not, but belong to
 * answers that take a while). Null where it does not tell.
 */
function sizeOf(response: HttpResponse): number | null {
  const { _header: header, _contentLength: length } = response;
  if (header === null || typeof length !== 'number' || response.chunkedEncoding || response._sent100) return null;
  return response._hasBody ? header.length + length : header.length;
}

/** `socket.bytesWritten` without what it adds for data that waits: between requests nothing does. */
function sentBytes(socket: NetSocket): number {
  return socket._handle?.bytesWritten ?? 0;
}

/**
 * A client that knows the length may leave with the last byte, before the app has said that it was the last: a file
 * is at its end only when one more read says so.
 */
function hasSentAll(response: HttpResponse, sentBytes: number): boolean {
  const header = response._header;
  const length = header === null ? null : /^content-length: *(\d+)/im.exec(header)?.[1];
  return header !== null && length !== undefined && length !== null && sentBytes >= header.length + Number(length);
}
