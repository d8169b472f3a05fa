import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, parseLevel } from './log.ts';
import { readTrace } from './trace.ts';

const CONTEXT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', isSampled: true };

function open(level: string, trace: typeof CONTEXT | null = null) {
  const lines: string[] = [];
  const site = { write: (line: string) => lines.push(line), wallMs: () => 0, trace: () => trace };
  const log = createLog({ ...site, fields: { app: 'shop' }, level: parseLevel(level) });
  return { log, read: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>), lines };
}

describe('A log line', () => {
  it('holds time, level, worker, trace, fields and message, on one line', () => {
    const { log, read, lines } = open('info', CONTEXT);
    log.child({ part: 'cart' }).warn('slow\nquery', { ms: 3n });
    assert.equal(lines[0]?.indexOf('\n'), (lines[0]?.length ?? 0) - 1);
    assert.deepEqual(read(), [
      {
        time: '1970-01-01T00:00:00.000Z',
        level: 'warn',
        app: 'shop',
        part: 'cart',
        trace_id: CONTEXT.traceId,
        span_id: CONTEXT.spanId,
        ms: '3',
        msg: 'slow\nquery',
      },
    ]);
  });

  it('is written from the level on', () => {
    const { log, read } = open('WARN');
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level]('x');
    assert.deepEqual(
      read().map(({ level }) => level),
      ['warn', 'error', 'fatal'],
    );
    assert.equal(parseLevel('nonsense'), 'info');
  });

  it('holds errors with their cause, and circles without end', () => {
    const { log, read } = open('info');
    const circle: { self?: unknown } = {};
    circle.self = circle;
    log.error('failed', { err: Object.assign(new Error('a', { cause: new Error('b') }), { code: 'EA' }) });
    log.info('round', { circle });
    const [failed, round] = read();
    const { name, message, code, cause } = (failed?.['err'] ?? {}) as Record<string, unknown>;
    assert.deepEqual([name, message, code, (cause as Error).message], ['Error', 'a', 'EA', 'b']);
    assert.deepEqual(round?.['circle'], { self: '[seen before]' });
  });
});

const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');
const SPAN_CONTEXT = { traceId: CONTEXT.traceId, spanId: CONTEXT.spanId, traceFlags: 1 };
const OPEN_TELEMETRY = {
  [Symbol.for('opentelemetry.js.api.1')]: {
    context: {
      active: () => ({ getValue: (key: symbol) => (key === SPAN ? { spanContext: () => SPAN_CONTEXT } : undefined) }),
    },
  },
};

describe('The trace', () => {
  it('is the agent’s where there is one', () => {
    const agent = {
      app: '',
      worker: '',
      ready() {},
      expectReady() {},
      degradeLevel: () => 'normal' as const,
      trace: () => CONTEXT,
    };
    assert.equal(readTrace(agent, {}), CONTEXT);
    assert.deepEqual(readTrace({ ...agent, trace: () => null }, OPEN_TELEMETRY), CONTEXT, 'while it traces');
  });

  it('is OpenTelemetry’s where there is none, and nothing without', () => {
    assert.deepEqual(readTrace(null, OPEN_TELEMETRY), CONTEXT);
    for (const scope of [{}, { [Symbol.for('opentelemetry.js.api.1')]: {} }])
      assert.equal(readTrace(null, scope), null);
  });
});
