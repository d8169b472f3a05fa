import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addTrace } from './traced-line.ts';

describe('The trace on a line', () => {
  it('is a field of JSON, and behind the first line of text', () => {
    assert.equal(addTrace('{"a":1}\n', 't'), '{"a":1,"trace_id":"t"}\n');
    assert.equal(addTrace('{}\n{"b":2}\n', 't'), '{"trace_id":"t"}\n{"b":2,"trace_id":"t"}\n');
    assert.equal(addTrace('text\n  at x\n', 't'), 'text trace_id=t\n  at x\n');
  });

  it('is not put on what has one, on parts of lines and on empty ones', () => {
    for (const text of ['{"traceId":"own"}\n', '{"trace_id":"own"}\n', 'no end', '\n', ''])
      assert.equal(addTrace(text, 't'), text);
  });
});
