/**
 * The daemon's end of one conversation with an agent: envelopes in, envelopes out, descriptors where the link carries
 * them. Knows framing and back-pressure; refuses to know what the messages mean.
 */
import { Socket } from 'node:net';
import { ChannelWriter } from '../os/index.ts';
import { ENVELOPE_CMD, type AgentMessage, type DaemonMessage, type Envelope } from '../protocol/index.ts';

/** One line from a worker beyond this size is dropped: an app may `process.send` anything. */
const MAX_LINE_BYTES = 1024 * 1024;

export interface AgentLink {
  /** The descriptor that the guard must keep so that the link outlives the daemon; null where there is none. */
  readonly keptDescriptor: number | null;
  /** Resolves when everything that the worker said has been read: its end is closed. */
  readonly ended: Promise<void>;
  send(message: DaemonMessage, descriptor?: number): void;
  close(): void;
}

export interface LinkListener {
  readonly onMessage: (message: AgentMessage) => void;
  /** Something that is no message of ours arrived (garbage, a flood, an oversized line). */
  readonly onGarbage: (detail: string) => void;
  readonly onClose: () => void;
}

/** Splits a byte stream into envelopes; the first line after taking over from another daemon may be a torn one. */
export class EnvelopeReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isSkipping = false;
  readonly #onMessage: (message: AgentMessage) => void;
  readonly #onGarbage: (detail: string) => void;

  constructor(listener: Pick<LinkListener, 'onMessage' | 'onGarbage'>) {
    this.#onMessage = listener.onMessage;
    this.#onGarbage = listener.onGarbage;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(10, start);
      if (end === -1) break;
      this.#append(chunk.subarray(start, end));
      this.#finishLine();
      start = end + 1;
    }
    this.#append(chunk.subarray(start));
  }

  #append(part: Buffer): void {
    if (part.length === 0 || this.#isSkipping) return;
    this.#bytes += part.length;
    if (this.#bytes > MAX_LINE_BYTES) {
      this.#isSkipping = true;
      this.#chunks = [];
      this.#onGarbage(`a message of more than ${MAX_LINE_BYTES} bytes`);
      return;
    }
    // A copy, because the chunk belongs to the socket's read buffer.
    this.#chunks.push(Buffer.from(part));
  }

  #finishLine(): void {
    const line = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    const wasSkipping = this.#isSkipping;
    this.#chunks = [];
    this.#bytes = 0;
    this.#isSkipping = false;
    if (wasSkipping || line === undefined || line.length === 0) return;
    const message = parseEnvelope(line.toString('utf8'));
    if (message === 'garbage') this.#onGarbage('a line that is no message');
    else if (message !== null) this.#onMessage(message);
  }
}

/** The message inside, null for Node's own traffic (acknowledged descriptors), `garbage` for anything else. */
const parseEnvelope = (line: string): AgentMessage | null | 'garbage' => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'garbage';
  }
  if (typeof value !== 'object' || value === null || !('cmd' in value)) return 'garbage';
  if (value.cmd === 'NODE_HANDLE_ACK' || value.cmd === 'NODE_HANDLE_NACK') return null;
  if (value.cmd !== ENVELOPE_CMD || !('m' in value)) return 'garbage';
  const { m } = value;
  if (typeof m !== 'object' || m === null || !('type' in m) || typeof m.type !== 'string') return 'garbage';
  return m as AgentMessage;
};

const frame = (message: DaemonMessage, hasDescriptor: boolean): Buffer => {
  const envelope: Envelope<DaemonMessage> = { cmd: ENVELOPE_CMD, m: message };
  const body = hasDescriptor ? { cmd: 'NODE_HANDLE', type: 'net.Native', msg: envelope } : envelope;
  return Buffer.from(`${JSON.stringify(body)}\n`);
};

/** A piece of this size is part of a flood: what workers honestly say fits into a fraction of it. */
const FLOOD_BYTES = 16 * 1024;

/** One piece of a flood a turn of the event loop: libuv alone would read on for megabytes while everybody else waits. */
const readInTurns = (socket: Socket, reader: EnvelopeReader): void => {
  socket.on('data', (chunk) => {
    reader.push(chunk);
    if (chunk.length < FLOOD_BYTES) return;
    socket.pause();
    setImmediate(() => socket.resume());
  });
};

/** A link over the worker's channel. Takes ownership of `fd`. */
export const openChannelLink = (fd: number, listener: LinkListener): AgentLink =>
  linkOver(new Socket({ fd, readable: true, writable: false }), fd, fd, listener);

/** A link over an accepted Unix-socket connection, for agents behind wrappers; it carries descriptors as well. */
export const openSocketLink = (socket: Socket, listener: LinkListener): AgentLink =>
  linkOver(socket, (socket as Socket & { readonly _handle: { readonly fd: number } })._handle.fd, null, listener);

/** Written past the stream, which cannot send descriptors, and therefore never through it. */
const linkOver = (socket: Socket, fd: number, keptDescriptor: number | null, listener: LinkListener): AgentLink => {
  const reader = new EnvelopeReader(listener);
  const writer = new ChannelWriter(fd);
  writer.closeBefore(socket);
  readInTurns(socket, reader);
  socket.on('error', () => socket.destroy());
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      listener.onClose();
      resolve();
    });
  });
  return {
    keptDescriptor,
    ended,
    send: (message, descriptor) => void writer.send(frame(message, descriptor !== undefined), descriptor ?? null),
    close: () => void socket.destroy(),
  };
};
