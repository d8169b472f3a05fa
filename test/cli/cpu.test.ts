/** `cpu top` and `cpu export`: what they print, what they write, and how they refuse. No daemon is asked for anything. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Harness, openHarness } from './harness.ts';

const STACKS = `# unit: microseconds
main (/app/a.js:1:1);parse\u001b[31m (/app/node_modules/qs/lib.js:2:1) 4000
main (/app/a.js:1:1);(garbage collector) 1000
(idle) 5000
`;

describe('the commands on CPU profiles', () => {
  let harness: Harness;
  const drover = (...words: string[]): ReturnType<Harness['drover']> => harness.drover('cpu', ...words);
  before(async () => {
    harness = await openHarness({ isDaemonThere: false });
    await writeFile(join(harness.directory, 'a.txt'), STACKS);
    await writeFile(join(harness.directory, 'cut.cpuprofile'), '{"nodes":[{"id":1');
    await mkdir(join(harness.directory, 'folder'));
  });
  after(() => harness[Symbol.asyncDispose]());

  it('top: time by category and function, idle time apart, nothing for the terminal to act on', async () => {
    const { code, out, err } = await drover('top', 'a.txt');
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^10 ms; idle 5\.0 ms; busy 5\.0 ms; of which garbage collection 1\.0 ms \(20\.0 %\)\n/);
    assert.match(out, /^4\.0 ms {2}80\.0 % {2}dependency$/m);
    assert.match(
      out,
      /^4\.0 ms {2}80\.0 % {2}4\.0 ms {2}80\.0 % +parse\uFFFD\[31m +\/app\/node_modules\/qs\/lib\.js:2$/m,
    );
    assert.match(out, /^hot path 1: 4\.0 ms \(80\.0 %\)\n {2}main \/app\/a\.js:1\n {4}parse/m);
    assert.ok(!out.includes('\u001b'));
    assert.match(
      (await drover('top', 'a.txt', '--by', 'package')).out,
      /^4\.0 ms {2}80\.0 % {2}4\.0 ms {2}80\.0 % +qs$/m,
    );
  });

  it('top --json: one document, with the fields that are promised', async () => {
    const { code, out } = await drover('top', 'a.txt', '--json', '--sort', 'total', '--top', '2');
    const { samples, durationMs, functions } = JSON.parse(out) as {
      samples: null;
      durationMs: number;
      functions: object[];
    };
    assert.deepEqual([code, samples, durationMs], [0, null, 10]);
    assert.deepEqual(functions[1], {
      name: 'main',
      url: '/app/a.js',
      line: 1,
      column: 1,
      selfMs: 0,
      totalMs: 5,
      category: 'application',
      package: null,
    });
    assert.equal(functions.length, 2);
  });

  it('export: writes the file whole, and leaves no other', async () => {
    await mkdir(join(harness.directory, 'out'));
    for (const format of ['pprof', 'speedscope', 'collapsed', 'cpuprofile']) {
      const { code, err } = await drover('export', 'a.txt', '--to', format, '-o', `out/${format}`);
      assert.deepEqual([code, err], [0, ''], format);
    }
    assert.deepEqual((await readdir(join(harness.directory, 'out'))).sort(), [
      'collapsed',
      'cpuprofile',
      'pprof',
      'speedscope',
    ]);
    assert.equal(await readFile(join(harness.directory, 'out/collapsed'), 'utf8'), STACKS);
  });

  it('refuse what makes no sense, is not there, or is damaged, each with its code', async () => {
    const rows: readonly [words: string[], code: number, message: RegExp][] = [
      [['top', 'none.cpuprofile'], 2, /none\.cpuprofile does not exist\./],
      [['top', 'folder'], 2, /folder is a directory\./],
      [['top', 'cut.cpuprofile'], 2, /cut\.cpuprofile: at byte 17 \(nodes\[0\]\.id\): the file ends in the middle\./],
      [['top', 'a.txt', '--by', 'colour'], 2, /--by "colour": write one of function, file, package, category\./],
      [['top', 'a.txt', '--sort', 'name'], 2, /--sort "name": write one of self, total\./],
      [['top', 'a.txt', '--top', '0'], 2, /--top "0"/],
      [['export', 'a.txt', '-o', 'x'], 2, /--to is missing/],
      [['export', 'a.txt', '--to', 'svg', '-o', 'x'], 2, /--to "svg": write one of pprof/],
      [['export', 'a.txt', '--to', 'pprof'], 2, /-o is missing/],
      [['export', 'a.txt', '--to', 'pprof', '-o', 'nowhere/x'], 2, /nowhere\/x/],
      [['profile', 'shop'], 2, /`drover cpu profile` is not available/],
    ];
    for (const [words, code, message] of rows) {
      const refusal = await drover(...words);
      assert.equal(refusal.code, code, `${words.join(' ')}: ${refusal.err}`);
      assert.match(refusal.err, message);
    }
    const json = JSON.parse((await drover('top', 'cut.cpuprofile', '--json')).out) as { error: { code: string } };
    assert.equal(json.error.code, 'DROVER_FILE_INVALID');
    assert.deepEqual(
      (await readdir(harness.directory)).filter((name) => name.includes('partial')),
      [],
    );
  });
});
