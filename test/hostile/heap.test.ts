/** Heap snapshots that are damaged, cut off, lie about themselves, or are none at all. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzeHeap, BadFile, parseSnapshot, readSnapshot } from '../../src/heap/index.ts';
import { temporaryFolder } from '../support/temporary.ts';
import type { Original } from './mutate.ts';
import { takeSmallSnapshots } from './small-snapshots.ts';
import { runTrial } from './trial.ts';

const CASE = new URL('heap-case.ts', import.meta.url);
const CASES = 4_000;

const isRefusal = (error: unknown): boolean => error instanceof BadFile && error.file !== '' && error.what !== '';

describe('hostile heap snapshots', () => {
  let originals: Original[] = [];
  before(async () => {
    originals = await takeSmallSnapshots();
  });

  it('are understood as long as nobody damages them', async () => {
    for (const { name, bytes } of originals) {
      const graph = await parseSnapshot([bytes], name);
      assert.ok(graph.nodeCount >= 100, `${name}: ${graph.nodeCount} nodes`);
      assert.ok(graph.allocations !== null, `${name} has allocation stacks`);
      const { totalBytes } = await analyzeHeap(graph);
      assert.ok(totalBytes > 1_000, `${name}: ${totalBytes} bytes`);
    }
  });

  it('are refused when they end at the border of a section, wherever that is', async () => {
    for (const { name, bytes, borders } of originals) {
      const ends = new Set(borders.flatMap((border) => [border - 1, border, border + 1]));
      for (const end of ends) {
        if (end < 0 || end >= bytes.length - 1) continue;
        const refusal = parseSnapshot([bytes.subarray(0, end)], name).then((graph) => `${graph.nodeCount} nodes`);
        await assert.rejects(refusal, isRefusal, `${name}, cut off at ${end}`);
      }
    }
  });

  it('are refused when they are no snapshots', async () => {
    await using folder = await temporaryFolder('hostile');
    const others: Record<string, Uint8Array> = {
      empty: Buffer.alloc(0),
      blank: Buffer.from('   \n'),
      text: Buffer.from('hello'),
      array: Buffer.from('[1,2,3]'),
      string: Buffer.from('"nodes"'),
      object: Buffer.from('{}'),
      profile: Buffer.from('{"nodes":[],"startTime":1,"endTime":2,"samples":[],"timeDeltas":[]}'),
      zip: Buffer.from('PK\u0003\u0004'),
      png: Buffer.from('\u0089PNG\r\n', 'latin1'),
      'utf-16': Buffer.from('{"snapshot":{}}', 'utf16le'),
      'gzip of nothing': gzipSync(Buffer.alloc(0)),
      'zstd of nothing': zstdCompressSync(Buffer.alloc(0)),
      'half a gzip': gzipSync(originals[0]?.bytes ?? assert.fail()).subarray(0, 500),
      'half a zstd': zstdCompressSync(originals[0]?.bytes ?? assert.fail()).subarray(0, 500),
      'a gzip of a gzip': gzipSync(gzipSync('{}')),
    };
    for (const [name, bytes] of Object.entries(others)) {
      const file = join(folder.path, name);
      await writeFile(file, bytes);
      await assert.rejects(readSnapshot(file), isRefusal, name);
    }
  });

  it(`end in a graph or a refusal that says what and where, ${CASES} times`, async () => {
    const { understood, refused, defects } = await runTrial(CASE, { from: 0, to: CASES, originals });
    assert.deepEqual(defects, []);
    assert.equal(understood + refused, CASES);
    // Damages that never matter, or always, would show nothing.
    assert.ok(understood > CASES / 20 && refused > CASES / 4, `${understood} understood, ${refused} refused`);
  });
});
