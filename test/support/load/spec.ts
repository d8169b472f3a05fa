/**
 * What a load is asked to do, and what it saw. One JSON document each way between the test and the load's own process
 * (see `main.ts`); nothing here does anything.
 */

export const LOAD_MODES = ['new', 'kept', 'post', 'open', 'download', 'events', 'websocket', 'http2'] as const;
/**
 * - `new`: a new connection per request, `connections` at a time
 * - `kept`, `post`: `connections` kept-alive connections, GET or POST of `bodyBytes`
 * - `open`: new connections at `rate` per second, whether answers come or not; latency counts from when one was due
 * - `download`, `events`, `websocket`: `connections` long-lived clients, each opened again when it ended
 * - `http2`: `connections` concurrent requests over a quarter as many sessions
 */
export type LoadMode = (typeof LOAD_MODES)[number];

export interface LoadSpec {
  readonly mode: LoadMode;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** Requests per second of mode `open`; unused elsewhere. */
  readonly rate: number;
  /** A client waits a random time between these before its next request (or message, in mode `websocket`). */
  readonly pauseMs: readonly [least: number, most: number];
  /** The same for every tenth client, whose connection is therefore mostly idle; null: no client is slow. */
  readonly slowPauseMs: readonly [least: number, most: number] | null;
  readonly bodyBytes: number;
  /** The load ends by itself after this time, or after this many requests. */
  readonly seconds: number;
  readonly maxRequests: number;
  /** Silence for this long counts as lost. */
  readonly timeoutMs: number;
  /** Send `x-request-id`, so that what clients saw can be matched with what workers noted. */
  readonly sendsIds: boolean;
}

const PATHS: Record<LoadMode, string> = {
  new: '/',
  kept: '/',
  post: '/upload',
  open: '/',
  download: '/download',
  events: '/events',
  websocket: '/',
  http2: '/',
};

/** Fills in what a mode usually wants. */
export function completeSpec(wish: Partial<LoadSpec> & Pick<LoadSpec, 'mode' | 'port'>): LoadSpec {
  return {
    host: '127.0.0.1',
    path: PATHS[wish.mode],
    connections: 50,
    rate: 800,
    pauseMs: wish.mode === 'websocket' ? [50, 50] : [0, 0],
    slowPauseMs: null,
    bodyBytes: 65_536,
    seconds: 60,
    maxRequests: 5_000_000,
    timeoutMs: 15_000,
    sendsIds: false,
    ...wish,
  };
}

/** A request that did not get its whole, right answer. */
export interface LostRequest {
  readonly id: string;
  readonly reason: string;
  /** Milliseconds after the start of the load: when it was sent, and when it was known to be lost. */
  readonly sentAtMs: number;
  readonly lostAtMs: number;
  /** Port of this end of its connection; null when it never had one. */
  readonly localPort: number | null;
}

export interface LoadSecond {
  readonly second: number;
  readonly answered: number;
  readonly lost: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface LoadReport {
  readonly mode: LoadMode;
  /** Wall-clock time of the first request. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Answered in full with a 2xx. For `events` and `websocket`: messages that arrived, whole and in order. */
  readonly answered: number;
  readonly lost: number;
  /** The first thousand of them. */
  readonly lostRequests: readonly LostRequest[];
  readonly lostByReason: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  /** HTTP/2 streams refused with REFUSED_STREAM: not processed, retried by this client, counted apart. */
  readonly refused: number;
  readonly latencyMs: { readonly p50: number | null; readonly p99: number | null; readonly max: number | null };
  readonly seconds: readonly LoadSecond[];
  /** Answers in each hundredth of a second, to count those between two moments that somebody else names. */
  readonly hundredths: readonly number[];
  readonly connections: {
    readonly opened: number;
    /** Closed by the server between two requests of ours. */
    readonly closedIdle: number;
    /** New connections by the worker that answered first on them (`x-worker`), where the app says so. */
    readonly byWorker: Readonly<Record<string, number>>;
  };
  /** Modes `websocket` and `events` only; zeros elsewhere. */
  readonly streams: {
    /** How streams ended: a close code, or `complete`, `at a border`. */
    readonly endings: Readonly<Record<string, number>>;
    /** How often each client was ended by the server. */
    readonly endingsPerClient: readonly number[];
    /** Messages sent before the close was seen that were never echoed: in flight during a close, not lost by it. */
    readonly unanswered: number;
  };
}

/** Lines from the load's process; the only line to it is `stop`. */
export type LoadLine =
  | { readonly type: 'started' }
  | { readonly type: 'progress'; readonly answered: number; readonly lost: number }
  | { readonly type: 'report'; readonly report: LoadReport };
