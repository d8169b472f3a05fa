/** What passes between `drover/app` and the agent: with a stand-in under each supported Node, and with the real agent. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { AppCheck, AppMetric } from '../../src/protocol/index.ts';
import { openFakeDaemon } from '../agent/support/fake-daemon.ts';
import { underEachNode } from '../agent/support/under-each-node.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';
import { ask, linkPackage, Program, SERVERS } from './support/program.ts';

const TRACE = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', isSampled: true };

before(linkPackage);

underEachNode('drover/app beside an agent', (node) => {
  it('tells it what it asks, and leaves the draining and the healing to it', { timeout: 60_000 }, async () => {
    const nodeArgs = ['--require', join(SERVERS, 'agent.cjs')];
    await using program = new Program('worker.mjs', { node: node.path, nodeArgs });
    const { port = 0 } = await program.ports();
    await program.said('ready');
    assert.deepEqual(
      program.words.map(({ word }) => word),
      ['joined', 'expectReady', 'ready'],
    );
    const checks = (await program.ask('checks')) as AppCheck[];
    assert.deepEqual(
      checks.map(({ name, status, critical, error }) => [name, status, critical, error]),
      [
        ['database', 'pass', true, undefined],
        ['mail', 'fail', false, 'away'],
      ],
    );
    const own = ((await program.ask('metrics')) as AppMetric[]).filter(({ name }) => name === 'orders_total');
    const values = [{ value: 3, labels: { kind: 'new' } }];
    assert.deepEqual(own, [{ name: 'orders_total', help: 'Orders', type: 'counter', aggregator: 'sum', values }]);

    assert.equal(await program.ask('hasRecoverHook'), true);
    assert.equal(await program.ask('recover', 'too much memory'), true);
    await program.printed('recover too much memory');
    assert.match(JSON.stringify(await program.ask('recover', 'fails')), /no use/);

    await program.ask('onDegrade', 'cache-only');
    await program.printed('degrade cache-only told');
    await program.ask('trace', TRACE);
    assert.deepEqual(JSON.parse((await ask(port, '/')).text), {
      trace: TRACE,
      healing: { phase: 'offered', reason: null, attempts: 0 },
      level: 'cache-only',
      health: 'degraded',
    });
    const line = JSON.parse(await program.printed('"served"')) as Record<string, unknown>;
    assert.deepEqual(
      [line['app'], line['worker'], line['trace_id'], line['span_id'], line['level'], line['path']],
      ['shop', 'shop/2', TRACE.traceId, TRACE.spanId, 'info', '/'],
    );
    await ask(port, '/turn');
    await eventually(
      'the check fails',
      async () => (JSON.parse((await ask(port, '/')).text) as { health: string }).health === 'critical',
    );
    await program.ask('onDegrade', 'normal');
    await program.printed('degrade normal');

    await program.ask('onDrain');
    assert.ok(program.lines.includes('drain'));
    assert.equal((await ask(port, '/')).status, 200, 'the listening sockets are the agent’s to close');
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.equal(program.lines.filter((line) => line === 'drain').length, 1, 'a hook runs once');
    assert.ok(program.lines.includes('shutdown'));
  });

  it('is one, however it is loaded', { timeout: 60_000 }, async () => {
    await using program = new Program('both.cjs', { node: node.path });
    const told = JSON.parse(await program.printed('[')) as unknown;
    assert.deepEqual(told, ['critical', 'database: it answered false', 'cache-only', ['orders_total'], true]);
    assert.deepEqual(await program.exited, { code: 0, signal: null }, 'a check keeps no process alive');
  });
});

describe('drover/app beside the real agent', () => {
  it(
    'is ready when it says so, reports its checks, degrades, recovers, drains and ends',
    { timeout: 60_000 },
    async () => {
      await using daemon = await openFakeDaemon();
      const port = await freePort();
      const shard = daemon.shard({ kind: 'tcp', host: '127.0.0.1', port, v6only: false });
      const worker = await daemon.start({
        app: join(SERVERS, 'worker.mjs'),
        shards: [shard],
        env: { PORT: String(port) },
        boot: { app: 'shop', worker: 'shop/2' },
      });
      await worker.said('ready');
      const { report } = await worker.said(
        'report',
        // One that fails is told at once, also while the other runs for the first time.
        ({ report: { checks = [] } }) => checks.length === 2 && checks.every(({ status }) => status !== 'unknown'),
      );
      assert.deepEqual(
        report.checks?.map(({ name, status, critical }) => [name, status, critical]),
        [
          ['database', 'pass', true],
          ['mail', 'fail', false],
        ],
      );
      assert.equal(report.canRecover, true);
      worker.send({ type: 'degrade', level: 'shed', reason: 'full' });
      await worker.printed('degrade shed full');
      worker.send({ type: 'recover', id: 7, reason: 'ill' });
      const { id, outcome } = await worker.said('recovered');
      assert.deepEqual([id, outcome], [7, 'recovered']);
      await worker.drain();
      await worker.said('drained');
      assert.deepEqual(await worker.exited, { code: 0, signal: null });
      assert.deepEqual(worker.output.slice(-2), ['drain', 'shutdown']);
    },
  );
});
