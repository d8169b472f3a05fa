import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { unwrapProgram } from './unwrap.ts';

let folder = '';
const at = (path: string): string => join(folder, path);
const write = (path: string, content: string): void => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
};

/** A dependency whose binary is a script for Node. */
const bring = (name: string, binary: string): void => {
  write(`node_modules/${name}/package.json`, JSON.stringify({ name }));
  write(`node_modules/${name}/dist/loader.mjs`, '');
  write(`node_modules/${name}/dist/cli.mjs`, '#!/usr/bin/env node\n');
  chmodSync(at(`node_modules/${name}/dist/cli.mjs`), 0o755);
  mkdirSync(at('node_modules/.bin'), { recursive: true });
  symlinkSync(`../${name}/dist/cli.mjs`, at(`node_modules/.bin/${binary}`));
};

const scripts = {
  start: 'node server.js',
  assigned: 'cross-env NODE_ENV=production PORT=3000 node server.js --fast',
  expanded: 'cross-env PORT=$PORT node server.js',
  executed: 'A=1 exec node server.js',
  chained: 'npm run assigned -- --more',
  typed: 'tsx server.ts --fast',
  watched: 'tsx watch server.ts',
  configured: 'tsx --tsconfig other.json server.ts',
  built: 'node build.js && node server.js',
  hooked: 'node server.js',
  posthooked: 'node after.js',
  launched: 'dotenv -- node server.js',
  served: 'serve public',
  pathed: 'PATH=/opt node server.js',
};

before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'drover-unwrap-')));
  write('package.json', JSON.stringify({ name: 'shop', version: '1.2.3', scripts }));
  for (const file of ['server.js', 'server.ts', 'build.js']) write(file, '');
  bring('cross-env', 'cross-env');
  bring('tsx', 'tsx');
  bring('dotenv-cli', 'dotenv');
  bring('serve', 'serve');
});
after(() => rmSync(folder, { recursive: true }));

const ENV = { PATH: '/usr/bin', PORT: '80' };
const unwrap = (...words: string[]) => unwrapProgram(words, folder, ENV);
const run = (script: string) => unwrap('npm', 'run', script);
const node = (more: object = {}) => ({
  kind: 'node',
  script: at('server.js'),
  node: null,
  nodeArgs: [],
  args: [],
  ...more,
});
const program = (...argv: string[]) => ({ kind: 'program', argv });

describe('a wrapper', () => {
  it('is seen through where it only sets variables', () => {
    const { command, env } = run('assigned');
    assert.deepEqual(command, node({ args: ['--fast'] }));
    assert.equal(env['NODE_ENV'], 'production');
    assert.equal(env['PORT'], '3000');
    assert.deepEqual(unwrap('env', 'A=1', 'node', 'server.js'), { command: node(), env: { A: '1' }, binPaths: [] });
    assert.deepEqual(run('executed').command, node());
    assert.equal(run('executed').env['A'], '1');
  });

  it('is seen through layer by layer', () => {
    assert.deepEqual(run('chained').command, node({ args: ['--fast', '--more'] }));
    assert.deepEqual(unwrap('sh', '-c', 'exec npm start').command, node());
    assert.deepEqual(unwrap('node', '--run', 'assigned').command, node({ args: ['--fast'] }));
  });

  it('adds a directory to the PATH of whoever starts the app, not the PATH of now', () => {
    const { env, binPaths } = run('chained');
    assert.deepEqual(binPaths, [at('node_modules/.bin')]);
    assert.equal(env['PATH'], undefined);
  });

  it('that is tsx is the loader that tsx is', () => {
    const nodeArgs = ['--import', pathToFileURL(at('node_modules/tsx/dist/loader.mjs')).href];
    assert.deepEqual(run('typed').command, node({ script: at('server.ts'), nodeArgs, args: ['--fast'] }));
    assert.deepEqual(unwrap('npx', 'tsx', 'server.ts').command, node({ script: at('server.ts'), nodeArgs }));
  });

  it('is left where it does more than that', () => {
    const bin = (name: string): string => at(`node_modules/.bin/${name}`);
    assert.deepEqual(run('watched').command, program(bin('tsx'), 'watch', 'server.ts'));
    assert.deepEqual(run('configured').command, program(bin('tsx'), '--tsconfig', 'other.json', 'server.ts'));
    assert.deepEqual(run('launched').command, program(bin('dotenv'), '--', 'node', 'server.js'));
    for (const script of ['built', 'hooked', 'pathed']) {
      assert.deepEqual(run(script).command, program('npm', 'run', script));
    }
    assert.deepEqual(unwrap('env', '-i', 'node', 'server.js').command, program('env', '-i', 'node', 'server.js'));
    assert.deepEqual(unwrap('node', '--run', 'built').command, program('node', '--run', 'built'));
  });

  it('is the app itself where a package brings a server', () => {
    assert.deepEqual(run('served').command, {
      kind: 'node',
      script: at('node_modules/serve/dist/cli.mjs'),
      node: null,
      nodeArgs: [],
      args: ['public'],
    });
  });

  it('expands variables of the shell, and leaves what cross-env would expand itself', () => {
    assert.equal(run('expanded').env['PORT'], '80');
    const quoted = unwrap(at('node_modules/.bin/cross-env'), 'PORT=$OTHER', 'node', 'server.js');
    assert.equal(quoted.command.kind, 'program');
  });
});
