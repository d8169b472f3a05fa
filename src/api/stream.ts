/**
 * Server-sent events with back-pressure: the next document is only asked for when the client has taken the last one,
 * so a slow client holds its own stream back and costs the daemon nothing.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type DroverError, toErrorDocument } from '../protocol/index.ts';

/**
 * Writes every document as one event. Ends with `event: end` when the source does, or `event: error` with an error
 * document when it throws; a stream without either was cut, as all are whose source ends when `isCut`.
 */
export const writeEvents = async (
  response: ServerResponse,
  source: AsyncIterable<unknown>,
  signal: AbortSignal,
  toError: (error: unknown) => Promise<DroverError>,
  isCut: () => boolean,
): Promise<void> => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  const write = async (event: string): Promise<void> => {
    if (!response.write(event)) await once(response, 'drain', { signal });
  };
  try {
    for await (const document of source) {
      if (signal.aborted) return;
      await write(`data: ${JSON.stringify(document)}\n\n`);
    }
    // Without it the stream counts as cut, and is opened again.
    if (!isCut()) await write('event: end\ndata: {}\n\n');
  } catch (error) {
    // The client went away, or the server is closing: there is nobody to tell.
    if (!signal.aborted) {
      response.write(`event: error\ndata: ${JSON.stringify(toErrorDocument(await toError(error)))}\n\n`);
    }
  } finally {
    response.end();
  }
};
