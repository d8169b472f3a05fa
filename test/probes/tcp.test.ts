import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { closeDescriptor, unixListenSocket } from '../../src/os/index.ts';
import { eventually } from '../support/eventually.ts';
import { freePort, temporaryFolder } from '../support/temporary.ts';
import { ask } from './support/ask.ts';
import { rawServer, tcp } from './support/servers.ts';

describe('a tcp probe', () => {
  it('passes where the connection comes about, and closes it', async () => {
    await using server = await rawServer((socket) => socket.resume());
    assert.equal((await ask(tcp(server.port))).outcome, 'pass');
    await eventually('the connection is closed', () => server.sockets.size === 0);
  });

  it('fails where nobody listens', async () => {
    assert.equal((await ask(tcp(await freePort()))).error, 'the connection was refused (ECONNREFUSED)');
  });

  it('fails where a private socket accepts nothing any more', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 's');
    // The kernel keeps one more than it was told; nobody ever accepts.
    const fd = unixListenSocket(path, { backlog: 2, mode: 0o600 });
    const results = [];
    for (let turn = 0; turn < 5; turn++) results.push(await ask(tcp(null), {}, { privateSocket: () => path }));
    closeDescriptor(fd);
    assert.equal(results[0]?.outcome, 'pass', 'the kernel takes what the process has still to accept');
    assert.equal(results.at(-1)?.outcome, 'fail');
    assert.match(results.at(-1)?.error ?? '', /queue of connections is full/);
  });

  it('fails in time where the packets are answered by nobody', async () => {
    // TEST-NET-1 (RFC 5737): nobody has these addresses. A machine without a route says so at once.
    const { outcome, error } = await ask({ kind: 'tcp', port: 80, host: '192.0.2.1' }, { timeoutMs: 300 });
    assert.equal(outcome, 'fail');
    assert.match(error ?? '', /no connection came about within 300 ms|not to be reached|refused/);
  });
});
