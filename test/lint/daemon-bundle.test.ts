/** What the daemon finds by the place of its own file has to lie beside its bundle, or its copy does not work. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROGRAMS, SCRIPTS } from '../../scripts/bundle-daemon.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** `new URL('./grep-thread.js', import.meta.url)`, with whatever ending. */
const BESIDE = /new URL\(\s*[`'"](?:\.\/)?([a-z][a-z-]*(?:\.sh)?)[^/]*?,\s*import\.meta\.url/g;

const found = globSync('src/{api,config,core,daemon,logs,net,os,program,store,supervisor}/**/*.ts', { cwd: ROOT })
  .filter((file) => !file.endsWith('.test.ts'))
  .flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(BESIDE)].map(([, name = '']) => ({ file, name })),
  );

describe('the bundle of the daemon', () => {
  it('has every program and script that is started by the name of its file', () => {
    const bundled = new Set([...SCRIPTS, ...PROGRAMS.map((path) => path.replace(/^.*\//, ''))]);
    assert.ok(found.length >= 4, 'the search finds what there is');
    assert.deepEqual(
      found.filter(({ name }) => !bundled.has(name)),
      [],
    );
  });
});
