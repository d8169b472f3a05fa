/**
 * The routes of every test app, as a plain request listener. The apps around it differ in what they do about signals,
 * which is what the tests compare; none of them knows Drover.
 *
 * - `/` says hello; `/slow` after 20 ms; `/upload` answers with the number of bytes that arrived
 * - `/download` sends 400 KB evenly over `DOWNLOAD_MS` (10 s); byte `n` of the body is `n % 251`
 * - `/events` are numbered server-sent events, continued after `Last-Event-ID`
 * - a WebSocket on any path echoes
 */
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { note } from './journal.mjs';

const DOWNLOAD_BYTES = 400_000;
const DOWNLOAD_PIECES = 100;
const DOWNLOAD_MS = Number(process.env.DOWNLOAD_MS ?? 10_000);
const EVENT_EVERY_MS = 100;
const WORKER = String(process.pid);

/** Where the app listens; not called `PORT`, so that a process manager cannot know it in advance. */
export const PORT = Number(process.env.APP_PORT);

export function listener(request, response) {
  note(request, response);
  response.setHeader('x-worker', WORKER);
  const answer = ROUTES[request.url] ?? ROUTES['/404'];
  answer(request, response);
}

const ROUTES = {
  '/': (_request, response) => response.end('hello\n'),
  '/slow': (_request, response) => setTimeout(() => response.end('hello\n'), 20),
  '/upload': upload,
  '/download': (_request, response) => {
    response.setHeader('content-length', DOWNLOAD_BYTES);
    void pour(response);
  },
  '/events': events,
  '/404': (_request, response) => {
    response.statusCode = 404;
    response.end('not here\n');
  },
};

function upload(request, response) {
  let size = 0;
  request.on('data', (chunk) => (size += chunk.length));
  request.on('end', () => response.end(String(size)));
}

async function pour(response) {
  for (const piece of downloadPieces()) {
    if (response.destroyed) return;
    response.write(piece);
    await wait(DOWNLOAD_MS / DOWNLOAD_PIECES);
  }
  response.end();
}

export function* downloadPieces() {
  const size = DOWNLOAD_BYTES / DOWNLOAD_PIECES;
  for (let offset = 0; offset < DOWNLOAD_BYTES; offset += size) {
    yield Buffer.from(Array.from({ length: size }, (_, index) => (offset + index) % 251));
  }
}

function events(request, response) {
  let id = Number(request.headers['last-event-id'] ?? 0);
  response.setHeader('content-type', 'text/event-stream');
  response.setHeader('cache-control', 'no-store');
  const timer = setInterval(() => {
    id += 1;
    response.write(`id: ${id}\ndata: ${WORKER}\n\n`);
  }, EVENT_EVERY_MS);
  response.on('close', () => clearInterval(timer));
}

/** Adds the WebSocket echo to a server. */
export function echo(server) {
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) =>
    socket.on('message', (text, isBinary) => socket.send(text, { binary: isBinary })),
  );
  return sockets;
}
