/**
 * `/health`, `/health/live` and `/health/ready` in the app's own server: one function that is a handler for `node:http`, a
 * middleware for Express, Koa and Hono, and a plugin or a route handler for Fastify, told apart by what it is called with. Loads none of
 * them. What else is asked for goes on to the app.
 *
 * While the event loop is blocked it cannot answer, as nothing can in this thread: for that there is `serveHealth`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  answerHealth,
  HEALTH_TYPE,
  type HealthAnswer,
  type HealthFacts,
  type HealthNames,
  type HealthQuestion,
} from './health-document.ts';

export interface HealthHandlerOptions extends HealthNames {
  /** Where the three paths begin; default `/health`. */
  readonly path?: string;
  /** Who sends it as `Authorization: Bearer …` is told checks and reasons. */
  readonly token?: string;
  /** Tells checks and reasons to everybody. Default false. */
  readonly details?: boolean;
}

/** A request of any framework, as far as it matters here. */
interface Question {
  readonly method: string;
  readonly paths: readonly string[];
  readonly authorization: string | undefined;
}

export interface HealthReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Next = (error?: unknown) => unknown;

/** Structural types, so that none of the frameworks need be installed. */
interface FastifyLike {
  readonly route: (options: {
    method: string | readonly string[];
    url: string;
    exposeHeadRoute: boolean;
    handler: (request: FastifyRequestLike, reply: FastifyReplyLike) => unknown;
  }) => unknown;
  readonly prefix?: string;
}
interface FastifyRequestLike {
  readonly raw: IncomingMessage;
}
interface FastifyReplyLike {
  readonly code: (status: number) => unknown;
  readonly headers: (headers: object) => unknown;
  readonly send: (body: string) => unknown;
}
interface KoaLike {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  status: number;
  body: unknown;
  readonly set: (headers: object) => void;
}
interface HonoLike {
  readonly req: {
    readonly path: string;
    readonly method: string;
    readonly header: (name: string) => string | undefined;
  };
}

/** What `healthHandler()` returns. */
export interface HealthHandler {
  /** `node:http`: whether it answers; false where the request is for something else. */
  (request: IncomingMessage, response: ServerResponse): boolean;
  /** Express 4 and 5, Connect: `app.use(healthHandler())`. */
  (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void;
  /** Fastify, as a plugin: `app.register(healthHandler())`. */
  (fastify: { readonly route: (options: never) => unknown }, options: object, done: () => void): void;
  /** Fastify, as the handler of a route of its own; Koa: `app.use(healthHandler())`; Hono: `app.use(healthHandler())`. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the contexts of Koa and Hono are generic over the app's own types
  (context: any, next: any): any;
}

export interface HealthFactsReader {
  readonly facts: () => HealthFacts;
  /** Resolves when there is an outcome of each check. */
  readonly settled: () => Promise<void>;
}

export const HEALTH_PATH = '/health';

export function createHealthHandler(reader: HealthFactsReader, options: HealthHandlerOptions = {}): HealthHandler {
  const desk = new HealthDesk(reader, options);
  // No named parameters: Express takes a function of four for one that handles errors, Fastify one of three for one that calls back.
  const handler = (...args: unknown[]): unknown => {
    const [first, second, third] = args;
    if (isFastify(first)) return registerRoutes(desk, first, third);
    if (isFastifyReply(second)) return replyFastify(desk, first as FastifyRequestLike, second);
    if (isHono(first)) return replyHono(desk, first, second as Next);
    if (isKoa(first)) return replyKoa(desk, first, second as Next);
    return replyNode(desk, first as IncomingMessage, second as ServerResponse, third as Next | undefined, handler);
  };
  return handler as HealthHandler;
}

/** Answers questions, whoever carries them. */
export class HealthDesk {
  readonly #reader: HealthFactsReader;
  readonly #options: HealthHandlerOptions;
  readonly #names: HealthNames;
  readonly #questions: ReadonlyMap<string, HealthQuestion>;
  readonly path: string;

  constructor(reader: HealthFactsReader, options: HealthHandlerOptions) {
    const { path = HEALTH_PATH, token, version, releaseId, serviceId, description } = options;
    if (!path.startsWith('/')) throw new TypeError(`path must begin with a slash, not ${JSON.stringify(path)}`);
    if (token !== undefined && (typeof token !== 'string' || token === '')) {
      throw new TypeError('token must be a string that is not empty; leave it out to tell details to nobody');
    }
    this.#reader = reader;
    this.#options = options;
    this.#names = {
      ...(version !== undefined && { version }),
      ...(releaseId !== undefined && { releaseId }),
      ...(serviceId !== undefined && { serviceId }),
      ...(description !== undefined && { description }),
    };
    this.path = path.replace(/\/+$/, '');
    this.#questions = new Map<string, HealthQuestion>([
      [this.path, 'health'],
      [`${this.path}/live`, 'live'],
      [`${this.path}/ready`, 'ready'],
    ]);
  }

  /** The question that one of these paths asks; null where none does. */
  find(paths: readonly string[]): HealthQuestion | null {
    for (const path of paths) {
      const [plain = ''] = path.split('?', 1);
      const question = this.#questions.get(plain.length > 1 ? plain.replace(/\/$/, '') : plain);
      if (question !== undefined) return question;
    }
    return null;
  }

  async reply(question: HealthQuestion, { method, authorization }: Question): Promise<HealthReply> {
    if (method !== 'GET' && method !== 'HEAD') {
      return { status: 405, headers: { allow: 'GET, HEAD', 'cache-control': 'no-store' }, body: '' };
    }
    if (question !== 'live') await this.#reader.settled();
    const withDetails = this.#options.details === true || (await this.#isKnown(authorization));
    return write(this.answer(question, withDetails), method);
  }

  answer(question: HealthQuestion, withDetails: boolean): HealthAnswer {
    return answerHealth(question, this.#reader.facts(), this.#names, withDetails);
  }

  async #isKnown(authorization: string | undefined): Promise<boolean> {
    const { token } = this.#options;
    return token !== undefined && isBearer(authorization, token);
  }
}

/** Whether this header carries the token; takes as long whatever of it is right. */
export async function isBearer(authorization: string | undefined, token: string): Promise<boolean> {
  const given = /^bearer +(.+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) return false;
  const { createHash, timingSafeEqual } = await import('node:crypto');
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given.trim()), digest(token));
}

export function write({ status, body }: HealthAnswer, method: string): HealthReply {
  const headers = { 'content-type': HEALTH_TYPE, 'cache-control': 'no-store' };
  return { status, headers, body: method === 'HEAD' ? '' : JSON.stringify(body) };
}

function questionOf(request: IncomingMessage): Question {
  // Express and Connect cut off what they are mounted at, and keep the whole.
  const { originalUrl } = request as IncomingMessage & { readonly originalUrl?: string };
  const { url = '', method = 'GET', headers } = request;
  return {
    method,
    paths: originalUrl === undefined ? [url] : [originalUrl, url],
    authorization: headers.authorization,
  };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function isFastify(value: unknown): value is FastifyLike {
  return isObject(value) && 'route' in value && 'addHook' in value && 'decorateRequest' in value;
}

function isFastifyReply(value: unknown): value is FastifyReplyLike {
  return isObject(value) && 'code' in value && 'send' in value && 'raw' in value && 'request' in value;
}

function isHono(value: unknown): value is HonoLike {
  if (!isObject(value) || !('req' in value) || !isObject(value.req)) return false;
  return 'header' in value.req && typeof value.req.header === 'function' && 'path' in value.req;
}

function isKoa(value: unknown): value is KoaLike {
  return isObject(value) && 'req' in value && 'res' in value && 'body' in value && 'originalUrl' in value;
}

function replyNode(
  desk: HealthDesk,
  request: IncomingMessage,
  response: ServerResponse,
  next: Next | undefined,
  handler: unknown,
): boolean | undefined {
  const asked = questionOf(request);
  const question = desk.find(asked.paths);
  if (question === null) {
    if (next !== undefined) {
      next();
      return undefined;
    }
    // Nobody else would answer it.
    if (isOnlyListener(request, handler)) response.writeHead(404).end();
    return false;
  }
  void send(desk, question, asked, response, next);
  return next === undefined ? true : undefined;
}

async function send(
  desk: HealthDesk,
  question: HealthQuestion,
  asked: Question,
  response: ServerResponse,
  next: Next | undefined,
): Promise<void> {
  try {
    const { status, headers, body } = await desk.reply(question, asked);
    if (response.headersSent || response.destroyed) return;
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
  } catch (error) {
    if (next === undefined) response.destroy(error as Error);
    else next(error);
  }
}

function isOnlyListener(request: IncomingMessage, handler: unknown): boolean {
  const { server } = request.socket as typeof request.socket & {
    readonly server?: { readonly listeners: (event: string) => readonly unknown[] };
  };
  const listeners = server?.listeners('request');
  return listeners?.length === 1 && listeners[0] === handler;
}

function registerRoutes(desk: HealthDesk, fastify: FastifyLike, done: unknown): void {
  // What it is registered under may be the path itself.
  const base = fastify.prefix === desk.path ? '' : desk.path;
  for (const url of [base, `${base}/live`, `${base}/ready`]) {
    fastify.route({
      method: ['GET', 'HEAD'],
      url: url === '' ? '/' : url,
      exposeHeadRoute: false,
      handler: async (request, reply) => replyFastify(desk, request, reply),
    });
  }
  if (typeof done === 'function') (done as () => void)();
}

async function replyFastify(desk: HealthDesk, request: FastifyRequestLike, reply: FastifyReplyLike): Promise<unknown> {
  const asked = questionOf(request.raw);
  const question = desk.find(asked.paths) ?? 'health';
  const { status, headers, body } = await desk.reply(question, asked);
  reply.code(status);
  reply.headers(headers);
  return reply.send(body);
}

async function replyKoa(desk: HealthDesk, context: KoaLike, next: Next): Promise<void> {
  const asked = questionOf(context.req);
  const question = desk.find(asked.paths);
  if (question === null) return void (await next());
  const { status, headers, body } = await desk.reply(question, asked);
  context.status = status;
  context.body = body;
  context.set(headers);
}

async function replyHono(desk: HealthDesk, { req }: HonoLike, next: Next): Promise<unknown> {
  const asked = { method: req.method, paths: [req.path], authorization: req.header('authorization') };
  const question = desk.find(asked.paths);
  if (question === null) return next();
  const { status, headers, body } = await desk.reply(question, asked);
  return new Response(body, { status, headers });
}
