/** Files that say who allocated, and places in the sources that a script was made from. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type AnalyzeDocument, type HeapJob, runHeapJob } from '../../src/heap/index.ts';
import { listNodes } from '../support/nodes.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { runProgram } from './support/snapshots.ts';

const tools = { onProgress: () => {} };
const SOURCE = readFileSync(join(import.meta.dirname, 'support/allocator.mjs'), 'utf8').split('\n');
const LINE = SOURCE.findIndex((line) => line.includes('function makeTickets')) + 1;

const analyze = async (file: string, more: Partial<Extract<HeapJob, { kind: 'analyze' }>> = {}) => {
  const job = {
    kind: 'analyze',
    file,
    isRedacted: false,
    usesSourceMaps: true,
    root: null,
    wantsCharts: false,
  } as const;
  return (await runHeapJob({ ...job, ...more }, tools)).document;
};

const siteOf = ({ allocations }: AnalyzeDocument, name: string) => allocations.find((site) => site.name === name);

describe('who allocated', () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder('drover-allocations');
  });
  after(async () => folder[Symbol.asyncDispose]());

  for (const node of listNodes()) {
    it(`is told by a sampling profile of ${node.name}`, async () => {
      const file = join(folder.path, `sampling-${node.major}`);
      await runProgram('allocator.mjs', ['sampling', file], node.path);
      const document = await analyze(file);
      assert.equal(document.kind, 'sampling');
      assert.equal(document.nodes, null);
      const site = siteOf(document, 'makeTickets');
      assert.equal(site?.line, LINE);
      assert.match(site.scriptName, /\/allocator\.mjs$/);
      assert.equal(document.allocations[0]?.name, 'makeTickets');
      // 20,000 objects of some 32 bytes and their strings; an estimate from samples.
      assert.ok(site.selfBytes > 500_000 && site.selfBytes < 4_000_000, String(site.selfBytes));
      assert.match(document.headline, /`makeTickets`/);
    });

    it(`is told by a timeline of ${node.name}, with the objects that are still there`, async () => {
      const file = join(folder.path, `timeline-${node.major}`);
      await runProgram('allocator.mjs', ['timeline', file], node.path);
      const document = await analyze(file);
      assert.equal(document.kind, 'timeline');
      const site = siteOf(document, 'makeTickets');
      assert.equal(site?.line, LINE);
      // What optimised code makes of several objects at once is one allocation to V8.
      assert.ok((site.count ?? 0) >= 10_000, String(site.count));
      const suspect = document.suspects.find(({ holder }) => holder.includes('kept'));
      assert.match(suspect?.allocation ?? '', /makeTickets/);
    });
  }

  it('is told by what node --heap-prof writes', async () => {
    const path = join(folder.path, 'prof');
    await mkdir(path);
    const options = [
      '--heap-prof',
      '--heap-prof-name=own.heapprofile',
      `--heap-prof-dir=${path}`,
      '--heap-prof-interval=512',
    ];
    const program =
      'function makeAll() { globalThis.all = Array.from({ length: 50000 }, (_, n) => ({ n })); } makeAll();';
    execFileSync(process.execPath, [...options, '-e', program]);
    const document = await analyze(join(path, 'own.heapprofile'));
    assert.ok(document.allocations.some(({ name, totalBytes }) => name === 'makeAll' && totalBytes > 500_000));
  });
});

describe('places in what a script was made from', () => {
  const GENERATED = [
    '"use strict";',
    'class Basket { constructor(n) { this.n = n; } }',
    'globalThis.baskets = Array.from({ length: 500 }, (_, n) => new Basket(n));',
    'require("node:v8").writeHeapSnapshot(process.argv[2]);',
    '//# sourceMappingURL=shop.js.map',
  ].join('\n');
  /** `class Basket` of line 2 is line 41 of the source, and so is everything after it in that line. */
  const MAP = { version: 3, file: 'shop.js', sources: ['../src/shop.ts'], names: [], mappings: ';AAwCA' };

  it('are those of the source map beside it, and those of the script without', async () => {
    await using folder = await temporaryFolder('drover-maps');
    const script = join(folder.path, 'dist', 'shop.js');
    await mkdir(join(folder.path, 'dist'));
    await writeFile(script, GENERATED);
    await writeFile(`${script}.map`, JSON.stringify(MAP));
    const file = join(folder.path, 'shop.heapsnapshot');
    execFileSync(process.execPath, [script, file]);
    const places = async (more: Partial<Extract<HeapJob, { kind: 'analyze' }>>): Promise<string> => {
      const { classes, suspects } = await analyze(file, more);
      const own = classes.find(({ name }) => name === 'Basket')?.location;
      const made = suspects.find(({ className }) => className === 'Basket')?.allocation;
      return `${own} / ${made}`;
    };
    assert.match(await places({ root: folder.path }), /^src\/shop\.ts:41:\d+ \/ (?:.* at src\/shop\.ts:41|undefined)/);
    assert.match(await places({ root: folder.path, usesSourceMaps: false }), /^dist\/shop\.js:2:\d+ \//);
    assert.ok((await places({})).startsWith(`${folder.path}/src/shop.ts:41:`));
  });
});
