/** Reads a request's body as JSON, up to a limit, straight from the socket: what is too long is not kept. */
import type { IncomingMessage } from 'node:http';
import { DroverError } from '../protocol/index.ts';

const invalid = (message: string, cause?: unknown): DroverError =>
  new DroverError('DROVER_REQUEST_INVALID', { message }, { cause });

/**
 * Up to so many times the limit, a body that is too long is read and dropped: most clients listen only when they have
 * spoken, and would see a broken pipe instead of the answer.
 */
const HEARD_OUT = 2;

/** The parsed body. Throws DROVER_REQUEST_INVALID for what is too long, not JSON, or cut short. */
export const readJson = async (request: IncomingMessage, limitBytes: number): Promise<unknown> => {
  const tooLong = (): DroverError => invalid(`the body is longer than ${limitBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > limitBytes * HEARD_OUT) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= limitBytes) chunks.push(chunk);
    else if (length > limitBytes * HEARD_OUT) reject(tooLong());
    else chunks.length = 0;
  });
  request.on('end', resolve);
  request.on('close', () => {
    reject(invalid('the body was cut short'));
  });
  // Node's own word for a client that went away.
  request.on('error', (error) => reject(invalid('the body was cut short', error)));
  await promise;
  if (length > limitBytes) throw tooLong();
  const text = decode(Buffer.concat(chunks));
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw invalid(`the body is not JSON: ${(cause as Error).message}`, cause);
  }
  if (MAYBE_PROTOTYPE.test(text) && hasPrototype(body)) throw invalid('`__proto__` is not allowed as a key');
  return body;
};

const decode = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalid(`the body is not JSON: ${(cause as Error).message}`, cause);
  }
};

/**
 * As a key it has no honest use here, and some code that copies objects would fall for it. Where the text has none, written
 * out or with an escape, it is not looked for: to look at every value takes many times as long as to read them.
 */
const MAYBE_PROTOTYPE = /__proto__|\\u005f/i;

/** Without recursion: a body may be nested deeper than calls can be. */
const hasPrototype = (body: unknown): boolean => {
  const left = [body];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) return true;
    for (const item of Object.values(value)) left.push(item);
  }
  return false;
};
