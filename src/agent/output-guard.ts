/**
 * Keeps a full disk from ending the app: in Node a write to standard output that fails ends the process, or silences
 * the stream for good. Wraps the functions of `fs` that everything written in JavaScript ends in (`console`,
 * `process.stdout`, pino's sonic-boom, `fs.writeSync(1)`), for the two descriptors only, and only where they are files:
 * pipes and terminals know no full disk. Everything else passes through untouched.
 */
import type * as FileSystem from 'node:fs';
import type { LogDrops } from '../protocol/agent.ts';
import { hasLoaded, monotonicMs, sumDrops } from '../runtime/index.ts';
import { GuardedStream } from './guarded-stream.ts';
import { addTrace } from './traced-line.ts';

/** The module itself, to change it; by `require`, because what an import would make of it costs a millisecond. */
const fs = require('node:fs') as typeof FileSystem;

/** As `fs` has them, with the arguments that matter here and whatever follows. */
type Write = (fd: number, payload: unknown, ...rest: unknown[]) => unknown;
type WriteSync = (fd: number, payload: unknown, ...rest: unknown[]) => number;
type Callback = (error: unknown, written: number, payload: unknown) => void;

const OUTPUTS = [1, 2] as const;

export class OutputGuard {
  readonly #streams: (GuardedStream | undefined)[] = [];
  /** Of the request that prints now; null while lines are left as they are. What is written later, by `fs.write`, is. */
  traceId: (() => string | null) | null = null;

  /** Null where neither output is a file. `onFirstFull`: something found no room for the first time. */
  static install(onFirstFull: ((output: OutputGuard) => void) | null = null): OutputGuard | null {
    const files = OUTPUTS.filter(isFile);
    return files.length === 0 ? null : new OutputGuard(files, onFirstFull);
  }

  private constructor(files: readonly number[], onFirstFull: ((output: OutputGuard) => void) | null) {
    const writeSync = fs.writeSync as WriteSync;
    const onFull = (): void => {
      onFirstFull?.(this);
      onFirstFull = null;
    };
    for (const fd of files) {
      this.#streams[fd] = new GuardedStream((bytes) => writeSync(fd, bytes), monotonicMs, onFull);
    }
    replace('writeSync', (original) => this.#guardSync(original as WriteSync));
    replace('writevSync', (original) => this.#guardSync(original as WriteSync));
    replace('write', (original) => this.#guardAsync(original));
    replace('writev', (original) => this.#guardAsync(original));
    this.#adoptStreams();
  }

  /** What was dropped so far; undefined where nothing was. */
  get drops(): LogDrops | undefined {
    return sumDrops(this.#streams.map((stream) => stream?.drops));
  }

  /** Where there was no room: tries again, so that an app that has fallen silent is told of in its file as well. */
  catchUp(isLastTry: boolean): void {
    for (const stream of this.#streams) stream?.catchUp(isLastTry);
  }

  /** Spelt out, and told apart at once: this is in the way of every line that an app prints. */
  #guardSync(original: WriteSync): WriteSync {
    const [, stdout, stderr] = this.#streams;
    return (fd, payload, first, second, third) => {
      const stream = fd === 1 ? stdout : fd === 2 ? stderr : undefined;
      if (stream === undefined) return original(fd, payload, first, second, third);
      if (this.traceId !== null) {
        const traced = this.#addTrace(payload, first, second);
        if (traced !== null) {
          writeGuarded(stream, original, fd, traced, []);
          return typeof payload === 'string' ? Buffer.byteLength(payload) : (payload as Uint8Array).length;
        }
      }
      const isText = typeof payload === 'string' && (second === undefined || second === 'utf8');
      // As `process.stdout` does it: all of some bytes.
      const isWhole = payload instanceof Uint8Array && first === 0 && second === payload.length;
      if (stream.isFull || (!isText && !isWhole))
        return writeGuarded(stream, original, fd, payload, [first, second, third]);
      let written: number;
      try {
        written = original(fd, payload, first, second, third);
      } catch (error) {
        return dropRefused(stream, error, payload, []);
      }
      const length = isText ? Buffer.byteLength(payload) : payload.length;
      if (written < length) return finish(stream, written, payload, []);
      if (length > 0) stream.lastByte = lastByte(payload, []);
      return written;
    };
  }

  /** Null where nothing is to be added. */
  #addTrace(payload: unknown, first: unknown, second: unknown): string | null {
    const isText = typeof payload === 'string' && (second === undefined || second === 'utf8');
    const isWhole = payload instanceof Uint8Array && first === 0 && second === payload.length;
    const isAll = payload instanceof Uint8Array && first === undefined;
    if (!isText && !isWhole && !isAll) return null;
    const traceId = this.traceId?.() ?? null;
    if (traceId === null) return null;
    const text = typeof payload === 'string' ? payload : viewOf(payload).toString('utf8');
    const traced = addTrace(text, traceId);
    return traced === text ? null : traced;
  }

  #guardAsync(original: Write): Write {
    return (fd, payload, ...rest) => {
      const stream = this.#streams[fd];
      const callback = rest.pop();
      if (stream === undefined || !isPayload(payload) || typeof callback !== 'function') {
        return original(fd, payload, ...rest, callback);
      }
      const done = callback as Callback;
      if (!stream.isOpen()) return process.nextTick(done, null, drop(stream, payload, rest), payload);
      return original(fd, payload, ...rest, ((error, written, same) => {
        if (error !== null && error !== undefined && stream.absorbs(error)) {
          return done(null, drop(stream, payload, rest), payload);
        }
        // What is left of a part that was taken comes again: whoever writes in this way goes on with it.
        if (written > 0) stream.lastByte = bytesOf(payload, rest)[written - 1] ?? stream.lastByte;
        done(error, written, same);
      }) satisfies Callback);
    };
  }

  /** Another preload may have printed before us; its streams write by what `fs` was then. */
  #adoptStreams(): void {
    if (!hasLoaded('internal/fs/sync_write_stream')) return;
    for (const stream of [process.stdout, process.stderr] as unknown as SyncWriteStream[]) {
      if (stream._type !== 'fs' || this.#streams[stream.fd] === undefined) continue;
      stream._write = (chunk, _encoding, done) => {
        try {
          fs.writeSync(stream.fd, chunk);
        } catch (error) {
          return done(error as Error);
        }
        done();
      };
    }
  }
}

/** Whatever is printed in whatever form: written, or dropped. */
function writeGuarded(
  stream: GuardedStream,
  original: WriteSync,
  fd: number,
  payload: unknown,
  rest: readonly unknown[],
): number {
  if (!isPayload(payload)) return original(fd, payload, ...rest);
  if (!stream.isOpen()) return drop(stream, payload, rest);
  let written: number;
  try {
    written = original(fd, payload, ...rest);
  } catch (error) {
    return dropRefused(stream, error, payload, rest);
  }
  const length = lengthOf(payload, rest);
  if (written < length) return finish(stream, written, payload, rest);
  if (length > 0) stream.lastByte = lastByte(payload, rest);
  return length;
}

function dropRefused(stream: GuardedStream, error: unknown, payload: Payload, rest: readonly unknown[]): number {
  if (!stream.absorbs(error)) throw error;
  return drop(stream, payload, rest);
}

/** Returns what `fs` would have, had there been room. */
function drop(stream: GuardedStream, payload: Payload, rest: readonly unknown[]): number {
  const bytes = bytesOf(payload, rest);
  stream.drop(bytes);
  return bytes.length;
}

/** The file took only the first `written` bytes. */
function finish(stream: GuardedStream, written: number, payload: Payload, rest: readonly unknown[]): number {
  const bytes = bytesOf(payload, rest);
  if (written > 0) stream.lastByte = bytes[written - 1] ?? stream.lastByte;
  stream.finish(bytes.subarray(written));
  return bytes.length;
}

interface SyncWriteStream {
  readonly _type?: string;
  readonly fd: number;
  _write: (chunk: Uint8Array, encoding: string, done: (error?: Error) => void) => void;
}

function replace(name: 'writeSync' | 'writevSync' | 'write' | 'writev', wrap: (original: Write) => Write): void {
  const original = fs[name] as Write;
  const wrapped = wrap(original);
  // Its name, its number of arguments, and what `util.promisify` looks for.
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
  Object.assign(fs, { [name]: wrapped });
}

type Payload = string | ArrayBufferView | readonly ArrayBufferView[];

/** Anything else Node refuses by itself. */
function isPayload(value: unknown): value is Payload {
  return (
    typeof value === 'string' ||
    ArrayBuffer.isView(value) ||
    (Array.isArray(value) && value.every((part) => ArrayBuffer.isView(part)))
  );
}

/** `rest` is as `fs.write` takes it: offset (or options) and length of bytes, position and encoding of a string. */
function lengthOf(payload: Payload, rest: readonly unknown[]): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload, encodingOf(rest));
  if (!ArrayBuffer.isView(payload)) return payload.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return rest.length === 0 ? payload.byteLength : bytesOf(payload, rest).length;
}

function lastByte(payload: Payload, rest: readonly unknown[]): number {
  if (typeof payload === 'string') return payload.charCodeAt(payload.length - 1);
  if (payload instanceof Uint8Array && rest.length === 0) return payload[payload.length - 1] ?? 0;
  return bytesOf(payload, rest).at(-1) ?? 0;
}

function bytesOf(payload: Payload, rest: readonly unknown[]): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload, encodingOf(rest));
  if (!ArrayBuffer.isView(payload)) return Buffer.concat(payload.map(viewOf));
  const all = viewOf(payload);
  const [first, second] = rest;
  const range = typeof first === 'object' && first !== null ? first : { offset: first, length: second };
  const { offset, length } = range as { readonly offset?: unknown; readonly length?: unknown };
  const from = typeof offset === 'number' ? offset : 0;
  return all.subarray(from, typeof length === 'number' ? from + length : undefined);
}

function viewOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

function encodingOf(rest: readonly unknown[]): BufferEncoding {
  const [, encoding] = rest;
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
}

function isFile(fd: number): boolean {
  try {
    return fs.fstatSync(fd).isFile();
  } catch {
    return false; // Not open.
  }
}
