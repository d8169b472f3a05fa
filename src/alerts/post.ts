/**
 * One POST of JSON to a receiver, bounded in time and in what is read of the answer. It follows no redirects: the body and the
 * operator's header fields (often a secret) would go to an address that nobody has named, and most clients make a GET of it.
 */
import type { IncomingMessage } from 'node:http';
import { messageOf } from '../protocol/index.ts';
import { boundedText, MOST_ANSWER_BYTES, type Outcome } from './outcome.ts';

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** The same in every attempt. */
  readonly idempotencyKey: string;
  readonly userAgent: string;
  /** For all of it: name, connection, TLS, answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Wall clock, for a `Retry-After` that names a date. */
  readonly nowMs: number;
}

/** Not again, and said at once: the request itself is at fault (RFC 9110, 15.5), but for these. */
const WORTH_ANOTHER_TRY = new Set([408, 421, 423, 425, 429]);
/** A receiver that asks for more is asked after this. */
const MOST_RETRY_AFTER_MS = 3_600_000;

/** Never rejects, but for a `signal` that was aborted. */
export const post = async (request: PostRequest): Promise<Outcome> => {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const failed = (problem: string): void => resolve({ kind: 'failed', problem, answer: '', retryAfterMs: null });
  let exchange: { destroy(error?: Error): void } | null = null;
  const abort = (): void => {
    exchange?.destroy();
    reject(request.signal.reason as Error);
  };
  const timer = setTimeout(() => {
    failed(`did not answer within ${request.timeoutMs} ms`);
    exchange?.destroy();
  }, request.timeoutMs);
  request.signal.addEventListener('abort', abort, { once: true });
  try {
    request.signal.throwIfAborted();
    exchange = send(request, { onAnswer: (answer) => readAnswer(answer, request, resolve), onError: failed });
    return await promise;
  } catch (error) {
    if (request.signal.aborted) throw error;
    // Header fields that HTTP does not allow, an address that it does not know.
    return { kind: 'refused', problem: messageOf(error), answer: '' };
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener('abort', abort);
  }
};

interface Listeners {
  readonly onAnswer: (answer: IncomingMessage) => void;
  readonly onError: (problem: string) => void;
}

function send(request: PostRequest, { onAnswer, onError }: Listeners): { destroy(): void } {
  const url = new URL(request.url);
  const text = JSON.stringify(request.body);
  // On first use, and not imported (docs/decisions/builtin-modules.md): most daemons have nobody to tell.
  const { request: open } =
    url.protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
  const exchange = open(url, {
    method: 'POST',
    // A connection of its own: one that was kept is often closed by the time of the next alert.
    agent: false,
    headers: {
      'user-agent': request.userAgent,
      ...lowerCased(request.headers),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'idempotency-key': `"${request.idempotencyKey}"`,
    },
  });
  exchange.on('response', onAnswer);
  exchange.on('error', (error) => onError(messageOf(error)));
  exchange.end(text);
  return exchange;
}

/** Names differ by case in configurations, not in HTTP: ours must take the place of the operator's. */
const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function readAnswer(answer: IncomingMessage, request: PostRequest, resolve: (outcome: Outcome) => void): void {
  const { statusCode: status = 0, headers } = answer;
  const text = boundedText();
  let read = 0;
  const end = (): void => {
    resolve(judge({ status, headers, text: text.text, nowMs: request.nowMs }));
    // Whatever else it has to say.
    answer.destroy();
  };
  answer.on('data', (chunk: Buffer) => {
    text.add(chunk);
    read += chunk.length;
    if (read > MOST_ANSWER_BYTES) end();
  });
  answer.on('end', end);
  // Cut off: its status says all that matters.
  answer.on('error', end);
  answer.on('aborted', end);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly nowMs: number;
}

export const judge = ({ status, headers, text, nowMs }: Answer): Outcome => {
  if (status >= 200 && status < 300) return { kind: 'taken', answer: `${status}${text === '' ? '' : ` ${text}`}` };
  if (status >= 300 && status < 400) {
    const to = headers.location === undefined ? '' : ` to ${withoutSecrets(headers.location)}`;
    return { kind: 'refused', problem: `answered ${status}: it redirects${to}; name that address`, answer: text };
  }
  const problem = `answered ${status}`;
  if (status >= 400 && status < 500 && !WORTH_ANOTHER_TRY.has(status))
    return { kind: 'refused', problem, answer: text };
  return { kind: 'failed', problem, answer: text, retryAfterMs: parseRetryAfter(headers['retry-after'], nowMs) };
};

/** Seconds, or a date (RFC 9110, 10.2.3); null where it is neither. */
export const parseRetryAfter = (value: string | undefined, nowMs: number): number | null => {
  if (value === undefined || value.trim() === '') return null;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? null : Math.min(Math.max(0, ms), MOST_RETRY_AFTER_MS);
};

const withoutSecrets = (location: string): string => location.replace(/[?#].*$/s, '').slice(0, 200);
