/** The routes of the loss matrix in Fastify, which closes itself when asked to end. */
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import Fastify from 'fastify';
import { downloadPieces, echo, PORT } from '../../../support/apps/routes.mjs';

const DOWNLOAD_MS = Number(process.env.DOWNLOAD_MS ?? 10_000);
const EVENT_EVERY_MS = 100;

const app = Fastify({ http2: process.env.PROTOCOL === 'http2' });
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.addHook('onRequest', async (_request, reply) => void reply.header('x-worker', process.pid));
app.get('/', async () => 'hello\n');
app.post('/upload', { bodyLimit: 1_000_000 }, async (request) => String(request.body.length));
app.get('/download', async (_request, reply) => {
  reply.header('content-length', 400_000);
  return reply.send(Readable.from(download()));
});
app.get('/events', async (request, reply) => {
  reply.type('text/event-stream');
  return reply.send(Readable.from(events(Number(request.headers['last-event-id'] ?? 0))));
});
if (process.env.PROTOCOL !== 'http2') echo(app.server);

async function* download() {
  const pieces = [...downloadPieces()];
  for (const piece of pieces) {
    yield piece;
    await wait(DOWNLOAD_MS / pieces.length);
  }
}

async function* events(last) {
  for (let id = last + 1; ; id++) {
    yield `id: ${id}\ndata: ${process.pid}\n\n`;
    await wait(EVENT_EVERY_MS);
  }
}

process.on('SIGTERM', async () => {
  await app.close();
  process.exit(0);
});
await app.listen({ port: PORT, host: '127.0.0.1' });
