/** `cpu flame`: what it writes and where, and how it refuses. What is on the page is a matter of test/browser. */
import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundleView } from '../../scripts/bundle-view.ts';
import { type Harness, openHarness } from './harness.ts';

const STACKS = `# unit: microseconds
main (/app/a.js:1:1);</script><script>alert(1)</script> (/app/b.js:2:1) 4000
(idle) 5000
`;

describe('cpu flame', () => {
  let harness: Harness;
  const flame = (...words: string[]): ReturnType<Harness['drover']> => harness.drover('cpu', 'flame', ...words);
  before(async () => {
    await bundleView();
    harness = await openHarness({ isDaemonThere: false });
    await writeFile(join(harness.directory, 'api.collapsed'), STACKS);
    await writeFile(join(harness.directory, 'idle.collapsed'), '# unit: microseconds\n(idle) 5000\n');
    await writeFile(join(harness.directory, 'cut.cpuprofile'), '{"nodes":[{"id":1');
    for (const side of ['v1', 'v2']) {
      await mkdir(join(harness.directory, side));
      await writeFile(join(harness.directory, side, 'one.collapsed'), STACKS);
      await writeFile(join(harness.directory, side, 'two.collapsed'), STACKS);
    }
    await mkdir(join(harness.directory, 'empty'));
  });
  after(() => harness[Symbol.asyncDispose]());

  const page = async (name: string): Promise<string> => readFile(join(harness.directory, name), 'utf8');

  it('writes one page beside the caller, named after the profile, with nothing from elsewhere in it', async () => {
    const { code, out } = await flame('api.collapsed');
    assert.equal(code, 0);
    assert.match(out, /^Wrote api\.flame\.html \(\d+ KB\)\.$/);
    const html = await page('api.flame.html');
    assert.match(html, /<title>Flame graph of api\.collapsed<\/title>/);
    assert.doesNotMatch(html, /<script>alert|(?:src|href)="(?!data:)/);
  });

  it('tells the path, as JSON, and takes a title and a file to write', async () => {
    const { code, out } = await flame('v1', 'v2', '-o', 'change.html', '--title', 'A & B', '--json');
    const html = await page('change.html');
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), { path: join(harness.directory, 'change.html'), bytes: Buffer.byteLength(html) });
    assert.match(html, /<title>A &#38; B<\/title>/);
    assert.match(html, /v1: 0\.01 s of work[^<]*2 windows → v2: /);
  });

  it('finds in a folder what `perf script` wrote, by the name that the docs give it', async () => {
    await mkdir(join(harness.directory, 'perf'));
    await writeFile(join(harness.directory, 'perf', 'server.perf.txt'), STACKS);
    assert.equal((await flame('perf', '-o', 'perf.html')).code, 0);
  });

  it('never writes over what it reads, nor puts a file where a device, a pipe or a link is', async () => {
    const link = join(harness.directory, 'link.html');
    await symlink('target.html', link);
    await writeFile(join(harness.directory, 'target.html'), 'before');
    assert.equal((await flame('api.collapsed', '-o', 'link.html')).code, 0);
    assert.ok((await lstat(link)).isSymbolicLink());
    assert.match(await page('target.html'), /^<!doctype html>/i);
    // A link to a device: renaming over it would not hurt the machine that runs this test.
    await symlink('/dev/full', join(harness.directory, 'full'));
    const full = await flame('api.collapsed', '-o', 'full');
    assert.deepEqual([full.code, full.err.split('\n')[0]], [2, 'full cannot be written: the disk is full.']);
    assert.ok((await stat(join(harness.directory, 'full'))).isCharacterDevice());
    const over = await flame('v1', 'api.collapsed', '-o', 'v1/two.collapsed');
    assert.deepEqual([over.code, over.out], [2, '']);
    assert.match(over.err, /^v1\/two\.collapsed is the file that is read, and would be lost\./);
    assert.equal(await page('v1/two.collapsed'), STACKS);
  });

  it('writes to standard output where `-` is the file', async () => {
    const { code, out } = await flame('api.collapsed', '-o', '-');
    assert.equal(code, 0);
    assert.match(out, /^<!doctype html>/i);
  });

  it('refuses what is no profile, is not there, or cannot be written, and leaves nothing behind', async () => {
    assert.deepEqual(await flame('cut.cpuprofile').then(({ code, out }) => [code, out]), [2, '']);
    assert.match((await flame('nothing.cpuprofile')).err, /nothing\.cpuprofile does not exist/);
    assert.match((await flame('empty')).err, /no CPU profile/);
    assert.match((await flame('api.collapsed', 'idle.collapsed')).err, /no time on the processor/);
    const elsewhere = await flame('api.collapsed', '-o', 'not/there.html');
    assert.deepEqual(
      [elsewhere.code, elsewhere.err.split('\n')[0]],
      [2, 'not/there.html cannot be written: its folder is not there.'],
    );
    assert.match((await flame('api.collapsed', '-o', 'v1')).err, /^v1 is a directory, not a file to write\./);
    const left = (await readdir(harness.directory)).filter((name) => /partial|cut.*html|nothing|idle.*html/.test(name));
    assert.deepEqual(left, []);
  });
});
