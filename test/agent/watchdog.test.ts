/** The thread that tells of a block of the event loop while it lasts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { AgentSettings } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { openFakeDaemon, type FakeDaemon, type FakeWorker } from './support/fake-daemon.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/blocks.cjs');
const LINES = readFileSync(APP, 'utf8').split('\n');
const lineOf = (way: string): number => LINES.findIndex((line) => line.endsWith(`// here: ${way}`)) + 1;

const SETTINGS: AgentSettings = {
  profile: false,
  watchdog: true,
  blockedAfterMs: 200,
  routes: 0,
  appMetrics: false,
  trace: { enabled: false, logs: false },
};

const MOST_SHORT_BLOCKS = 10;
const SHORT_BLOCK_MS = 600;

/** An app that blocks for `ms` when it is told to, and whose thread has told of a block before: it is up. */
async function start(daemon: FakeDaemon, node: string, ms: number): Promise<FakeWorker> {
  const worker = await daemon.start({ app: APP, node, env: { BLOCKS_MS: String(SHORT_BLOCK_MS) } });
  await worker.said('hello');
  worker.send({ type: 'settings', settings: SETTINGS });
  const told = (): boolean => worker.messages.some(({ type }) => type === 'blocked');
  for (let blocks = 1; blocks <= MOST_SHORT_BLOCKS && !told(); blocks++) {
    worker.send({ type: 'message', payload: 'busyLoop' });
    await eventually('the end of a block', () => worker.output.length === blocks);
  }
  assert.ok(told(), 'the thread never told of a block');
  worker.send({ type: 'message', payload: ms });
  worker.output.length = 0;
  worker.messages.length = 0;
  return worker;
}

underEachNode('The watchdog', ({ path: node }) => {
  it('names the function and the line while JavaScript blocks the loop, and lets it go on', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 3000);
    worker.send({ type: 'message', payload: 'busyLoop' });
    // On a busy machine it is first said without a name.
    const { block } = await worker.said('blocked', (message) => message.block.place !== null);
    assert.equal(worker.output.includes('did busyLoop'), false, 'told of when it was over');
    assert.deepEqual([block.place?.function, block.place?.file, block.isOver], ['busyLoop', APP, false]);
    assert.ok(Math.abs((block.place?.line ?? 0) - lineOf('busyLoop')) <= 1, JSON.stringify(block.place));
    assert.ok(block.durationMs >= 200);
    await worker.printed('did busyLoop');
    await worker.said('report', (message) => message.report.block?.number === block.number);
    assert.ok(worker.messages.filter(({ type }) => type === 'blocked').length <= 2);
  });

  it('says that a system call blocks the loop before it returns', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 2000);
    worker.send({ type: 'message', payload: 'shellCommand' });
    const { block } = await worker.said('blocked');
    assert.equal(worker.output.includes('did shellCommand'), false);
    assert.deepEqual([block.place, block.isOver], [null, false]);
    await worker.printed('did shellCommand');
  });

  it('holds no process, is no thread of the app, and leaves no word of a debugger', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 500);
    worker.send({ type: 'message', payload: 'shellCommand' });
    worker.send({ type: 'message', payload: 'exits' });
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    assert.equal(
      worker.output.some((line) => /debugger|a thread/.test(line)),
      false,
      worker.output.join('\n'),
    );
  });
});
