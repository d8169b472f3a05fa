/**
 * OpenTelemetry's own automatic instrumentation under the daemon, set up as `docs/tracing.md` says: its spans, the lines that the app
 * prints, the headers that it sends, and the end of the worker.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { listNodes, type TestNode } from '../support/nodes.ts';
import type { Metric, Span } from '../support/otlp.ts';
import { CALLER, fileOfPage, openTracedPlace, type Settings, type TracedPlace } from './place.ts';

const NODES = listNodes();
const [RUNNING] = NODES as [TestNode];

const REGISTER = '@opentelemetry/auto-instrumentations-node/register';
const AUTOMATIC = ['--import', REGISTER];
const HOOK = '--experimental-loader=@opentelemetry/instrumentation/hook.mjs';

const SERVER = 'SPAN_KIND_SERVER';
const CLIENT = 'SPAN_KIND_CLIENT';

const sumOf = ({ sum }: Metric): number | undefined => sum?.dataPoints[0]?.asDouble;

const ofHttp = (spans: readonly Span[], kind: string): readonly Span[] =>
  spans.filter((span) => span.scope === '@opentelemetry/instrumentation-http' && span.kind === kind);

/** Express has spans of its own in between. */
function isWithin(span: Span, ancestor: Span, all: readonly Span[]): boolean {
  if (span.parentSpanId === ancestor.spanId) return true;
  const parent = all.find(({ spanId }) => spanId === span.parentSpanId);
  return parent !== undefined && isWithin(parent, ancestor, all);
}

interface Expected {
  /** Of the two spans of the server. */
  readonly names?: readonly [string, string];
  readonly end?: string;
}

/** One request to `/call`, which calls `/hello/myself`: two spans of the server, one of the client, in one chain. */
async function checkCall(
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

/** Of drover/app, beside what the agent does; what it counts is the app's own. */
const LOGGING_APP = `
import { log, metrics, trace } from 'drover/app';

const asked = metrics.counter('asked_total', { help: 'Requests.', labels: ['path'] });
${fileOfPage('server.mjs').replace(
  "app.get('/call'",
  `app.get('/log', (_request, response) => {
  asked.inc({ path: '/log' });
  log.info('logged');
  response.json(trace());
});
app.get('/call'`,
)}`;

/** The same app as a CommonJS module, with another framework. */
const FASTIFY_APP = `
const { get } = require('node:http');
const { fastify } = require('fastify');

const port = Number(process.env.PORT);
const app = fastify();
app.get('/hello/:name', async ({ params, headers }) => {
  console.log('hello ' + params.name);
  return { traceparent: headers.traceparent ?? null };
});
app.get('/call', (_request, reply) => {
  get({ port, path: '/hello/myself', host: '127.0.0.1' }, (answer) => reply.send(answer));
});
app.listen({ port, host: '127.0.0.1' });
`;

describe('the set-up of the page', () => {
  for (const node of NODES)
    it(`has one chain of spans, ids on lines and one header, and sends what is left at its end, under ${node.name}`, async () => {
      await using place = await openTracedPlace(node);
      await place.start();
      const spans = await checkCall(place);
      assert.deepEqual(new Set(spans.map(({ service }) => service)), new Set(['shop']));
    });

  it('has the ids of the exported span in the lines of drover/app, whose metrics are pushed beside those of Drover', async () => {
    await using place = await openTracedPlace(RUNNING, { 'server.mjs': LOGGING_APP });
    await place.start(undefined, { otlp: { endpoint: place.receiver.endpoint, interval: '1s' } });
    const told = JSON.parse(await place.ask('/log')) as { readonly traceId: string; readonly spanId: string };
    const pushed = await eventually(
      'the counter of the app is pushed',
      () =>
        place.receiver
          .metrics()
          .find(({ scope, metric }) => scope === 'drover.app' && metric.name === 'asked_total' && sumOf(metric) === 1),
      { withinMs: 20_000 },
    );
    assert.deepEqual([pushed.resource['service.name'], pushed.resource['service.instance.id']], ['shop', 'shop/0']);
    const printed = await place.printed();
    await place.stop();
    const spans = await place.untilSpans('the request has spans', (all) => ofHttp(all, SERVER).length === 1);
    const span = spans.find(({ spanId }) => spanId === told.spanId);
    assert.equal(told.traceId, CALLER.traceId);
    assert.ok(span !== undefined, `${told.spanId} is none of ${JSON.stringify(spans)}`);
    assert.equal(span.instance, 'shop/0');
    assert.match(printed, new RegExp(`"trace_id":"${told.traceId}","span_id":"${told.spanId}","msg":"logged"`));
    assert.equal(printed.match(/trace_id/g)?.length, 1, 'and once in each line');
  });
});

describe('the automatic set-up', () => {
  it('does the same for ES modules, with its hook', async () => {
    await using place = await openTracedPlace(RUNNING);
    await place.start((shop) => ({ ...shop, nodeArgs: [HOOK, ...AUTOMATIC] }));
    await checkCall(place);
  });

  const byEnvironment = (shop: Settings): Settings => ({
    ...shop,
    nodeArgs: undefined,
    env: { ...shop.env, NODE_OPTIONS: `--require ${REGISTER}` },
  });
  const asCommand = (shop: Settings, command: readonly string[]): Settings => ({
    ...byEnvironment(shop),
    node: undefined,
    script: undefined,
    command,
  });
  const ways: Readonly<Record<string, (shop: Settings) => Settings>> = {
    'by --require': (shop) => ({ ...shop, script: 'server.cjs', nodeArgs: ['--require', REGISTER] }),
    'by NODE_OPTIONS, so before the agent': (shop) => ({ ...byEnvironment(shop), script: 'server.cjs' }),
    'as `npm start`': (shop) => asCommand(shop, ['npm', 'start']),
    'behind a shell': (shop) => asCommand(shop, ['sh', '-c', 'node server.cjs; exit $?']),
  };
  for (const [what, change] of Object.entries(ways))
    it(`does the same for a CommonJS module, ${what}`, async () => {
      const files = {
        'server.cjs': FASTIFY_APP,
        'package.json': JSON.stringify({ name: 'shop', scripts: { start: 'node server.cjs' } }),
      };
      await using place = await openTracedPlace(RUNNING, files);
      await place.start(change);
      await checkCall(place, {
        // No instrumentation of Fastify is a part of it any more: spans have no routes in their names.
        names: ['GET', 'GET'],
        // The shell itself; the server in it has ended by then.
        ...(what === 'behind a shell' && { end: 'was ended by SIGTERM' }),
      });
    });
});
