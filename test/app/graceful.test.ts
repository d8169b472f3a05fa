/** `GracefulServer` alone, with real signals and connections, under each supported Node. */
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { before, it } from 'node:test';
import { underEachNode } from '../agent/support/under-each-node.ts';
import { eventually } from '../support/eventually.ts';
import { ask, linkPackage, Program } from './support/program.ts';

const SHORT = { idleGrace: 100 };

before(linkPackage);

underEachNode('GracefulServer', (node) => {
  const start = (options: object): Program =>
    new Program('leaves.mjs', { node: node.path, args: [JSON.stringify(options)] });

  it('finishes what has begun, refuses what is new, runs the hooks and ends', { timeout: 60_000 }, async () => {
    await using program = start({ server: SHORT });
    const { port = 0 } = await program.ports();
    const slow = ask(port, '/slow/1500');
    await program.printed('slow begun');
    program.child.kill('SIGTERM');
    await program.printed('drain SIGTERM');
    await eventually('new connections are refused', async () =>
      ask(port, '/').then(
        () => false,
        () => true,
      ),
    );
    assert.ok(!program.lines.includes('shutdown second'), 'a request was in flight');
    assert.equal((await slow).text, 'slow');
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.deepEqual(program.lines.slice(-3), ['shutdown second', 'shutdown first', 'cut 0'], 'the newest first');
  });

  it('keeps a kept connection until its client can know, and tells it to close', { timeout: 60_000 }, async () => {
    await using program = start({ server: { idleGrace: 1500, drainTimeout: 20_000 } });
    const { port = 0 } = await program.ports();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const request = async (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        get({ port, host: '127.0.0.1', agent }, (response) => {
          response.resume().once('end', () => resolve(response.headers.connection));
        }).once('error', reject);
      });
    try {
      assert.equal(await request(), 'keep-alive');
      program.child.kill('SIGTERM');
      await program.printed('drain SIGTERM');
      await eventually('new connections are refused', async () =>
        ask(port, '/').then(
          () => false,
          () => true,
        ),
      );
      assert.equal(await request(), 'close', 'the idle connection was still there');
      assert.deepEqual(await program.exited, { code: 0, signal: null });
    } finally {
      agent.destroy();
    }
  });

  it('cuts what is left at the drain timeout, and goes on without a hook that hangs', { timeout: 60_000 }, async () => {
    await using program = start({ server: { ...SHORT, drainTimeout: 400 }, hangs: 300 });
    const { port = 0 } = await program.ports();
    const slow = ask(port, '/slow/60000').then(
      () => 'answered',
      () => 'cut',
    );
    await program.printed('slow begun');
    program.child.kill('SIGINT');
    assert.equal(await slow, 'cut');
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.ok(program.lines.some((line) => line.includes('hangs: did not end within 300 ms')));
    for (const line of ['shutdown first', 'cut 1']) assert.ok(program.lines.includes(line), program.lines.join('\n'));
  });

  it('ends at the shutdown timeout whatever hangs', { timeout: 60_000 }, async () => {
    await using program = start({ server: { ...SHORT, shutdownTimeout: 500 }, hangs: 50_000 });
    await program.ports();
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.exited, { code: 1, signal: null });
  });

  it('ends by SIGUSR2 when it was asked by it, as nodemon expects', { timeout: 60_000 }, async () => {
    await using program = start({ server: SHORT });
    await program.ports();
    program.child.kill('SIGUSR2');
    assert.deepEqual(await program.exited, { code: null, signal: 'SIGUSR2' });
    assert.ok(program.lines.includes('shutdown first'));
  });

  it('ends at once when somebody at a keyboard asks twice', { timeout: 60_000 }, async () => {
    await using program = start({ server: SHORT, hangs: 50_000 });
    await program.ports();
    program.child.kill('SIGINT');
    await program.printed('drain SIGINT');
    program.child.kill('SIGINT');
    assert.deepEqual(await program.exited, { code: 130, signal: null });
  });
});
