import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareVersions } from './version.ts';

describe('versions', () => {
  it('are in the order of semver', () => {
    const inOrder = ['nonsense', '0.1.0', '0.2.0', '0.10.0', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta'];
    inOrder.push('1.0.0-beta.2', '1.0.0-beta.11', '1.0.0', '1.0.1');
    for (const [index, version] of inOrder.entries())
      for (const [other, later] of inOrder.entries())
        assert.equal(Math.sign(compareVersions(version, later)), Math.sign(index - other), `${version} and ${later}`);
  });
});
