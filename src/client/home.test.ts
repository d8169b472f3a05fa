import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { findHome, findSocketPath } from './home.ts';
import { writeRuntimeNote } from './runtime-note.ts';

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

  it('has its socket where its daemon has noted, for whoever asks, while that is a directory of this user', async () => {
    await using folder = await temporaryFolder();
    const uid = process.getuid?.() ?? -1;
    const home = join(folder.path, 'h'.repeat(120));
    const [noted, other] = [join(folder.path, 'noted'), join(folder.path, 'other')];
    for (const path of [home, noted, other]) mkdirSync(path, { mode: 0o700 });
    const directory = (): string => dirname(findSocketPath(home, { env: { XDG_RUNTIME_DIR: other }, uid }));
    assert.equal(directory(), join(other, 'drover'));
    writeRuntimeNote(home, noted);
    assert.equal(directory(), noted);
    // Of everybody, of nobody, or a link: somebody else may have put it there.
    chmodSync(noted, 0o777);
    assert.equal(directory(), join(other, 'drover'));
    writeRuntimeNote(home, join(folder.path, 'nowhere'));
    assert.equal(directory(), join(other, 'drover'));
    chmodSync(noted, 0o700);
    symlinkSync(noted, join(folder.path, 'link'));
    writeRuntimeNote(home, join(folder.path, 'link'));
    assert.equal(directory(), join(other, 'drover'));
    // Nor is a note believed that others may write, or that says nothing.
    writeRuntimeNote(home, noted);
    assert.equal(directory(), noted);
    chmodSync(join(home, 'runtime-directory'), 0o666);
    assert.equal(directory(), join(other, 'drover'));
    writeRuntimeNote(home, 'noted');
    assert.equal(directory(), join(other, 'drover'));
    writeFileSync(join(home, 'runtime-directory'), '');
    assert.equal(directory(), join(other, 'drover'));
  });
});
