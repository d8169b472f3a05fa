/**
 * One JSON line for each thing that is logged, on stdout, with the trace of the request and the worker that it comes from.
 * Minimal on purpose: an app that wants transports, redaction or serialisers has a logger, and takes `trace()` into it.
 */
import type { TraceContext } from '../protocol/index.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** The same with `fields` on each line. */
  child(fields: LogFields): Log;
}

export interface LogSite {
  readonly write: (line: string) => void;
  readonly wallMs: () => number;
  readonly trace: () => TraceContext | null;
  /** On each line: `app` and `worker`, where there are any. */
  readonly fields: LogFields;
  /** What is below is not written. */
  readonly level: LogLevel;
}

/** In rising order; the names that `drover logs --level` takes. */
const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** `info` where it is none of the names. */
export function parseLevel(name: string | undefined): LogLevel {
  return LEVELS.find((level) => level === name?.toLowerCase()) ?? 'info';
}

export function createLog(site: LogSite): Log {
  const from = LEVELS.indexOf(site.level);
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (LEVELS.indexOf(level) >= from) site.write(lineOf(site, level, message, fields));
    };
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    child: (fields) => createLog({ ...site, fields: { ...site.fields, ...fields } }),
  };
}

function lineOf({ wallMs, trace, fields: own }: LogSite, level: LogLevel, message: string, fields: LogFields): string {
  const context = trace();
  const line = {
    time: new Date(wallMs()).toISOString(),
    level,
    ...own,
    ...(context !== null && { trace_id: context.traceId, span_id: context.spanId }),
    ...fields,
    msg: message,
  };
  return `${stringify(line)}\n`;
}

/** Never throws: what cannot be written as JSON is written as text, and a circle is cut. */
function stringify(line: object): string {
  try {
    return JSON.stringify(line, writable);
  } catch {
    const seen = new Set<unknown>();
    return JSON.stringify(line, (key, value: unknown) => {
      const plain = writable(key, value);
      if (typeof plain !== 'object' || plain === null) return plain;
      if (seen.has(plain)) return '[seen before]';
      seen.add(plain);
      return plain;
    });
  }
}

function writable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  const { code } = value as NodeJS.ErrnoException;
  return { name, message, stack, ...(code !== undefined && { code }), ...(cause !== undefined && { cause }) };
}
