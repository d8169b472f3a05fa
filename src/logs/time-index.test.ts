import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { appendTimeEntry, ENTRY_BYTES, openTimeIndex } from './time-index.ts';
import type { TimeEntry } from './time-index.ts';

let directory = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'drover-index-'));
});
after(() => rmSync(directory, { recursive: true }));

let files = 0;
function writeIndex(entries: readonly TimeEntry[]): string {
  files += 1;
  const path = join(directory, `${files}.idx`);
  for (const entry of entries) appendTimeEntry(path, entry);
  return path;
}

/** Times and offsets that ascend, from steps; more than one page of them now and then. */
const steps = fc.array(fc.record({ ms: fc.nat({ max: 500 }), bytes: fc.integer({ min: 1, max: 9_000 }) }), {
  maxLength: 300,
  size: 'max',
});
const BEGIN_MS = 1_795_000_000_000;

describe('a time index', () => {
  it('gives a line the time of the first entry beyond its first byte, and finds offsets by time', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat({ max: 3_000_000 }), { minLength: 5 }), (moves, offsets) => {
        let timeMs = BEGIN_MS;
        let offset = 0;
        const entries = moves.map(({ ms, bytes }) => ({ timeMs: (timeMs += ms), offset: (offset += bytes) }));
        const index = openTimeIndex(writeIndex(entries));
        assert.deepEqual(index.last(), entries.at(-1));
        for (const at of [0, ...offsets, ...entries.flatMap((entry) => [entry.offset - 1, entry.offset])]) {
          assert.equal(index.timeOf(at), entries.find((entry) => entry.offset > at)?.timeMs, `offset ${at}`);
        }
        for (const at of offsets.map((each) => BEGIN_MS + (each % 100_000))) {
          const first = entries.findIndex((entry) => entry.timeMs >= at);
          const expected = first === -1 ? undefined : first === 0 ? 0 : entries[first - 1]?.offset;
          assert.equal(index.offsetOf(at), expected, `time ${at}`);
        }
        index.close();
      }),
      { numRuns: 40 },
    );
  });

  it('is empty where there is no file', () => {
    const index = openTimeIndex(join(directory, 'none.idx'));
    assert.deepEqual([index.last(), index.timeOf(0), index.offsetOf(0)], [undefined, undefined, undefined]);
    index.close();
  });

  it('reads on after an entry that was half written', () => {
    const first = { timeMs: BEGIN_MS, offset: 10 };
    const second = { timeMs: BEGIN_MS + 5, offset: 20 };
    const path = writeIndex([first]);
    appendFileSync(path, Buffer.alloc(ENTRY_BYTES - 1, 0xee));
    appendTimeEntry(path, second);
    assert.equal(statSync(path).size, 2 * ENTRY_BYTES);
    const index = openTimeIndex(path);
    assert.deepEqual([index.timeOf(0), index.timeOf(10), index.last()], [first.timeMs, second.timeMs, second]);
    index.close();
  });
});
