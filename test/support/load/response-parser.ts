/**
 * Reads HTTP/1.1 responses from raw bytes, strictly: the load must notice a response that is cut, and must know for
 * sure whether the server announced that it will close the connection. No limits, no trailers: the servers are ours.
 */

export interface ResponseHead {
  readonly status: number;
  /** The whole head, for headers that only some modes look at. */
  readonly text: string;
  /** The server will close after this response: the connection must not be used again. */
  readonly closes: boolean;
  readonly length: number | 'chunked' | 'until-close';
}

export interface ResponseListener {
  onHead(head: ResponseHead): void;
  /** Called with each piece of the body; the bytes are only valid during the call. */
  onBody(chunk: Buffer): void;
  onEnd(head: ResponseHead): void;
}

type State = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer';

export class ResponseParser {
  readonly #listener: ResponseListener;
  #state: State = 'head';
  #rest: Buffer | null = null;
  #head: ResponseHead | null = null;
  #left = 0;
  /** The last head's bytes and what they meant: servers repeat themselves, and parsing is what a load spends its time on. */
  #knownBytes: Buffer | null = null;
  #knownHead: ResponseHead | null = null;

  constructor(listener: ResponseListener) {
    this.#listener = listener;
  }

  /** True between two responses, with nothing left over. */
  get isIdle(): boolean {
    return this.#state === 'head' && this.#rest === null;
  }

  /** True while between chunks of a chunked body, with nothing left over. */
  get isBetweenChunks(): boolean {
    return this.#state === 'chunk-size' && this.#rest === null;
  }

  push(chunk: Buffer): void {
    let bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    while (bytes.length > 0) {
      const used = this.#step(bytes);
      if (used === 0) {
        this.#rest = Buffer.from(bytes);
        return;
      }
      bytes = bytes.subarray(used);
    }
  }

  /** The connection ended; true when that completes the response (a body without length). */
  end(): boolean {
    if (this.#state === 'body' && this.#head?.length === 'until-close') {
      this.#finish();
      return true;
    }
    return this.isIdle;
  }

  /** Consumes one element and says how many bytes it took; 0 when it is not complete yet. */
  #step(bytes: Buffer): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes);
      case 'body':
      case 'chunk':
        return this.#readBody(bytes);
      case 'chunk-size':
        return this.#readChunkSize(bytes);
      case 'chunk-end':
        if (bytes.length < 2) return 0;
        this.#state = 'chunk-size';
        return 2;
      case 'trailer': {
        const end = bytes.indexOf('\r\n');
        if (end === 0) this.#finish();
        return end === -1 ? 0 : end + 2;
      }
      default:
        return this.#state satisfies never;
    }
  }

  #readHead(bytes: Buffer): number {
    const known = this.#knownBytes;
    let size: number;
    if (known !== null && bytes.length >= known.length && known.compare(bytes, 0, known.length) === 0) {
      size = known.length;
    } else {
      const end = bytes.indexOf('\r\n\r\n');
      if (end === -1) return 0;
      size = end + 4;
      this.#knownBytes = Buffer.from(bytes.subarray(0, size));
      this.#knownHead = parseHead(this.#knownBytes.toString('latin1'));
    }
    const head = this.#knownHead as ResponseHead;
    // 100 Continue and the like: the real response follows.
    if (head.status < 200 && head.status !== 101) return size;
    this.#head = head;
    this.#listener.onHead(head);
    if (head.length === 'chunked') this.#state = 'chunk-size';
    else if (head.length === 'until-close') {
      this.#state = 'body';
      this.#left = Number.POSITIVE_INFINITY;
    } else if (head.length === 0) this.#finish();
    else {
      this.#state = 'body';
      this.#left = head.length;
    }
    return size;
  }

  #readBody(bytes: Buffer): number {
    const piece = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= piece.length;
    this.#listener.onBody(piece);
    if (this.#left === 0) {
      if (this.#state === 'chunk') this.#state = 'chunk-end';
      else this.#finish();
    }
    return piece.length;
  }

  #readChunkSize(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n');
    if (end === -1) return 0;
    this.#left = Number.parseInt(bytes.toString('latin1', 0, end), 16);
    if (Number.isNaN(this.#left)) throw new Error(`bad chunk size ${JSON.stringify(bytes.toString('latin1', 0, end))}`);
    this.#state = this.#left === 0 ? 'trailer' : 'chunk';
    return end + 2;
  }

  #finish(): void {
    const head = this.#head as ResponseHead;
    this.#state = 'head';
    this.#head = null;
    this.#listener.onEnd(head);
  }
}

function parseHead(text: string): ResponseHead {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  if (status === undefined) throw new Error(`not a response: ${JSON.stringify(text.slice(0, 40))}`);
  const connection = findHeader(text, 'connection')?.toLowerCase() ?? '';
  const length = findHeader(text, 'content-length');
  const isBodiless = status === '204' || status === '304' || status === '101';
  const isChunked = findHeader(text, 'transfer-encoding')?.toLowerCase() === 'chunked';
  return {
    status: Number(status),
    text,
    closes: connection.includes('close') || (text.startsWith('HTTP/1.0') && !connection.includes('keep-alive')),
    length: isBodiless ? 0 : isChunked ? 'chunked' : length === undefined ? 'until-close' : Number(length),
  };
}

/** The value of a header in a raw head. */
export function findHeader(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *([^\r\n]*)`, 'im').exec(head)?.[1];
}
