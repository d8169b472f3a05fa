/**
 * A world for one probe: a worker that answers well, badly or not at all, a timer, stalls of the daemon's own loop, and a
 * post that delivers late, twice and out of order. It keeps its own account of what was answered, and throws a sentence
 * when the machine does not agree. Used by the property tests and by the cell mutation campaign.
 */
import * as fc from 'fast-check';
import type { ProbeEffect, ProbeEvent, ProbeOutcome, ProbePolicy, ProbeState } from '../../src/core/index.ts';
import { newProbe } from '../../src/core/index.ts';
import { PROBE_TABLE, stepProbe } from '../../src/core/probe.ts';
import type { ProbeTable } from '../../src/core/probe-types.ts';

const MOVES = {
  begin: 2,
  /** The gate opens; said of an older generation now and then. */
  started: 4,
  /** The timer comes due: on time, late, or (as Node's do) early by a part of a millisecond. */
  wait: 14,
  /** The worker answers what it was asked: it goes into the post. */
  pass: 8,
  fail: 9,
  miss: 7,
  deliver: 16,
  deliverAny: 3,
  deliverTwice: 4,
  /** A timer that was replaced fires all the same. */
  ghost: 4,
  lapse: 3,
  stall: 3,
  close: 1,
  /** The same answer so often that a threshold is reached, each asked and delivered at once. */
  run: 6,
} as const;
const OUTCOMES = ['pass', 'fail', 'missing'] as const satisfies readonly ProbeOutcome[];

export interface ProbeMove {
  readonly move: keyof typeof MOVES;
  readonly pick: number;
}
export interface ProbeHistory {
  readonly kind: ProbePolicy['kind'];
  readonly initialDelayMs: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly spread: number;
  readonly moves: readonly ProbeMove[];
}

export const probeHistories: fc.Arbitrary<ProbeHistory> = fc.record({
  kind: fc.constantFrom('startup' as const, 'liveness' as const, 'readiness' as const),
  initialDelayMs: fc.constantFrom(0, 0, 2500),
  failureThreshold: fc.integer({ min: 1, max: 4 }),
  successThreshold: fc.integer({ min: 1, max: 3 }),
  spread: fc.constantFrom(0, 0.25, 0.9),
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

const PERIOD_MS = 1000;
const RUSH_MS = 500;
const EARLY_MS = 0.5;

interface Asked {
  readonly generation: number;
  readonly attempt: number;
  hasStalled: boolean;
  wasAnswered: boolean;
}

/** What the world knows of the worker that is watched now. */
interface Watched {
  readonly generation: number;
  readonly startedAt: number;
  /** Waits for the startup probe. */
  isGated: boolean;
  /** Before this time misses do not count. */
  graceUntil: number;
  /** The last verdict that was told, or that was known before. */
  verdict: ProbeState['verdict'];
  isOver: boolean;
  /** What counted, the newest last. A stall forgives the misses before it: they only part what passed. */
  readonly counted: ('pass' | 'fail' | 'miss' | 'forgiven')[];
}

export class ProbeWorld {
  state: ProbeState = newProbe();
  at = 10_000;
  readonly visited: Set<string>;
  private readonly post: Extract<ProbeEvent, { type: 'result' }>[] = [];
  private timer: { readonly dueAt: number; readonly generation: number; readonly attempt: number } | null = null;
  private readonly ghosts: { generation: number; attempt: number }[] = [];
  private underWay: Asked | null = null;
  private watched: Watched | null = null;
  private lastGeneration = 0;
  private readonly history: ProbeHistory;
  private readonly table: ProbeTable;

  constructor(history: ProbeHistory, table: ProbeTable = PROBE_TABLE, visited = new Set<string>()) {
    this.history = history;
    this.table = table;
    this.visited = visited;
  }

  private get policy(): ProbePolicy {
    const { kind, initialDelayMs, failureThreshold, successThreshold, spread } = this.history;
    return { kind, initialDelayMs, periodMs: PERIOD_MS, failureThreshold, successThreshold, spread };
  }

  private get thresholdMs(): number {
    return PERIOD_MS * this.history.failureThreshold;
  }

  play({ move, pick }: ProbeMove): void {
    switch (move) {
      case 'begin':
        return this.begin(pick);
      case 'started':
        return this.open(this.lastGeneration - (pick % 5 === 0 ? 1 : 0));
      case 'wait':
        return this.fire(pick % 4 === 0 ? pick : pick % 4 === 1 ? -EARLY_MS : 0);
      case 'pass':
      case 'fail':
      case 'miss':
        return this.answer(move === 'miss' ? 'missing' : move, pick);
      case 'deliver':
        return this.deliver(0, false);
      case 'deliverAny':
      case 'deliverTwice':
        if (this.post.length > 0) this.deliver(pick % this.post.length, move === 'deliverTwice');
        return;
      case 'ghost': {
        const ghost = this.ghosts.at(-1 - (pick % 3));
        if (ghost !== undefined) this.step({ type: 'timer', at: this.at, ...ghost });
        return;
      }
      case 'lapse':
        this.at += pick;
        return;
      case 'stall':
        this.at += 500 + 4 * pick;
        this.step({ type: 'stalled', at: this.at });
        return;
      case 'close':
        this.step({ type: 'close', at: this.at, generation: this.lastGeneration - (pick % 4 === 0 ? 1 : 0) });
        return;
      case 'run':
        this.answerRun(OUTCOMES[pick % 3]!, 1 + (pick % 6));
        return;
    }
  }

  /** The gate opens, and the worker answers well for long enough. Then the probe must have passed. */
  settle(): void {
    if (this.watched === null) return;
    this.open(this.watched.generation);
    while (this.post.length > 0) this.deliver(0, false);
    this.answerRun('pass', this.history.successThreshold + 1);
    if (this.watched.isOver && this.history.kind !== 'startup') return;
    if (this.state.phase !== 'idle') this.must(this.state.verdict === 'passed', 'who answers well passes in the end');
  }

  private begin(pick: number): void {
    // Now and then the same worker once more: that must change nothing.
    if (pick % 6 !== 0) this.lastGeneration += 1;
    const startedAt = this.at - (pick % 3 === 0 ? 5000 : 0);
    const isGated = this.history.kind !== 'startup' && pick % 2 === 0;
    const known = (['unknown', 'unknown', 'passed', 'failed'] as const)[pick % 4]!;
    this.step({ type: 'begin', at: this.at, generation: this.lastGeneration, startedAt, isGated, known });
  }

  private open(generation: number): void {
    this.step({ type: 'started', at: this.at, generation });
  }

  private answerRun(outcome: ProbeOutcome, times: number): void {
    for (let time = 0; time < times; time++) {
      if (this.underWay === null) this.fire(0);
      this.answer(outcome, 0);
      while (this.post.length > 0) this.deliver(0, false);
    }
  }

  private fire(lateMs: number): void {
    const due = this.timer;
    if (due === null) return;
    this.timer = null;
    this.at = Math.max(this.at, due.dueAt + lateMs);
    const { generation, attempt } = due;
    this.ghosts.push({ generation, attempt });
    this.step({ type: 'timer', at: this.at, generation, attempt });
  }

  private answer(outcome: ProbeOutcome, pick: number): void {
    const asked = this.underWay;
    if (asked === null || asked.wasAnswered) return;
    asked.wasAnswered = true;
    // A slow one takes longer than a period.
    this.at += pick % 7 === 0 ? 1300 : pick % 5 === 0 ? 0 : pick % 200;
    const { generation, attempt } = asked;
    this.post.push({ type: 'result', at: this.at, generation, attempt, outcome, detail: outcome });
  }

  private deliver(index: number, isTwice: boolean): void {
    const [message] = this.post.splice(index, 1);
    if (message === undefined) return;
    if (isTwice) this.post.push(message);
    this.step({ ...message, at: this.at });
  }

  private isCurrent(event: ProbeEvent): boolean {
    const { state } = this;
    if (event.type === 'stalled') return true;
    if (event.type === 'begin') return event.generation > state.generation;
    if (event.generation !== state.generation) return false;
    return !('attempt' in event) || event.attempt === state.attempt;
  }

  private step(event: ProbeEvent): void {
    const before = this.state;
    const isCurrent = this.isCurrent(event);
    if (isCurrent) this.visited.add(`${before.phase} × ${event.type}`);
    const { state, effects } = stepProbe(before, event, this.policy, this.table);
    this.state = state;
    if (!isCurrent) {
      this.must(state === before && effects.length === 0, 'what is late, doubled or of another worker changes nothing');
      return;
    }
    const told = effects.flatMap((effect) => (effect.type === 'changed' ? [effect] : []));
    this.note(event);
    for (const effect of effects) this.run(effect, event);
    this.check(before, event, told);
  }

  /** The world's own account of what has happened. */
  private note(event: ProbeEvent): void {
    const { watched } = this;
    switch (event.type) {
      case 'begin':
        this.watched = {
          generation: event.generation,
          startedAt: event.startedAt,
          isGated: event.isGated,
          graceUntil: event.at + this.thresholdMs,
          verdict: event.known,
          isOver: this.history.kind === 'startup' && event.known === 'passed',
          counted: [],
        };
        return;
      case 'started':
        if (watched !== null) watched.isGated = false;
        return;
      case 'close':
        if (watched !== null) watched.isOver = true;
        return;
      case 'stalled':
        if (watched === null) return;
        watched.graceUntil = Math.max(watched.graceUntil, event.at + this.thresholdMs);
        for (const [index, counted] of watched.counted.entries()) {
          if (counted === 'miss') watched.counted[index] = 'forgiven';
        }
        if (this.underWay !== null) this.underWay.hasStalled = true;
        return;
      case 'result': {
        const asked = this.underWay;
        this.underWay = null;
        if (watched === null || asked === null) return;
        const isMiss = event.outcome === 'missing' || (event.outcome === 'fail' && asked.hasStalled);
        if (isMiss && event.at < watched.graceUntil) return;
        watched.counted.push(isMiss ? 'miss' : event.outcome === 'pass' ? 'pass' : 'fail');
        return;
      }
      case 'timer':
        return;
    }
  }

  private run(effect: ProbeEffect, event: ProbeEvent): void {
    switch (effect.type) {
      case 'arm': {
        this.must(effect.afterMs >= 0, 'no wait is negative');
        if (this.timer !== null) this.ghosts.push(this.timer);
        this.timer = { dueAt: this.at + effect.afterMs, generation: effect.generation, attempt: effect.attempt };
        return;
      }
      case 'disarm':
        this.must(this.timer !== null, 'only a timer that runs is disarmed');
        if (this.timer !== null) this.ghosts.push(this.timer);
        this.timer = null;
        return;
      case 'ask':
        this.ask(effect);
        return;
      case 'call-off':
        this.must(this.underWay?.attempt === effect.attempt, 'what is called off is under way');
        this.must(event.type === 'begin' || event.type === 'close', 'an attempt is called off for its worker only');
        this.underWay = null;
        return;
      case 'changed':
        return;
      case 'report':
        this.must(false, `no defect is reported: ${effect.reason}`);
    }
  }

  private ask({ generation, attempt }: { readonly generation: number; readonly attempt: number }): void {
    const { watched } = this;
    this.must(this.underWay === null, 'at most one attempt is under way');
    this.must(watched !== null && !watched.isOver, 'nobody is asked who is not watched');
    this.underWay = { generation, attempt, hasStalled: false, wasAnswered: false };
    if (watched === null) return;
    this.must(generation === watched.generation, 'the worker that is watched is asked');
    this.must(!watched.isGated, 'nobody is asked before its startup probe has passed');
    const leastAt = watched.startedAt + this.history.initialDelayMs - EARLY_MS;
    this.must(this.at >= leastAt, 'the initial delay is kept');
  }

  private check(
    before: ProbeState,
    event: ProbeEvent,
    told: readonly Extract<ProbeEffect, { type: 'changed' }>[],
  ): void {
    const { state, watched, timer, underWay } = this;
    const isAtRest = before.phase === 'idle' || before.phase === 'done';
    if (event.type === 'started') this.must(state === before || before.phase === 'gated', 'a gate opens once');
    if (event.type === 'stalled') this.must(state === before || !isAtRest, 'a stall is nothing to who is at rest');
    if (event.type === 'close') {
      this.must(state.phase === 'idle', 'who is closed is idle');
      this.must(state === before || before.phase !== 'idle', 'a probe is closed once');
    }
    if (watched === null) {
      this.must(state.phase === 'idle', 'without a worker there is nothing to do');
      return;
    }
    this.must(state.generation === watched.generation, 'the newest worker is watched');
    const expected = event.type === 'result' ? this.expectedVerdict(watched) : watched.verdict;
    this.must(state.verdict === expected, `the verdict is ${state.verdict}, by the account ${expected}`);
    const isNews = expected !== watched.verdict;
    this.must(told.length === (isNews ? 1 : 0), 'a change is told once, and nothing else');
    if (isNews) this.must(told[0]?.verdict === expected, 'what is told is the verdict');
    if (isNews && event.type === 'result') this.must(told[0]?.detail === event.detail, 'with its reason');
    watched.verdict = expected;
    if (this.history.kind === 'startup' && expected === 'passed') watched.isOver = true;
    // Exactly one thing moves it on, so that no probe falls silent.
    const moves = [timer !== null, underWay !== null, watched.isGated && !watched.isOver].filter(Boolean).length;
    this.must(moves === (watched.isOver ? 0 : 1), `exactly one thing is waited for, not ${moves}`);
    if (timer !== null) this.checkWait(before, event, timer.dueAt);
    if (watched.isOver) this.must(this.timer === null && this.underWay === null, 'who is done waits for nothing');
  }

  /** By counting backwards what was answered. */
  private expectedVerdict({ counted, verdict, graceUntil }: Watched): ProbeState['verdict'] {
    const tail = counted.slice(counted.lastIndexOf('pass') + 1).filter((each) => each !== 'forgiven');
    if (tail.length === 0 && counted.length > 0) {
      const bad = counted.findLastIndex((each) => each !== 'pass');
      return counted.length - 1 - bad >= this.history.successThreshold ? 'passed' : verdict;
    }
    if (tail.length < this.history.failureThreshold) return verdict;
    if (this.at < graceUntil && verdict !== 'failed') {
      const failures = tail.filter((each) => each === 'fail').length;
      this.must(failures >= this.history.failureThreshold, 'within a full threshold only failures count');
    }
    return 'failed';
  }

  private checkWait(before: ProbeState, event: ProbeEvent, dueAt: number): void {
    const { spread } = this.history;
    const waitMs = dueAt - this.at;
    if (event.type === 'result') {
      this.must(waitMs > 0 && waitMs <= PERIOD_MS + EARLY_MS, 'the next attempt is within one period');
      this.must(dueAt > before.dueAt, 'nobody is asked twice at one place');
    }
    if (event.type === 'stalled') {
      const isDue = before.phase === 'waiting' && before.dueAt <= this.at;
      if (isDue) this.must(waitMs === spread * RUSH_MS, 'after a stall each waits its own little time');
      else this.must(dueAt === before.dueAt, 'a stall leaves alone what is not due yet');
    }
    if (event.type === 'begin' || event.type === 'started') {
      const readyAt = Math.max(this.at, (this.watched?.startedAt ?? 0) + this.history.initialDelayMs);
      const isKnown = event.type === 'begin' && event.known !== 'unknown';
      const most = event.type === 'started' ? 0 : spread * (isKnown ? PERIOD_MS : RUSH_MS);
      const isNew = before.phase !== 'waiting' || event.type === 'begin';
      if (isNew) this.must(dueAt === readyAt + most, 'the first attempt comes at its own place');
    }
  }

  private must(holds: boolean, sentence: string): void {
    if (!holds) throw new Error(`does not hold: ${sentence}`);
  }
}

/** Plays one history to its end; throws when something does not hold. */
export const playProbeHistory = (history: ProbeHistory, table?: ProbeTable, visited?: Set<string>): ProbeWorld => {
  const world = new ProbeWorld(history, table, visited);
  for (const move of history.moves) world.play(move);
  world.settle();
  return world;
};
