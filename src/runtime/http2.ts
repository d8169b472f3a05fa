/**
 * HTTP/2 sessions of the app's servers: counts their streams, and lets them end without refusing what the client has
 * already sent: first a GOAWAY that only announces, then, once a ping has proved that the client has seen it and no
 * stream is open, the one that closes. Works on what the app loaded; never loads `http2` itself.
 */
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { NetServer, NetSocket } from './node-internals.ts';
import type { Outcome, RequestMeter } from './requests.ts';

const NO_ERROR = 0;
const REFUSED_STREAM = 7;
/** The largest stream id: "any stream may still come". */
const ANY_STREAM = 2 ** 31 - 1;
const PING_WAIT_MS = 1000;

export class Http2Session {
  readonly session: ServerHttp2Session;
  readonly streams = new Set<ServerHttp2Stream>();
  /** Event streams that we closed. */
  readonly ended = new WeakSet<ServerHttp2Stream>();
  /** How streams end that are cut with the session. */
  ending: Outcome = 'aborted';
  #hasAnnounced = false;
  #hasBeenHeard = false;

  constructor(session: ServerHttp2Session) {
    this.session = session;
  }

  /** Moves the session towards its end by as much as is possible now; call again until it is gone. */
  leave(): void {
    const { session } = this;
    if (session.destroyed || session.closed) return;
    if (!this.#hasAnnounced) {
      this.#hasAnnounced = true;
      const heard = (): void => {
        this.#hasBeenHeard = true;
        if (this.streams.size === 0 && !session.closed && !session.destroyed) session.close();
      };
      // A client that answers no ping is not waited for longer than this.
      setTimeout(heard, PING_WAIT_MS).unref();
      session.goaway(NO_ERROR, ANY_STREAM);
      session.ping(heard);
    } else if (this.#hasBeenHeard && this.streams.size === 0) {
      session.close();
    }
  }

  /** Event streams have no end of their own: closes them as if they had been answered in full. */
  endEventStreams(): void {
    for (const stream of this.streams) {
      const type = stream.sentHeaders?.['content-type'];
      if (typeof type !== 'string' || !type.startsWith('text/event-stream') || stream.closed) continue;
      this.ended.add(stream);
      stream.close(NO_ERROR);
    }
  }

  cut(): void {
    this.ending = 'lost';
    this.session.destroy();
  }
}

export class Http2Sessions {
  readonly open = new Set<Http2Session>();
  readonly #meter: RequestMeter;
  readonly #isPrivate: (socket: NetSocket) => boolean;

  constructor(meter: RequestMeter, isPrivate: (socket: NetSocket) => boolean) {
    this.#meter = meter;
    this.#isPrivate = isPrivate;
  }

  watch(server: NetServer): void {
    server.prependListener('session', (session: ServerHttp2Session) => this.#add(session));
  }

  #add(session: ServerHttp2Session): void {
    const entry = new Http2Session(session);
    const isCounted = !this.#isPrivate(session.socket);
    this.open.add(entry);
    session.once('close', () => this.open.delete(entry));
    session.prependListener('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
      this.#begin(entry, stream, isCounted ? headers : null),
    );
  }

  #begin(entry: Http2Session, stream: ServerHttp2Stream, headers: IncomingHttpHeaders | null): void {
    const isCounted = headers !== null;
    entry.streams.add(stream);
    const startedAt = isCounted ? this.#meter.begin() : 0;
    stream.once('close', () => {
      entry.streams.delete(stream);
      if (!isCounted) return;
      const status = stream.sentHeaders?.[':status'];
      const isComplete = stream.writableFinished || entry.ended.has(stream);
      if (status !== undefined && isComplete && stream.rstCode === NO_ERROR) {
        this.#meter.finish(Number(status), startedAt, { method: headers[':method'], url: headers[':path'] });
      } else {
        this.#meter.drop(stream.rstCode === REFUSED_STREAM ? 'refused' : entry.ending);
      }
    });
  }
}
