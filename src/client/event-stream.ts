/** Reads server-sent events as the daemon writes them: one JSON document an event, and a word at the end. */
import type { IncomingMessage } from 'node:http';
import { DroverError, type ErrorDocument, fromErrorDocument } from '../protocol/index.ts';
import { toError } from './http.ts';

/**
 * The documents of a stream. Ends when the daemon ended it; throws the daemon's error, or DROVER_DAEMON_UNREACHABLE
 * when the stream was cut. Reads no further ahead than its consumer.
 */
export const readEvents = async function* <Document>(
  response: IncomingMessage,
  socketPath: string,
): AsyncGenerator<Document> {
  let rest = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      const events = (rest + String(chunk)).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const type = findField(event, 'event');
        const text = findField(event, 'data') ?? 'null';
        if (type === 'end') return;
        if (type === 'error') throw fromErrorDocument(parse(text) as ErrorDocument);
        yield parse(text) as Document;
      }
    }
  } catch (error) {
    throw toError(error as Error, socketPath);
  } finally {
    response.destroy();
  }
  throw new DroverError('DROVER_DAEMON_UNREACHABLE', { socketPath });
};

/** By line feeds alone: a log line may hold what a regular expression takes for the end of a line (U+2028). */
const findField = (event: string, name: string): string | undefined => {
  const start = `${name}: `;
  return event
    .split('\n')
    .find((line) => line.startsWith(start))
    ?.slice(start.length);
};

/** What cannot be read is a defect of the daemon that wrote it, or of ours: nobody is away, and asking again is no help. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `the daemon sent an event that cannot be read: ${text.slice(0, 200)}`;
    throw new DroverError('DROVER_INTERNAL', { message }, { cause: error });
  }
};
