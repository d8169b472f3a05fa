/**
 * The health paths on a port of their own: from this thread, or, with `thread`, from one of its own that answers truthfully
 * while the event loop of the app is blocked. The thread costs about 18 MB of resident memory; under the daemon it is not
 * needed, because the daemon notices by itself. Keeps no process alive.
 */
import type { Server } from 'node:http';
import type { Worker } from 'node:worker_threads';
import type { HealthHandlerOptions } from './health-handler.ts';
import { createHealthHandler, HEALTH_PATH, HealthDesk, type HealthFactsReader } from './health-handler.ts';
import { BEAT_MS, Heartbeat } from './heartbeat.ts';
import type { HealthAnswers, HealthThreadData, HealthThreadMessage } from './health-thread.ts';

export interface ServeHealthOptions extends HealthHandlerOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Default all addresses of the machine, because a kubelet comes from outside. */
  readonly host?: string;
  /** Answers from a thread of its own. Default false. */
  readonly thread?: boolean;
  /** Milliseconds without a turn of the event loop after which it counts as blocked; default 1,000. */
  readonly blockedAfter?: number;
}

export interface HealthServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

export interface ChangingFactsReader extends HealthFactsReader {
  readonly onChange: (listener: () => void) => () => void;
}

const DEFAULT_BLOCKED_AFTER_MS = 1000;
/** Enough for the thread's own code; what it holds does not grow. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 };

export async function openHealthServer(
  reader: ChangingFactsReader,
  options: ServeHealthOptions,
): Promise<HealthServer> {
  return options.thread === true ? openThread(reader, options) : openHere(reader, options);
}

async function openHere(reader: HealthFactsReader, options: ServeHealthOptions): Promise<HealthServer> {
  const { createServer } = await import('node:http');
  const server: Server = createServer(createHealthHandler(reader, options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  server.unref();
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: async () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function openThread(reader: ChangingFactsReader, options: ServeHealthOptions): Promise<HealthServer> {
  const { Worker } = await import('node:worker_threads');
  const desk = new HealthDesk(reader, options);
  const heartbeat = new Heartbeat();
  heartbeat.beat();
  const data: HealthThreadData = {
    memory: heartbeat.memory,
    host: options.host ?? null,
    port: options.port,
    path: options.path ?? HEALTH_PATH,
    token: options.token ?? null,
    details: options.details ?? false,
    blockedAfterMs: Math.max(options.blockedAfter ?? DEFAULT_BLOCKED_AFTER_MS, 2 * BEAT_MS),
    answers: answersOf(desk),
  };
  // Without what the app preloads: instrumentation and our own agent are for the app's servers.
  const { NODE_OPTIONS: _preloads, DROVER_AGENT: _agent, ...env } = process.env;
  const worker = new Worker(threadFile(), {
    workerData: data,
    execArgv: [],
    env,
    name: 'drover-health',
    resourceLimits: THREAD_LIMITS,
    stdout: false,
    stderr: false,
  });
  const port = await portOf(worker);
  const stopTelling = keepTold(worker, heartbeat, () => answersOf(desk), reader.onChange);
  worker.unref();
  return {
    port,
    close: async () => {
      stopTelling();
      await worker.terminate();
    },
  };
}

/** Beside this file: a bundle of its own, or in development the source. */
function threadFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './health-thread.ts' : './health-thread.cjs', import.meta.url);
}

async function portOf(worker: Worker): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('The thread that answers for the health of this process has ended')));
    worker.once('message', (message: HealthThreadMessage) => {
      if (message.type === 'listening') return resolve(message.port);
      void worker.terminate();
      reject(Object.assign(new Error(message.message), message.code !== null && { code: message.code }));
    });
  });
}

/** Tells the thread how it stands whenever that has changed, and that the event loop comes around. */
function keepTold(
  worker: Worker,
  heartbeat: Heartbeat,
  answers: () => HealthAnswers,
  onChange: ChangingFactsReader['onChange'],
): () => void {
  let last = '';
  const tell = (): void => {
    const now = answers();
    const text = JSON.stringify(now);
    if (text === last) return;
    last = text;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(now);
  };
  // A thread that ends by a fault of its own must not end the app: the probes of its port fail, which is the truth.
  worker.on('error', () => stop());
  const timer = setInterval(() => heartbeat.beat(), BEAT_MS).unref();
  const off = onChange(tell);
  const stop = (): void => {
    clearInterval(timer);
    off();
  };
  tell();
  return stop;
}

function answersOf(desk: HealthDesk): HealthAnswers {
  const both = (question: 'health' | 'live' | 'ready') => ({
    bare: desk.answer(question, false),
    full: desk.answer(question, true),
  });
  return { health: both('health'), live: both('live'), ready: both('ready') };
}
