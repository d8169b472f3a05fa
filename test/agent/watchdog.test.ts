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

/** Blocks for `ms`; the thread is up once the app is told so by its own means. */
async function start(daemon: FakeDaemon, node: string, ms: number): Promise<FakeWorker> {
  const worker = await daemon.start({ app: APP, node, env: { BLOCKS_MS: String(ms) } });
  await worker.said('hello');
  worker.send({ type: 'settings', settings: SETTINGS });
  await eventually('the thread', () => threadsOf(worker.pid).includes('drover') || hasManyThreads(worker));
  // It has seen a beat by then, which it needs to miss the next one.
  await worker.said('report', ({ report }) => report.runtime.uptimeMs > 1500);
  return worker;
}

const threadsOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'utf8');
/** Older Nodes give threads no names: V8 and libuv have fewer than this before one is made. */
const hasManyThreads = (worker: FakeWorker): boolean =>
  Number(/^Threads:\s+(\d+)/m.exec(threadsOf(worker.pid))?.[1]) > 7;

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
    const { report } = await worker.said('report', (message) => message.report.block !== undefined);
    assert.equal(report.block?.number, block.number);
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
