/** Reads a request's body as JSON, up to a limit, straight from the socket: what is too long is not kept. */
import type { IncomingMessage } from 'node:http';
import { DroverError } from '../protocol/index.ts';

const invalid = (message: string, cause?: unknown): DroverError =>
  new DroverError('DROVER_REQUEST_INVALID', { message }, { cause });

/**
 * So much of a body that is too long is read and dropped: most clients listen only when they have spoken, and would
 * see a broken pipe instead of the answer.
 */
const HEARD_OUT = 16;

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
  const text = new TextDecoder('utf-8', { fatal: true });
  try {
    return JSON.parse(text.decode(Buffer.concat(chunks)), refusePrototype);
  } catch (cause) {
    // The only thing that its own depth can do to the parser.
    if (cause instanceof RangeError) throw invalid('the body is nested too deeply', cause);
    throw invalid(`the body is not JSON: ${(cause as Error).message}`, cause);
  }
};

/** `__proto__` as a key has no honest use here, and some code that copies objects would fall for it. */
const refusePrototype = (key: string, value: unknown): unknown => {
  if (key === '__proto__') throw new SyntaxError('`__proto__` is not allowed as a key');
  return value;
};
