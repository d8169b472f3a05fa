/**
 * The API on its Unix socket. Runs the route table: validates, calls the service, writes the answer. Whatever goes
 * wrong becomes an error document; nothing that a client sends can end the daemon.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import * as v from 'valibot';
import { findNearest } from '../config/index.ts';
import { DroverError, toErrorDocument } from '../protocol/index.ts';
import { readJson } from './body.ts';
import { listenPrivately } from './listen.ts';
import { ROUTES, type Route } from './routes.ts';
import { describeIssues } from './schemas.ts';
import type { Caller, DroverService } from './service.ts';
import { writeEvents } from './stream.ts';

export interface ApiOptions {
  readonly service: DroverService;
  readonly socketPath: string;
  readonly bodyLimitBytes?: number;
  /** Reads the peer credentials of a connected socket's descriptor. */
  readonly callerOf?: (fd: number) => Caller | null;
  /** Told of everything that is not in the catalogue: a defect, or the operating system failing. */
  readonly onDefect: (error: unknown) => void;
}

export interface ApiServer {
  /** Ends streams and idle connections, lets other answers finish, and removes the socket. */
  close(): Promise<void>;
}

type Env = { Bindings: HttpBindings };

const DEFAULT_BODY_LIMIT = 1024 * 1024;
/** How long answers under way may take when the server closes. */
const CLOSE_GRACE_MS = 1_000;

/** Serves the API until closed. Throws DROVER_DAEMON_RUNNING when another daemon answers on the path. */
export const serveApi = async (options: ApiOptions): Promise<ApiServer> => {
  const closing = new AbortController();
  const app = new Hono<Env>();
  for (const route of ROUTES) app.on(route.method, route.path, async (c) => run(route, c, options, closing.signal));
  app.get('/v1/openapi.json', async (c) => {
    // Described only when somebody asks: the generator and the schemas of all documents are not kept loaded.
    const { makeOpenApi } = await import('./openapi.ts');
    return c.json(makeOpenApi());
  });
  const fail = async (error: unknown, c: Context<Env>): Promise<Response> => {
    const known = await toKnown(error, options);
    return c.json(toErrorDocument(known), known.httpStatus as 400);
  };
  app.notFound((c) => fail(new DroverError('DROVER_ROUTE_UNKNOWN', { method: c.req.method, path: c.req.path }), c));
  app.onError(fail);

  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false, hostname: 'drover' }) as Server;
  server.on('clientError', (_error, socket: Socket) => {
    refuseConnection(socket);
  });
  server.headersTimeout = 10_000;
  await listenPrivately(server, options.socketPath);
  return {
    close: async () => {
      closing.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        server.closeAllConnections();
      }, CLOSE_GRACE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
};

const run = async (
  { query, body, answer }: Route,
  c: Context<Env>,
  options: ApiOptions,
  closing: AbortSignal,
): Promise<Response> => {
  const { service, bodyLimitBytes = DEFAULT_BODY_LIMIT, callerOf } = options;
  const { incoming, outgoing } = c.env;
  const gone = new AbortController();
  outgoing.once('close', () => {
    gone.abort();
  });
  const signal = AbortSignal.any([gone.signal, closing]);
  const input = {
    params: c.req.param() as Record<string, string>,
    query: parse(query, c.req.query()),
    body: body === null ? undefined : parse(body, await readJson(incoming, bodyLimitBytes)),
  };
  const context = { caller: findCaller(incoming, callerOf), signal };
  if (answer.kind === 'document') return c.json(await answer.call(service, input, context));
  if (answer.kind === 'text')
    return c.text(await answer.call(service, input, context), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    });
  const source = await answer.call(service, input, context);
  await writeEvents(outgoing, source, signal, (error) => toKnown(error, options));
  return RESPONSE_ALREADY_SENT;
};

const parse = (schema: v.GenericSchema, value: unknown): unknown => {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new DroverError('DROVER_REQUEST_INVALID', { message: describeIssues(result.issues) });
};

const findCaller = ({ socket }: IncomingMessage, callerOf: ApiOptions['callerOf']): Caller | null => {
  // Node shows the descriptor of a socket nowhere else.
  const { fd } = (socket as unknown as { readonly _handle?: { readonly fd?: number } })._handle ?? {};
  return fd === undefined || fd < 0 ? null : (callerOf?.(fd) ?? null);
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
const refuseConnection = (socket: Socket): void => {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const error = new DroverError('DROVER_REQUEST_INVALID', { message: 'this is not HTTP, or its headers are too long' });
  const text = JSON.stringify(toErrorDocument(error));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
};
