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
const of = (worker: string, type: EventType, reason: string | null = null, generation = 1): EventDocument => ({
  ...event(type, reason, { generation }),
  worker,
});
const begin = (kind: string, operation: string, isAsked = true): EventDocument =>
  event('operation-started', `${kind} (operation ${operation})`, { operation, kind, isAsked });
const end = (kind: string, operation: string): EventDocument =>
  event('operation-ended', `${kind} completed (operation ${operation})`, { operation, kind, outcome: 'completed' });
const ofDaemon = (type: EventType): EventDocument => ({ ...event(type, null), app: null });
const health = (from: string | null, to: string): EventDocument =>
  event('health-changed', `shop is ${to}`, { from, to });
const ready = (...ids: readonly string[]): AppDocument['workers'] =>
  ids.map((id) => ({ id, ready: true }) as AppDocument['workers'][number]);
/** Numbered as they happened. */
const inOrder = (events: readonly EventDocument[]): EventDocument[] =>
  events.map((one, index) => ({ ...one, seq: index + 1 }));
const summary = (
  status: AppDocument['status'],
  events: readonly EventDocument[],
  more: Partial<AppDocument> = {},
): string => explain({ ...app, ...more, status }, inOrder(events)).summary;
const because = (...events: readonly EventDocument[]): string =>
  explain(app, inOrder(events)).chain.at(-1)?.because ?? '';

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
    assert.match(because(daemon, ofDaemon('daemon-upgraded')), /daemon started/);
    assert.match(because(daemon, event('app-added', null), event('worker-adopted', null)), /app added/);
  });
});

describe('an app that has the name of one that was deleted', () => {
  const before = (): EventDocument[] => [
    event('app-added', 'a bare script'),
    begin('start', '1'),
    of('shop/0', 'worker-spawned'),
    of('shop/0', 'worker-signalled', 'SIGTERM, as asked'),
    end('start', '1'),
    begin('delete', '2'),
    of('shop/0', 'worker-draining'),
    of('shop/0', 'worker-exited', 'was ended by SIGTERM'),
    event('app-removed', null),
    end('delete', '2'),
  ];

  it('is explained by nothing that happened to that one', () => {
    const next = [event('app-added', 'a bare script'), begin('start', '3'), of('shop/0', 'worker-spawned')];
    const told = summary('starting', [...before(), ...next]);
    assert.equal(
      told,
      'shop is starting: 0 of 1 workers are ready, because start (operation 3) was asked for and is under way.',
    );
    const exit = of('shop/0', 'worker-exited', 'was ended by SIGTERM');
    assert.match(because(...before(), ...next, exit), /somebody else ended it/);
    const online = summary('online', [...before(), event('app-added', 'a bare script')]);
    assert.equal(online, 'shop is online: 0 of 1 workers are ready.');
  });

  it('was added after a deletion that somebody asked for', () => {
    const events = before();
    assert.match(because(...events.slice(0, -1)), /operation started \(delete \(operation 2\)\)/);
    assert.match(because(...events), /operation started \(delete \(operation 2\)\)/);
    assert.match(because(event('app-added', null), event('app-removed', null)), /it was asked for/);
  });
});

describe('what somebody asked for', () => {
  const up = (): EventDocument[] => [
    begin('start', '1'),
    of('shop/0', 'worker-spawned'),
    of('shop/0', 'worker-ready'),
    end('start', '1'),
  ];
  const gone = (): EventDocument[] => [
    of('shop/0', 'worker-draining'),
    of('shop/0', 'worker-exited', 'was ended by SIGTERM'),
  ];

  it('is why an app is stopped, also where its worker was in trouble before', () => {
    const stopped = /stopped: .*, because stop \(operation 2\) was asked for\.$/;
    assert.match(summary('stopped', [...up(), begin('stop', '2'), ...gone(), end('stop', '2')]), stopped);
    const crash = of('shop/0', 'worker-exited', 'exited with code 1');
    assert.match(summary('stopped', [...up(), crash, begin('stop', '2'), end('stop', '2')]), stopped);
    const late = [of('shop/0', 'worker-start-timeout'), begin('stop', '2'), crash, end('stop', '2')];
    assert.match(summary('stopped', [...up(), ...late]), stopped);
    assert.match(summary('stopping', [...up(), begin('stop', '2')]), /because stop .* asked for and is under way/);
  });

  it('is not why an app is stopped that has been started again and has ended by itself', () => {
    const again = [begin('stop', '2'), ...gone(), end('stop', '2'), ...up()];
    assert.match(summary('stopped', [...again, of('shop/0', 'worker-exited', 'exited with code 0', 2)]), /code 0/);
  });

  it('is why an app is starting during a restart, until something goes wrong', () => {
    const restart = [...up(), begin('restart', '2'), ...gone()];
    const asked = /because restart \(operation 2\) was asked for and is under way/;
    assert.match(summary('starting', restart), asked);
    const spawned = of('shop/0', 'worker-spawned', null, 2);
    assert.match(summary('starting', [...restart, spawned]), asked);
    const crash = of('shop/0', 'worker-exited', 'exited with code 1', 2);
    assert.match(summary('starting', [...restart, spawned, crash]), /code 1/);
    const again = of('shop/0', 'worker-spawned', null, 3);
    assert.match(summary('starting', [...restart, spawned, crash, again]), /code 1/);
    assert.match(because(...restart, spawned, crash, again), /code 1/);
  });

  it('is why a worker is missing that was stopped by itself', () => {
    const events = [...up(), begin('stop', '2'), ...gone(), end('stop', '2')];
    const told = summary('degraded', events, { instances: 2, workers: ready('shop/1') });
    assert.match(told, /degraded: 1 of 2 .* because stop \(operation 2\) was asked for\.$/);
  });

  it('is told apart from what Drover does by itself', () => {
    const own = [...up(), begin('reload', '2', false), ...gone()];
    assert.match(summary('degraded', own), /because Drover began reload \(operation 2\) by itself/);
    const recovering = of('shop/0', 'worker-recovering', 'its liveness probe fails');
    assert.match(summary('degraded', [...up(), recovering, begin('reload', '2', false), ...gone()]), /probe fails/);
  });

  it('explains the end and the beginning of a daemon, and what these do to workers', () => {
    const ending = [...up(), ofDaemon('daemon-stopping'), begin('stop', '2', false)];
    assert.match(because(ofDaemon('daemon-stopping')), /it was asked for/);
    assert.match(because(...ending), /daemon stopping/);
    assert.match(summary('stopping', ending), /because drover: daemon stopping/);
    const next = [...ending, ...gone(), end('stop', '2'), ofDaemon('daemon-started')];
    const spawned = of('shop/0', 'worker-spawned', null, 2);
    assert.match(because(...next, spawned), /daemon started/);
    assert.match(summary('starting', [...next, spawned]), /because drover: daemon started/);
    const online = summary('online', [...next, spawned, of('shop/0', 'worker-ready')]);
    const over = of('shop/0', 'worker-exited', 'exited with code 0', 2);
    assert.match(summary('stopped', [...next, spawned, over]), /exited with code 0/, 'it ended by itself');
    assert.match(online, /Last change: start completed/, 'not that its workers had ended with a daemon');
  });

  it('explains a spawn rather than a wait that was over before', () => {
    const exit = of('shop/0', 'worker-exited', 'exited with code 1');
    const backoff = of('shop/0', 'worker-backoff', 'next start in 200 ms');
    const spawned = of('shop/0', 'worker-spawned', null, 2);
    assert.match(because(...up(), exit, backoff, spawned), /worker backoff/);
    const restart = [begin('restart', '2'), of('shop/0', 'worker-draining', null, 2)];
    const ended = of('shop/0', 'worker-exited', 'was ended by SIGTERM', 2);
    const next = of('shop/0', 'worker-spawned', null, 3);
    assert.match(because(...up(), exit, backoff, spawned, ...restart, ended, next), /restart/);
    assert.match(because(...up(), exit, backoff, begin('start', '2'), spawned), /start \(operation 2\)/);
  });
});

describe('a start that took too long', () => {
  it('is explained by that it was started, and is what there is to say of the worker', () => {
    const timeout = of('shop/0', 'worker-start-timeout', 'not ready after 3000 ms, waiting for port 80');
    const exit = of('shop/0', 'worker-exited', 'was not ready in time');
    const backoff = of('shop/0', 'worker-backoff', 'next start in 200 ms');
    const events = [begin('start', '1'), of('shop/0', 'worker-spawned'), timeout];
    assert.match(because(...events), /worker spawned/);
    for (const later of [[], [exit, backoff], [exit, backoff, of('shop/0', 'worker-spawned', null, 2)]])
      assert.match(summary('starting', [...events, ...later]), /because shop\/0: worker start timeout .*port 80/);
  });
});

describe('the health of an app', () => {
  const blocked = (): EventDocument[] => [of('shop/2', 'worker-blocked'), health('healthy', 'degraded')];
  const unblocked = (): EventDocument => of('shop/2', 'worker-unblocked', 'after 2.5 s');

  it('is better because of what ended the trouble, whatever else has happened', () => {
    assert.match(because(...blocked(), unblocked(), health('degraded', 'healthy')), /worker unblocked/);
    const ejected = [
      of('shop/2', 'worker-exited', 'exited with code 1'),
      of('shop/2', 'worker-ready', null, 2),
      of('shop/1', 'worker-ejected'),
      health('healthy', 'degraded'),
      of('shop/1', 'worker-returned'),
      of('shop/2', 'worker-ready', null, 3),
      health('degraded', 'healthy'),
    ];
    assert.match(because(...ejected), /shop\/1: worker returned/);
    const crashed = [of('shop/0', 'worker-exited'), health('healthy', 'critical'), of('shop/0', 'worker-ready')];
    assert.match(because(...crashed, health('critical', 'healthy')), /worker ready/);
    const loop = [of('shop/0', 'crash-loop'), health('healthy', 'critical'), of('shop/0', 'crash-loop-ended')];
    assert.match(because(...loop, health('critical', 'healthy')), /crash loop ended/);
  });

  it('is better because of a worker that answers again, also where that is told only afterwards', () => {
    const changed = health('degraded', 'healthy');
    const told = (...later: readonly EventDocument[]): string | undefined =>
      explain(app, inOrder([...past, changed, ...later])).chain[past.length]?.because;
    const past = blocked();
    assert.match(told(unblocked()) ?? '', /worker unblocked \(after 2.5 s\)/);
    assert.equal(told(), 'what was wrong is over');
    assert.equal(
      told(of('shop/2', 'worker-blocked'), unblocked()),
      'what was wrong is over',
      'not because of another time',
    );
  });

  it('is better because of a change that somebody made, where nothing else has ended the trouble', () => {
    const scaled = [begin('scale', '2'), of('shop/2', 'worker-draining'), of('shop/2', 'worker-exited')];
    assert.match(because(...blocked(), ...scaled, end('scale', '2'), health('degraded', 'healthy')), /scale completed/);
  });

  it('is worse because of what is wrong, not of what is over or was asked for', () => {
    const probe = { ...event('probe-failed', 'readiness', { probe: 'readiness' }), worker: 'shop/1' };
    const asked = [of('shop/0', 'worker-draining'), of('shop/0', 'worker-exited')];
    const over = [of('shop/2', 'worker-blocked'), unblocked()];
    assert.match(because(probe, ...over, ...asked, health('healthy', 'degraded')), /shop\/1: probe failed/);
    assert.equal(because(...over, health('healthy', 'degraded')), 'what its workers show');
  });

  it('is why an alert fires only as long as it is bad', () => {
    const alert = event('alert-firing', 'errors', { name: 'errors' });
    assert.match(because(health('healthy', 'degraded'), alert), /shop is degraded/);
    assert.equal(because(health('healthy', 'degraded'), health('degraded', 'healthy'), alert), 'what it watches');
  });

  it('lets an app do more again because of the check that passes', () => {
    const check = (type: EventType): EventDocument => event(type, 'db', { check: 'db' });
    const level = (name: string): EventDocument => event('degrade-changed', name, { level: name });
    const [failed, passed] = [check('check-failed'), check('check-passed')];
    assert.match(because(failed, level('cache-only')), /check failed/);
    assert.match(because(failed, level('cache-only'), passed, level('normal')), /check passed/);
    assert.match(because(failed, passed, level('shed')), /how much its workers have to do/);
  });
});

describe('an app whose worker has only just come back from a crash loop', () => {
  it('is said to be on its way, with the crash as what was before', () => {
    const events = [
      of('shop/0', 'worker-spawned'),
      of('shop/0', 'worker-exited', 'exited with code 1'),
      of('shop/0', 'crash-loop', '6 crashes'),
      of('shop/0', 'worker-spawned', null, 2),
      of('shop/0', 'worker-ready', null, 2),
    ];
    assert.equal(
      summary('crash-loop', events, { workers: ready('shop/0') }),
      'shop is crash-loop: 1 of 1 workers are ready. shop/0 has only just come back, and the app is called so until ' +
        'it has held out. Before that: shop/0: worker exited (exited with code 1).',
    );
    assert.match(summary('crash-loop', events.slice(0, 3)), /because shop\/0: (crash loop|worker exited)/);
  });

  it('is not asked about where another one is missing', () => {
    const events = [of('shop/0', 'worker-exited', 'exited with code 1'), of('shop/0', 'worker-ready', null, 2)];
    const missing = of('shop/1', 'worker-exited', 'exited with code 2');
    const told = summary('degraded', [...events, missing, of('shop/0', 'worker-exited', 'code 3')], {
      instances: 2,
      workers: ready('shop/0'),
    });
    assert.match(told, /because shop\/1: worker exited \(exited with code 2\)/);
  });
});

describe('the signal that somebody sent', () => {
  it('is not why a worker ended by another one', () => {
    const signalled = of('shop/0', 'worker-signalled', 'SIGUSR2, as asked');
    assert.match(because(signalled, of('shop/0', 'worker-exited', 'was ended by SIGKILL')), /somebody else/);
  });
});
