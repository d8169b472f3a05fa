/** One running load: its books, its bounds, and the clients of its mode. */
import { Ledger } from './ledger.ts';
import { runHttp2 } from './http2.ts';
import { runKept, runNew, runOpen } from './requests.ts';
import type { LoadMode, LoadReport, LoadSpec } from './spec.ts';
import { runDownload, runEvents } from './streams.ts';
import { runWebSocket } from './websocket.ts';

type Client = (load: Load, client: number) => Promise<void>;

const CLIENTS: Record<LoadMode, Client> = {
  new: runNew,
  kept: runKept,
  post: runKept,
  open: runOpen,
  download: runDownload,
  events: runEvents,
  websocket: runWebSocket,
  http2: runHttp2,
};

const SLOW_CLIENT_EVERY = 10;

export class Load {
  readonly spec: LoadSpec;
  readonly ledger = new Ledger();
  readonly #stop = new AbortController();
  readonly #body: Buffer | null;
  /** The request without its id, made once: composing text is dear at 50,000 requests a second. */
  readonly #head: string;
  /** Tells requests of several loads on one app apart. */
  readonly #prefix = process.pid.toString(36);
  #ids = 0;

  constructor(spec: LoadSpec) {
    this.spec = spec;
    this.#body = spec.mode === 'post' ? Buffer.alloc(spec.bodyBytes, 'x') : null;
    const lines = [`${this.#body === null ? 'GET' : 'POST'} ${spec.path} HTTP/1.1`, `Host: ${spec.host}:${spec.port}`];
    if (this.#body !== null) lines.push(`Content-Length: ${this.#body.length}`);
    // Only clients that reuse a connection may ask for that.
    if (spec.mode !== 'kept' && spec.mode !== 'post') lines.push('Connection: close');
    this.#head = `${lines.join('\r\n')}\r\n`;
  }

  get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  get isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Runs until the bounds of the spec, or `stop()`, and lets what is under way finish. */
  async run(): Promise<LoadReport> {
    const { mode, connections, seconds } = this.spec;
    const bound = setTimeout(() => this.stop(), seconds * 1000);
    // One loop makes all of an open load; every other mode is so many clients.
    const clients = mode === 'open' ? 1 : connections;
    await Promise.all(Array.from({ length: clients }, async (_, client) => CLIENTS[mode](this, client)));
    clearTimeout(bound);
    return this.ledger.report(this.spec);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** True while one more request may begin; counts it. */
  mayBegin(): boolean {
    if (this.isStopping || this.ledger.begun >= this.spec.maxRequests) return false;
    this.ledger.begun += 1;
    return true;
  }

  nextId(): string {
    this.#ids += 1;
    return `${this.#prefix}-${this.#ids}`;
  }

  /** The bytes of one request. */
  write(id: string, headers = ''): string | Buffer {
    const head = `${this.#head}${this.spec.sendsIds ? `x-request-id: ${id}\r\n` : ''}${headers}\r\n`;
    return this.#body === null ? head : Buffer.concat([Buffer.from(head, 'latin1'), this.#body]);
  }

  /** The think time between two requests of a client. */
  async pause(client: number): Promise<void> {
    const isSlow = this.spec.slowPauseMs !== null && client % SLOW_CLIENT_EVERY === 3;
    const [least, most] = (isSlow ? this.spec.slowPauseMs : null) ?? this.spec.pauseMs;
    if (most > 0) await this.wait(least + Math.random() * (most - least));
  }

  /** Waits, but not beyond the end of the load. */
  async wait(ms: number): Promise<void> {
    if (this.isStopping) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.stopping.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.stopping.addEventListener('abort', done);
    });
  }
}
