/** drover/app in an app that has OpenTelemetry: its lines and `trace()` have the ids of what is exported. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { listNodes, type TestNode } from '../support/nodes.ts';
import type { Metric } from '../support/otlp.ts';
import { refusalAt } from '../support/service.ts';
import { ofHttp, SERVER } from './chain.ts';
import { CALLER, fileOfPage, openTracedPlace, type TracedPlace } from './place.ts';

const [RUNNING] = listNodes() as [TestNode];

const sumOf = ({ sum }: Metric): number | undefined => sum?.dataPoints[0]?.asDouble;

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

describe('trace() and log of drover/app', () => {
  const check = async (place: TracedPlace): Promise<void> => {
    const told = JSON.parse(await place.ask('/log')) as { readonly traceId: string; readonly spanId: string } | null;
    assert.equal(told?.traceId, CALLER.traceId);
    const spans = await place.untilSpans('the request has spans', (all) => ofHttp(all, SERVER).length === 1);
    assert.ok(
      spans.some(({ spanId }) => spanId === told?.spanId),
      `${told?.spanId} is none of ${JSON.stringify(spans)}`,
    );
  };

  it('have the ids of OpenTelemetry under a daemon whose own tracing is off', async () => {
    await using place = await openTracedPlace(RUNNING, { 'server.mjs': LOGGING_APP });
    await place.start((shop) => ({ ...shop, trace: undefined }));
    await check(place);
  });

  it('have them without a daemon', async () => {
    await using place = await openTracedPlace(RUNNING, { 'server.mjs': LOGGING_APP });
    const { folder, port, receiver } = place;
    const env = {
      ...process.env,
      PORT: String(port),
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_METRICS_EXPORTER: 'none',
    };
    const app = spawn(RUNNING.path, ['--import', './instrumentation.mjs', 'server.mjs'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await eventually('it listens', async () => (await refusalAt(port)) === null);
      await check(place);
      const [line] = (await once(app.stdout, 'data')) as [Buffer];
      assert.match(line.toString(), new RegExp(`"trace_id":"${CALLER.traceId}"`));
    } finally {
      app.kill('SIGKILL');
    }
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
