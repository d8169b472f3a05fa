import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { functionOf } from '../../../test/support/cpu-profiles.ts';
import { matchFiles, withoutHashes } from './match-files.ts';
import { ANONYMOUS, matchFunctions, type SeenFunction } from './match-functions.ts';

/** `name@url:line:column<caller`. */
const seen = (text: string): SeenFunction => {
  const [place = '', caller = ''] = text.split('<');
  return { function: functionOf(place), caller };
};

/** Pairs as `index of a → index of b`, with how they were found; lonely ones with `-`. */
function pairs(a: readonly string[], b: readonly string[]): string[] {
  return matchFunctions(a.map(seen), b.map(seen)).map(
    (match) => `${match.a ?? '-'}→${match.b ?? '-'}${match.by === null ? '' : ` ${match.by}`}`,
  );
}

describe('matching functions of two versions', () => {
  it('finds a named function wherever its line went', () => {
    const a = ['parse@/app/a.js:10:3', 'send@/app/a.js:80:1'];
    const b = ['parse@/app/a.js:10:3', 'send@/app/a.js:97:1'];
    assert.deepEqual(pairs(a, b), ['0→0 place', '1→1 name']);
  });

  it('moves an anonymous function as far as its neighbours moved', () => {
    const a = [
      'top@/app/a.js:1:1',
      `${ANONYMOUS}@/app/a.js:5:9`,
      'middle@/app/a.js:20:1',
      `${ANONYMOUS}@/app/a.js:25:9`,
    ];
    const b = [
      'top@/app/a.js:1:1',
      `${ANONYMOUS}@/app/a.js:5:9`,
      'middle@/app/a.js:40:1',
      `${ANONYMOUS}@/app/a.js:45:9`,
    ];
    assert.deepEqual(pairs(a, b), ['0→0 place', '1→1 place', '2→2 name', '3→3 moved-line']);
  });

  it('does not take another anonymous function that came to stand at the old line', () => {
    const a = ['top@/app/a.js:10:1', `${ANONYMOUS}@/app/a.js:12:9`, `${ANONYMOUS}@/app/a.js:32:9`];
    const b = ['top@/app/a.js:30:1', `${ANONYMOUS}@/app/a.js:32:9`, `${ANONYMOUS}@/app/a.js:52:9`];
    assert.deepEqual(pairs(a, b), ['0→0 name', '1→1 moved-line', '2→2 moved-line']);
  });

  it('tells anonymous functions apart by their callers when the lines say nothing', () => {
    const a = [`${ANONYMOUS}@/app/a.js:5:9<first`, `${ANONYMOUS}@/app/a.js:9:9<second`];
    const b = [`${ANONYMOUS}@/app/a.js:57:9<second`, `${ANONYMOUS}@/app/a.js:77:9<first`];
    assert.deepEqual(pairs(a, b), ['0→1 caller', '1→0 caller']);
  });

  it('leaves an anonymous function alone rather than guess', () => {
    const a = [`${ANONYMOUS}@/app/a.js:5:9<first`];
    const b = [`${ANONYMOUS}@/app/a.js:57:9<second`];
    assert.deepEqual(pairs(a, b), ['0→-', '-→0']);
  });

  it('does not pair two anonymous functions of unchanged text, each of which only one side sampled', () => {
    const a = ['top@/app/a.js:1:1', `${ANONYMOUS}@/app/a.js:5:9<top`, 'end@/app/a.js:90:1'];
    const b = ['top@/app/a.js:1:1', `${ANONYMOUS}@/app/a.js:7:9<top`, 'end@/app/a.js:90:1'];
    assert.deepEqual(pairs(a, b), ['0→0 place', '2→2 place', '1→-', '-→1']);
  });

  it('keeps methods of one name in their order', () => {
    const a = ['get@/app/a.js:10:1', 'get@/app/a.js:30:1'];
    const b = ['get@/app/a.js:113:1', 'get@/app/a.js:141:1'];
    assert.deepEqual(pairs(a, b), ['0→0 order', '1→1 order']);
  });

  it('finds the same functions in the folder of another release, with two files of the same name', () => {
    const a = ['load@/srv/41/src/index.js:1:1', 'load@/srv/41/src/api/index.js:1:1', 'cut@/srv/41/src/cut.js:7:1'];
    const b = ['load@/srv/42/src/api/index.js:1:1', 'load@/srv/42/src/index.js:1:1', 'cut@/srv/42/src/cut.js:7:1'];
    assert.deepEqual(pairs(a, b), ['0→1 place', '1→0 place', '2→2 place']);
  });

  it('finds a named function that moved to another file, and no anonymous one', () => {
    const a = ['slug@/app/text.js:4:1', `${ANONYMOUS}@/app/text.js:9:1`];
    const b = ['slug@/app/slugs.js:1:1', `${ANONYMOUS}@/app/slugs.js:9:1`];
    assert.deepEqual(pairs(a, b), ['0→0 moved-file', '1→-', '-→1']);
  });

  it('knows functions without a file by their name', () => {
    assert.deepEqual(pairs(['(garbage collector)', 'run@/a.js:1'], ['(garbage collector)', 'walk@/a.js:1']), [
      '0→0 place',
      '1→-',
      '-→1',
    ]);
  });

  it('puts every function into one match, whatever the lists are, and matches equal lists whole', () => {
    const place = fc.record({
      name: fc.constantFrom('a', 'b', 'get', ANONYMOUS),
      file: fc.constantFrom('/x/m.js', '/x/n.js', '/y/m.js', 'node:fs'),
      line: fc.integer({ min: 1, max: 6 }),
      column: fc.integer({ min: 1, max: 3 }),
      caller: fc.constantFrom('', 'a', 'b'),
    });
    const list = fc
      .uniqueArray(place, {
        selector: ({ name, file, line, column }) => `${name}${file}${line}:${column}`,
        maxLength: 20,
      })
      .map((items) => items.map((item) => `${item.name}@${item.file}:${item.line}:${item.column}<${item.caller}`));
    fc.assert(
      fc.property(list, list, (a, b) => {
        const found = matchFunctions(a.map(seen), b.map(seen));
        const inOrder = (values: (number | null)[]): number[] =>
          values.filter((at) => at !== null).toSorted((x, y) => x - y);
        assert.deepEqual(inOrder(found.map((match) => match.a)), [...a.keys()]);
        assert.deepEqual(inOrder(found.map((match) => match.b)), [...b.keys()]);
        for (const match of matchFunctions(a.map(seen), a.map(seen))) assert.equal(match.a, match.b);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

describe('matching files of two versions', () => {
  it('sees through the hash that a bundler puts into a name', () => {
    assert.equal(withoutHashes('/app/assets/main-DkX3a9Qz.js'), '/app/assets/main-*.js');
    assert.equal(withoutHashes('/app/vendor.5f3a9c2b41.chunk.js'), '/app/vendor.*.chunk.js');
    assert.equal(withoutHashes('/app/controller-registry.js'), '/app/controller-registry.js');
    assert.deepEqual(
      [
        ...matchFiles(
          ['/app/main-1a2b3c4d.js', '/app/admin-5e6f7a8b.js'],
          ['/app/admin-99887766.js', '/app/main-00ff00ff.js'],
        ),
      ],
      [
        ['/app/main-1a2b3c4d.js', '/app/main-00ff00ff.js'],
        ['/app/admin-5e6f7a8b.js', '/app/admin-99887766.js'],
      ],
    );
  });

  it('takes a URL and a path for the same file', () => {
    assert.deepEqual([...matchFiles(['file:///app/a.js?v=2'], ['/app/a.js'])], [['file:///app/a.js?v=2', '/app/a.js']]);
  });
});
