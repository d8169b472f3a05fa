import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { readEvents } from './event-stream.ts';

/** What the client reads where the daemon's answer comes in these pieces. */
const read = async (pieces: readonly (string | Buffer)[]): Promise<unknown[]> => {
  const response = new PassThrough();
  for (const piece of pieces) response.write(piece);
  response.end();
  const documents: unknown[] = [];
  const events = readEvents<unknown>(response as unknown as IncomingMessage, '/nowhere/drover.sock');
  for await (const document of events) documents.push(document);
  return documents;
};

const written = (document: unknown): string => `data: ${JSON.stringify(document)}\n\n`;
const END = 'event: end\ndata: {}\n\n';

describe('a stream of events', () => {
  it('is read as it was written, whatever a line holds that somebody could take for its end', async () => {
    const lines = [
      '\u2028',
      'a\u2028b',
      'a\u2029data: {}',
      'a\u0085b',
      'a\rb',
      'a\r\nb\n\nc',
      '\v\f',
      'event: end',
      'wörter 🚀',
    ];
    const documents = lines.map((line) => ({ line }));
    assert.deepEqual(await read([...documents.map(written), END]), documents);
  });

  it('is read across pieces that end anywhere, also within a character', async () => {
    const documents = [{ line: 'grün 🚀\u2028' }, { line: 'x' }];
    const bytes = Buffer.from(documents.map(written).join('') + END);
    assert.deepEqual(await read([...bytes].map((byte) => Buffer.from([byte]))), documents);
  });

  it('says that it was cut where it has no end, and that it is a defect where it makes no sense', async () => {
    await assert.rejects(read([written({})]), { code: 'DROVER_DAEMON_UNREACHABLE' });
    await assert.rejects(read(['data: {"line":\n\n', END]), { code: 'DROVER_INTERNAL', message: /\{"line":/ });
  });

  it('throws the error that the daemon ended it with', async () => {
    const error = { code: 'DROVER_APP_UNKNOWN', message: 'x', hint: null, docs: '', data: { app: 'a\u2028b' } };
    await assert.rejects(read([`event: error\n${written({ error })}`]), { code: 'DROVER_APP_UNKNOWN' });
  });
});
