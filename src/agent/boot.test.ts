import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { hidePreload, inodeOf, readBoot, verifyDescriptor } from './boot.ts';

const AGENT = '/opt/drover (1)/agent.cjs';

describe('What the daemon left in the environment', () => {
  it('is nothing when it is absent, broken or of another version', () => {
    assert.equal(readBoot({}), null);
    assert.equal(readBoot({ DROVER_AGENT: '{' }), null);
    assert.equal(readBoot({ DROVER_AGENT: 'null' }), null);
    assert.equal(readBoot({ DROVER_AGENT: '{"v":2}' }), null);
  });

  it('names descriptors that are only trusted with their inode', () => {
    const fd = openSync(import.meta.filename, 'r');
    const inode = inodeOf(fd);
    assert.equal(verifyDescriptor(`${fd}:${inode}`), fd);
    assert.equal(verifyDescriptor(`${fd}:1`), null);
    closeSync(fd);
    // By now another test of this process may have the number; it has another file behind it.
    assert.equal(verifyDescriptor(`${fd}:${inode}`), null);
    assert.equal(verifyDescriptor(null), null);
  });

  it('is taken out of what children inherit, and nothing else is', () => {
    const words = ['--expose-gc', '--require', AGENT, '-r', './mine.js', `--require=${AGENT}`];
    const env = { NODE_OPTIONS: `--max-old-space-size=100 --require "${AGENT}" --require ./mine.js` };
    hidePreload(words, env, AGENT);
    assert.deepEqual(words, ['--expose-gc', '-r', './mine.js']);
    assert.equal(env.NODE_OPTIONS, '--max-old-space-size=100 --require ./mine.js');
    const only: Record<string, string> = { NODE_OPTIONS: `--require "${AGENT}"` };
    hidePreload([], only, AGENT);
    assert.deepEqual(only, {});
  });
});
