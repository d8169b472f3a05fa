import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { LogLineDocument } from '../protocol/index.ts';
import { LineMemory } from './follow-again.ts';

const NOW_MS = 2_000;

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
    assert.equal(memory.cut(NOW_MS), 0, 'a little before the last one');
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
    assert.equal(memory.cut(NOW_MS), null);
    assert.equal(memory.isNews(line(1000, 'first')), true);
  });

  it('are all told where a worker prints the same again and again, whenever the index knew of them', () => {
    const memory = new LineMemory();
    for (let atMs = 0; atMs < 100_000; atMs += 1000) assert.equal(memory.isNews(line(atMs, 'tick')), true);
    assert.equal(memory.cut(104_000), 97_000);
    // The last one that was told has no entry of its own: the daemon was killed before, and the next one looked at 103 s.
    const again = [97_000, 98_000, 103_000, 103_000, 103_000, 103_000, 103_000, 104_000, 105_000];
    assert.deepEqual(
      again.map((atMs) => memory.isNews(line(atMs, 'tick'))),
      [false, false, false, true, true, true, true, true, true],
    );
  });

  it('are all told of a worker that was silent before the cut, also those of one moment', () => {
    const memory = new LineMemory();
    for (const each of [line(1_000, 'quiet'), line(90_000, 'loud', 'shop/1')]) assert.ok(memory.isNews(each));
    assert.equal(memory.cut(91_000), 88_000);
    assert.equal(memory.isNews(line(90_000, 'loud', 'shop/1')), false);
    for (const text of ['one', 'two', 'three']) assert.equal(memory.isNews(line(91_000, text)), true, text);
  });

  it('are not waited for long where they were removed meanwhile', () => {
    const memory = new LineMemory();
    for (const atMs of [8_000, 9_000, 10_000]) assert.ok(memory.isNews(line(atMs, 'tick')));
    assert.equal(memory.cut(11_000), 8_000);
    const after = [27_000, 28_000, 29_000, 30_000];
    assert.deepEqual(
      after.map((atMs) => memory.isNews(line(atMs, 'tick'))),
      [true, true, true, true],
    );
  });

  it('are told once, however the looks of the index, of the follower and the cuts fall between equal lines', () => {
    fc.assert(fc.property(fc.array(burst, { maxLength: 30 }), (bursts) => assert.deepEqual(...follow(bursts))));
  });
});

type Act = 'write' | 'pass' | 'index' | 'tell' | 'cut';

interface Burst {
  readonly after: number;
  /** There is no daemon, from the end of the burst before to the end of this one. */
  readonly isAlone: boolean;
  readonly acts: readonly Act[];
}

const ACTS: readonly Act[] = ['write', 'write', 'pass', 'index', 'tell', 'cut'];
const burst: fc.Arbitrary<Burst> = fc.record({
  after: fc.integer({ min: 1, max: 6 }),
  isAlone: fc.boolean(),
  acts: fc.array(fc.constantFrom(...ACTS), { minLength: 1, maxLength: 8 }),
});
/** Two seconds are no multiple of it, nor nearly: where reading again begins, nothing was being written. */
const BETWEEN_MS = 700;
const MOMENT_MS = 10;

/** One file and its index, as `logs/` keeps and reads them; returns how often each line was told, and should be. */
function follow(bursts: readonly Burst[]): [told: number[], once: number[]] {
  const memory = new LineMemory();
  const lines: { told: number }[] = [];
  const index: { readonly timeMs: number; readonly count: number }[] = [];
  let [atMs, modifiedMs, read] = [0, 0, 0];
  const timeOf = (place: number): number => index.find(({ count }) => count > place)?.timeMs ?? modifiedMs;
  const tell = (): void => {
    for (; read < lines.length; read += 1) {
      const each = lines[read];
      if (each !== undefined && memory.isNews(line(timeOf(read), 'tick'))) each.told += 1;
    }
  };
  const acts: Readonly<Record<Act, () => void>> = {
    write() {
      lines.push({ told: 0 });
      modifiedMs = atMs;
    },
    pass: () => void (atMs += MOMENT_MS),
    index: () => void index.push({ timeMs: modifiedMs, count: lines.length }),
    tell,
    cut() {
      const sinceMs = memory.cut(atMs) ?? 0;
      read = 0;
      while (read < lines.length && timeOf(read) < sinceMs) read += 1;
      tell();
      // It looks when it begins.
      acts.index();
    },
  };
  for (const [number, { after, isAlone, acts: chosen }] of bursts.entries()) {
    atMs = (Math.floor(atMs / BETWEEN_MS) + after) * BETWEEN_MS;
    for (const act of chosen) if (!isAlone || act === 'write' || act === 'pass') acts[act]();
    if (isAlone) acts.cut();
    // At most a tenth of a second late, unless the daemon dies before.
    if (!bursts[number + 1]?.isAlone) for (const act of ['index', 'tell'] as const) acts[act]();
  }
  acts.cut();
  return [lines.map(({ told }) => told), lines.map(() => 1)];
}
