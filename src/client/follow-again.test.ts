import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogLineDocument } from '../protocol/index.ts';
import { LineMemory } from './follow-again.ts';

const line = (atMs: number, text: string, worker = 'shop/0'): LogLineDocument => ({
  at: new Date(atMs).toISOString(),
  app: 'shop',
  worker,
  stream: 'stdout',
  line: text,
});

describe('lines that are followed through a cut', () => {
  it('are told once, also where the same text was printed several times', () => {
    const memory = new LineMemory();
    const before = [line(1000, 'tick'), line(1000, 'tick'), line(1500, 'one'), line(1400, 'late', 'shop/1')];
    assert.deepEqual(
      before.map((each) => memory.isNews(each)),
      [true, true, true, true],
    );
    assert.equal(memory.cut(), 0, 'a little before the last one');
    const again = [
      line(900, 'older than what was asked for'),
      ...before,
      line(800, 'old', 'shop/2'),
      line(1600, 'tick'),
      line(1600, 'two'),
      line(1700, 'new', 'shop/2'),
    ];
    assert.deepEqual(
      again.filter((each) => memory.isNews(each)).map((each) => each.line),
      ['tick', 'two', 'new'],
    );
  });

  it('are all told where nothing was told before', () => {
    const memory = new LineMemory();
    assert.equal(memory.cut(), null);
    assert.equal(memory.isNews(line(1000, 'first')), true);
  });

  it('are forgotten after a while', () => {
    const memory = new LineMemory();
    for (let atMs = 0; atMs < 100_000; atMs += 1000) assert.equal(memory.isNews(line(atMs, 'tick')), true);
    memory.cut();
    let repeated = 0;
    while (!memory.isNews(line(99_000, 'tick'))) repeated += 1;
    assert.ok(repeated >= 10 && repeated <= 21, String(repeated));
  });
});
