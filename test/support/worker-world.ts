/**
 * A world for one worker machine: a process that starts, serves, hangs and dies, timers, and a post that delivers late,
 * twice and out of order. After every step it checks what must always hold, and throws a sentence when it does not.
 * Used by the property tests and by the cell mutation campaign, which hands in a broken table.
 */
import * as fc from 'fast-check';
import type { Exit, WorkerEffect, WorkerEvent, WorkerPolicy, WorkerState, WorkerTimer } from '../../src/core/index.ts';
import { newWorker } from '../../src/core/index.ts';
import { columnOf, stepWorker, WORKER_TABLE } from '../../src/core/worker.ts';
import type { WorkerTable } from '../../src/core/worker-types.ts';

const MOVES = {
  start: 3,
  stop: 2,
  kill: 1,
  hurry: 1,
  /** The process takes its next natural step: born, listening, ready, or gone when it was asked to go. */
  progress: 12,
  deliver: 12,
  deliverAny: 2,
  deliverTwice: 4,
  /** The next timer comes due. */
  wait: 4,
  /** Time passes without a timer. */
  pass: 1,
  ghost: 4,
  crash: 4,
  finish: 1,
  hang: 3,
  failSpawn: 3,
  /** Somebody else sent it SIGTERM: its agent drains although nobody here asked. */
  outsider: 1,
  adopt: 2,
  /** Crash, start and be ready again, at once and several times. */
  relapse: 4,
} as const;
export interface WorkerMove {
  readonly move: keyof typeof MOVES;
  readonly pick: number;
}
export interface WorkerHistory {
  readonly policy: 'always' | 'on-failure' | 'never';
  readonly restarts: number;
  readonly isShort: boolean;
  /** Stubborn processes end by SIGKILL only. */
  readonly isStubborn: boolean;
  /** The app never listens: it is ready because it stays alive. */
  readonly isMute: boolean;
  readonly moves: readonly WorkerMove[];
}

export const workerHistories: fc.Arbitrary<WorkerHistory> = fc.record({
  policy: fc.oneof(
    { weight: 4, arbitrary: fc.constant('always' as const) },
    { weight: 1, arbitrary: fc.constant('on-failure' as const) },
    { weight: 2, arbitrary: fc.constant('never' as const) },
  ),
  restarts: fc.integer({ min: 1, max: 3 }),
  isShort: fc.boolean(),
  isStubborn: fc.boolean(),
  isMute: fc.boolean(),
  moves: fc.array(
    fc.record({
      move: fc.oneof(
        ...Object.entries(MOVES).map(([move, weight]) => ({
          weight,
          arbitrary: fc.constant(move as keyof typeof MOVES),
        })),
      ),
      pick: fc.nat(1000),
    }),
    { minLength: 5, maxLength: 70 },
  ),
});

interface Process {
  readonly generation: number;
  readonly pid: number;
  life: 'pending' | 'alive' | 'dead';
  hasSaidListening: boolean;
  hasSaidReady: boolean;
  hasHeardDrain: boolean;
  wasKilled: boolean;
}

const exitOf = (code: number | null, signal: string | null): Exit => ({
  code,
  signal,
  cause: signal !== null ? 'signal' : code === 0 ? 'clean' : 'code',
  detail: null,
});

const TIMERS_BY_PHASE: Readonly<Record<WorkerState['phase'], readonly string[]>> = {
  stopped: [''],
  starting: ['ready'],
  running: ['', 'steady'],
  aborting: ['kill'],
  draining: ['drain', 'kill'],
  killing: ['kill'],
  backoff: ['backoff'],
  crashed: [''],
};

const READY_MS = 1000;
const DRAIN_MS = 500;
const KILL_MS = 100;
const WITHIN_MS = 10_000;
const INITIAL_MS = 50;
const MAX_MS = 3000;

export class WorkerWorld {
  state: WorkerState = newWorker();
  at = 0;
  readonly visited: Set<string>;
  readonly processes: Process[] = [];
  private readonly post: WorkerEvent[] = [];
  private readonly timers = new Map<WorkerTimer, { dueAt: number; generation: number }>();
  private readonly ghosts: { timer: WorkerTimer; generation: number }[] = [];
  private readonly reports: { event: string; generation: number }[] = [];
  private wanted: 'up' | 'down' = 'down';
  private lastGeneration = 0;
  /** Generations that were killed by order, or whose patience ran out. */
  private readonly mayBeKilled = new Set<number>();
  /** Why a generation was aborted. */
  private readonly abortedFor = new Map<number, 'start-timeout' | 'hang'>();
  private readonly history: WorkerHistory;
  private readonly table: WorkerTable;

  constructor(history: WorkerHistory, table: WorkerTable = WORKER_TABLE, visited = new Set<string>()) {
    this.history = history;
    this.table = table;
    this.visited = visited;
  }

  private get policy(): WorkerPolicy {
    return {
      restart: {
        policy: this.history.policy,
        backoff: { initialMs: INITIAL_MS, factor: 2, maxMs: MAX_MS },
        crashLoop: { restarts: this.history.restarts, withinMs: WITHIN_MS },
      },
      readyTimeoutMs: READY_MS,
      drainTimeoutMs: DRAIN_MS,
      killAfterMs: KILL_MS,
      isShortOfWorkers: this.history.isShort,
      nextGeneration: this.lastGeneration + 1,
    };
  }

  private get live(): Process | undefined {
    return this.processes.find(({ life }) => life !== 'dead');
  }

  play({ move, pick }: WorkerMove): void {
    const { live } = this;
    switch (move) {
      case 'start':
      case 'stop':
      case 'kill':
        this.wanted = move === 'start' ? 'up' : 'down';
        this.step({ type: move, at: this.at });
        return;
      case 'hurry':
        this.step({ type: 'hurry', at: this.at });
        return;
      case 'progress':
        if (live !== undefined) this.progress(live);
        return;
      case 'deliver':
        this.deliver(0, false);
        return;
      case 'deliverAny':
      case 'deliverTwice':
        if (this.post.length > 0) this.deliver(pick % this.post.length, move === 'deliverTwice');
        return;
      case 'wait':
        this.fireNext();
        return;
      case 'pass':
        this.at += 1 + pick;
        return;
      case 'ghost': {
        // The latest ones: older timers are stale by their generation.
        const ghost = this.ghosts.at(-1 - (pick % 4));
        if (ghost !== undefined) this.step({ type: 'timer', at: this.at, ...ghost });
        return;
      }
      case 'crash':
        if (live?.life === 'alive') this.end(live, pick % 2 === 0 ? exitOf(1, null) : exitOf(null, 'SIGSEGV'));
        return;
      case 'finish':
        if (live?.life === 'alive') this.end(live, exitOf(0, null));
        return;
      case 'hang':
        if (live?.life === 'alive') this.say(live, { type: 'hung', reason: 'no answer' });
        return;
      case 'failSpawn':
        if (live?.life !== 'pending') return;
        live.life = 'dead';
        this.say(live, { type: 'spawn-failed', reason: 'ENOENT' });
        return;
      case 'outsider':
        if (live?.life === 'alive') this.say(live, { type: 'drained' });
        return;
      case 'adopt':
        this.adopt(pick);
        return;
      case 'relapse':
        this.relapse(1 + (pick % 5));
        return;
    }
  }

  private relapse(times: number): void {
    for (let time = 0; time < times; time++) {
      if (this.live?.life === 'alive') this.end(this.live, exitOf(1, null));
      this.deliverAll();
      if (this.state.phase === 'backoff') this.fireNext();
      for (let turn = 0; turn < 3 && this.live !== undefined; turn++) this.progress(this.live);
      this.deliverAll();
    }
  }

  /** Everything in the post arrives; the process does what it is asked; timers come due. Then the orders must be met. */
  settle(): void {
    for (let turn = 0; turn < 200; turn++) {
      if (this.post.length > 0) this.deliver(0, false);
      else if (this.live !== undefined && this.live.life === 'pending') this.progress(this.live);
      else if (this.live !== undefined && (this.wanted === 'up' || this.live.hasHeardDrain)) {
        this.progress(this.live);
        if (this.post.length === 0) this.fireNext();
      } else this.fireNext();
    }
    if (this.wanted === 'down') {
      this.must(this.state.phase === 'stopped', 'what should be down stops in the end');
      this.must(this.live === undefined, 'nothing lives once it has stopped');
    } else {
      const isOver = this.state.phase === 'stopped' || this.state.phase === 'crashed';
      this.must(this.state.phase === 'running' || isOver, 'what should be up runs in the end');
      if (isOver) this.must(this.history.policy !== 'always', 'only a restart policy leaves a worker down');
      else this.must(this.state.loops === 0, 'a worker that stays up leaves its crash loop');
    }
  }

  private adopt(pick: number): void {
    if (this.state.generation > 0 || this.lastGeneration > 0) return;
    this.lastGeneration = 1 + (pick % 5);
    const process: Process = {
      generation: this.lastGeneration,
      pid: 1000 + this.lastGeneration,
      life: 'alive',
      hasSaidListening: pick % 2 === 0,
      hasSaidReady: pick % 2 === 0,
      hasHeardDrain: false,
      wasKilled: false,
    };
    this.processes.push(process);
    this.wanted = 'up';
    const { generation, pid } = process;
    const event = { type: 'adopt', at: this.at, generation, pid, isReady: process.hasSaidReady } as const;
    this.step(event);
    this.step(event);
  }

  private progress(process: Process): void {
    if (process.life === 'pending') {
      process.life = 'alive';
      this.say(process, { type: 'spawned', pid: process.pid });
    } else if (process.hasHeardDrain && !this.history.isStubborn) {
      this.say(process, { type: 'drained' });
      this.end(process, exitOf(0, null));
    } else if (process.hasHeardDrain && !process.hasSaidReady) {
      process.hasSaidReady = true;
      this.say(process, { type: 'ready' });
    } else if (!process.hasSaidListening && !this.history.isMute) {
      process.hasSaidListening = true;
      this.say(process, { type: 'listening' });
    } else if (!process.hasSaidReady) {
      process.hasSaidReady = true;
      this.say(process, { type: 'ready' });
    }
  }

  private end(process: Process, exit: Exit): void {
    process.life = 'dead';
    this.say(process, { type: 'exited', exit });
  }

  private say(
    { generation }: Process,
    words:
      | { type: 'spawned'; pid: number }
      | { type: 'spawn-failed' | 'hung'; reason: string }
      | { type: 'listening' | 'ready' | 'drained' }
      | { type: 'exited'; exit: Exit },
  ): void {
    this.post.push({ at: this.at, generation, ...words });
  }

  private deliver(index: number, isTwice: boolean): void {
    const [message] = this.post.splice(index, 1);
    if (message === undefined) return;
    if (isTwice) this.post.push(message);
    this.step({ ...message, at: this.at });
  }

  private deliverAll(): void {
    while (this.post.length > 0) this.deliver(0, false);
  }

  private fireNext(): void {
    const next = [...this.timers].sort(([, a], [, b]) => a.dueAt - b.dueAt)[0];
    if (next === undefined) return;
    const [timer, { dueAt, generation }] = next;
    this.timers.delete(timer);
    this.ghosts.push({ timer, generation });
    this.at = Math.max(this.at, dueAt);
    if (timer === 'kill') this.mayBeKilled.add(generation);
    this.step({ type: 'timer', at: this.at, timer, generation });
  }

  private step(event: WorkerEvent): void {
    const before = this.state;
    const isCurrent =
      event.type === 'adopt'
        ? event.generation > before.generation
        : !('generation' in event) || event.generation === before.generation;
    if (isCurrent) this.visited.add(`${before.phase} × ${columnOf(event)}`);
    if (event.type === 'kill') this.mayBeKilled.add(before.generation);
    const { state, effects } = stepWorker(before, event, this.policy, this.table);
    this.state = state;
    const reportsBefore = this.reports.length;
    for (const effect of effects) this.run(effect);
    this.check(
      before,
      event,
      this.reports.slice(reportsBefore).map((report) => report.event),
      effects,
    );
  }

  private run(effect: WorkerEffect): void {
    switch (effect.type) {
      case 'spawn': {
        const { generation } = effect;
        this.must(this.live === undefined, 'a second worker of the machine is never started');
        this.must(generation === this.lastGeneration + 1, 'each spawn takes the next generation');
        this.must(this.wanted === 'up', 'nothing is started that should be down');
        this.lastGeneration = generation;
        this.processes.push({
          generation,
          pid: 1000 + generation,
          life: 'pending',
          hasSaidListening: false,
          hasSaidReady: false,
          hasHeardDrain: false,
          wasKilled: false,
        });
        return;
      }
      case 'drain': {
        const process = this.find(effect.generation);
        if (process?.life === 'alive') process.hasHeardDrain = true;
        return;
      }
      case 'signal': {
        const process = this.find(effect.generation);
        this.must(this.mayBeKilled.has(effect.generation), 'nothing is killed without order or before its deadline');
        if (process?.life !== 'alive') return;
        process.wasKilled = true;
        this.end(process, exitOf(null, 'SIGKILL'));
        return;
      }
      case 'arm':
        this.forget(effect.timer);
        this.timers.set(effect.timer, { dueAt: this.at + effect.afterMs, generation: effect.generation });
        return;
      case 'disarm':
        this.forget(effect.timer);
        return;
      case 'report':
        this.must(effect.event !== 'defect', `no defect is reported: ${effect.reason}`);
        this.reports.push({ event: effect.event, generation: this.state.generation });
        return;
    }
  }

  private forget(timer: WorkerTimer): void {
    const old = this.timers.get(timer);
    if (old !== undefined) this.ghosts.push({ timer, generation: old.generation });
    this.timers.delete(timer);
  }

  private find(generation: number): Process | undefined {
    return this.processes.find((process) => process.generation === generation);
  }

  private check(
    before: WorkerState,
    event: WorkerEvent,
    reports: readonly string[],
    effects: readonly WorkerEffect[],
  ): void {
    const { state } = this;
    const { phase, generation } = state;
    const process = this.find(generation);
    const isOwed = this.post.some(
      (message) =>
        'generation' in message &&
        message.generation === generation &&
        (message.type === 'exited' || message.type === 'spawn-failed'),
    );
    const isGone = phase === 'stopped' || phase === 'crashed' || phase === 'backoff';

    this.must(state.wanted === this.wanted, 'the machine wants what was asked for last');
    if (isGone) this.must(this.live === undefined, `nothing lives while ${phase}`);
    else this.must((process !== undefined && process.life !== 'dead') || isOwed, 'the machine never waits for nothing');
    if (isGone) this.must(state.pid === null, 'a worker that is gone has no pid');
    else if (state.pid !== null) this.must(state.pid === process?.pid, 'the pid is that of the current generation');
    if (phase === 'running') this.must(process?.hasSaidReady === true, 'running means that it said ready');
    if (state.hasListened) this.must(process?.hasSaidListening === true, 'it listened only if it said so');
    if (phase === 'starting') this.must(!state.hasBeenReady, 'what starts has not been ready');

    const timers = [...this.timers.keys()].join(' ');
    this.must(
      TIMERS_BY_PHASE[phase].includes(timers),
      `while ${phase} no other timer runs than its own, not ${timers}`,
    );
    if (phase === 'running')
      this.must((timers === 'steady') === state.loops > 0, 'only a crash loop has to be outlived');
    for (const timer of this.timers.values()) {
      this.must(timer.generation === generation, 'timers belong to the current generation');
    }

    const isNew = event.type === 'adopt' && before.generation === 0;
    const isCurrent = !('generation' in event) || (event.type !== 'adopt' && event.generation === before.generation);
    if (!isCurrent && !isNew) {
      this.must(state === before && effects.length === 0, 'a stale event changes nothing');
      return;
    }
    if (!isNew) this.checkRestraint(before, event, reports, effects);
    this.checkMeaning(before, event, reports, process);
  }

  /** What an event must leave alone. */
  private checkRestraint(
    before: WorkerState,
    event: WorkerEvent,
    reports: readonly string[],
    effects: readonly WorkerEffect[],
  ): void {
    const { state } = this;
    const isUp = before.phase === 'starting' || before.phase === 'running';
    if (event.type === 'timer' && !TIMERS_BY_PHASE[before.phase].includes(event.timer)) {
      this.must(state === before && effects.length === 0, `a late ${event.timer} timer changes nothing`);
    }
    if (state.generation === before.generation && !(event.type === 'listening' && isUp)) {
      this.must(state.hasListened === before.hasListened, 'only a worker that should live is noted as listening');
    }
    if (reports.includes('crash-loop-ended')) this.must(before.phase === 'running', 'only what runs ends a crash loop');
    if (reports.includes('worker-killed')) this.must(before.phase !== 'killing', 'a kill is reported once');
    if (reports.includes('worker-draining')) this.must(event.type === 'stop', 'only a stop begins a drain');
    for (const { type } of effects) {
      const isLeaving = state.phase === 'draining' || state.phase === 'aborting';
      if (type === 'drain') this.must(isLeaving, 'nobody is asked to go who should stay');
    }
  }

  /** What one event must bring about, whatever the table says. */
  private checkMeaning(
    before: WorkerState,
    event: WorkerEvent,
    reports: readonly string[],
    process: Process | undefined,
  ): void {
    const { state } = this;
    const has = (name: string): boolean => reports.includes(name);
    const wasAlive = !['stopped', 'crashed', 'backoff'].includes(before.phase);
    const isEnding = ['draining', 'aborting', 'killing'].includes(before.phase);
    const drained = event.type === 'drained' && isEnding;
    this.must(has('worker-drained') === drained, 'worker-drained is reported when an ending worker has drained');
    const born = event.type === 'spawned' && wasAlive && before.pid === null;
    this.must(has('worker-spawned') === born, 'worker-spawned is reported once, of a worker that is there');
    if (born) this.must(state.pid === event.pid, 'the pid is noted');
    const died = (event.type === 'exited' || event.type === 'spawn-failed') && wasAlive;
    this.must(has('worker-exited') === died, 'worker-exited is reported once for each end');
    if (died) this.checkEnd(before, event.type === 'exited' ? event.exit : null);
    else this.must(state.lastExit === before.lastExit, 'only an end changes the last exit');
    const ready = event.type === 'ready' && before.phase === 'starting';
    this.must(has('worker-ready') === ready, 'worker-ready is reported when a starting worker is ready');
    if (event.type === 'listening' && (before.phase === 'starting' || before.phase === 'running')) {
      this.must(state.hasListened, 'listening is noted');
    }
    const isUp = before.phase === 'starting' || before.phase === 'running';
    this.must(has('worker-hung') === (event.type === 'hung' && isUp), 'a hung worker is aborted');
    const timedOut = event.type === 'timer' && event.timer === 'ready' && before.phase === 'starting';
    this.must(has('worker-start-timeout') === timedOut, 'a start that takes too long is aborted');
    if (timedOut) this.abortedFor.set(before.generation, 'start-timeout');
    if (has('worker-hung')) this.abortedFor.set(before.generation, 'hang');
    if (event.type === 'timer' && event.timer === 'steady' && before.phase === 'running') {
      this.must(state.loops === 0, 'a worker that held out is out of its crash loop');
    }
    if (event.type === 'stop') {
      const asked =
        before.phase === 'starting' || before.phase === 'running' ? 'draining' : wasAlive ? before.phase : 'stopped';
      this.must(state.phase === asked, `stop of a ${before.phase} worker leads to ${asked}`);
    }
    if (event.type === 'kill') {
      this.must(state.phase === (wasAlive ? 'killing' : 'stopped'), 'kill kills what lives');
    }
    if (event.type === 'timer' && event.timer === 'kill' && isEnding) {
      this.must(state.phase === 'killing', 'patience that has run out ends in SIGKILL');
      this.must(process === undefined || process.life !== 'alive' || process.wasKilled, 'SIGKILL was sent');
    }
    if (event.type === 'hurry' || (event.type === 'timer' && event.timer === 'backoff')) {
      const isDue = before.phase === 'backoff';
      this.must((state.phase === 'starting' && before.phase !== 'starting') === isDue, 'a backoff that is over starts');
      this.must(state.restarts === before.restarts + (isDue ? 1 : 0), 'restarts are counted');
    }
    if (event.type === 'start' && !wasAlive) {
      this.must(state.phase === 'starting', 'start starts what is down');
      this.must(state.failedStarts === 0 && state.loops === 0, 'an ordered start has a clean record');
      this.must(state.restarts === before.restarts, 'an ordered start is no restart');
    }
    if (event.type === 'start' && wasAlive)
      this.must(state.phase === before.phase, 'start does not disturb what lives');
    // A process that is asked to go has to hear it, even if it was born later.
    if ((state.phase === 'draining' || state.phase === 'aborting') && state.pid !== null && process?.life === 'alive') {
      this.must(process.hasHeardDrain, 'whoever has to go was asked');
    }
    if (state.phase === 'killing' && state.pid !== null) {
      this.must(process?.life === 'dead', 'whoever has to die was killed');
    }
  }

  private checkEnd(before: WorkerState, exit: Exit | null): void {
    const { state } = this;
    const cause = state.lastExit?.cause;
    const aborted = this.abortedFor.get(before.generation);
    if (aborted !== undefined) this.must(cause === aborted, `an aborted worker ended by ${aborted}, not by ${cause}`);
    else if (cause === 'killed') this.must(this.mayBeKilled.has(before.generation), 'killed means that we did it');
    else if (exit !== null) this.must(cause === exit.cause, 'an exit keeps its cause');
    if (before.wanted === 'down') {
      this.must(state.phase === 'stopped', 'what should be down stays down');
      return;
    }
    const wasAsked = aborted === undefined && (before.phase === 'draining' || before.phase === 'killing');
    if (wasAsked) {
      this.must(state.phase === 'starting', 'who is wanted again after a stop starts at once');
      return;
    }
    const { policy } = this.history;
    const isClean = cause === 'clean';
    if (policy === 'never' || (policy === 'on-failure' && isClean)) {
      this.must(state.phase === (isClean ? 'stopped' : 'crashed'), 'the restart policy is honoured');
      return;
    }
    const wait = this.timers.get('backoff');
    if (!before.hasBeenReady) this.must(wait !== undefined, 'a start that never got ready waits');
    if (before.hasBeenReady && before.loops === 0 && before.crashes.length < this.history.restarts) {
      this.must(state.phase === 'starting', 'the first crashes after ready are restarted at once');
    }
    if (state.loops > 0) this.must(wait !== undefined, 'a crash loop waits');
    if (wait === undefined) return;
    const waitMs = wait.dueAt - this.at;
    const capMs = this.history.isShort ? 2000 : MAX_MS;
    this.must(waitMs >= INITIAL_MS && waitMs <= capMs, `a backoff of ${waitMs} ms is within its bounds`);
  }

  private must(holds: boolean, sentence: string): void {
    if (!holds) throw new Error(`does not hold: ${sentence}`);
  }
}

/** Plays one history to its end; throws when something does not hold. */
export const playWorkerHistory = (history: WorkerHistory, table?: WorkerTable, visited?: Set<string>): WorkerWorld => {
  const world = new WorkerWorld(history, table, visited);
  for (const move of history.moves) world.play(move);
  world.settle();
  return world;
};
