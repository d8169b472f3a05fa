import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ENVELOPE_CMD, type AgentMessage } from '../protocol/index.ts';
import { EnvelopeReader } from './agent-link.ts';
import { parseAgentMessage } from './agent-schema.ts';

const read = (chunks: readonly Buffer[]): { messages: AgentMessage[]; garbage: string[] } => {
  const messages: AgentMessage[] = [];
  const garbage: string[] = [];
  const reader = new EnvelopeReader({
    onMessage: (message) => messages.push(message),
    onGarbage: (detail) => garbage.push(detail),
  });
  for (const chunk of chunks) reader.push(chunk);
  return { messages, garbage };
};

const lineOf = (message: unknown): string => `${JSON.stringify({ cmd: ENVELOPE_CMD, m: message })}\n`;

/** Cuts bytes at the given places, as a socket might. */
const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
};

describe('the reader of envelopes', () => {
  it('finds every message however the stream is cut', () => {
    const message = fc.record({ type: fc.constant('message'), payload: fc.jsonValue() });
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.nat()), (sent, places) => {
        const { messages, garbage } = read(cut(Buffer.from(sent.map(lineOf).join('')), places));
        assert.deepEqual(messages, JSON.parse(JSON.stringify(sent)));
        assert.deepEqual(garbage, []);
      }),
    );
  });

  it('survives anything, and goes on with the next line', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat()), (noise, places) => {
        const bytes = Buffer.concat([Buffer.from(noise), Buffer.from('\n'), Buffer.from(lineOf({ type: 'ready' }))]);
        assert.deepEqual(read(cut(bytes, places)).messages.at(-1), { type: 'ready' });
      }),
    );
  });

  it('drops a line that is too long without keeping it, and says so', () => {
    const flood = Buffer.alloc(3 * 1024 * 1024, 'x');
    const { messages, garbage } = read([flood, Buffer.from(`\n${lineOf({ type: 'ready' })}`)]);
    assert.deepEqual(messages, [{ type: 'ready' }]);
    assert.equal(garbage.length, 1);
  });

  it('takes no notice of what Node itself sends', () => {
    const { messages, garbage } = read([Buffer.from('{"cmd":"NODE_HANDLE_ACK"}\n')]);
    assert.deepEqual([messages, garbage], [[], []]);
  });
});

describe('what an agent may say', () => {
  it('is checked whatever it is, and never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseAgentMessage(value);
      }),
    );
  });

  it('is refused when one field is of another kind', () => {
    const listen = {
      type: 'listen',
      id: 1,
      request: { host: null, port: 80, v6only: false, path: null, randomIndex: null, reservedPort: null },
      protocol: 'http',
    };
    assert.notEqual(parseAgentMessage(listen).message, null);
    for (const key of Object.keys(listen.request)) {
      const wrong = { ...listen, request: { ...listen.request, [key]: { toString: 'no' } } };
      assert.equal(parseAgentMessage(wrong).message, null, key);
    }
    assert.equal(parseAgentMessage({ ...listen, request: { ...listen.request, port: 70_000 } }).message, null);
    assert.equal(parseAgentMessage({ ...listen, id: Number.NaN }).message, null);
  });
});
