/** Agents of other versions than the daemon: workers outlive upgrades, and going back from one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AgentMessage } from '../protocol/index.ts';
import { parseAgentMessage } from './agent-schema.ts';

/** As it was recorded (`scripts/record-agent.ts`) when agents of that version began to be out in the world. */
const RECORDED = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/fixtures/agent-v1.json'), 'utf8'),
) as AgentMessage[];

const parse = (message: unknown): AgentMessage => {
  const parsed = parseAgentMessage(message);
  assert.ok(parsed.message !== null, JSON.stringify(parsed));
  return parsed.message;
};

/** With a field more in every object. */
const widened = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(widened);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, widened(each)]);
  return { ...Object.fromEntries(entries), later: { than: 'this' } };
};

describe('what an agent of version 1 says', () => {
  it('is all there', () => {
    const types = RECORDED.map(({ type }) => type);
    for (const type of ['hello', 'listening', 'report', 'draining', 'drained', 'exit'] as const)
      assert.ok(types.includes(type), type);
  });

  for (const message of RECORDED) {
    it(`is understood: ${message.type}`, () => {
      assert.deepEqual(parse(message), message);
    });

    it(`is understood with fields that only a later one has, and without them: ${message.type}`, () => {
      assert.deepEqual(parse(widened(message)), message);
    });
  }

  it('is understood without what is optional', () => {
    const hello = RECORDED.find(({ type }) => type === 'hello') as Extract<AgentMessage, { type: 'hello' }>;
    const { log: _, ...report } = hello.report;
    assert.equal('log' in (parse({ ...hello, report }) as typeof hello).report, false);
    const listening = RECORDED.find(({ type }) => type === 'listening') as Extract<AgentMessage, { type: 'listening' }>;
    const { protocol: _protocol, ...rest } = listening;
    assert.deepEqual(parse(rest), rest);
  });
});

describe('what a later agent says', () => {
  it('is understood as far as it is known, and what is not is told from garbage', () => {
    const hello = RECORDED.find(({ type }) => type === 'hello');
    assert.equal((parse({ ...hello, v: 2 }) as { v: number }).v, 2);
    const unknown = parseAgentMessage({ type: 'feels-tired', since: 3 });
    assert.deepEqual([unknown.message, 'isUnknown' in unknown && unknown.isUnknown], [null, true]);
    const garbage = parseAgentMessage({ type: 'report', report: 'none' });
    assert.deepEqual([garbage.message, 'isUnknown' in garbage && garbage.isUnknown], [null, false]);
  });
});
