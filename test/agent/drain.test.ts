/**
 * A worker is replaced under load, twice: the next one accepts from the same shard, the old one drains and ends. Not
 * one request may be lost, and what the agents counted must be what the clients saw.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import type { RequestCounters } from '../../src/protocol/index.ts';
import { startLoad, type LoadMode, type LoadReport } from '../support/load/index.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';
import { openFakeDaemon, type FakeWorker, type WorkerExit } from './support/fake-daemon.ts';
import { underEachNode } from './support/under-each-node.ts';

const APPS = join(import.meta.dirname, '../support/apps');

/** As many as each load has. */
const CLIENTS = 20;

let asked = 0;

interface Outcome {
  readonly load: LoadReport;
  readonly counters: readonly RequestCounters[];
  readonly exits: readonly WorkerExit[];
  readonly workers: readonly FakeWorker[];
}

async function replaceUnderLoad(app: string, mode: LoadMode, node: string): Promise<Outcome> {
  await using daemon = await openFakeDaemon();
  const port = await freePort();
  const shard = daemon.shard({ kind: 'tcp', host: '::', port, v6only: false });
  const start = async (acceptAtOnce: boolean): Promise<FakeWorker> => {
    const worker = await daemon.start({
      app: join(APPS, app),
      node,
      shards: [shard],
      acceptAtOnce,
      env: { APP_PORT: String(port), DOWNLOAD_MS: '1500', ...(mode === 'http2' ? { PROTOCOL: 'http2' } : {}) },
    });
    await worker.said('listening');
    return worker;
  };
  const workers = [await start(true)];
  const exits: WorkerExit[] = [];
  const load = await startLoad({ mode, port, connections: CLIENTS, pauseMs: [0, 5], slowPauseMs: [300, 600] });
  const untilUsed = async (worker: FakeWorker): Promise<void> => {
    await load.untilAnswered(mode === 'download' ? 5 : 100);
    // A hundred messages may come from fewer clients than all: one that has yet to come back ends no stream here.
    if (mode === 'websocket') await worker.said('report', ({ report }) => report.counters.upgrades === CLIENTS);
    if (mode === 'events') await worker.said('report', ({ report }) => report.runtime.inFlight === CLIENTS);
  };
  for (let round = 0; round < 2; round++) {
    const old = workers.at(-1) as FakeWorker;
    await untilUsed(old);
    const next = await start(false);
    next.send({ type: 'accept' });
    await old.drain({ idleGraceMs: 1000 });
    exits.push(await old.exited);
    workers.push(next);
  }
  const last = workers.at(-1) as FakeWorker;
  await untilUsed(last);
  const report = await load.stop();
  // A client may have its whole answer before the worker knows that this was all.
  await eventually('a report with nothing in flight', async () => {
    const id = ++asked;
    last.send({ type: 'report-now', id });
    await last.said('report', ({ replyTo }) => replyTo === id);
    return last.lastReport?.runtime.inFlight === 0;
  });
  const counters = workers.map(({ lastReport }) => {
    assert.ok(lastReport);
    return lastReport.counters;
  });
  return { load: report, counters, exits, workers };
}

function sum(counters: readonly RequestCounters[], name: 'begun' | 'served' | 'lost' | 'aborted' | 'upgrades'): number {
  return counters.reduce((total, one) => total + one[name], 0);
}

underEachNode('Replacing a worker', ({ path: node }) => {
  for (const mode of ['new', 'kept', 'post', 'download', 'http2'] as const) {
    for (const app of ['plain.mjs', 'closes-on-sigterm.mjs', 'exits-on-sigterm.mjs']) {
      it(`loses nothing of '${mode}' with ${app}`, async () => {
        const { load, counters, exits } = await replaceUnderLoad(app, mode, node);
        assert.deepEqual([load.lost, load.lostByReason], [0, {}]);
        assert.equal(sum(counters, 'served'), load.answered);
        assert.equal(sum(counters, 'lost'), 0);
        const expected = app === 'plain.mjs' ? { code: null, signal: 'SIGTERM' } : { code: 0, signal: null };
        assert.deepEqual(exits, [expected, expected]);
      });
    }
  }

  it('closes each WebSocket once, with 1012', async () => {
    const { load, counters } = await replaceUnderLoad('plain.mjs', 'websocket', node);
    assert.deepEqual([load.lost, load.lostByReason], [0, {}]);
    assert.deepEqual(load.streams.endings, { 1012: 40 });
    assert.ok(load.streams.endingsPerClient.every((count) => count === 2));
    assert.equal(sum(counters, 'upgrades'), 60);
  });

  it('ends event streams after a whole event', async () => {
    const { load, counters } = await replaceUnderLoad('plain.mjs', 'events', node);
    assert.deepEqual([load.lost, load.lostByReason], [0, {}]);
    assert.equal(sum(counters, 'lost'), 0);
    assert.equal(sum(counters, 'served'), 40);
  });
});
