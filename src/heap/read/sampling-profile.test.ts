import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BadFile } from '../../input/index.ts';
import { listAllocationSites } from '../passes/allocation-sites.ts';
import { readSamplingProfile } from './sampling-profile.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-heapprofile-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let number = 0;
const file = (content: string | Uint8Array): string => {
  const path = join(folder, `${number++}.heapprofile`);
  writeFileSync(path, content);
  return path;
};

interface Call {
  readonly callFrame: object;
  readonly selfSize: number;
  readonly id: number;
  readonly children: readonly Call[];
}

const call = (functionName: string, selfSize: number, children: readonly Call[] = [], line = 4): Call => ({
  callFrame: { functionName, scriptId: '7', url: 'file:///app/a.js', lineNumber: line, columnNumber: 10 },
  selfSize,
  id: number,
  children,
});

const PROFILE = {
  head: call('(root)', 0, [
    call('main', 10, [call('walk', 100, [call('walk', 50, [call('', 7, [], 9)])]), call('load', 1000)]),
    call('load', 500),
  ]),
  samples: [
    { size: 10, nodeId: 1, ordinal: 1 },
    { size: 20, nodeId: 2, ordinal: 2 },
  ],
};

describe('a sampling profile', () => {
  it('is read as a tree, lines from 1, the same function once', async () => {
    const { tree, sampleCount } = await readSamplingProfile(file(JSON.stringify(PROFILE)));
    assert.equal(sampleCount, 2);
    assert.deepEqual([...tree.parent], [-1, 0, 1, 2, 3, 1, 0]);
    assert.deepEqual(
      [...tree.functionOf].map((at) => tree.functions[at]?.name),
      ['(root)', 'main', 'walk', 'walk', '(anonymous)', 'load', 'load'],
    );
    assert.deepEqual(
      tree.functions.find(({ name }) => name === 'load'),
      {
        name: 'load',
        scriptName: 'file:///app/a.js',
        scriptId: 7,
        line: 5,
        column: 11,
      },
    );
  });

  it('says what each function allocated, recursion once, with its callers', async () => {
    const { tree } = await readSamplingProfile(file(JSON.stringify(PROFILE)));
    const rows = listAllocationSites(tree).map(({ name, selfBytes, totalBytes, callers }) => [
      name,
      selfBytes,
      totalBytes,
      callers.map((each) => each.name),
    ]);
    assert.deepEqual(rows, [
      ['load', 1500, 1500, ['main']],
      ['walk', 150, 157, ['main']],
      ['main', 10, 1167, []],
      ['(anonymous)', 7, 7, ['walk', 'walk', 'main']],
    ]);
  });

  it('may be compressed', async () => {
    const { tree } = await readSamplingProfile(file(gzipSync(JSON.stringify(PROFILE))));
    assert.equal(tree.parent.length, 7);
  });

  const bad: readonly (readonly [about: string, content: string, message: RegExp])[] = [
    ['another kind of file', '{"nodes":[]}', /a tree of calls/],
    ['sizes that are none', JSON.stringify({ head: call('a', -1) }), /head\.selfSize.*bytes was expected, found -1/],
    ['lines that are none', JSON.stringify({ head: call('a', 1, [], 0.5) }), /head\.callFrame\.lineNumber.*0\.5/],
    ['children that are no list', '{"head":{"children":{}}}', /head\.children.*array/],
    ['a cut', JSON.stringify(PROFILE).slice(0, -60), /ends in the middle/],
  ];
  for (const [about, content, message] of bad)
    it(`is refused with the place: ${about}`, async () => {
      await assert.rejects(readSamplingProfile(file(content)), (error) => {
        assert.ok(error instanceof BadFile);
        assert.match(error.message, message);
        return true;
      });
    });

  it('may be nested as deep as calls can be', async () => {
    const depth = 20_000;
    const open = '{"callFrame":{"functionName":"deep","scriptId":"1","url":"a.js"},"selfSize":1,"children":[';
    const { tree } = await readSamplingProfile(file(`{"head":${open.repeat(depth)}${']}'.repeat(depth)}}`));
    assert.equal(tree.parent.length, depth);
    assert.equal(listAllocationSites(tree)[0]?.totalBytes, depth);
  });
});
