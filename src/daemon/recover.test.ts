import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventInput, ReceiptDocument } from '../protocol/index.ts';
import type { Store } from '../store/index.ts';
import { endUnfinished } from './recover.ts';

describe('an operation that a daemon before did not end', () => {
  it('is told to have ended by its id, so that nothing afterwards is taken for its doing', () => {
    const events: EventInput[] = [];
    const ends: ReceiptDocument[] = [];
    const store = {
      operations: { end: (_id: string, _phase: string, receipt: ReceiptDocument) => void ends.push(receipt) },
      events: { append: (event: EventInput) => events.push(event) },
    } as unknown as Store;
    const unfinished = {
      id: 'op7',
      kind: 'reload',
      app: 'shop',
      startedAtMs: 10,
      endedAtMs: 30,
      memory: null,
    } as const;
    endUnfinished(store, unfinished, 'the daemon was replaced');
    assert.equal(ends[0]?.durationMs, 20);
    assert.deepEqual(
      events.map(({ type, data }) => [type, data]),
      [['operation-ended', { operation: 'op7', kind: 'reload', outcome: 'failed' }]],
    );
    assert.match(events[0]?.reason ?? '', /^reload failed: the daemon was replaced; .*\(operation op7\)$/);
  });
});
