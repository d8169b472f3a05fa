import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_REQUESTS } from '../../test/support/counters.ts';
import type { RequestCounters } from '../protocol/index.ts';
import { ReceiptBook, type CountedWorker } from './receipt.ts';

const counters = (served: number, more: Partial<RequestCounters> = {}): RequestCounters => ({
  ...NO_REQUESTS,
  begun: served,
  served,
  latency: served === 0 ? [] : [100, served],
  ...more,
});

type Worker = { -readonly [Key in keyof CountedWorker]: CountedWorker[Key] };

const worker = (spawnId: string, served: number, process = 7): Worker => ({
  spawnId,
  counters: counters(served),
  counting: { first: process, last: process, earlier: null },
  reportSpan: null,
  pid: 7,
  exitWord: null,
  drain: null,
});

/** What another daemon reads. */
const afterDeath = (book: ReceiptBook): ReceiptBook =>
  new ReceiptBook(JSON.parse(JSON.stringify(book.toMemory())) as ReturnType<ReceiptBook['toMemory']>);

describe('A receipt that another daemon finishes', () => {
  it('counts what a worker served before, while nobody looked, and after', () => {
    const book = new ReceiptBook();
    const old = worker('shop/0#1', 100);
    book.begin([old]);
    old.counters = counters(130);
    const next = afterDeath(book);
    const again = worker('shop/0#1', 150);
    next.add(again);
    const fresh = worker('shop/0#2', 5);
    next.add(fresh);
    next.markHandOver();
    again.counters = counters(160);
    assert.equal(next.figures().requests.served, 65);
    assert.notEqual(next.figures().latencyMs.after.p50, null);
  });

  it('takes the last word of a worker that was gone before it came', () => {
    const book = new ReceiptBook();
    const old = worker('shop/0#1', 100);
    book.begin([old]);
    old.counters = counters(130, { lost: 1 });
    old.exitWord = { code: 0, reason: null };
    const { requests } = afterDeath(book).figures();
    assert.deepEqual([requests.served, requests.lost, requests.unknown], [30, 1, 0]);
  });

  it('counts on where a wrapper has started its app anew, before that daemon died or while there was none', () => {
    const book = new ReceiptBook();
    const old = worker('shop/0#1', 100);
    book.begin([old]);
    // The process before had 130, and this one 4.
    old.counters = counters(134);
    old.counting = { first: 7, last: 8, earlier: counters(130) };
    const next = afterDeath(book);
    const again = worker('shop/0#1', 6, 8);
    next.add(again);
    assert.equal(next.figures().requests.served, 36);
    const third = afterDeath(next);
    third.add(worker('shop/0#1', 5, 9));
    assert.equal(third.figures().requests.served, 41);
  });

  it('calls unknown what a worker had begun that died unseen', () => {
    const book = new ReceiptBook();
    const old = worker('shop/0#1', 100);
    book.begin([old]);
    old.counters = counters(130, { begun: 133 });
    assert.equal(afterDeath(book).figures().requests.unknown, 3);
  });
});
