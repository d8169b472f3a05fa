/**
 * The API on its Unix socket. Runs the route table: validates, calls the service, writes the answer. Whatever goes
 * wrong becomes an error document; nothing that a client sends can end the daemon.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import findMyWay from 'find-my-way';
import * as v from 'valibot';
import { findNearest } from '../config/index.ts';
import { DroverError, NOTICE_HEADER, toErrorDocument, VERSION_HEADER } from '../protocol/index.ts';
import { readJson } from './body.ts';
import { createServer } from './http.ts';
import { listenAgain, listenOn, listenPrivately, removeSocket } from './listen.ts';
import { readRequestKey } from './request-key.ts';
import { type Route, takesKey } from './route.ts';
import { ROUTES } from './routes.ts';
import { describeIssues } from './schemas.ts';
import type { Caller, DroverService } from './service.ts';
import { writeEvents } from './stream.ts';

export interface ApiOptions {
  readonly service: DroverService;
  readonly socketPath: string;
  /** A socket that listens there already, from the program that this process was before. */
  readonly inherited?: number | null;
  readonly bodyLimitBytes?: number;
  /** Reads the peer credentials of a connected socket's descriptor. */
  readonly callerOf?: (fd: number) => Caller | null;
  /** What whoever types the next command should know; null when there is nothing. */
  readonly notice?: () => string | null;
  /** Runs what answers a request, whose `traceparent` this is. */
  readonly within?: (traceparent: string | undefined, work: () => Promise<void>) => Promise<void>;
  /** Of this Drover, told with every answer. */
  readonly version?: string;
  /** Told of everything that is not in the catalogue: a defect, or the operating system failing. */
  readonly onDefect: (error: unknown) => void;
  /** Told where a request that begins operations has come to; for tests that end the daemon there. */
  readonly onStep?: (step: 'request-received' | 'request-answered') => void;
}

export interface ApiServer {
  /** Makes the socket's file again that somebody has removed. */
  listenAgain(): Promise<void>;
  /** From now on nobody begins an operation: those that there are are being ended. */
  refuseChanges(): void;
  /**
   * Ends streams and idle connections, lets other answers finish, and removes the socket. `isFollowedByNext`: another
   * daemon is expected soon, so streams are cut, and clients open them again.
   */
  close(options?: { readonly isFollowedByNext: boolean }): Promise<void>;
  /**
   * The same, but the socket stays where it is and goes on listening, by a descriptor that `keep` makes of its own: who
   * connects from now on waits for the next program. For daemons that become another program.
   */
  handOver(keep: (fd: number) => number): Promise<number>;
}

/**
 * A configuration file of 1 MB is many times as large here: every app comes with its defaults and, where it inherits them,
 * all variables of its caller.
 */
const DEFAULT_BODY_LIMIT = 8 * 1024 * 1024;
/** Names and ids are far shorter; a longer one is nobody's. */
const MAX_PARAMETER_LENGTH = 256;
/** How long answers under way may take when the server closes. */
const CLOSE_GRACE_MS = 1_000;

/** Serves the API until closed. Throws DROVER_DAEMON_RUNNING when another daemon answers on the path. */
export const serveApi = async (options: ApiOptions): Promise<ApiServer> => {
  const closing = new AbortController();
  let isFollowed = false;
  let isEnding = false;
  const life: Life = { closing: closing.signal, isCut: () => isFollowed, isEnding: () => isEnding };
  const { within = (_traceparent, work) => work() } = options;
  const router = findMyWay({ ignoreTrailingSlash: true, maxParamLength: MAX_PARAMETER_LENGTH });
  for (const route of ROUTES) {
    router.on(route.method, route.path, (request, response, params) =>
      guarded(
        within(traceparentOf(request), () => run(route, { request, response, params }, options, life)),
        response,
        options,
      ),
    );
  }
  router.on('GET', '/v1/openapi.json', (_request, response) => guarded(sendOpenApi(response), response, options));
  const server = createServer((request, response) => {
    if (options.version !== undefined) response.setHeader(VERSION_HEADER, options.version);
    const handler = router.find(request.method as 'GET', request.url ?? '/');
    if (handler !== null) return router.lookup(request, response);
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const unknown = new DroverError('DROVER_ROUTE_UNKNOWN', { method: request.method, path });
    return guarded(Promise.reject(unknown), response, options);
  });
  // Node would answer these two by itself, without a document.
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    sendJson(response, 417, toErrorDocument(invalidRequest('only `100-continue` can be expected')));
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    refuseConnection(socket, 'this is no proxy');
  });
  server.on('clientError', (_error, socket: Socket) => {
    refuseConnection(socket, 'this is not HTTP, or its headers are too long');
  });
  server.headersTimeout = 10_000;
  const { inherited = null, socketPath } = options;
  if (inherited === null) await listenPrivately(server, socketPath);
  else await listenOn(server, inherited);
  const end = async (): Promise<void> => {
    closing.abort();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = setTimeout(() => {
      server.closeAllConnections();
    }, CLOSE_GRACE_MS);
    await closed;
    clearTimeout(timer);
  };
  return {
    listenAgain: () => listenAgain(server, socketPath),
    refuseChanges: () => {
      isEnding = true;
    },
    close: async (ending = { isFollowedByNext: false }) => {
      isFollowed = ending.isFollowedByNext;
      await end();
      removeSocket(socketPath);
    },
    handOver: async (keep) => {
      const kept = keep(descriptorOf(server));
      isFollowed = true;
      await end();
      return kept;
    },
  };
};

/** Node joins several of them, which is none. */
const traceparentOf = ({ headers }: IncomingMessage): string | undefined => [headers['traceparent']].flat()[0];

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<Record<string, string | undefined>>;
}

interface Life {
  readonly closing: AbortSignal;
  readonly isCut: () => boolean;
  readonly isEnding: () => boolean;
}

const run = async (
  route: Route,
  { request, response, params }: Exchange,
  options: ApiOptions,
  { closing, isCut, isEnding }: Life,
): Promise<void> => {
  const { query, body, answer } = route;
  const { service, bodyLimitBytes = DEFAULT_BODY_LIMIT, callerOf, onStep } = options;
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const signal = AbortSignal.any([gone.signal, closing]);
  const input = {
    params: params as Readonly<Record<string, string>>,
    query: parse(query, queryOf(request)),
    body: body === null ? undefined : parse(body, await readJson(request, bodyLimitBytes)),
  };
  const isKeyed = takesKey(route);
  const context = {
    caller: findCaller(request, callerOf),
    signal,
    request: isKeyed ? readRequestKey(request, input.body) : null,
    accept: request.headers.accept ?? null,
  };
  if (isKeyed && isEnding()) throw new DroverError('DROVER_DAEMON_ENDING');
  if (isKeyed && onStep !== undefined) {
    onStep('request-received');
    response.once('finish', () => onStep('request-answered'));
  }
  // Only for those who will show it: it may be told only once.
  const notice = request.headers[NOTICE_HEADER] === undefined ? null : (options.notice?.() ?? null);
  if (notice !== null) response.setHeader(NOTICE_HEADER, encodeURIComponent(notice));
  switch (answer.kind) {
    case 'document':
      sendJson(response, 200, await answer.call(service, input, context));
      return;
    case 'text': {
      const { type, text } = await answer.call(service, input, context);
      send(response, 200, type, text);
      return;
    }
    case 'stream': {
      const source = await answer.call(service, input, context);
      await writeEvents(response, source, signal, (error) => toKnown(error, options), isCut);
    }
  }
};

/** Described only when somebody asks: the generator and the schemas of all documents are not kept loaded. */
const sendOpenApi = async (response: ServerResponse): Promise<void> => {
  const { makeOpenApi } = await import('./openapi.ts');
  sendJson(response, 200, makeOpenApi());
};

/** Whatever goes wrong on the way to an answer becomes the answer. */
const guarded = async (work: Promise<void>, response: ServerResponse, options: ApiOptions): Promise<void> => {
  try {
    await work;
  } catch (error) {
    const known = await toKnown(error, options);
    if (response.headersSent) response.destroy();
    else sendJson(response, known.httpStatus, toErrorDocument(known));
  }
};

const sendJson = (response: ServerResponse, status: number, document: unknown): void =>
  send(response, status, 'application/json', JSON.stringify(document));

const send = (response: ServerResponse, status: number, type: string, text: string): void => {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
};

/** The last of a name that is given twice counts. */
const queryOf = ({ url }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(new URLSearchParams((url ?? '').split('?').slice(1).join('?')));

const parse = (schema: v.GenericSchema, value: unknown): unknown => {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw invalidRequest(describeIssues(result.issues));
};

const invalidRequest = (message: string): DroverError => new DroverError('DROVER_REQUEST_INVALID', { message });

/** Node shows the descriptor of a socket nowhere else. */
const descriptorOf = (socket: unknown): number =>
  (socket as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1;

const findCaller = ({ socket }: IncomingMessage, callerOf: ApiOptions['callerOf']): Caller | null => {
  const fd = descriptorOf(socket);
  return fd < 0 ? null : (callerOf?.(fd) ?? null);
};

/** Any error as one from the catalogue, with the nearest name where an app is unknown. */
const toKnown = async (error: unknown, { service, onDefect }: ApiOptions): Promise<DroverError> => {
  if (!(error instanceof DroverError)) {
    onDefect(error);
    const message = error instanceof Error ? error.message : String(error);
    return new DroverError('DROVER_INTERNAL', { message }, { cause: error });
  }
  if (error.code === 'DROVER_INTERNAL') onDefect(error);
  if (error.code !== 'DROVER_APP_UNKNOWN' || error.data['suggestion'] !== undefined) return error;
  const names = await listNames(service);
  const suggestion = findNearest(String(error.data['app']), names);
  return suggestion === null
    ? error
    : new DroverError('DROVER_APP_UNKNOWN', { ...error.data, suggestion }, { cause: error });
};

const listNames = async (service: DroverService): Promise<string[]> => {
  try {
    return (await service.list()).apps.map(({ name }) => name);
  } catch {
    return []; // A suggestion is a courtesy; the error stands without it.
  }
};

/** What is no HTTP gets an answer that a person can read, and the connection is over. */
const refuseConnection = (socket: Socket, message: string): void => {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const text = JSON.stringify(toErrorDocument(invalidRequest(message)));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
};
