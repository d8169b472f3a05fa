/**
 * The trace of each request, while it is wanted: continued from the caller's `traceparent`, or begun here. It is there for
 * whatever the request runs (one AsyncLocalStorage, which costs promises dearly on Node 20 and 22, so nothing of this is
 * loaded before), and goes on with the requests that it makes itself. Where the app has OpenTelemetry, that has its own
 * context and its own headers: then only the context is read, and nothing is sent. No spans are recorded here.
 */
import type { AsyncLocalStorage } from 'node:async_hooks';
import type * as AsyncHooks from 'node:async_hooks';
import type * as Crypto from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import type * as Http from 'node:http';
import type { TraceContext } from '../protocol/agent.ts';
import type { NetServer } from '../runtime/index.ts';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

type Headers = Readonly<Record<string, unknown>>;

/** What runs for one request; its ids are made when somebody asks. */
interface Traced {
  readonly headers: Headers;
  context: TraceContext | null;
}

/** A request that the app makes with `http`: told of since Node 22.12, before its headers are sent. */
const HTTP_CREATED = 'http.client.request.created';
const TELLS_OF_HTTP = isAtLeast(22, 12);
/** One that it makes with `fetch` or undici. */
const UNDICI_CREATED = 'undici:request:create';

export class Tracing {
  #storage: AsyncLocalStorage<Traced> | null = null;
  readonly #wrapped = new WeakSet<NetServer>();
  #isOn = false;
  #hearsHttp = TELLS_OF_HTTP;

  get isOn(): boolean {
    return this.#isOn;
  }

  /** From now on the requests of these servers are traced, and of those that are given to {@link watch}. */
  start(servers: Iterable<NetServer>): void {
    if (this.#storage === null) {
      this.#storage = new (require('node:async_hooks') as typeof AsyncHooks).AsyncLocalStorage();
      subscribe(HTTP_CREATED, (message) => this.#sendByHttp((message as { readonly request: HttpRequest }).request));
      subscribe(UNDICI_CREATED, (message) =>
        this.#sendByUndici((message as { readonly request: UndiciRequest }).request),
      );
    }
    this.#isOn = true;
    for (const server of servers) this.watch(server);
  }

  stop(): void {
    this.#isOn = false;
  }

  watch(server: NetServer): void {
    if (!this.#isOn || this.#wrapped.has(server)) return;
    this.#wrapped.add(server);
    const emit = server.emit.bind(server);
    const run = (headers: Headers, then: () => boolean): boolean => this.#run(headers, then);
    // On the server itself: whatever wraps the one of its class comes after it.
    server.emit = ((name: string, ...rest: unknown[]) => {
      const headers = headersOf(name, rest);
      return headers === null ? emit(name, ...rest) : run(headers, () => emit(name, ...rest));
    }) as typeof server.emit;
  }

  /** Of the code that runs now; null outside of requests, and while tracing is off. */
  current(): TraceContext | null {
    if (!this.#isOn) return null;
    const others = openTelemetry();
    if (others !== null) return others.active();
    const traced = this.#storage?.getStore();
    return traced === undefined ? null : (traced.context ??= begin(traced.headers));
  }

  #run(headers: Headers, then: () => boolean): boolean {
    // A request of HTTP/2 is told of twice.
    if (!this.#isOn || this.#storage === null || this.#storage.getStore()?.headers === headers) return then();
    if (!this.#hearsHttp) this.#hearHttp();
    return this.#storage.run({ headers, context: null }, then);
  }

  /** Older Nodes: what makes the header is told before it does. In the first request, when `http` has been loaded anyway. */
  #hearHttp(): void {
    this.#hearsHttp = true;
    const { prototype } = (require('node:http') as typeof Http).ClientRequest as unknown as {
      readonly prototype: { _implicitHeader: (this: HttpRequest) => void };
    };
    const original = prototype._implicitHeader;
    const send = (request: HttpRequest): void => this.#sendByHttp(request);
    prototype._implicitHeader = function _implicitHeader() {
      send(this);
      original.call(this);
    };
  }

  #sendByHttp(request: HttpRequest): void {
    const header = this.#header();
    if (header === null || request.headersSent || request.hasHeader('traceparent')) return;
    request.setHeader('traceparent', header);
  }

  #sendByUndici(request: UndiciRequest): void {
    const header = this.#header();
    // A list since undici 6, text before.
    const { headers } = request;
    const has = Array.isArray(headers)
      ? headers.some((word) => String(word).toLowerCase() === 'traceparent')
      : typeof headers === 'string' && /^traceparent:/im.test(headers);
    if (header !== null && !has) request.addHeader('traceparent', header);
  }

  #header(): string | null {
    if (!this.#isOn || openTelemetry() !== null) return null;
    const context = this.current();
    return context === null ? null : formatTraceparent(context);
  }
}

interface HttpRequest {
  readonly headersSent: boolean;
  readonly hasHeader: (name: string) => boolean;
  readonly setHeader: (name: string, value: string) => void;
}

interface UndiciRequest {
  readonly headers: unknown;
  readonly addHeader: (name: string, value: string) => void;
}

function headersOf(name: string, rest: readonly unknown[]): Headers | null {
  if (name === 'request' || name === 'checkContinue') {
    return (rest[0] as { readonly headers?: Headers } | undefined)?.headers ?? null;
  }
  // Of an HTTP/2 server; others emit no such event with headers.
  return name === 'stream' && typeof rest[1] === 'object' ? (rest[1] as Headers | null) : null;
}

/** A span of this process, in the caller's trace or in a new one, which counts as sampled: nobody has decided otherwise. */
function begin(headers: Headers): TraceContext {
  const caller = parseTraceparent(headers['traceparent']);
  return {
    traceId: caller?.traceId ?? randomHex(16),
    spanId: randomHex(8),
    isSampled: caller?.isSampled ?? true,
  };
}

function isAtLeast(wantedMajor: number, wantedMinor: number): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** All zeros, which no id may be, does not happen in practice. */
function randomHex(bytes: number): string {
  return (require('node:crypto') as typeof Crypto).randomBytes(bytes).toString('hex');
}

/** `createContextKey` of OpenTelemetry's API registers its keys under their descriptions. */
const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN');
const API = Symbol.for('opentelemetry.js.api.1');

interface OpenTelemetryApi {
  readonly context?: { readonly active: () => { readonly getValue: (key: symbol) => unknown } };
}

interface Span {
  readonly spanContext: () => { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
}

/** Null where the app has none, or one without contexts. */
function openTelemetry(): { readonly active: () => TraceContext | null } | null {
  const { context } = ((globalThis as Record<symbol, unknown>)[API] ?? {}) as OpenTelemetryApi;
  if (context === undefined) return null;
  return {
    active: () => {
      try {
        const span = context.active().getValue(SPAN_KEY) as Span | undefined;
        if (span === undefined) return null;
        const { traceId, spanId, traceFlags } = span.spanContext();
        return { traceId, spanId, isSampled: (traceFlags & 1) !== 0 };
      } catch {
        return null;
      }
    },
  };
}
