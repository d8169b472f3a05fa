/** What is open is told apart by kind: of this process, with things opened for it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { openSync, closeSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../support/temporary.ts';
import { countDescriptors, differenceOf, kindOf } from './descriptors.ts';

describe('the count of descriptors', () => {
  it('sees each kind come and go', async () => {
    await using folder = await temporaryFolder();
    // What a first server and a first connection leave open for good is not what this is about.
    const warm = createServer().listen(0, '127.0.0.1');
    await once(warm, 'listening');
    const before = countDescriptors(process.pid);
    const path = join(folder.path, 'removed');
    const fd = openSync(path, 'w');
    unlinkSync(path);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as { port: number }).port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [Socket];
    assert.deepEqual(differenceOf(before, countDescriptors(process.pid)), {
      'file, removed': 1,
      'socket, TCP listening': 1,
      'socket, TCP connected': 2,
    });
    closeSync(fd);
    const ended = [once(client, 'close'), once(accepted, 'close'), once(server, 'close')];
    client.destroy();
    accepted.destroy();
    server.close();
    await Promise.all(ended);
    assert.deepEqual(differenceOf(before, countDescriptors(process.pid)), {});
    warm.close();
  });

  it('knows what the kernel calls anonymous things', () => {
    const none = new Map<string, string>();
    assert.equal(kindOf('anon_inode:[eventpoll]', none), 'eventpoll');
    assert.equal(kindOf('anon_inode:bpf-map', none), 'bpf-map');
    assert.equal(kindOf('pipe:[12]', none), 'pipe');
    assert.equal(kindOf('socket:[12]', new Map([['12', 'socket, Unix']])), 'socket, Unix');
    assert.equal(kindOf('socket:[13]', none), 'socket, other');
    assert.equal(kindOf('/memfd:guard (deleted)', none), 'memory file');
    assert.equal(kindOf('/dev/null', none), 'device');
    assert.equal(kindOf('/home/app/state.db', none), 'file');
  });

  it('is empty for a process that is gone', () => {
    assert.deepEqual(countDescriptors(2 ** 22 + 1), {});
  });
});
