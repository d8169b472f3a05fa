import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCpuProfileChunks } from '../read/read-cpu-profile.ts';
import { describeTop, type TopDocument, type TopOptions } from './top-document.ts';

const PROFILE = `# unit: microseconds
main (/app/a.js:1:1);parse (/app/node_modules/qs/lib.js:2:1);(garbage collector) 1000
main (/app/a.js:1:1);parse (/app/node_modules/qs/lib.js:2:1) 4000
main (/app/a.js:1:1);parse (/app/node_modules/qs/lib.js:2:1);parse (/app/node_modules/qs/lib.js:2:1) 2000
main (/app/a.js:1:1);late (/app/b.js:9:1) 500
(idle) 90000
`;

const top = async (options: Partial<TopOptions> = {}): Promise<TopDocument> => {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(PROFILE);
  };
  const profile = await readCpuProfileChunks(chunks(), 'a.txt');
  return describeTop(profile, { by: 'function', sort: 'self', top: null, paths: 2, ...options });
};

describe('what a profile says at a glance', () => {
  it('is its functions, by self or total time', async () => {
    const { functions, durationMs, samples, groups } = await top();
    assert.deepEqual([durationMs, samples, groups], [97.5, null, null]);
    assert.deepEqual(
      functions.map(({ name, selfMs, totalMs }) => `${name} ${selfMs} ${totalMs}`),
      ['(idle) 90 90', 'parse 6 7', '(garbage collector) 1 1', 'late 0.5 0.5', 'main 0 7.5'],
    );
    assert.deepEqual(functions[1], {
      name: 'parse',
      url: '/app/node_modules/qs/lib.js',
      line: 2,
      column: 1,
      selfMs: 6,
      totalMs: 7,
      category: 'dependency',
      package: 'qs',
    });
    const { functions: byTotal } = await top({ sort: 'total', top: 2 });
    assert.deepEqual(
      byTotal.map(({ name }) => name),
      ['(idle)', 'main'],
    );
  });

  it('is its files, packages and categories, none of which the root inflates', async () => {
    const rows = async (by: TopOptions['by']): Promise<string[]> =>
      (await top({ by })).groups?.map(({ name, selfMs, totalMs }) => `${name} ${selfMs} ${totalMs}`) ?? [];
    assert.deepEqual(await rows('package'), ['(idle) 90 90', 'qs 6 7', '(gc) 1 1', '(application) 0.5 7.5']);
    assert.deepEqual(await rows('category'), ['idle 90 90', 'dependency 6 7', 'gc 1 1', 'application 0.5 7.5']);
    assert.deepEqual(await rows('file'), [
      '(idle) 90 90',
      '/app/node_modules/qs/lib.js 6 7',
      '(gc) 1 1',
      '/app/b.js 0.5 0.5',
      '/app/a.js 0 7.5',
    ]);
  });

  it('is the stacks that took most, without idle time and garbage collection', async () => {
    const { hotPaths } = await top();
    assert.deepEqual(
      hotPaths.map(({ selfMs, frames }) => [selfMs, ...frames.map(({ name, line }) => `${name}:${line}`)]),
      [
        [4, 'main:1', 'parse:2'],
        [2, 'main:1', 'parse:2', 'parse:2'],
      ],
    );
  });
});
