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
        const type = /^event: (.*)$/m.exec(event)?.[1];
        const text = /^data: (.*)$/m.exec(event)?.[1] ?? 'null';
        if (type === 'end') return;
        if (type === 'error') throw fromErrorDocument(JSON.parse(text) as ErrorDocument);
        yield JSON.parse(text) as Document;
      }
    }
  } catch (error) {
    throw toError(error as Error, socketPath);
  } finally {
    response.destroy();
  }
  throw new DroverError('DROVER_DAEMON_UNREACHABLE', { socketPath });
};
