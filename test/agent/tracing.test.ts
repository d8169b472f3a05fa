/** Traces of requests: continued, begun, printed, sent on; and none of it unless it is wanted. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { it } from 'node:test';
import type { AgentSettings, TraceContext } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';
import { openFakeDaemon, type FakeDaemon, type FakeWorker } from './support/fake-daemon.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/traced.cjs');
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
/** What the app sends itself stays. */
const GIVEN = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const CALLER = `00-${TRACE}-00f067aa0ba902b7-01`;

const settings = (trace: AgentSettings['trace']): AgentSettings => ({
  profile: false,
  watchdog: false,
  blockedAfterMs: 1000,
  routes: 0,
  appMetrics: false,
  trace,
});

interface Started {
  readonly worker: FakeWorker;
  readonly ask: (path: string, traceparent?: string | string[]) => Promise<string>;
  readonly output: () => string;
}

async function start(
  daemon: FakeDaemon,
  node: string,
  trace: AgentSettings['trace'] | null,
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const port = await freePort();
  const file = join(daemon.folder, `output-${port}`);
  const fd = openSync(file, 'a');
  const worker = await daemon.start({
    app: APP,
    node,
    shards: [daemon.shard({ kind: 'tcp', host: '::', port, v6only: false })],
    env: { PORT: String(port), ...env },
    files: { stdout: fd, stderr: fd },
  });
  closeSync(fd);
  const output = (): string => readFileSync(file, 'utf8');
  await eventually('listening', () => output().includes('listening'));
  if (trace !== null) worker.send({ type: 'settings', settings: settings(trace) });
  worker.send({ type: 'ping', id: 1 });
  await worker.said('pong');
  return { worker, output, ask: async (path, traceparent) => ask(port, path, traceparent) };
}

async function ask(port: number, path: string, traceparent?: string | string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = traceparent === undefined ? {} : { traceparent };
    const sent = request({ port, host: '127.0.0.1', path, agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject).end();
  });
}

underEachNode('The trace of a request', ({ path: node }) => {
  it('is continued, or begun where there is none, and is there after promises and timers', async () => {
    await using daemon = await openFakeDaemon();
    const { ask, output } = await start(daemon, node, { enabled: true, logs: false });
    const continued = JSON.parse(await ask('/trace', CALLER)) as TraceContext;
    assert.deepEqual([continued.traceId, continued.isSampled], [TRACE, true]);
    assert.match(continued.spanId, /^[\da-f]{16}$/);
    assert.notEqual(continued.spanId, '00f067aa0ba902b7');
    assert.equal((JSON.parse(await ask('/trace', CALLER.replace(/01$/, '00'))) as TraceContext).isSampled, false);
    const own = (await Promise.all([ask('/trace'), ask('/trace', 'garbage'), ask('/trace', [CALLER, CALLER])])).map(
      (text) => (JSON.parse(text) as TraceContext).traceId,
    );
    assert.equal(new Set([...own, TRACE]).size, 4);
    assert.ok(own.every((traceId) => /^[\da-f]{32}$/.test(traceId)));
    assert.match(output(), /outside of requests null/);
  });

  it('goes on with the requests that it makes', async () => {
    await using daemon = await openFakeDaemon();
    const { ask } = await start(daemon, node, { enabled: true, logs: false });
    const { own, ...sent } = JSON.parse(await ask('/calls', CALLER)) as Record<
      'http' | 'fetch' | 'posted' | 'given',
      string
    > & {
      readonly own: TraceContext;
    };
    const expected = `00-${TRACE}-${own.spanId}-01`;
    assert.deepEqual(sent, { http: expected, fetch: expected, posted: expected, given: GIVEN });
  });

  it('is on the lines that it prints, where that is wanted', async () => {
    await using daemon = await openFakeDaemon();
    const { ask, output } = await start(daemon, node, { enabled: true, logs: true });
    const { traceId } = JSON.parse(await ask('/prints', CALLER)) as TraceContext;
    assert.equal(traceId, TRACE);
    const lines = output().split('\n');
    assert.deepEqual(lines.slice(lines.indexOf('listening') + 1), [
      `plain text trace_id=${TRACE}`,
      `{"level":30,"msg":"in json","trace_id":"${TRACE}"}`,
      '{"trace_id":"own","msg":"has one"}',
      `first line trace_id=${TRACE}`,
      '    at second line',
      '',
    ]);
  });

  it('is that of OpenTelemetry where the app has it, which sends its own headers', async () => {
    await using daemon = await openFakeDaemon();
    const { ask } = await start(daemon, node, { enabled: true, logs: false }, { OTEL: '1' });
    const { own, agent } = JSON.parse(await ask('/span', CALLER)) as {
      readonly own: { readonly traceId: string; readonly spanId: string };
      readonly agent: TraceContext;
    };
    assert.deepEqual([agent.traceId, agent.spanId], [own.traceId, own.spanId]);
    assert.notEqual(agent.traceId, TRACE);
    const calls = JSON.parse(await ask('/calls', CALLER)) as Record<string, unknown>;
    assert.deepEqual([calls['own'], calls['http'], calls['fetch'], calls['posted']], [null, 'none', 'none', 'none']);
  });

  it('is not there unless it is wanted, and ends when it is not any more', async () => {
    await using daemon = await openFakeDaemon();
    const off = await start(daemon, node, null);
    assert.equal(await off.ask('/trace', CALLER), 'null');
    assert.equal(await off.ask('/prints', CALLER), 'null');
    assert.match(off.output(), /^plain text$/m);
    const { worker, ask } = await start(daemon, node, { enabled: true, logs: true });
    assert.notEqual(await ask('/trace', CALLER), 'null');
    worker.send({ type: 'settings', settings: settings({ enabled: false, logs: false }) });
    worker.send({ type: 'ping', id: 2 });
    await worker.said('pong', ({ id }) => id === 2);
    assert.equal(await ask('/trace', CALLER), 'null');
  });
});
