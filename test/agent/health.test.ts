/** What the agent does with the messages of version 2, and that it does none of it before they come. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import type { AgentSettings } from '../../src/protocol/index.ts';
import { openFakeDaemon, type FakeDaemon, type FakeWorker } from './support/fake-daemon.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/meets.cjs');

const SETTINGS: AgentSettings = {
  profile: false,
  watchdog: false,
  blockedAfterMs: 200,
  routes: 100,
  appMetrics: true,
  trace: { enabled: false, logs: false },
};

async function start(daemon: FakeDaemon, node: string, how: string): Promise<FakeWorker> {
  const worker = await daemon.start({ app: APP, node, env: { MEETS: how } });
  await worker.said('hello');
  return worker;
}

underEachNode('Health', ({ path: node }) => {
  it('is asked for by ping, which the event loop itself answers', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 'answers');
    worker.send({ type: 'ping', id: 1 });
    await worker.said('pong', ({ id }) => id === 1);
    worker.send({ type: 'message', payload: 'block' });
    worker.send({ type: 'ping', id: 2 });
    await worker.said('pong', ({ id }) => id === 2);
    // Not before it was free again.
    assert.ok(worker.output.includes('did block'));
  });

  it('of the app is in the reports: its checks, its hook, in words that the daemon takes', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 'answers');
    await worker.printed('enumerable false {"app":"test","worker":"test/0"} null');
    const { report } = await worker.said('report', ({ report: { checks } }) => checks !== undefined);
    const [db, cache] = report.checks ?? [];
    assert.deepEqual(
      { ...db, error: db?.error?.length },
      { name: 'db', status: 'fail', critical: true, durationMs: 12, ageMs: 3, error: 500 },
    );
    assert.deepEqual(cache, { name: 'cache', status: 'pass', critical: false, durationMs: 0, ageMs: 0 });
    assert.deepEqual([report.canRecover, report.expectsReady], [true, undefined]);
    worker.send({ type: 'message', payload: 'leave' });
    await worker.said('report', (message) => message.report.seq > report.seq && message.report.checks === undefined);
  });

  it('of the app is reported at once where the app says that it is news', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await daemon.start({ app: APP, node, env: { MEETS: 'answers' }, reportEveryMs: 3_600_000 });
    await worker.said('hello');
    worker.send({ type: 'message', payload: 'hurry' });
    const { report } = await worker.said('report');
    assert.equal(report.checks?.length, 2);
  });

  it('does not call a worker busy for the samples of its profile', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 'answers');
    worker.send({ type: 'settings', settings: { ...SETTINGS, profile: true } });
    // The profile begins a second after it was asked for.
    const { report } = await worker.said('report', (message) => message.report.runtime.uptimeMs > 2500);
    const { seq } = report;
    await worker.said('report', (message) => message.report.seq > seq + 20);
    const busy = worker.messages
      .flatMap((message) =>
        message.type === 'report' && message.report.seq > seq ? [message.report.runtime.eventLoopUtilization] : [],
      )
      .toSorted((one, other) => one - other);
    assert.ok((busy[Math.floor(busy.length / 2)] ?? 1) < 0.2, busy.join(' '));
    worker.send({ type: 'collect', id: 7 });
    const { detail } = await worker.said('metrics', ({ id }) => id === 7);
    assert.ok(detail.loopIdleSeconds > detail.loopActiveSeconds, JSON.stringify(detail));
  });

  it('of an app that announces that it will be ready says so before it is, and once it is', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 'announces');
    await worker.said('report', ({ report }) => report.expectsReady === true);
    assert.equal(
      worker.messages.some(({ type }) => type === 'ready'),
      false,
    );
    worker.send({ type: 'message', payload: 'ready' });
    await worker.said('ready');
  });

  it('is degraded and recovered by the app, once for each word', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 'answers');
    await worker.printed('enumerable');
    worker.send({ type: 'degrade', level: 'shed', reason: 'too much' });
    worker.send({ type: 'degrade', level: 'shed', reason: 'too much' });
    await worker.printed('degrade shed too much shed');
    worker.send({ type: 'recover', id: 7, reason: 'leaks' });
    assert.deepEqual(await worker.said('recovered'), { type: 'recovered', id: 7, outcome: 'recovered', detail: null });
    await worker.printed('recover leaks');
    assert.equal(worker.output.filter((line) => line.startsWith('degrade')).length, 1);
    worker.send({ type: 'message', payload: 'leave' });
    await worker.printed('did leave');
    worker.send({ type: 'recover', id: 8, reason: 'leaks' });
    assert.equal((await worker.said('recovered', ({ id }) => id === 8)).outcome, 'no-hook');
  });

  it('of an app whose hooks throw is told of, and the app lives', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 'throws');
    await worker.printed('enumerable');
    worker.send({ type: 'degrade', level: 'read-only', reason: null });
    await worker.printed('degrade read-only null');
    worker.send({ type: 'recover', id: 1, reason: 'x' });
    const { outcome, detail } = await worker.said('recovered');
    assert.deepEqual([outcome, detail], ['failed', 'Error: no way back']);
    assert.equal((await worker.said('report')).report.checks, undefined);
    assert.equal(worker.child.exitCode, null);
  });

  it('of a draining app waits for what it does then, and at most until the deadline', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 'answers');
    await worker.printed('enumerable');
    await worker.drain();
    await worker.said('drained');
    assert.ok(worker.output.includes('drained'));
    const other = await start(daemon, node, 'hangs');
    await other.printed('enumerable');
    await other.drain({ timeoutMs: 300 });
    await other.said('drained');
    await other.exited;
  });

  it('takes settings without an answer', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node, 'answers');
    worker.send({ type: 'settings', settings: SETTINGS });
    worker.send({ type: 'ping', id: 1 });
    await worker.said('pong');
  });
});
