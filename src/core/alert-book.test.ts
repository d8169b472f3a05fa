import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { AlertNotificationDocument, Severity, SilenceDocument } from '../protocol/index.ts';
import { ALERT_POLICY, type AlertPolicy, type AlertSubject, fingerprintOf } from './alert.ts';
import {
  type AlertBook,
  type AlertBookEffect,
  type AlertBookEvent,
  type Judgement,
  listAlerts,
  newAlertBook,
  planReceiver,
  resumeAlertBook,
  stepAlertBook,
} from './alert-book.ts';
import type { ReceiverPlan } from './alert-groups.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const RECEIVER: ReceiverPlan = {
  name: 'hook',
  severities: ['page', 'ticket'],
  apps: null,
  groupWaitMs: 10 * SECOND,
  groupIntervalMs: MINUTE,
  repeatMs: HOUR,
};

const subject = (name: string, change: Partial<AlertSubject> = {}): AlertSubject => ({
  name,
  severity: 'page',
  app: 'api',
  labels: {},
  ...change,
});

/** The alerts of a host, in a time that is moved by hand; what is armed comes in its time. */
class World {
  book: AlertBook = newAlertBook();
  at = 0;
  armedAt: number | null = null;
  silences: SilenceDocument[] = [];
  receivers: readonly ReceiverPlan[];
  readonly policy: AlertPolicy;
  readonly told: {
    readonly at: number;
    readonly receiver: string;
    readonly notification: AlertNotificationDocument;
  }[] = [];
  readonly reports: string[] = [];

  constructor(receivers: readonly ReceiverPlan[] = [RECEIVER], policy: Partial<AlertPolicy> = {}) {
    this.receivers = receivers;
    this.policy = { ...ALERT_POLICY, ...policy };
  }

  step(event: AlertBookEvent): void {
    const { state, effects } = stepAlertBook(this.book, event, { receivers: this.receivers, silences: this.silences });
    // What is kept is plain data.
    this.book = JSON.parse(JSON.stringify(state)) as AlertBook;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: AlertBookEffect): void {
    if (effect.type === 'arm') this.armedAt = effect.at;
    else if (effect.type === 'notify')
      this.told.push({ at: this.at, receiver: effect.receiver, notification: effect.notification });
    else this.reports.push(`${effect.event} ${effect.alert.name}`);
  }

  judge(verdict: Judgement['verdict'], ...subjects: readonly AlertSubject[]): this {
    const detail = { summary: `at ${this.at}`, description: '', evidence: [] };
    const judgements = subjects.map((one) => ({ subject: one, policy: this.policy, verdict, detail }));
    this.step({ type: 'judged', at: this.at, judgements });
    return this;
  }

  /** Lets time pass, with what is armed on the way. */
  until(at: number): this {
    for (let turn = 0; this.armedAt !== null && this.armedAt <= at; turn++) {
      assert.ok(turn < 1000, 'it is armed again and again');
      this.at = Math.max(this.at, this.armedAt);
      this.step({ type: 'tick', at: this.at });
    }
    this.at = at;
    return this;
  }

  /** What was told, as `seconds kind: names, -ended`. */
  get lines(): readonly string[] {
    return this.told.map(({ at, notification: { kind, alerts } }) => {
      const names = alerts.map(({ name, status }) => `${status === 'resolved' ? '-' : ''}${name}`);
      return `${at / SECOND} ${kind}: ${names.join(' ')}`;
    });
  }
}

describe('the book of alerts', () => {
  it('tells alerts of one app together, and later ones after the interval', () => {
    const world = new World().judge('bad', subject('a')).until(5 * SECOND);
    world.judge('bad', subject('b')).until(20 * SECOND);
    world
      .judge('bad', subject('c'))
      .until(30 * SECOND)
      .judge('good', subject('a'))
      .until(5 * MINUTE);
    assert.deepEqual(world.lines, ['10 firing: a b', '70 firing: c b -a']);
    world.judge('good', subject('b'), subject('c')).until(10 * MINUTE);
    assert.deepEqual(world.lines.slice(2), ['310 resolved: -c -b']);
    assert.deepEqual(world.reports.length, 6);
    assert.equal(new Set(world.told.map(({ notification: { id } }) => id)).size, 3);
  });

  it('tells apps apart', () => {
    const world = new World().judge('bad', subject('a'), subject('a', { app: 'shop' }), subject('a', { app: null }));
    world.until(MINUTE);
    assert.deepEqual(
      world.told.map(({ notification: { group } }) => group),
      ['app=api', 'app=shop', 'daemon'],
    );
  });

  it('says nothing of what came and went while it waited', () => {
    const world = new World()
      .judge('bad', subject('a'))
      .until(9 * SECOND)
      .judge('good', subject('a'))
      .until(HOUR);
    assert.deepEqual(world.lines, []);
    assert.equal(world.reports.length, 2, 'but it is on record');
    world.judge('good', subject('a'));
    assert.deepEqual([world.book.alerts, world.book.receivers['hook']?.groups, world.armedAt], [{}, {}, null]);
  });

  it('repeats what goes on, and forgets what is over', () => {
    const world = new World().judge('bad', subject('a'));
    for (let at = MINUTE; at <= 150 * MINUTE; at += MINUTE) world.until(at).judge('bad', subject('a'));
    assert.deepEqual(world.lines, ['10 firing: a', '3610 repeat: a', '7210 repeat: a']);
    assert.equal(world.told.at(2)?.notification.alerts.at(0)?.summary, 'at 7200000', 'with what is known now');
    world
      .judge('good', subject('a'))
      .until(200 * MINUTE)
      .judge('good', subject('a'));
    assert.deepEqual(world.book.alerts, {});
  });

  it('lets a page wait for no interval that a ticket began', () => {
    const world = new World().judge('bad', subject('t', { severity: 'ticket' })).until(15 * SECOND);
    world.judge('bad', subject('p')).until(MINUTE);
    assert.deepEqual(world.lines, ['10 firing: t', '25 firing: p t']);
  });

  it('tells each receiver what it wants to know', () => {
    const receivers: readonly ReceiverPlan[] = [
      { ...RECEIVER, name: 'pager', severities: ['page'], groupWaitMs: 0 },
      { ...RECEIVER, name: 'shop', apps: ['shop'] },
      planReceiver('desk', {
        target: { kind: 'webhook', url: 'http://127.0.0.1/' },
        headers: {},
        severities: ['ticket'],
        apps: null,
        groupWaitMs: 2 * MINUTE,
        repeatMs: HOUR,
      }),
    ];
    const ticket = subject('t', { severity: 'ticket', app: 'shop' });
    const world = new World(receivers).judge('bad', subject('p'), ticket).until(5 * MINUTE);
    const told = world.told.map(({ at, receiver, notification: { alerts } }) => [
      at / SECOND,
      receiver,
      alerts.at(0)?.name,
    ]);
    assert.deepEqual(told, [
      [0, 'pager', 'p'],
      [10, 'shop', 't'],
      [120, 'desk', 't'],
    ]);
  });

  it('tells what a silence muted when it ends, and the end of what was told in any case', () => {
    const world = new World().judge('bad', subject('told')).until(MINUTE);
    world.silences = [
      {
        id: 's',
        matchers: [{ label: 'app', kind: 'is', value: 'api' }],
        startsAt: new Date(MINUTE).toISOString(),
        endsAt: new Date(30 * MINUTE).toISOString(),
        everyMs: null,
        comment: '',
        createdBy: null,
      },
    ];
    world.judge('bad', subject('muted'), subject('short')).until(10 * MINUTE);
    assert.deepEqual(
      listAlerts(world.book, world.silences, world.at).map(({ mutedBy }) => mutedBy),
      [['s'], ['s'], ['s']],
    );
    world.judge('good', subject('told'), subject('short')).until(20 * MINUTE);
    assert.deepEqual(world.lines, ['10 firing: told', '610 resolved: -told']);
    world.until(40 * MINUTE);
    assert.deepEqual(world.lines.slice(2), ['1810 firing: muted']);
  });

  it('does not tell a ticket whose page is told, until the page is over', () => {
    const labels = { objective: 'availability' };
    const [page, ticket] = [subject('burn', { labels }), subject('burn', { labels, severity: 'ticket' })];
    const world = new World()
      .judge('bad', page, ticket)
      .until(10 * MINUTE)
      .judge('good', page)
      .until(20 * MINUTE);
    const told = world.told.map(({ notification: { alerts } }) => alerts.map((one) => `${one.severity} ${one.status}`));
    assert.deepEqual(told, [['page firing'], ['ticket firing', 'page resolved']]);
  });

  it('knows when what it told was over, however late it tells so', () => {
    const slow = { ...RECEIVER, groupIntervalMs: 2 * HOUR };
    const world = new World([slow]).judge('bad', subject('a')).until(MINUTE).judge('good', subject('a'));
    world
      .until(HOUR)
      .judge('good', subject('a'))
      .until(3 * HOUR);
    assert.deepEqual(world.lines, ['10 firing: a', '7210 resolved: -a']);
    assert.equal(world.told.at(1)?.notification.alerts.at(0)?.endsAt, '1970-01-01T00:01:00.000Z');
  });

  it('ends what was wrong with an app that is gone, or with one worker of it', () => {
    const workers = ['api/0', 'api/1'].map((worker) => subject('w', { worker }));
    const world = new World().judge('bad', subject('a'), ...workers).until(MINUTE);
    world.step({ type: 'gone', at: world.at, app: 'api', worker: 'api/1' });
    assert.deepEqual(world.reports.slice(3), ['alert-resolved w']);
    world.step({ type: 'gone', at: world.at, app: 'api' });
    assert.deepEqual(world.reports.slice(4), ['alert-resolved a', 'alert-resolved w']);
    world.until(10 * MINUTE);
    assert.deepEqual(world.lines, ['10 firing: a w w', '70 resolved: -a -w -w']);
  });

  it('of a daemon that begins again neither ends nor repeats what still goes on', () => {
    const world = new World([RECEIVER], { unheardMs: 10 * MINUTE }).judge('bad', subject('a')).until(MINUTE);
    world.judge('bad', subject('a'));
    world.at = 40 * MINUTE;
    world.book = resumeAlertBook(world.book, world.at);
    world.step({ type: 'tick', at: world.at });
    world
      .until(45 * MINUTE)
      .judge('unknown', subject('a'))
      .until(46 * MINUTE)
      .judge('bad', subject('a'));
    assert.deepEqual(world.lines, ['10 firing: a']);
    assert.deepEqual(world.reports, ['alert-firing a']);
    world.until(57 * MINUTE);
    assert.deepEqual(world.lines.slice(1), ['3370 resolved: -a'], 'nobody judges it any more');
  });

  const NAMES = ['a', 'b', 'c'] as const;
  const moves = fc.array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('judge' as const),
          names: fc.subarray([...NAMES], { minLength: 1 }),
          severity: fc.constantFrom<Severity>('page', 'ticket'),
          verdict: fc.constantFrom('bad' as const, 'bad' as const, 'good' as const, 'unknown' as const),
        }),
      },
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400_000 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('silence' as const), ms: fc.integer({ min: 1, max: 900_000 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constantFrom('late-tick' as const, 'restart' as const, 'gone' as const) }),
      },
    ),
    { maxLength: 40 },
  );

  it('over any history tells nothing twice, everything that lasts, and the end of all that it told', () => {
    fc.assert(
      fc.property(moves, (history) => {
        const world = new World([RECEIVER], {
          forMs: 20 * SECOND,
          unheardMs: 30 * MINUTE,
          flapping: { withinMs: 5 * MINUTE, keepMs: 30 * SECOND, maxKeepMs: 4 * MINUTE },
        });
        for (const move of history) play(world, move);
        checkTelling(world);
        // Whatever goes on is good from now on: then all that was told is over, and nothing is left.
        const subjects = NAMES.flatMap((name) =>
          (['page', 'ticket'] as const).map((severity) => subject(name, { severity })),
        );
        for (let turn = 0; turn < 30; turn++) world.until(world.at + MINUTE).judge('good', ...subjects);
        world.silences = [];
        world.until(world.at + 3 * HOUR);
        checkTelling(world);
        assert.deepEqual([...believed(world)], []);
        world.judge('good', ...subjects);
        assert.deepEqual([world.book.alerts, world.book.receivers['hook']?.groups], [{}, {}]);
      }),
      { numRuns: 600 },
    );
  });

  type Move = typeof moves extends fc.Arbitrary<readonly (infer One)[]> ? One : never;

  const play = (world: World, move: Move): void => {
    if (move.kind === 'judge')
      world.judge(move.verdict, ...move.names.map((name) => subject(name, { severity: move.severity })));
    else if (move.kind === 'wait') world.until(world.at + move.ms);
    else if (move.kind === 'late-tick') world.step({ type: 'tick', at: world.at });
    else if (move.kind === 'gone') world.step({ type: 'gone', at: world.at, app: 'api' });
    else if (move.kind === 'restart') world.book = resumeAlertBook(world.book, world.at);
    else if ('ms' in move) {
      world.silences = [
        {
          id: 's',
          matchers: [{ label: 'name', kind: 'is', value: 'a' }],
          startsAt: new Date(world.at).toISOString(),
          endsAt: new Date(world.at + move.ms).toISOString(),
          everyMs: null,
          comment: '',
          createdBy: null,
        },
      ];
      world.step({ type: 'tick', at: world.at });
    }
    checkLasting(world);
  };

  /** What the receiver must believe to fire, from what it was told. */
  const believed = (world: World): ReadonlySet<string> => {
    const fires = new Set<string>();
    for (const { notification } of world.told)
      for (const { fingerprint, status } of notification.alerts)
        if (status === 'firing') fires.add(fingerprint);
        else fires.delete(fingerprint);
    return fires;
  };

  /** Each telling but a repeat changes what the receiver believes, and a repeat comes no earlier than it may. */
  const checkTelling = ({ told }: World): void => {
    let [fires, toldAt, isOver] = [new Set<string>(), -Infinity, true];
    for (const { at, notification } of told) {
      const firing = notification.alerts.filter(({ status }) => status === 'firing');
      const next = new Set(firing.map(({ fingerprint }) => fingerprint));
      const ended = notification.alerts.filter(({ status }) => status === 'resolved');
      for (const { fingerprint, endsAt } of ended) assert.ok(fires.has(fingerprint) && endsAt !== null);
      assert.equal(next.size + ended.length, notification.alerts.length, 'each alert is there once');
      for (const known of fires) assert.ok(next.has(known) || ended.some(({ fingerprint }) => fingerprint === known));
      if (notification.kind === 'repeat') {
        assert.deepEqual(next, fires);
        assert.ok(at - toldAt >= RECEIVER.repeatMs);
      } else {
        assert.notDeepEqual(next, fires, 'something is new');
        assert.equal(notification.kind, next.size === 0 ? 'resolved' : 'firing');
        const isMoreUrgent = firing.some(({ severity }) => severity === 'page');
        if (!isOver && !isMoreUrgent) assert.ok(at - toldAt >= RECEIVER.groupIntervalMs);
      }
      [fires, toldAt, isOver] = [next, at, next.size === 0];
    }
  };

  /** What has fired for long enough, and is not muted, is told; what is over for long enough is told to be. */
  const checkLasting = (world: World): void => {
    const known = believed(world);
    const enoughMs = RECEIVER.groupIntervalMs + RECEIVER.groupWaitMs;
    for (const [fingerprint, alert] of Object.entries(world.book.alerts)) {
      const isSilenced = world.silences.some(({ endsAt }) => Date.parse(endsAt) + enoughMs > world.at);
      const fires = alert.phase === 'firing' || alert.phase === 'easing';
      const sinceMs = world.at - (alert.startedAt + alert.policy.forMs);
      // It may have been pending with nothing known; then it fired later than its time says.
      if (fires && !isSilenced && sinceMs > enoughMs + alert.policy.unheardMs)
        assert.ok(known.has(fingerprint), `${alert.subject.name} fires and is not told`);
      if (!fires && alert.endedAt !== null && world.at - alert.endedAt > enoughMs)
        assert.ok(!known.has(fingerprint), `${alert.subject.name} is over and still told`);
    }
    for (const fingerprint of known)
      assert.ok(fingerprint in world.book.alerts, 'what was told is not forgotten before its end is');
    assert.ok(world.armedAt === null || world.armedAt >= world.at || Object.keys(world.book.alerts).length === 0);
  };

  it('knows an alert by what it is about', () => {
    const world = new World().judge('bad', subject('a'));
    assert.deepEqual(Object.keys(world.book.alerts), [fingerprintOf(subject('a'))]);
  });
});
