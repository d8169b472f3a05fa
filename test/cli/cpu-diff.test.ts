/** `cpu diff`: folders and files, what it prints, the JSON that is promised, how it ends and how it refuses. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { seeded } from '../support/random.ts';
import { type Harness, openHarness } from './harness.ts';

/** A `.cpuprofile` of 1,500 samples: idle, `serve`, and below it `priceOf` (at `line`) and `render`. */
function profile(random: () => number, line: number, price: number): string {
  const frame = (functionName: string, url: string, lineNumber: number): object => ({
    functionName,
    url,
    lineNumber: lineNumber - 1,
    columnNumber: 0,
    scriptId: '1',
  });
  const nodes = [
    { id: 1, callFrame: frame('(root)', '', 0), children: [2, 3] },
    { id: 2, callFrame: frame('(idle)', '', 0) },
    { id: 3, callFrame: frame('serve', 'file:///app/server.mjs', 3), children: [4, 5] },
    { id: 4, callFrame: frame('priceOf', 'file:///app/price.mjs', line) },
    { id: 5, callFrame: frame('render\u001b[31m', 'file:///app/page.mjs', 9) },
  ];
  const costs = [
    [2, 50],
    [3, 30],
    [4, price],
    [5, 40],
  ] as const;
  const sum = costs.reduce((total, [, cost]) => total + cost, 0);
  const samples = Array.from({ length: 1500 }, () => {
    let left = random() * sum;
    return costs.find(([, cost]) => (left -= cost) < 0)?.[0] ?? 2;
  });
  const timeDeltas = samples.map(() => 1000);
  return JSON.stringify({ nodes, startTime: 0, endTime: 1_500_000, samples, timeDeltas });
}

interface DiffJson {
  readonly changed: readonly {
    readonly name: string;
    readonly url: string;
    readonly line: number;
    readonly selfShare: readonly [number, number];
    readonly effect: number;
    readonly p: number;
    readonly was: { readonly line: number } | null;
  }[];
  readonly differences: readonly { readonly name: string; readonly p: null }[];
  readonly windows: readonly [number, number];
  readonly launches: readonly [number, number];
}

describe('cpu diff', () => {
  let harness: Harness;
  const diff = (...words: string[]): ReturnType<Harness['drover']> => harness.drover('cpu', 'diff', ...words);
  const at = (...parts: string[]): string => join(harness.directory, ...parts);

  before(async () => {
    harness = await openHarness({ isDaemonThere: false });
    const random = seeded(31);
    for (const [set, line, price] of [
      ['before', 12, 20],
      ['after', 40, 34],
    ] as const) {
      for (let window = 0; window < 6; window++) {
        // A folder is a launch; `notes.txt` is no profile.
        await mkdir(at(set, `launch-${window >> 1}`), { recursive: true });
        const file = at(set, `launch-${window >> 1}`, `w${window}.cpuprofile`);
        const text = profile(random, line, price);
        await (window === 0 ? writeFile(`${file}.gz`, gzipSync(text)) : writeFile(file, text));
      }
      await writeFile(at(set, 'notes.txt'), 'not a profile');
    }
    await mkdir(at('empty'));
    await mkdir(at('idle'));
    await writeFile(
      at('idle', 'w.cpuprofile'),
      profile(random, 12, 20).replaceAll(
        /"samples":\[[\d,]*\]/gu,
        `"samples":[${Array.from({ length: 1500 }, () => 2).join(',')}]`,
      ),
    );
  });
  after(() => harness[Symbol.asyncDispose]());

  it('says in words which function takes more, and ends with 0', async () => {
    const { code, out, err } = await diff('before', 'after');
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^6 windows of 3 launches against 6 windows of 3 launches; 3 functions tested, 1 changed\n/u);
    assert.match(
      out,
      /^`priceOf` \(file:\/\/\/app\/price\.mjs:40\) takes \d+\.\d % instead of \d+\.\d % of CPU, \+\d+ % for the same work \(95 % CI \+\d+ % to \+\d+ %\), q .*; [\d.]+ → [\d.]+ ms a second$/mu,
    );
    assert.match(out, /^ {2}it was `priceOf` \(file:\/\/\/app\/price\.mjs:12\)$/mu);
    assert.ok(!out.includes('\u001b'));
  });

  it('ends with 1 where it is told to fail on a regression, and not on a gain', async () => {
    assert.equal((await diff('before', 'after', '--fail-on-regression')).code, 1);
    assert.equal((await diff('after', 'before', '--fail-on-regression')).code, 0);
    assert.equal((await diff('before', 'after', '--fail-on-regression', '--min-effect', '99%')).code, 0);
  });

  it('--json: one document, with the fields that are promised', async () => {
    const { code, out } = await diff('before', 'after', '--json');
    const { changed, windows, launches } = JSON.parse(out) as DiffJson;
    assert.deepEqual([code, windows, launches], [0, [6, 6], [3, 3]]);
    const [price] = changed;
    assert.ok(price !== undefined && changed.length === 1);
    assert.deepEqual(
      [price.name, price.url, price.line, price.was?.line],
      ['priceOf', 'file:///app/price.mjs', 40, 12],
    );
    assert.ok(price.selfShare[0] < price.selfShare[1] && price.effect > 0.4 && price.p < 0.01, JSON.stringify(price));
  });

  it('lists differences of single files, and tests none', async () => {
    const files = ['before', 'after'].map((set) => join(set, 'launch-1', 'w2.cpuprofile'));
    const { code, out } = await diff(...files);
    assert.equal(code, 0);
    assert.match(out, /^1 window against 1 window; 0 functions tested, 0 changed$/mu);
    assert.match(out, /^ {2}\d+\.\d % → \d+\.\d % {2}`priceOf`/mu);
    const { changed, differences } = JSON.parse((await diff(...files, '--json')).out) as DiffJson;
    assert.deepEqual([changed.length, differences[0]?.p], [0, null]);
  });

  it('refuses what is not there, has no profile or no time in it, and parts that are none', async () => {
    for (const [words, code, message] of [
      [['nowhere', 'after'], 2, /does not exist/u],
      [['before', 'empty'], 2, /no CPU profile/u],
      [['before', 'idle'], 2, /nothing but idle time/u],
      [['before', join('after', 'notes.txt')], 2, /notes\.txt/u],
      [['before', 'after', '--fdr', '2'], 2, /--fdr "2"/u],
    ] as const) {
      const result = await diff(...words);
      assert.equal(result.code, code, `${words.join(' ')}: ${result.err}`);
      assert.match(result.err, message);
      assert.equal(result.out, '');
    }
  });
});
