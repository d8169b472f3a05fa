import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { assertRunnable, getNode } from '../../src/config/index.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { appConfig } from '../support/app-config.ts';

/** Something that answers `--version` as a Node would. */
const install = (path: string, version: string): string => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho v${version}\n`);
  chmodSync(path, 0o755);
  return path;
};

describe('the Node of an app', () => {
  it("is the one in PATH, then the highest of any version manager, then the app's own", async () => {
    await using folder = await temporaryFolder();
    const home = folder.path;
    const cwd = join(home, 'app/deep');
    mkdirSync(cwd, { recursive: true });
    const inPath = install(join(home, 'bin/node'), '20.1.0');
    install(join(home, '.nvm/versions/node/v22.1.0/bin/node'), '22.1.0');
    const fnm = install(join(home, '.local/share/fnm/node-versions/v22.11.0/installation/bin/node'), '22.11.0');
    const volta = install(join(home, '.volta/tools/image/node/24.2.0/bin/node'), '24.2.0');
    const mise = install(join(home, '.local/share/mise/installs/node/23.0.0/bin/node'), '23.0.0');
    const own = install(join(home, 'app/node_modules/node/bin/node'), '25.0.0');
    const env = { PATH: `/nonexistent:${join(home, 'bin')}`, HOME: home };
    const find = async (wanted: string | null) => (await getNode(wanted, env, cwd)).path;
    assert.equal(await find(null), inPath);
    assert.equal(await find('20'), inPath);
    assert.equal(await find('22'), fnm);
    assert.equal(await find('22.1'), join(home, '.nvm/versions/node/v22.1.0/bin/node'));
    assert.equal(await find('24'), volta);
    assert.equal(await find('23.0.0'), mise);
    assert.equal(await find('25'), own);
    await assert.rejects(find('2'), { code: 'DROVER_NODE_MISSING' });
    await assert.rejects(find('24.3'), { code: 'DROVER_NODE_MISSING' });
  });

  it('is looked at again when the binary has changed', async () => {
    await using folder = await temporaryFolder();
    const path = install(join(folder.path, 'node'), '20.1.0');
    const env = { PATH: folder.path, HOME: folder.path };
    assert.equal((await getNode(null, env, folder.path)).version, '20.1.0');
    install(path, '22.22.22');
    assert.equal((await getNode(null, env, folder.path)).version, '22.22.22');
  });

  it('must be able to run TypeScript, or have a loader', () => {
    const app = (nodeArgs: string[], script = '/srv/server.ts') =>
      appConfig('shop', { command: { kind: 'node', script, node: null, nodeArgs, args: [] } });
    for (const version of ['20.19.0', '22.17.1', '23.5.0'])
      assert.throws(() => assertRunnable(app([]), version, ''), { code: 'DROVER_LOADER_NEEDED' });
    assert.throws(() => assertRunnable(app([], '/srv/a.tsx'), '24.0.0', ''), { code: 'DROVER_LOADER_NEEDED' });
    for (const version of ['22.18.0', '23.6.0', '24.0.0']) assertRunnable(app([]), version, '');
    assertRunnable(app(['--import', 'tsx']), '20.19.0', '');
    assertRunnable(app([]), '20.19.0', '--require ts-node/register');
    assertRunnable(app([], '/srv/server.js'), '20.19.0', '');
  });
});
