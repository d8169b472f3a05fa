/**
 * Mode `websocket`: clients that send numbered messages and expect each back, in order. Written on the bare socket,
 * because the point is to see what a library hides: the close code of every ending, frames that were cut, and which
 * messages were under way.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Load } from './load.ts';

const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** What RFC 6455 calls a connection that ended without a close frame. */
const ABNORMAL = 1006;

interface Ending {
  readonly code: number;
  /** What was wrong, if anything was. */
  readonly fault: string | null;
  readonly wasOpen: boolean;
}

export async function runWebSocket(load: Load, client: number): Promise<void> {
  while (load.mayBegin()) {
    const sentAtMs = load.ledger.now();
    const id = load.nextId();
    load.ledger.opened += 1;
    const socket = new WebSocketClient(load);
    const { code, fault, wasOpen } = await socket.ended;
    if (load.isStopping) return;
    if (wasOpen) load.ledger.noteEnding(client, String(code));
    if (fault !== null) load.ledger.noteLost(id, fault, sentAtMs, socket.localPort);
    // A client that is cut comes back at once, but does not spin when nobody listens.
    await load.wait(20);
  }
}

class WebSocketClient {
  readonly ended: Promise<Ending>;
  localPort: number | null = null;
  readonly #load: Load;
  readonly #socket: Socket;
  readonly #settle: (ending: Ending) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #isOpen = false;
  #closeCode: number | null = null;
  #fault: string | null = null;
  #sent = 0;
  #echoed = 0;
  readonly #sentAtMs: number[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(load: Load) {
    this.#load = load;
    const { host, port, path, timeoutMs } = load.spec;
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#settle = resolve;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.setTimeout(timeoutMs, () => this.#break('timeout'));
    this.#socket.on('connect', () => {
      this.localPort = this.#socket.localPort ?? null;
      this.#socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      );
    });
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      // After the close handshake it does not matter how the connection goes away.
      if (this.#closeCode === null)
        this.#fault ??= `${error.code ?? error.message}${this.#isOpen ? '' : ' at connect'}`;
    });
    this.#socket.on('close', () => this.#onEnd());
    load.stopping.addEventListener('abort', this.#onStop);
  }

  readonly #onStop = (): void => {
    if (this.#isOpen) this.#socket.end(frame(OPCODE.close, closePayload(1000)));
    this.#socket.destroySoon();
  };

  #onData(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (!this.#isOpen && !this.#readUpgrade()) return;
    for (let message = this.#readFrame(); message !== null; message = this.#readFrame()) {
      this.#onFrame(message.opcode, message.payload);
    }
  }

  #readUpgrade(): boolean {
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end === -1) return false;
    const head = this.#bytes.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 101')) {
      this.#break(`upgrade refused: ${head.slice(0, head.indexOf('\r\n'))}`);
      return false;
    }
    this.#bytes = this.#bytes.subarray(end + 4);
    this.#isOpen = true;
    this.#load.ledger.noteStatus(101);
    this.#sendNext();
    return true;
  }

  #readFrame(): { opcode: number; payload: Buffer } | null {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const opcode = bytes.readUInt8(0) & 0x0f;
    let length = bytes.readUInt8(1) & 0x7f;
    let offset = 2;
    if (length === 126) {
      if (bytes.length < 4) return null;
      length = bytes.readUInt16BE(2);
      offset = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return null;
      length = Number(bytes.readBigUInt64BE(2));
      offset = 10;
    }
    if (bytes.length < offset + length) return null;
    this.#bytes = bytes.subarray(offset + length);
    return { opcode, payload: bytes.subarray(offset, offset + length) };
  }

  #onFrame(opcode: number, payload: Buffer): void {
    if (this.#closeCode !== null) return this.#break('a frame after the close frame');
    if (opcode === OPCODE.close) {
      this.#closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.#socket.end(frame(OPCODE.close, closePayload(this.#closeCode)));
    } else if (opcode === OPCODE.ping) this.#socket.write(frame(OPCODE.pong, payload));
    else if (opcode === OPCODE.text || opcode === OPCODE.binary) this.#onEcho(payload.toString());
    else if (opcode !== OPCODE.pong) this.#break(`a frame with opcode ${opcode}`);
  }

  #onEcho(text: string): void {
    // What the app says by itself is between it and its own clients.
    if (!/^\d+:/.test(text)) return;
    if (text !== messageText(this.#echoed)) return this.#break(`echo of another message than ${this.#echoed}`);
    this.#load.ledger.noteAnswered(this.#sentAtMs[this.#echoed] ?? 0);
    this.#echoed += 1;
  }

  #sendNext(): void {
    this.#sentAtMs.push(this.#load.ledger.now());
    this.#socket.write(frame(OPCODE.text, Buffer.from(messageText(this.#sent))));
    this.#sent += 1;
    const [least, most] = this.#load.spec.pauseMs;
    this.#timer = setTimeout(
      () => {
        if (this.#closeCode === null && !this.#socket.destroyed) this.#sendNext();
      },
      least + Math.random() * (most - least),
    );
  }

  #break(fault: string): void {
    this.#fault ??= fault;
    this.#socket.destroy();
  }

  #onEnd(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#load.stopping.removeEventListener('abort', this.#onStop);
    if (this.#load.isStopping) return this.#settle({ code: 1000, fault: null, wasOpen: this.#isOpen });
    this.#load.ledger.unanswered += this.#sent - this.#echoed;
    if (!this.#isOpen) this.#fault ??= 'closed before the upgrade';
    else if (this.#bytes.length > 0) this.#fault ??= 'cut in mid-frame';
    else if (this.#closeCode === null) this.#fault ??= 'closed without a close frame';
    this.#settle({ code: this.#closeCode ?? ABNORMAL, fault: this.#fault, wasOpen: this.#isOpen });
  }
}

/** Long enough that a frame cut by a broken drain is likely to be noticed. */
const messageText = (number: number): string => `${number}:`.padEnd(200, 'abcdefghij');

function closePayload(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code === 1005 ? 1000 : code);
  return payload;
}

/** A frame of a client: always masked. */
function frame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const extended = payload.length > 125;
  const head = Buffer.alloc(extended ? 4 : 2);
  head.writeUInt8(0x80 | opcode, 0);
  head.writeUInt8(0x80 | (extended ? 126 : payload.length), 1);
  if (extended) head.writeUInt16BE(payload.length, 2);
  const masked = Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  return Buffer.concat([head, mask, masked]);
}
