/** Asks the client of an HTTP/1 response to use another connection for its next request. */
import type { HttpResponse } from './node-internals.ts';

/** The requests of one connection, as far as they are pipelined. */
export interface Pipeline {
  /** The response behind all others; null where there is only one. */
  readonly newest: HttpResponse | null;
}

const closedByUs = new WeakSet<HttpResponse>();

/**
 * Takes effect when the headers have not been sent yet, also where the app sets `Connection: keep-alive` itself. Node
 * closes after such a response whatever is queued behind it, so one with another behind it is left as it is.
 */
export function closeAfter(response: HttpResponse, pipeline: Pipeline): void {
  if (response.headersSent) return;
  const store = response._storeHeader;
  response._storeHeader = function storeHeader(this: HttpResponse, firstLine: string, headers: unknown): void {
    // Only now: more may have been asked for since.
    if (pipeline.newest !== null && pipeline.newest !== this) return store.call(this, firstLine, headers);
    if (this.shouldKeepAlive) closedByUs.add(this);
    this.shouldKeepAlive = false;
    store.call(this, firstLine, headers);
    // An explicit header (copied by a proxy, say) wins over `shouldKeepAlive`.
    if (this._last || this._header === null) return;
    this._header = this._header
      .replace(/^connection: *keep-alive *$/im, 'Connection: close')
      .replace(/^keep-alive:.*\r\n/im, '');
    this._last = true;
  };
}

/** Whether the connection ends with this response because of us, and of nobody else. */
export function isClosedByUs(response: HttpResponse): boolean {
  return closedByUs.has(response);
}

const EVENT_STREAM = /^content-type: *text\/event-stream/im;

export function isEventStream(response: HttpResponse): boolean {
  return response._header !== null && EVENT_STREAM.test(response._header);
}

/**
 * Ends a stream of server-sent events after its last complete chunk, below the app: `response.end()` would make the
 * app's next `write` an error, this makes it a write to a client that has left.
 */
export function endEventStream(response: HttpResponse): void {
  const { socket } = response;
  if (socket === null || socket.destroyed || socket.writableEnded) return;
  if (response.chunkedEncoding) socket.end('0\r\n\r\n', 'latin1');
  else socket.end();
}
