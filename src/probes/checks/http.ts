/**
 * One GET, as Kubernetes' kubelet sends it (`pkg/probe/http`): a connection of its own, 200 to 399 passes, certificates
 * are not checked, at most 10 KiB of the body are read, redirects are followed to the same host and at most ten times;
 * where they lead elsewhere, or go on and on, the answer counts as good, with a warning.
 *
 * Node's own client: what is heavy in it the daemon has loaded for its API. It is asked for by `getBuiltinModule`
 * (docs/decisions/builtin-modules.md), TLS only when a probe first needs it (docs/decisions/probe-http.md).
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { SecureContext } from 'node:tls';
import { answerOf, Excerpt, failed, passed, withinOf } from '../answers.ts';
import type { CheckAnswer, HttpQuestion, Place } from '../edges.ts';
import { lookupUntil } from './connection.ts';

/** As Go's client, which the kubelet uses: the eleventh is not followed. */
const REDIRECTS = 10;
const REDIRECTING = new Set([301, 302, 303, 307, 308]);
const DEFAULT_HEADERS: Readonly<Record<string, string>> = { 'User-Agent': 'drover-probe', Accept: '*/*' };

type Exchange =
  | { readonly status: number; readonly location: string | null; readonly body: string }
  /** There was no whole answer. */
  | { readonly trouble: CheckAnswer };

export const httpCheck = async (question: HttpQuestion, signal: AbortSignal): Promise<CheckAnswer> => {
  const { target } = question;
  const headers = headersOf(target.headers);
  let place: Place = question.place;
  let url = new URL(`${target.scheme}://${authorityOf(place)}${target.path}`);
  const { hostname } = url;
  for (let followed = 0; ; followed++) {
    const exchange = await ask(url, place, headers, signal);
    if ('trouble' in exchange) return exchange.trouble;
    const next = redirectOf(exchange, url);
    if (next === null) return judge(exchange);
    if (followed === REDIRECTS) return passed(`it redirects more than ${REDIRECTS} times, last to ${next.href}`);
    const nextPlace =
      next.hostname !== hostname ? null : next.host === url.host ? place : question.otherPlace(portOf(next));
    if (nextPlace === null) return passed(`it redirects to ${next.href}, which is not this worker`);
    place = nextPlace;
    url = next;
  }
};

const judge = ({ status, body }: Exclude<Exchange, { trouble: CheckAnswer }>): CheckAnswer =>
  status >= 200 && status < 400 ? passed() : failed(`it answered ${status}${body.trim() === '' ? '' : `: ${body}`}`);

const redirectOf = ({ status, location }: Exclude<Exchange, { trouble: CheckAnswer }>, from: URL): URL | null => {
  if (!REDIRECTING.has(status) || location === null) return null;
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : null;
  return to === null || (to.protocol !== 'http:' && to.protocol !== 'https:') ? null : to;
};

const portOf = ({ port, protocol }: URL): number => (port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port));

const authorityOf = (place: Place): string => {
  if (place.kind === 'socket') return place.authority;
  return `${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}`;
};

/** Those of the configuration in place of the default ones; an empty value takes a default one away, as in Kubernetes. */
const headersOf = (configured: Readonly<Record<string, string>>): Record<string, string> => {
  const headers = Object.fromEntries(
    Object.entries(configured).filter(([name, value]) => value !== '' || !isOurs(name)),
  );
  const named = new Set(Object.keys(configured).map((name) => name.toLowerCase()));
  for (const [name, value] of Object.entries(DEFAULT_HEADERS))
    if (!named.has(name.toLowerCase())) headers[name] = value;
  return headers;
};
const isOurs = (name: string): boolean =>
  Object.keys(DEFAULT_HEADERS).some((each) => each.toLowerCase() === name.toLowerCase());

/** Made once; without the root certificates, which nobody asks and which take their time to be read. */
let unchecked: SecureContext | null = null;

const open = (url: URL, place: Place, headers: Record<string, string>, signal: AbortSignal): ClientRequest => {
  const isNamed = Object.keys(headers).some((name) => name.toLowerCase() === 'host');
  const options: RequestOptions = {
    method: 'GET',
    path: `${url.pathname}${url.search}`,
    headers: isNamed ? headers : { ...headers, Host: url.host },
    setHost: false,
    // A connection for this request alone: nothing is kept.
    agent: false,
    ...(place.kind === 'socket'
      ? { socketPath: place.path }
      : { host: place.host, port: place.port, lookup: lookupUntil(place.host, signal) }),
  };
  if (url.protocol === 'http:') return process.getBuiltinModule('http').request(options);
  unchecked ??= process.getBuiltinModule('tls').createSecureContext({ ca: [] });
  return process
    .getBuiltinModule('https')
    .request({ ...options, rejectUnauthorized: false, secureContext: unchecked } as RequestOptions);
};

const ask = (url: URL, place: Place, headers: Record<string, string>, signal: AbortSignal): Promise<Exchange> =>
  new Promise((resolve) => {
    let request: ClientRequest;
    let state = 'no connection came about';
    let hasAnswered = false;
    let isOver = false;
    const end = (exchange: Exchange): void => {
      if (isOver) return;
      isOver = true;
      signal.removeEventListener('abort', giveUp);
      request?.destroy();
      resolve(exchange);
    };
    const endWith = (trouble: CheckAnswer): void => end({ trouble });
    const giveUp = (): void => endWith(failed(`${state} ${withinOf(signal)}`));
    if (signal.aborted) return giveUp();
    try {
      request = open(url, place, headers, signal);
    } catch (error) {
      // A header that Node refuses to send.
      return endWith(failed(error instanceof Error ? error.message : String(error)));
    }
    signal.addEventListener('abort', giveUp);
    // Stays after the end: what was destroyed may still fail.
    request.on('error', (error) => endWith(answerOf(error)));
    request.on('socket', (socket) =>
      socket.once('connect', () => (state = 'it took the connection and did not answer')),
    );
    request.on('response', (response) => {
      const { statusCode: status = 0 } = response;
      hasAnswered = true;
      state = `it answered ${status}, but its body did not end`;
      read(response, (body) => end({ status, location: response.headers.location ?? null, body }), endWith);
    });
    // Comes before the end of an answer that only the end of the connection ends: that is left to the answer.
    request.on('close', () => hasAnswered || endWith(failed('the connection was closed without an answer')));
    request.end();
  });

/** Reads what is of interest of the body; the rest is not waited for. */
const read = (response: IncomingMessage, done: (body: string) => void, fail: (trouble: CheckAnswer) => void): void => {
  const excerpt = new Excerpt();
  response.on('data', (chunk: Buffer) => {
    if (excerpt.add(chunk)) done(excerpt.text);
  });
  response.on('end', () => done(excerpt.text));
  response.on('error', () => undefined);
  // After `end` this says nothing new.
  response.on('close', () => fail(failed(`it answered ${response.statusCode}, but its body was cut off`)));
};
