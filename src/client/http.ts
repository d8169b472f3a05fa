/** One request over the Unix socket. Errors of the daemon come back as the `DroverError` they were; its silence too. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import {
  type DaemonDocument,
  DroverError,
  type ErrorDocument,
  fromErrorDocument,
  NOTICE_HEADER,
  VERSION_HEADER,
} from '../protocol/index.ts';

import { findHomeProblem } from './home-problem.ts';
import { ownHome } from './home.ts';
import { findPlaceProblem } from './runtime-directory.ts';

/** Not imported: that would load undici as well (docs/decisions/builtin-modules.md). */
const { request: httpRequest } = process.getBuiltinModule('node:http');

export interface Connection {
  readonly socketPath: string;
  /** Until the first byte of an answer. */
  readonly timeoutMs: number;
  /** Given what the daemon wants its user to know, beside any answer. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Given the daemon's version, with each answer. */
  readonly onVersion?: ((version: string) => void) | undefined;
  readonly traceparent?: string | undefined;
}

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** 0: no limit. */
  readonly timeoutMs?: number;
  /** With it the request may be sent again: it is carried out once. */
  readonly key?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The answer, its body not read yet. Throws what the daemon answered with, DROVER_DAEMON_UNREACHABLE, or
 * DROVER_NOT_ALLOWED where the socket is not ours, or lies where it might not be.
 */
export const open = async (connection: Connection, exchange: Exchange): Promise<IncomingMessage> => {
  const problem = findPlaceProblem(connection.socketPath);
  if (problem !== null) throw toError(problem, connection.socketPath);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const text = exchange.body === undefined ? undefined : JSON.stringify(exchange.body);
  const timeoutMs = exchange.timeoutMs ?? connection.timeoutMs;
  const request: ClientRequest = httpRequest({
    socketPath: connection.socketPath,
    method: exchange.method,
    path: exchange.path,
    agent: false,
    headers: {
      host: 'drover',
      ...(connection.onNotice === undefined ? {} : { [NOTICE_HEADER]: 'shown' }),
      ...(connection.traceparent === undefined ? {} : { traceparent: connection.traceparent }),
      ...(exchange.key === undefined ? {} : { 'idempotency-key': `"${exchange.key}"` }),
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
    ...(exchange.signal === undefined ? {} : { signal: exchange.signal }),
  });
  request.setTimeout(timeoutMs, () => {
    request.destroy(new DroverError('DROVER_TIMEOUT', { what: 'The daemon’s answer', limit: `${timeoutMs} ms` }));
  });
  request.on('response', (response) => {
    request.setTimeout(0);
    resolve(response);
  });
  request.on('error', (error) => {
    reject(toError(error, connection.socketPath));
  });
  request.end(text);
  const response = await promise;
  const notice = response.headers[NOTICE_HEADER];
  if (typeof notice === 'string') connection.onNotice?.(decodeURIComponent(notice));
  const version = response.headers[VERSION_HEADER];
  if (typeof version === 'string') connection.onVersion?.(version);
  if ((response.statusCode ?? 500) < 400) return response;
  throw fromErrorDocument(await readError(response));
};

/** The answer as a document. */
export const call = async <Document>(connection: Connection, exchange: Exchange): Promise<Document> =>
  JSON.parse(await readText(await open(connection, exchange), connection.socketPath)) as Document;

export const readText = async (response: IncomingMessage, socketPath: string): Promise<string> => {
  response.setEncoding('utf8');
  let text = '';
  try {
    for await (const chunk of response) text += String(chunk);
  } catch (error) {
    throw toError(error as Error, socketPath);
  }
  return text;
};

const readError = async (response: IncomingMessage): Promise<ErrorDocument> => {
  const text = await readText(response, '');
  try {
    return JSON.parse(text) as ErrorDocument;
  } catch {
    const message = `the daemon answered ${response.statusCode ?? '?'}: ${text.slice(0, 200)}`;
    return { error: { code: 'DROVER_INTERNAL', message, hint: null, docs: '', data: { message } } };
  }
};

/** What the operating system says, in the catalogue's words. */
export const toError = (error: Error, socketPath: string): Error => {
  if (error instanceof DroverError || error.name === 'AbortError') return error;
  const { code } = error as NodeJS.ErrnoException;
  const own = ownHome();
  // Where it is the home that nobody can use, there is no daemon to speak of.
  const problem = [own.socketPath, own.usualPath].includes(socketPath) ? findHomeProblem(own.home) : null;
  if (problem !== null) return problem;
  if (code === 'EACCES' || code === 'EPERM')
    return new DroverError(
      'DROVER_NOT_ALLOWED',
      {
        message: `You may not talk to the daemon on ${socketPath}.`,
        advice: 'It belongs to another user; try again as that user.',
      },
      { cause: error },
    );
  return new DroverError('DROVER_DAEMON_UNREACHABLE', { socketPath, advice: own.rootAdvice() }, { cause: error });
};

/** What `daemon status` says when nobody answers. */
export const absentDaemon = (home: string): DaemonDocument => ({
  running: false,
  pid: null,
  version: null,
  startedAt: null,
  home,
  rssBytes: null,
  apps: null,
  workers: null,
  dispatch: null,
  guardPid: null,
  unit: null,
  state: null,
  program: null,
  upgrade: null,
});
