/** CPU profiles of every format that are damaged, cut off, lie about themselves, unfold without end, or are none at all. */
import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { before, describe, it } from 'node:test';
import { createZstdCompress, gzipSync, zstdCompressSync } from 'node:zlib';
import { BadFile, readCpuProfile, readCpuProfileChunks, readV8LogChunks } from '../../src/cpu/index.ts';
import { temporaryFolder } from '../support/temporary.ts';
import type { Original } from './mutate.ts';
import { takeSmallProfiles } from './small-profiles.ts';
import { runTrial } from './trial.ts';

const CASE = new URL('cpu-case.ts', import.meta.url);
const CASES = 1_500;

const isRefusal = (error: unknown): boolean => error instanceof BadFile && error.file !== '' && error.what !== '';

const once = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
};

describe('hostile CPU profiles', () => {
  let originals: Original[] = [];
  before(async () => {
    originals = await takeSmallProfiles();
  });

  it('are understood as long as nobody damages them', async () => {
    for (const { name, bytes } of originals) {
      if (name.startsWith('log')) {
        const { v8Version, sites } = await readV8LogChunks(once(bytes), name);
        assert.match(v8Version, /^\d+\.\d+\.\d+\.\d+$/);
        assert.ok(sites.length > 0, `${name} has sites`);
      } else {
        const { nodeCount, durationUs } = await readCpuProfileChunks(once(bytes), name);
        assert.ok(nodeCount > 5 && durationUs > 0, `${name}: ${nodeCount} nodes, ${durationUs} µs`);
      }
    }
  });

  it('in JSON are refused when they end early, wherever that is', async () => {
    for (const { name, bytes } of originals.filter(({ bytes: [first] }) => first === 0x7b)) {
      const step = Math.max(1, Math.floor(bytes.length / 100));
      for (let end = 0; end < bytes.length - 1; end += step) {
        const refusal = readCpuProfileChunks(once(bytes.subarray(0, end)), name);
        await assert.rejects(refusal, isRefusal, `${name}, cut off at ${end}`);
      }
    }
  });

  it('are refused when they are no profiles', async () => {
    await using folder = await temporaryFolder('hostile');
    const [first] = originals;
    assert.ok(first !== undefined);
    const others: Record<string, Uint8Array> = {
      empty: Buffer.alloc(0),
      blank: Buffer.from('   \n'),
      text: Buffer.from('hello, world'),
      array: Buffer.from('[1,2,3]'),
      object: Buffer.from('{}'),
      snapshot: Buffer.from('{"snapshot":{"meta":{}},"nodes":[],"edges":[]}'),
      zip: Buffer.from('PK\u0003\u0004'),
      png: Buffer.from('\u0089PNG\r\n\u001a\n\0\0', 'latin1'),
      elf: Buffer.from('\u007fELF\u0002\u0001\u0001\0\0', 'latin1'),
      'utf-16': Buffer.from('{"nodes":[]}', 'utf16le'),
      zeros: Buffer.alloc(10_000),
      'gzip of nothing': gzipSync(Buffer.alloc(0)),
      'zstd of nothing': zstdCompressSync(Buffer.alloc(0)),
      'half a gzip': gzipSync(first.bytes).subarray(0, 500),
      'half a zstd': zstdCompressSync(first.bytes).subarray(0, 500),
      'a gzip of a gzip': gzipSync(gzipSync('{}')),
    };
    for (const [name, bytes] of Object.entries(others)) {
      const file = join(folder.path, name);
      await writeFile(file, bytes);
      await assert.rejects(readCpuProfile(file), isRefusal, name);
    }
  });

  it('that unfold to a thousand times their size are refused in bounded memory', async () => {
    await using folder = await temporaryFolder('hostile');
    const bombs: Record<string, readonly [start: string, unit: string]> = {
      zeros: ['', '\0'],
      'one string': ['{"nodes":[{"callFrame":{"functionName":"', 'a'],
      'one number': ['{"samples":[', '1'],
      'one line of a collapsed stack': ['main;', 'a'],
      'one line of perf': ['node 1 1.000000: 1 cpu-clock:\n\t  1 f (/x)\n\n', 'a'],
      'nested arrays': ['{"x":', '['],
      'a skipped section': ['{"x":"', 'a'],
    };
    for (const [name, [start, unit]] of Object.entries(bombs)) {
      const file = join(folder.path, name);
      const block = Buffer.alloc(1 << 20, unit);
      const parts = function* (): Generator<Uint8Array> {
        yield Buffer.from(start);
        for (let count = 0; count < 200; count += 1) yield block;
      };
      await pipeline(Readable.from(parts()), createZstdCompress(), createWriteStream(file));
      const before = process.memoryUsage().arrayBuffers;
      await assert.rejects(readCpuProfile(file), isRefusal, name);
      const grown = process.memoryUsage().arrayBuffers - before;
      assert.ok(grown < 128 * 2 ** 20, `${name}: ${grown} bytes`);
    }
  });

  it('with lines that make patterns go back and forth end as soon as others of their length', async () => {
    const many = (text: string): string => text.repeat(Math.floor(1_000_000 / text.length));
    const head = 'node 1 1.000000: 1 cpu-clock:\n';
    const lines = [
      `main;${many(' (')} 1\n`,
      `main;${many(') (')}) 1\n`,
      `main;${many('JS:~ /')}:1:1 1\n`,
      `main;~${many(' /a')}${many(':1')} 1\n`,
      `main${many(' ')}x\n`,
      `a;${many('1 ')}x\n`,
      `node${many(' ')}x\n\t 1 f (/x)\n\n`,
      `node ${many('1 ')}x\n\t 1 f (/x)\n\n`,
      `${head}\t 1 f (/x)\n\t 1${many(' ')}x\n\n`,
      `${head}\t 1 f (/x)\n\t 1 ${many(' (')}\n\n`,
      `${head}\t 1 f (/x)\n\t 1 ${many('[]')} (/x)\n\n`,
    ];
    // Hours, where a pattern takes the square of a line's length; the test's own limit is the judge.
    for (const line of lines) {
      const profile = readCpuProfileChunks(once(Buffer.from(line)), 'lines').catch((error: unknown) => error);
      const result = await profile;
      assert.ok(!(result instanceof Error) || isRefusal(result), String(result));
    }
    const log = `v8-version,1,2,3,4\ncode-deopt,1,1,0x1,-1,1,deopt-eager,${many('<')},x\nLoadIC,0x1,1,${many('\\x2C')},1\n`;
    await readV8LogChunks(once(Buffer.from(log)), 'log');
  });

  it(`end in a profile or a refusal that says what and where, ${CASES} times`, async () => {
    const { understood, refused, defects } = await runTrial(CASE, { from: 0, to: CASES, originals });
    assert.deepEqual(defects, []);
    assert.equal(understood + refused, CASES);
    // Damages that never matter, or always, would show nothing.
    assert.ok(understood > CASES / 20 && refused > CASES / 4, `${understood} understood, ${refused} refused`);
  });
});
