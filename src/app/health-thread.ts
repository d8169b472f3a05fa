/**
 * Answers the health paths on a port of its own, from a thread of its own: while the event loop of the app is blocked it
 * says so, and for how long, instead of not answering. What else it says is what the main thread has told it last. Runs as
 * a worker thread, is bundled into a file of its own, and imports nothing of the app.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { HEALTH_TYPE, type HealthAnswer, type HealthQuestion } from './health-document.ts';
import { HealthDesk, isBearer } from './health-handler.ts';
import { BEAT_MS, Heartbeat, now } from './heartbeat.ts';

/** What the thread is started with. */
export interface HealthThreadData {
  readonly memory: SharedArrayBuffer;
  /** Null: all addresses, as Node chooses them. */
  readonly host: string | null;
  readonly port: number;
  readonly path: string;
  readonly token: string | null;
  readonly details: boolean;
  /** The event loop counts as blocked when it has not come around for so long. */
  readonly blockedAfterMs: number;
  readonly answers: HealthAnswers;
}

/** What the main thread told last, with and without details. */
export type HealthAnswers = Readonly<Record<HealthQuestion, Readonly<Record<'bare' | 'full', HealthAnswer>>>>;

export type HealthThreadMessage =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string; readonly code: string | null };

class HealthThread {
  readonly #data: HealthThreadData;
  readonly #heartbeat: Heartbeat;
  readonly #desk: HealthDesk;
  #answers: HealthAnswers;
  /** When this thread came around last; while the whole process stands still, neither does. */
  #ownBeat = now();
  /** Silence of the main thread counts from here: the whole process had stood still until then. */
  #countsFrom = 0n;

  constructor(data: HealthThreadData) {
    this.#data = data;
    this.#heartbeat = new Heartbeat(data.memory);
    this.#desk = new HealthDesk({ facts: unasked, settled: unasked }, { path: data.path });
    this.#answers = data.answers;
    setInterval(() => this.#beat(), BEAT_MS);
  }

  tell(answers: HealthAnswers): void {
    this.#answers = answers;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '', method = 'GET', headers } = request;
    const question = this.#desk.find([url]);
    if (question === null || (method !== 'GET' && method !== 'HEAD')) {
      response.writeHead(question === null ? 404 : 405).end();
      return;
    }
    const { token, details } = this.#data;
    const isFull = details || (token !== null && (await isBearer(headers.authorization, token)));
    const { status, body } = this.#blocked() ?? this.#answers[question][isFull ? 'full' : 'bare'];
    const text = JSON.stringify(body);
    response.writeHead(status, { 'content-type': HEALTH_TYPE, 'cache-control': 'no-store' });
    response.end(method === 'HEAD' ? undefined : text);
  }

  #beat(): void {
    const at = now();
    const ownSilenceMs = Number((at - this.#ownBeat) / 1_000_000n);
    if (ownSilenceMs >= this.#data.blockedAfterMs) this.#countsFrom = at;
    this.#ownBeat = at;
  }

  #blocked(): HealthAnswer | null {
    // Asked before its own timer has come around, as after a suspend.
    this.#beat();
    const silentMs = this.#heartbeat.silentMs(this.#countsFrom);
    if (silentMs < this.#data.blockedAfterMs) return null;
    return {
      status: 503,
      body: {
        status: 'fail',
        output: `the event loop has been blocked for ${(silentMs / 1000).toFixed(1)} s`,
        checks: {
          'eventLoop:blocked': [
            { componentType: 'system', status: 'fail', observedValue: silentMs, observedUnit: 'ms' },
          ],
        },
      },
    };
  }
}

/** The desk in this thread is asked for paths alone. */
const unasked = (): never => {
  throw new Error('The facts are in the main thread');
};

function serve(data: HealthThreadData, tell: (message: HealthThreadMessage) => void): HealthThread {
  const thread = new HealthThread(data);
  const server = createServer((request, response) => void thread.answer(request, response));
  server.once('error', (error: NodeJS.ErrnoException) =>
    tell({ type: 'failed', message: error.message, code: error.code ?? null }),
  );
  server.listen(data.port, data.host ?? undefined, () => {
    const address = server.address();
    tell({ type: 'listening', port: typeof address === 'object' && address !== null ? address.port : data.port });
  });
  return thread;
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const thread = serve(workerData as HealthThreadData, (message) => port.postMessage(message));
  port.on('message', (answers: HealthAnswers) => thread.tell(answers));
}
