import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppDocument, EventDocument, EventType } from '../protocol/index.ts';
import { explain } from './why.ts';

const app: AppDocument = {
  name: 'shop',
  status: 'degraded',
  reason: null,
  release: 1,
  instances: 1,
  ports: [],
  workers: [],
};

let seq = 0;
const event = (type: EventType, reason: string | null, data: Record<string, unknown> = {}): EventDocument => ({
  seq: ++seq,
  at: '2026-11-25T10:00:00.000Z',
  app: 'shop',
  ...(type.startsWith('worker') ? { worker: 'shop/0' } : {}),
  type,
  reason,
  data,
});
const because = (...events: readonly EventDocument[]): string => explain(app, events).chain.at(-1)?.because ?? '';

const started = event('operation-started', 'start (operation 1)', { operation: '1' });
const spawned = event('worker-spawned', null, { generation: 1 });
const ended = event('operation-ended', 'start completed (operation 1)', { operation: '1', outcome: 'completed' });

describe('`why`', () => {
  it('names the signal that somebody sent as the cause of an exit', () => {
    const signalled = event('worker-signalled', 'SIGUSR2, as asked', { generation: 1 });
    const exit = event('worker-exited', 'was ended by SIGUSR2', { generation: 1 });
    assert.match(because(started, spawned, ended, signalled, exit), /SIGUSR2, as asked/);
  });

  it('does not blame what an earlier process of the slot went through', () => {
    const draining = event('worker-draining', null, { generation: 1 });
    const first = event('worker-exited', 'was ended by SIGTERM', { generation: 1 });
    const exit = event('worker-exited', 'was ended by SIGKILL', { generation: 2 });
    assert.match(because(draining, first), /worker draining/);
    assert.match(because(draining, first, exit), /somebody else ended it/);
  });

  it('explains a spawn by the operation that runs, else by the exit before it', () => {
    const exit = event('worker-exited', 'exited with code 1', { generation: 1 });
    assert.match(because(started, spawned), /start \(operation 1\)/);
    assert.match(
      because(started, spawned, ended, exit, event('worker-spawned', null, { generation: 2 })),
      /exited with code 1/,
    );
  });

  it('explains the end of an operation by what went wrong during it, and a good end by its beginning', () => {
    const before = event('worker-exited', 'exited with code 9', { generation: 0 });
    const begin = event('operation-started', 'reload (operation 2)', { operation: '2' });
    const exit = event('worker-exited', 'exited with code 3', { generation: 1 });
    const failed = event('operation-ended', 'reload failed (operation 2)', { operation: '2', outcome: 'failed' });
    const good = event('operation-ended', 'reload completed (operation 2)', { operation: '2', outcome: 'completed' });
    assert.match(because(before, begin, exit, failed), /code 3/);
    assert.match(because(before, begin, good), /reload \(operation 2\)/);
  });

  it('explains an operation of the ladder by what the ladder found, and the next one not by that again', () => {
    const recovering = event('worker-recovering', 'its liveness probe fails', { generation: 1 });
    const own = (id: string): EventDocument =>
      event('operation-started', `reload (operation ${id})`, { operation: id, isAsked: false });
    const first = own('7');
    assert.match(because(recovering, first), /its liveness probe fails/);
    assert.match(because(recovering, first, own('8')), /Drover sets something right by itself/);
    assert.match(because(recovering, event('operation-started', 'reload', { isAsked: true })), /it was asked for/);
  });

  it('explains what the ladder does by what it is about, not by what was told last', () => {
    const exceeded = event('budget-exceeded', 'event-loop lag 300 ms', { budget: 'eventLoopLagMs' });
    const budget = { ...exceeded, worker: 'shop/0' };
    const ejected = event('worker-ejected', 'its requests take long');
    const recovering = event('worker-recovering', 'over its budget', { trouble: 'budget-load' });
    assert.match(because(budget, ejected, recovering), /event-loop lag 300 ms/);
    assert.match(because(ejected, recovering), /nothing earlier is on record/);
    assert.match(because(budget, ejected, event('worker-recovering', 'slow', {})), /its requests take long/);
  });

  it('tells of a quarantine until somebody asks for something, also where the ladder does something else', () => {
    const quarantined = event('worker-quarantined', '3 replacements in a row did not help', { generation: 4 });
    const own = event('operation-started', 'reload (operation 8)', { operation: '8', isAsked: false });
    const asked = event('operation-started', 'reload (operation 9)', { operation: '9', isAsked: true });
    const online = { ...app, status: 'online' } as const;
    assert.match(explain(online, [quarantined, own]).summary, /In quarantine: .*did not help/);
    assert.doesNotMatch(explain(online, [quarantined, own, asked]).summary, /quarantine/);
  });

  it('finds a cause that lies further back than what is told', () => {
    const others = Array.from({ length: 40 }, () => event('worker-backoff', 'next start in 1 ms', { generation: 0 }));
    const signalled = event('worker-signalled', 'SIGTERM, as asked', { generation: 7 });
    const chain = explain(app, [signalled, ...others, event('worker-exited', 'gone', { generation: 7 })]).chain;
    assert.equal(chain.length, 20);
    assert.match(chain.at(-1)?.because ?? '', /SIGTERM, as asked/);
  });

  it('explains what a daemon took back by the start of that daemon, and not by an earlier one', () => {
    const recovered = event('daemon-recovered', 'the guard brought it back');
    const daemon = event('daemon-started', null);
    for (const type of ['descriptors-regained', 'worker-adopted', 'operation-resumed', 'worker-stray'] as const) {
      assert.match(because(recovered, daemon, event(type, 'x')), /daemon started/, type);
      assert.match(because(daemon, recovered, event(type, 'x')), /daemon recovered/, type);
      const upgrading = event('daemon-upgrading', 'from 1 to 2');
      assert.match(because(recovered, daemon, upgrading, event(type, 'x')), /daemon upgrading/, type);
    }
  });
});
