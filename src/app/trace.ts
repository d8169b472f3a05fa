/**
 * The trace of the request that this code runs for: from the agent, where its tracing is on; else from OpenTelemetry, where the
 * app has loaded its API, which keeps itself under a registered symbol for that.
 */
import type { AgentSide, TraceContext } from '../protocol/index.ts';

/** `@opentelemetry/api` 1.x: `internal/global-utils.js` and `trace/context-utils.js`. */
const API = Symbol.for('opentelemetry.js.api.1');
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');
const SAMPLED = 1;

interface OpenTelemetry {
  readonly context?: { readonly active?: () => { readonly getValue?: (key: symbol) => Span | undefined } | undefined };
}

interface Span {
  readonly spanContext?: () => { readonly traceId?: unknown; readonly spanId?: unknown; readonly traceFlags?: unknown };
}

/** Null outside a request, and where there is nothing that traces. */
export function readTrace(agent: AgentSide | null, scope: object = globalThis): TraceContext | null {
  return agent?.trace() ?? fromOpenTelemetry(scope);
}

function fromOpenTelemetry(scope: object): TraceContext | null {
  const api = (scope as Record<symbol, OpenTelemetry | undefined>)[API];
  const context = api?.context?.active?.()?.getValue?.(SPAN)?.spanContext?.();
  if (typeof context?.traceId !== 'string' || typeof context.spanId !== 'string') return null;
  const { traceId, spanId, traceFlags } = context;
  return { traceId, spanId, isSampled: typeof traceFlags === 'number' && (traceFlags & SAMPLED) === SAMPLED };
}
