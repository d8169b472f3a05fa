import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, describe, it } from 'node:test';
import { openInput } from './open.ts';
import { SourceMaps } from './source-maps.ts';

const folder = mkdtempSync(join(tmpdir(), 'source-maps-'));
after(() => {
  rmSync(folder, { recursive: true });
});

// Line 1, column 10 of the code is `render` at line 3, column 5 of src/page.ts; line 2 begins at line 9 there.
const map = { version: 3, sources: ['src/page.ts'], names: ['render'], mappings: 'SAEIA;AAMA' };
const code = 'function(a){return a}\nb();\n';

const write = (name: string, content: string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
};

const place = { line: 3, column: 5, name: 'render' };

describe('source maps', () => {
  it('are found by the comment, inline, and beside the file', async () => {
    write('maps/a.js.map', JSON.stringify(map));
    const inline = Buffer.from(JSON.stringify(map)).toString('base64');
    const files = {
      'maps/a.js': `${code}//# sourceMappingURL=a.js.map\n`,
      'maps/b.js': `${code}//# sourceMappingURL=data:application/json;charset=utf-8;base64,${inline}`,
      'maps/c.js': `${code}//# sourceMappingURL=data:application/json,${encodeURIComponent(JSON.stringify(map))}\n`,
      'maps/d.js': `${code}/*# sourceMappingURL=a.js.map */\n`,
      'maps/e.js': code,
    };
    write('maps/e.js.map', `)]}'\n${JSON.stringify(map)}`);
    const maps = new SourceMaps();
    for (const [name, content] of Object.entries(files)) {
      const path = write(name, content);
      const url = join(folder, 'maps/src/page.ts');
      assert.deepEqual(await maps.resolve(path, 1, 10), { url, ...place }, name);
      // What begins at column 9 reaches on to 15; a place before it takes what comes next.
      assert.equal((await maps.resolve(path, 1, 16))?.line, 3, name);
      assert.equal((await maps.resolve(path, 1, 1))?.line, 3, name);
      const asUrl = await maps.resolve(pathToFileURL(path).href, 2, 0);
      assert.deepEqual(asUrl, { url: pathToFileURL(url).href, line: 9, column: 5, name: null }, name);
    }
    assert.deepEqual(maps.notes, []);
  });

  it('are read once', async () => {
    const path = write('once/a.js', `${code}//# sourceMappingURL=a.js.map\n`);
    const mapPath = write('once/a.js.map', JSON.stringify(map));
    const maps = new SourceMaps();
    await maps.resolve(path, 1, 10);
    rmSync(mapPath);
    assert.equal((await maps.resolve(path, 1, 10))?.line, 3);
  });

  it('are never asked of the network, and not looked for where code is no file', async () => {
    const maps = new SourceMaps();
    for (const url of ['https://127.0.0.1:1/a.js.map', '//127.0.0.1/a.js.map', 'ftp://x/y.map']) {
      const path = write('remote.js', `${code}//# sourceMappingURL=${url}\n`);
      assert.equal(await new SourceMaps().resolve(path, 1, 10), null, url);
    }
    for (const url of [
      'node:fs',
      'https://host/a.js',
      'evalmachine.<anonymous>',
      'file://host/a.js',
      '',
      'a.js',
      '/nowhere/a.js',
    ])
      assert.equal(await maps.resolve(url, 1, 10), null, url);
    assert.deepEqual(maps.notes, []);
  });

  it('that cannot be used are left out, with one note', async () => {
    const bad = {
      text: 'not JSON',
      version: '{"version":9}',
      mappings: JSON.stringify({ ...map, mappings: '!!!!' }),
      types: JSON.stringify({ version: 3, sources: 5, names: null, mappings: 7 }),
      null: 'null',
    };
    for (const [name, content] of Object.entries(bad)) {
      const path = write(`bad/${name}.js`, `${code}//# sourceMappingURL=${name}.map\n`);
      write(`bad/${name}.map`, content);
      const maps = new SourceMaps();
      assert.equal(await maps.resolve(path, 1, 10), null, name);
      assert.equal(await maps.resolve(path, 2, 1), null, name);
      assert.equal(maps.notes.length, 1, `${name}: ${maps.notes.join()}`);
      assert.match(maps.notes[0] ?? '', /^the source map of .*bad\//, name);
    }
  });

  it('and files beyond the bounds, and what is no ordinary file, are not read', async () => {
    const path = write('big/a.js', `${code}//# sourceMappingURL=a.js.map\n`);
    write('big/a.js.map', JSON.stringify(map));
    const small = new SourceMaps({ maxFileBytes: 60 });
    assert.equal(await small.resolve(path, 1, 10), null);
    assert.match(small.notes[0] ?? '', /larger than 60 bytes/);
    const total = new SourceMaps({ maxTotalBytes: 60 });
    assert.equal(await total.resolve(path, 1, 10), null);
    assert.match(total.notes[0] ?? '', /too many maps/);
    const device = new SourceMaps();
    assert.equal(await device.resolve('/dev/zero', 1, 10), null);
    assert.match(device.notes[0] ?? '', /not an ordinary file/);
  });

  it('named as a pipe that nobody writes to are not waited for', async (t) => {
    if (spawnSync('mkfifo', [join(folder, 'pipe')]).status !== 0) return t.skip('no mkfifo here');
    const path = write('piped.js', `${code}//# sourceMappingURL=pipe\n`);
    const maps = new SourceMaps();
    assert.equal(await maps.resolve(path, 1, 10), null);
    assert.match(maps.notes[0] ?? '', /not an ordinary file/);
    await assert.rejects(openInput(join(folder, 'pipe')).next(), { code: 'ESPIPE' });
  });

  it('that are another file altogether are not quoted', async () => {
    write('passwords', 'root:secret');
    const maps = new SourceMaps();
    await maps.resolve(write('quoting.js', `${code}//# sourceMappingURL=passwords\n`), 1, 10);
    assert.equal(maps.notes.length, 1);
    assert.doesNotMatch(maps.notes.join(), /root|secret/);
  });
});
