import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AlertMessage, DeadLetterRecord, DeliveryRecord, ReceiverConfig } from '../protocol/index.ts';
import { settleMicrotasks, VirtualTime } from '../../test/simulation/virtual-time.ts';
import type { Outcome } from './outcome.ts';
import { nameReceivers } from './receiver-id.ts';
import { MOST_WAITING, ReceiverQueue, REFRESH_MS } from './receiver-queue.ts';
import type { Attempt } from './send.ts';

const TAKEN: Outcome = { kind: 'taken', answer: '200' };
const FAILED: Outcome = { kind: 'failed', problem: 'answered 500', answer: '', retryAfterMs: null };
const REFUSED: Outcome = { kind: 'refused', problem: 'answered 400', answer: 'bad' };
const WALL_MS = 1_800_000_000_000;

const message = (group = 'a'): AlertMessage => ({
  groupKey: group,
  groupLabels: {},
  kind: 'firing',
  alerts: [],
  truncated: 0,
});

interface World {
  readonly queue: ReceiverQueue;
  /** In the order in which they were made: time and id. */
  readonly attempts: readonly string[];
  readonly dead: readonly DeadLetterRecord[];
  readonly waiting: () => readonly DeliveryRecord[];
  readonly lastSignal: () => AbortSignal | undefined;
  play(untilMs: number): Promise<void>;
}

interface Making {
  readonly answer?: (attempt: Attempt, nth: number) => Outcome | Promise<Outcome>;
  readonly kind?: 'webhook' | 'alertmanager';
  readonly waiting?: readonly DeliveryRecord[];
  readonly firing?: () => readonly AlertMessage[];
}

const make = ({ answer = () => TAKEN, kind = 'webhook', waiting = [], firing = () => [] }: Making = {}): World => {
  const time = new VirtualTime();
  const attempts: string[] = [];
  const dead: DeadLetterRecord[] = [];
  let recorded: readonly DeliveryRecord[] = waiting;
  let signal: AbortSignal | undefined;
  const config: ReceiverConfig = {
    target: { kind, url: 'http://127.0.0.1:1' },
    headers: {},
    severities: ['page'],
    apps: null,
    groupWaitMs: 0,
    repeatMs: 1,
  };
  const [receiver] = nameReceivers([config]);
  assert.ok(receiver !== undefined);
  const queue = new ReceiverQueue(receiver, waiting, {
    clock: { monotonicMs: () => time.now, wallMs: () => WALL_MS + time.now },
    schedule: { background: (ms, call) => time.after(ms, call) },
    random: () => 0,
    send: async (attempt) => {
      attempts.push(`${time.now} ${attempt.id.replace(/^refresh-.*/, 'refresh')}`);
      signal = attempt.signal;
      return answer(attempt, attempts.length);
    },
    retry: { firstMs: 1_000, mostMs: 8_000, attempts: 4 },
    refreshMs: REFRESH_MS,
    record: (left, buried) => {
      recorded = left;
      dead.push(...buried);
    },
    firing,
  });
  return {
    queue,
    attempts,
    dead,
    waiting: () => recorded,
    lastSignal: () => signal,
    async play(untilMs) {
      do await settleMicrotasks();
      while (time.step(untilMs));
    },
  };
};

describe('the queue of a receiver', () => {
  it('tells one message after the other, in their order, each until it is taken', async () => {
    const world = make({ answer: (_, nth) => (nth <= 2 ? FAILED : TAKEN) });
    world.queue.push(message(), 'm1');
    assert.deepEqual(world.attempts, [], 'nothing is sent in the turn of the caller');
    await world.play(0);
    world.queue.push(message(), 'm2');
    await world.play(10_000);
    assert.deepEqual(world.attempts, ['0 m1', '500 m1', '1500 m1', '1500 m2']);
    assert.deepEqual([world.waiting(), world.dead], [[], []]);
  });

  it('lets another group pass one that waits for its next attempt, and nothing of its own', async () => {
    const world = make({ answer: ({ id }, nth) => (id === 'a1' && nth === 1 ? FAILED : TAKEN) });
    world.queue.push(message('a'), 'a1');
    await world.play(0);
    world.queue.push(message('a'), 'a2');
    world.queue.push(message('b'), 'b1');
    await world.play(10_000);
    assert.deepEqual(world.attempts, ['0 a1', '500 b1', '500 a1', '500 a2']);
  });

  it('makes one message of those of a group that were never sent, and of no other', async () => {
    const told = new Map<string, readonly string[]>();
    const alert = (name: string, endsAt: string | null = null) => ({
      labels: { alertname: name },
      annotations: {},
      startsAt: '',
      endsAt,
    });
    const about = (...alerts: ReturnType<typeof alert>[]): AlertMessage => ({ ...message('a'), alerts });
    const world = make({
      answer: ({ id, message: { alerts } }, nth) => {
        told.set(
          id,
          alerts.map(({ labels, endsAt }) => `${labels['alertname']}${endsAt === null ? '' : ' over'}`),
        );
        return nth === 1 ? FAILED : TAKEN;
      },
    });
    world.queue.push(about(alert('x')), 'm1');
    await world.play(0);
    world.queue.push(about(alert('x', 'now'), alert('y')), 'm2');
    world.queue.push(about(alert('z'), alert('y', 'now')), 'm3');
    world.queue.push(message('b'), 'b1');
    world.queue.push(about(alert('z')), 'm4');
    assert.deepEqual(
      world.waiting().map(({ id }) => id),
      ['m1', 'b1', 'm4'],
    );
    world.queue.pushAgain(about(alert('old')), 'dead');
    await world.play(10_000);
    assert.deepEqual(Object.fromEntries(told), {
      m1: ['x'],
      b1: [],
      m4: ['z', 'y over', 'x over'],
      dead: ['old'],
    });
  });

  it('leaves a receiver that fails alone for longer each time, however many groups wait', async () => {
    const world = make({ answer: (_, nth) => (nth <= 5 ? FAILED : TAKEN) });
    for (let index = 0; index < 20; index += 1) world.queue.push(message(`g${index}`), `m${index}`);
    await world.play(60_000);
    const times = world.attempts.map((attempt) => Number(attempt.split(' ')[0]));
    assert.deepEqual(times.slice(0, 7), [0, 500, 1_500, 3_500, 7_500, 11_500, 11_500]);
    assert.deepEqual([times.length, world.waiting(), world.dead], [25, [], []]);
  });

  it('gives up after the last attempt, or at once what is refused', async () => {
    const world = make({ answer: ({ id }) => (id === 'bad' ? REFUSED : FAILED) });
    world.queue.push(message(), 'm1');
    world.queue.push(message('b'), 'bad');
    await world.play(60_000);
    assert.deepEqual(world.attempts, ['0 m1', '500 bad', '500 m1', '1500 m1', '3500 m1']);
    assert.deepEqual(
      world.dead.map(({ id, attempts, error, deadAtMs }) => [id, attempts, error, deadAtMs - WALL_MS]),
      [
        ['bad', 1, 'answered 400: bad', 500],
        ['m1', 4, 'answered 500', 3_500],
      ],
    );
    assert.equal(world.queue.status.lastProblem, 'answered 500');
  });

  it('waits for as long as the receiver asks', async () => {
    const later: Outcome = { ...FAILED, retryAfterMs: 20_000 };
    const world = make({ answer: (_, nth) => (nth === 1 ? later : TAKEN) });
    world.queue.push(message(), 'm1');
    await world.play(60_000);
    assert.deepEqual(world.attempts, ['0 m1', '20000 m1']);
  });

  it('is bounded: the oldest is given up, but not the one that is being told', async () => {
    const world = make({ answer: () => new Promise<Outcome>(() => {}) });
    world.queue.push(message(), 'first');
    await world.play(1);
    for (let index = 1; index <= MOST_WAITING; index += 1) world.queue.push(message(`g${index}`), `m${index}`);
    assert.equal(world.waiting().length, MOST_WAITING);
    assert.deepEqual(
      world.dead.map(({ id, error }) => [id, error]),
      [['m1', 'too many others waited']],
    );
    assert.equal(world.waiting()[0]?.id, 'first');
  });

  it('takes a message once, however often it is pushed', async () => {
    const world = make();
    world.queue.push(message(), 'm1');
    world.queue.push(message(), 'm1');
    world.queue.pushAgain(message(), 'm1');
    assert.equal(world.waiting().length, 1);
    await world.play(10);
    assert.deepEqual(world.attempts, ['0 m1']);
  });

  it('goes on with what an earlier daemon left, and waits for no jump of the wall clock', async () => {
    const left = (id: string, nextAtMs: number, place: number): DeliveryRecord => ({
      id,
      receiver: 'x',
      place,
      createdAtMs: 0,
      // The one before may have been killed in the middle of the first.
      attempts: 0,
      nextAtMs: WALL_MS + nextAtMs,
      error: null,
      message: message(id),
    });
    const world = make({ waiting: [left('soon', 3_000, 1), left('past', -5_000, 2), left('jump', 9e9, 3)] });
    // The earlier daemon may have sent it: nothing is added to it.
    world.queue.push(message('past'), 'new');
    await world.play(60_000);
    assert.deepEqual(world.attempts, ['0 past', '0 new', '3000 soon', '8000 jump']);
  });

  it('breaks off what is being told when it closes, and leaves it on record', async () => {
    const world = make({
      answer: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error()));
        }),
    });
    world.queue.push(message(), 'm1');
    await world.play(5);
    world.queue.close();
    assert.equal(world.lastSignal()?.aborted, true);
    await world.play(60_000);
    assert.deepEqual(world.attempts, ['0 m1']);
    assert.deepEqual(
      world.waiting().map(({ id, attempts }) => [id, attempts]),
      [['m1', 0]],
    );
  });

  it('tells an Alertmanager every minute what fires, behind what is to be told first, and once if that fails', async () => {
    let fires = true;
    const world = make({
      kind: 'alertmanager',
      firing: () => (fires ? [message('a')] : []),
      answer: ({ id }) => (id === 'm1' ? TAKEN : FAILED),
    });
    world.queue.push(message('a'), 'm1');
    await world.play(REFRESH_MS * 2 + 1);
    assert.deepEqual(world.attempts, ['0 m1', '0 refresh', '60000 refresh', '120000 refresh']);
    fires = false;
    await world.play(REFRESH_MS * 5);
    assert.equal(world.attempts.length, 4);
    assert.deepEqual(world.dead, []);
  });

  it('gives a defect of ours the attempts of any failure', async () => {
    const world = make({
      answer: (_, nth) => {
        if (nth === 1) throw new TypeError('a defect');
        return TAKEN;
      },
    });
    world.queue.push(message(), 'm1');
    await world.play(10_000);
    assert.deepEqual(world.attempts, ['0 m1', '500 m1']);
  });
});
