import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findVersionManager } from './version-manager.ts';

describe('the version manager of a program', () => {
  for (const [path, manager] of [
    ['/home/a/.nvm/versions/node/v24.1.0/bin/node', 'nvm'],
    ['/usr/local/share/nvm/versions/node/v24.1.0/bin/node', 'nvm'],
    ['/home/a/.local/share/fnm/node-versions/v24.1.0/installation/bin/node', 'fnm'],
    ['/run/user/1000/fnm_multishells/12_34/bin/node', 'fnm'],
    ['/home/a/.volta/tools/image/node/24.1.0/bin/node', 'Volta'],
    ['/home/a/.asdf/installs/nodejs/24.1.0/bin/node', 'asdf'],
    ['/home/a/.local/share/mise/installs/node/24.1.0/bin/node', 'mise'],
    ['/usr/local/n/versions/node/24.1.0/bin/node', 'n'],
    ['/home/a/.nodenv/versions/24.1.0/bin/node', 'nodenv'],
    ['/home/a/.proto/tools/node/24.1.0/bin/node', 'proto'],
    ['/home/linuxbrew/.linuxbrew/Cellar/node/24.1.0/bin/node', 'Homebrew'],
    ['/nix/store/abc-nodejs-24.1.0/bin/node', 'Nix'],
    ['/home/a/.npm/_npx/0123/node_modules/drover/dist/daemon/main.js', "npx's cache"],
  ] as const)
    it(`is ${manager} for ${path}`, () => {
      assert.equal(findVersionManager(path, {}), manager);
    });

  it('is known by its own folder, wherever that was put', () => {
    assert.equal(findVersionManager('/opt/tools/v24/bin/node', { FNM_DIR: '/opt/tools/' }), 'fnm');
    assert.equal(findVersionManager('/opt/toolsmith/node', { FNM_DIR: '/opt/tools' }), null);
  });

  it('is none for a Node of the machine', () => {
    for (const path of ['/usr/bin/node', '/usr/local/bin/node', '/opt/node-v24/bin/node', '/srv/n/app/node'])
      assert.equal(findVersionManager(path, { NVM_DIR: '/home/a/.nvm', VOLTA_HOME: '' }), null);
  });
});
