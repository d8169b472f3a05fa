/** What one request to the app of the page leaves behind: spans in one chain, lines with their ids, one header. */
import assert from 'node:assert/strict';
import type { Span } from '../support/otlp.ts';
import { CALLER, type TracedPlace } from './place.ts';

export const SERVER = 'SPAN_KIND_SERVER';
const CLIENT = 'SPAN_KIND_CLIENT';

export const ofHttp = (spans: readonly Span[], kind: string): readonly Span[] =>
  spans.filter((span) => span.scope === '@opentelemetry/instrumentation-http' && span.kind === kind);

/** Express has spans of its own in between. */
function isWithin(span: Span, ancestor: Span, all: readonly Span[]): boolean {
  if (span.parentSpanId === ancestor.spanId) return true;
  const parent = all.find(({ spanId }) => spanId === span.parentSpanId);
  return parent !== undefined && isWithin(parent, ancestor, all);
}

export interface Expected {
  /** Of the two spans of the server. */
  readonly names?: readonly [string, string];
  readonly end?: string;
}

/** One request to `/call`, which calls `/hello/myself`: two spans of the server, one of the client, in one chain. */
export async function checkCall(
  place: TracedPlace,
  { names = ['GET /call', 'GET /hello/:name'], end = 'exited with code 0' }: Expected = {},
): Promise<readonly Span[]> {
  const sent = JSON.parse(await place.ask('/call')) as { readonly traceparent: string };
  const printed = await place.printed();
  // Of one that has nothing else left: what was not sent yet is sent on its way out.
  const ends = await place.stop();
  assert.deepEqual(
    ends.map((line) => line.replace(/^.*?shop\/0 /, '')),
    [`worker-exited: ${end}`],
  );
  const spans = await place.untilSpans('both requests have spans', (all) => ofHttp(all, SERVER).length === 2);
  const outer = ofHttp(spans, SERVER).find(({ parentSpanId }) => parentSpanId === CALLER.spanId);
  const inner = ofHttp(spans, SERVER).find((span) => span !== outer);
  const [called, ...more] = ofHttp(spans, CLIENT);
  assert.ok(outer !== undefined && inner !== undefined && called !== undefined, JSON.stringify(spans));
  assert.deepEqual(more, []);
  assert.deepEqual([outer.name, inner.name], names);
  assert.ok(isWithin(called, outer, spans), 'what it calls is a part of it');
  assert.equal(inner.parentSpanId, called.spanId);
  // Two would come joined by a comma.
  assert.equal(sent.traceparent, `00-${CALLER.traceId}-${called.spanId}-01`);
  assert.match(printed, new RegExp(`hello myself trace_id=${CALLER.traceId}$`, 'm'));
  return spans;
}
