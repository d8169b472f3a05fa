/**
 * Finds where code came from, through source maps that lie on this machine: named in the last lines of a file, inside of
 * it, or beside it as `<file>.map`. Never asks the network, reads ordinary files only, and none beyond its bounds. A map
 * that cannot be used is left out, with a note; what it would have said is simply not known.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  AnyMap,
  LEAST_UPPER_BOUND,
  originalPositionFor,
  type SourceMapInput,
  type TraceMap,
} from '@jridgewell/trace-mapping';

export interface SourcePlace {
  /** In the form of the question: a path for a path, a `file:` URL for one; `webpack:` and such as the map has them. */
  readonly url: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** As the source calls what stands there; null where the map does not tell. */
  readonly name: string | null;
}

export interface SourceMapOptions {
  /** Bytes of a generated file and of a map; 64 MiB unless told. */
  readonly maxFileBytes?: number;
  /** Bytes of all maps that are kept; 512 MiB unless told. Beyond, further files are not resolved. */
  readonly maxTotalBytes?: number;
}

const COMMENT = 'sourceMappingURL=';
/** Base 64 of numbers, with separators. */
const MAPPINGS = /^[A-Za-z0-9+/,;]*$/;
const DATA_URL = /^data:application\/json[^,]*?(;base64)?,/;

export class SourceMaps {
  /** What a person should know: maps that could not be used, each once. */
  readonly notes: string[] = [];
  readonly #maxFileBytes: number;
  readonly #maxTotalBytes: number;
  readonly #maps = new Map<string, Promise<TraceMap | null>>();
  #totalBytes = 0;

  constructor({ maxFileBytes = 64 * 1024 * 1024, maxTotalBytes = 512 * 1024 * 1024 }: SourceMapOptions = {}) {
    this.#maxFileBytes = maxFileBytes;
    this.#maxTotalBytes = maxTotalBytes;
  }

  /**
   * The place in the source of a place in generated code; null where no map tells. `column` 0 (unknown) finds the first
   * place of its line.
   */
  async resolve(url: string, line: number, column: number): Promise<SourcePlace | null> {
    return (await this.open(url))?.(line, column) ?? null;
  }

  /** Loads the map of a file, for questions that cannot wait; null where there is none. */
  async open(url: string): Promise<((line: number, column: number) => SourcePlace | null) | null> {
    const path = toPath(url);
    const map = path === null ? null : await this.#mapOf(path);
    return path === null || map === null ? null : (line, column) => this.#find(map, path, url, line, column);
  }

  #find(map: TraceMap, path: string, url: string, line: number, column: number): SourcePlace | null {
    if (line < 1) return null;
    const needle = { line, column: Math.max(column - 1, 0) };
    try {
      // What begins before the place, else what comes next in its line.
      let found = originalPositionFor(map, needle);
      if (found.source === null) found = originalPositionFor(map, { ...needle, bias: LEAST_UPPER_BOUND });
      if (found.source === null) return null;
      const source =
        found.source.startsWith('file:') && !url.startsWith('file:') ? fileURLToPath(found.source) : found.source;
      return { url: source, line: found.line, column: found.column + 1, name: found.name };
    } catch (error) {
      this.#maps.set(path, Promise.resolve(null));
      this.#note(path, error);
      return null;
    }
  }

  #mapOf(path: string): Promise<TraceMap | null> {
    const known = this.#maps.get(path);
    if (known !== undefined) return known;
    const found = this.#load(path).catch((error: unknown) => {
      this.#note(path, error);
      return null;
    });
    this.#maps.set(path, found);
    return found;
  }

  async #load(path: string): Promise<TraceMap | null> {
    const code = await this.#readText(path);
    if (code === null) return null;
    const named = findComment(code);
    const inline = named === null ? null : DATA_URL.exec(named);
    if (named !== null && inline !== null) {
      const body = named.slice(inline[0].length);
      const text = inline[1] === undefined ? decodeURIComponent(body) : Buffer.from(body, 'base64').toString('utf8');
      return this.#parse(text, path);
    }
    const mapPath = named === null ? `${path}.map` : toMapPath(named, path);
    const text = mapPath === null ? null : await this.#readText(mapPath);
    if (text === null || mapPath === null) return null;
    return this.#parse(text, mapPath);
  }

  #parse(text: string, path: string): TraceMap {
    // Some servers put this before JSON; the format's specification asks readers to take it off.
    const json = text.startsWith(")]}'") ? text.slice(text.indexOf('\n') + 1) : text;
    const map = parseJson(json) as { readonly mappings?: unknown; readonly sections?: unknown } | null;
    if (typeof map !== 'object' || map === null) throw new Error('it is no object');
    // The decoder makes places of anything; what is not in its alphabet is no mapping.
    const isMapping = typeof map.mappings === 'string' && MAPPINGS.test(map.mappings);
    if (map.sections === undefined && !isMapping) throw new Error('its mappings are none');
    return new AnyMap(map as SourceMapInput, pathToFileURL(path).href);
  }

  /** Null where there is no such file; throws where it is there and not to be used. */
  async #readText(path: string): Promise<string | null> {
    // Opened without waiting: a pipe that nobody writes to would be waited for, for ever, before it can be told apart.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return null;
      throw error;
    });
    if (file === null) return null;
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new Error('not an ordinary file');
      if (stat.size > this.#maxFileBytes) throw new Error(`it is larger than ${this.#maxFileBytes} bytes`);
      if (this.#totalBytes + stat.size > this.#maxTotalBytes) throw new Error('too many maps for one run');
      this.#totalBytes += stat.size;
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  }

  #note(path: string, error: unknown): void {
    this.notes.push(
      `the source map of ${path} was not used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** What V8 says of text that is no JSON quotes it, and the text may be any file that a comment names. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}

/** Path of a file on this machine; null for everything that is none. */
function toPath(url: string): string | null {
  if (url.startsWith('/') || /^[A-Za-z]:[\\/]/.test(url)) return url;
  if (!url.startsWith('file:')) return null;
  try {
    return fileURLToPath(url);
  } catch {
    return null;
  }
}

/** The last one counts; it stands in a line of its own that nothing but such lines follow. */
function findComment(code: string): string | null {
  const at = code.lastIndexOf(COMMENT);
  if (
    at < 3 ||
    !/^(?:\/\/|\/\*)[#@]$/.test(
      code
        .slice(at - 4, at)
        .trimEnd()
        .slice(-3),
    )
  )
    return null;
  const end = code.indexOf('\n', at);
  const named = code.slice(at + COMMENT.length, end === -1 ? code.length : end).trim();
  return named.replace(/\s*\*\/$/, '');
}

function toMapPath(named: string, path: string): string | null {
  if (named.startsWith('file:')) return toPath(named);
  // Whatever else has a scheme is somewhere in the network.
  if (/^[a-z][a-z0-9+.-]+:/i.test(named) || named.startsWith('//')) return null;
  try {
    return resolve(dirname(path), decodeURIComponent(named));
  } catch {
    return null;
  }
}
