/**
 * One HTTP/1.1 connection of a careful client: a request at a time, never a request after the server announced that it
 * closes, and for each failure exactly what was seen of the answer.
 */
import { connect, type Socket } from 'node:net';
import { type ResponseHead, ResponseParser } from './response-parser.ts';

export type Outcome =
  | { readonly kind: 'answered'; readonly head: ResponseHead }
  | {
      readonly kind: 'lost';
      readonly reason: string;
      /** The server closed politely (no reset) between two chunks of a chunked body. */
      readonly atBorder: boolean;
    };

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Called when the server closed the connection while no request was under way. */
  readonly onClosedIdle: () => void;
}

interface Pending {
  readonly settle: (outcome: Outcome) => void;
  readonly onBody: ((chunk: Buffer) => void) | null;
  touched: boolean;
}

export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #parser: ResponseParser;
  #pending: Pending | null = null;
  #isConnected = false;
  #isUsable = true;
  #localPort: number | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = connect({ host: options.host, port: options.port, noDelay: true });
    this.#socket.setTimeout(options.timeoutMs);
    this.#parser = new ResponseParser({
      onHead: () => {},
      onBody: (chunk) => this.#pending?.onBody?.(chunk),
      onEnd: (head) => this.#onEnd(head),
    });
    this.#socket.on('connect', () => {
      this.#isConnected = true;
      this.#localPort = this.#socket.localPort ?? null;
    });
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('end', () => this.#onClosed(null));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onClosed(error.code ?? error.message));
    this.#socket.on('timeout', () => {
      if (this.#pending === null) return;
      this.#onClosed('timeout');
      this.#socket.destroy();
    });
  }

  /** False once the server announced or did a close; then a new connection is due. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  get localPort(): number | null {
    return this.#localPort;
  }

  /** Sends one request. Never rejects: the outcome says what happened. */
  async send(bytes: string | Buffer, onBody: ((chunk: Buffer) => void) | null = null): Promise<Outcome> {
    return new Promise((settle) => {
      this.#pending = { settle, onBody, touched: false };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#isUsable = false;
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    if (this.#pending === null) return this.#refuse('bytes that nobody asked for');
    this.#pending.touched = true;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#refuse(error instanceof Error ? error.message : String(error));
    }
  }

  #refuse(reason: string): void {
    this.#onClosed(reason);
    this.#socket.destroy();
  }

  #onEnd(head: ResponseHead): void {
    const pending = this.#pending;
    this.#pending = null;
    if (head.closes) {
      this.#isUsable = false;
      this.#socket.end();
    }
    pending?.settle({ kind: 'answered', head });
  }

  #onClosed(error: string | null): void {
    const wasUsable = this.#isUsable;
    this.#isUsable = false;
    const pending = this.#pending;
    if (pending === null) {
      if (wasUsable) this.#options.onClosedIdle();
      return;
    }
    if (error === null && pending.touched && this.#parser.end()) return;
    this.#pending = null;
    const atBorder = error === null && this.#parser.isBetweenChunks;
    pending.settle({ kind: 'lost', reason: this.#describe(error, pending.touched), atBorder });
    this.#socket.destroy();
  }

  #describe(error: string | null, touched: boolean): string {
    if (!this.#isConnected) return `connect ${error ?? 'ended'}`;
    return `${error ?? 'closed'} ${touched ? 'in the response' : 'before the response'}`;
  }
}
