import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { eventually } from './eventually.ts';
import { isAlive, killAndListClients, listTree } from './processes.ts';

const SERVER = `require('net')
  .createServer(() => console.log('accepted'))
  .listen(0, '::', function () { console.log(this.address().port); })`;

describe('killAndListClients', () => {
  it('names the client ports of the process, also behind a parent, and leaves nothing of it alive', async () => {
    const shell = spawn('/bin/sh', ['-c', '"$0" -e "$1" & wait', process.execPath, SERVER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = (await once(shell.stdout, 'data')) as [Buffer];
    const tree = listTree(shell.pid ?? 0);
    assert.equal(tree.length, 2);
    const client = connect(Number(text.toString()), '127.0.0.1');
    client.on('error', () => {});
    await once(shell.stdout, 'data');
    assert.deepEqual(
      [...killAndListClients(shell.pid ?? 0)].filter((port) => port !== 0),
      [client.localPort],
    );
    await eventually('all are gone', () => !tree.some(isAlive));
    client.destroy();
  });

  it('lets another signal than SIGKILL reach the process, although it is stopped', async () => {
    const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout, 'data');
    killAndListClients(server.pid ?? 0, 'SIGABRT');
    assert.deepEqual(await once(server, 'exit'), [null, 'SIGABRT']);
  });
});
