/**
 * The engines as libraries, under every supported Node: what was built (`npm run build`) loads, reads and writes there. Drover itself runs
 * on one Node; `drover/heap`, `drover/cpu` and `drover/testing` run in other people's programs and tests.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { listNodes } from '../support/nodes.ts';
import { temporaryFolder } from '../support/temporary.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const STACKS = 'main;work 3\nmain 1\n';

const PROGRAM = `
  const [folder, dist] = process.argv.slice(2);
  const load = (name) => import(dist + '/' + name + '/index.js');
  const [heap, { exportProfile, listTotals, readCpuProfile }] = await Promise.all(['heap', 'cpu', 'testing'].map(load));
  const said = [];
  for (const name of ['plain', 'gzip', 'zstd']) {
    try {
      const profile = await readCpuProfile(folder + '/' + name);
      for (const format of ['pprof', 'speedscope', 'collapsed', 'cpuprofile']) for (const part of exportProfile(profile, format)) void part;
      said.push(listTotals(profile)[0].name);
    } catch (error) {
      said.push(error.name + ': ' + error.what);
    }
  }
  console.log(JSON.stringify([said, typeof heap.readSnapshot]));
`;

describe('the engines, as libraries', () => {
  for (const node of listNodes()) {
    it(`load and read on ${node.name}`, async () => {
      await using folder = await temporaryFolder('engines');
      await writeFile(join(folder.path, 'plain'), STACKS);
      await writeFile(join(folder.path, 'gzip'), gzipSync(STACKS));
      await writeFile(join(folder.path, 'zstd'), zstdCompressSync(STACKS));
      const program = join(folder.path, 'program.mjs');
      await writeFile(program, PROGRAM);
      const { stdout } = await run(node.path, [program, folder.path, pathToFileURL(join(ROOT, 'dist')).href]);
      const zstd = node.major === 20 ? `BadFile: zstd data, which Node ${node.name.slice(5)} cannot read` : 'work';
      assert.deepEqual(JSON.parse(stdout), [['work', 'work', zstd], 'function']);
    });
  }
});
