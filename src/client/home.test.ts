import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findHome, findSocketPath } from './home.ts';

describe('the home', () => {
  it("is DROVER_HOME, else the system's place for root, else the user's state directory", () => {
    assert.equal(findHome({ env: { DROVER_HOME: '/x' }, uid: 0 }), '/x');
    assert.equal(findHome({ env: {}, uid: 0 }), '/var/lib/drover');
    assert.equal(findHome({ env: { HOME: '/home/me' }, uid: 1000 }), '/home/me/.local/state/drover');
    assert.equal(findHome({ env: { HOME: '/home/me', XDG_STATE_HOME: '/state' }, uid: 1000 }), '/state/drover');
    assert.equal(
      findHome({ env: { HOME: '/home/me', XDG_STATE_HOME: 'relative' }, uid: 1000 }),
      '/home/me/.local/state/drover',
    );
  });

  it('holds the socket, unless its path is too long for one', () => {
    const long = `/${'x'.repeat(200)}`;
    assert.equal(findSocketPath('/home', { env: {}, uid: 1 }), '/home/drover.sock');
    const first = findSocketPath(long, { env: { XDG_RUNTIME_DIR: '/run/user/1' }, uid: 1 });
    assert.match(first, /^\/run\/user\/1\/drover\/[0-9a-f]{16}\.sock$/);
    assert.notEqual(first, findSocketPath(`${long}y`, { env: { XDG_RUNTIME_DIR: '/run/user/1' }, uid: 1 }));
    for (const uid of [0, 1]) assert.ok(findSocketPath(long, { env: {}, uid }).length < 104);
  });
});
