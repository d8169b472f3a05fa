/**
 * A world for the self-healing ladder of an app: workers that fall ill and get well, a supervisor that replaces them or cannot,
 * hooks that help or do not, operations, a daemon that is young or late, timers, and answers that come late and twice. After
 * every step it checks what must always hold, and throws a sentence when it does not.
 */
import * as fc from 'fast-check';
import type {
  HealEffect,
  HealEvent,
  HealPhase,
  HealPolicy,
  HealSituation,
  HealState,
  HealTimer,
  Trouble,
  TroubleKind,
} from '../../src/core/index.ts';
import { HEAL_POLICY, newHealing } from '../../src/core/index.ts';
import { columnOf, HEALING_TABLE, stepHealing } from '../../src/core/healing.ts';
import type { HealTable } from '../../src/core/healing-types.ts';
import { COMES_FROM_OUTSIDE, findLimit, unavailableCap } from '../../src/core/heal-limits.ts';

const MOVES = {
  /** Everything is looked at once: `unwell` and `well` for each worker. */
  look: 12,
  sicken: 5,
  /** The same trouble in all workers. */
  sickenAll: 1,
  cure: 3,
  /** What was asked for is answered: well, badly, or twice. */
  answer: 10,
  answerTwice: 2,
  fail: 4,
  /** The next timer comes due. */
  wait: 5,
  pass: 5,
  passLong: 1,
  ghost: 3,
  crash: 3,
  release: 1,
  operate: 2,
  stall: 1,
  toggleReady: 2,
} as const;

export interface HealMove {
  readonly move: keyof typeof MOVES;
  readonly pick: number;
}

export interface HealHistory {
  readonly slots: number;
  readonly perHour: number;
  readonly quarantineAfter: number;
  readonly maxUnavailable: number;
  readonly hasHook: boolean;
  /** What is done about it helps: never, always, or as it comes. */
  readonly helps: 'never' | 'always' | 'sometimes';
  readonly moves: readonly HealMove[];
}

export const healHistories: fc.Arbitrary<HealHistory> = fc.record({
  slots: fc.integer({ min: 1, max: 5 }),
  perHour: fc.constantFrom(2, 5, 100),
  quarantineAfter: fc.integer({ min: 1, max: 3 }),
  maxUnavailable: fc.constantFrom(1, 2),
  hasHook: fc.boolean(),
  helps: fc.constantFrom('never', 'always', 'sometimes'),
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
    { maxLength: 60, size: 'max' },
  ),
});

const KINDS: readonly TroubleKind[] = [
  'hang',
  'liveness',
  'check',
  'ejected',
  'budget-memory',
  'budget-load',
  'memory',
];
const HOUR_MS = 3_600_000;

interface Worker {
  generation: number;
  trouble: Trouble | null;
  isReady: boolean;
}
type Asked = Extract<HealEffect, { type: 'recover' | 'replace' }>;

export class HealingWorld {
  state: HealState = newHealing();
  at = 1_000_000;
  readonly effects: HealEffect[] = [];
  readonly workers: Worker[];
  private readonly history: HealHistory;
  private readonly table: HealTable;
  private readonly visited: Set<string>;
  private readonly asked: Asked[] = [];
  private readonly answered: HealEvent[] = [];
  private readonly timers = new Map<string, { slot: number; timer: HealTimer; dueAt: number; turn: number }>();
  private readonly ghosts: HealEvent[] = [];
  private readonly replacedAt: number[] = [];
  private operation: string | null = null;
  private stalledAt: number | null = null;
  readonly policy: HealPolicy;

  constructor(history: HealHistory, table: HealTable = HEALING_TABLE, visited = new Set<string>()) {
    this.history = history;
    this.table = table;
    this.visited = visited;
    this.workers = Array.from({ length: history.slots }, () => ({ generation: 1, trouble: null, isReady: true }));
    this.policy = {
      ...HEAL_POLICY,
      enabled: true,
      recoverTimeoutMs: 5000,
      maxUnavailable: { workers: history.maxUnavailable },
      perHour: history.perHour,
      quarantineAfter: history.quarantineAfter,
    };
  }

  get situation(): HealSituation {
    return {
      slots: this.workers.length,
      unready: this.workers.flatMap(({ isReady }, slot) => (isReady ? [] : [slot])),
      troubles: this.workers.flatMap(({ trouble }, slot) => (trouble === null ? [] : [{ slot, key: trouble.key }])),
      operation: this.operation,
      daemonUpMs: this.at - 975_000,
      sinceStallMs: this.stalledAt === null ? null : this.at - this.stalledAt,
      canRecover: this.history.hasHook,
    };
  }

  play({ move, pick }: HealMove): void {
    const slot = pick % this.workers.length;
    const worker = this.workers[slot]!;
    switch (move) {
      case 'look':
        return this.look();
      case 'sicken':
        worker.trouble = this.troubleOf(pick);
        return this.look();
      case 'sickenAll':
        for (const one of this.workers) one.trouble = this.troubleOf(pick);
        return this.look();
      case 'cure':
        worker.trouble = null;
        return this.look();
      case 'answer':
      case 'answerTwice':
      case 'fail':
        return this.answer(pick, move === 'fail', move === 'answerTwice');
      case 'wait':
        return this.fireNext();
      case 'pass':
        this.passBy(1000 * (1 + (pick % 40)));
        return;
      case 'passLong':
        this.passBy(HOUR_MS);
        return;
      case 'ghost': {
        const ghosts = [...this.ghosts, ...this.answered];
        const ghost = ghosts[pick % Math.max(1, ghosts.length)];
        if (ghost !== undefined) this.step({ ...ghost, at: this.at });
        return;
      }
      case 'crash':
        worker.generation += 1;
        worker.trouble = pick % 2 === 0 ? null : worker.trouble;
        return this.step({ type: 'renewed', at: this.at, slot, generation: worker.generation });
      case 'release':
        return this.step({ type: 'release', at: this.at, slot });
      case 'operate':
        this.operation = this.operation === null ? 'a reload' : null;
        return;
      case 'stall':
        this.stalledAt = this.at;
        return;
      case 'toggleReady':
        worker.isReady = !worker.isReady;
        return;
    }
  }

  look(): void {
    for (const [slot, { generation, trouble }] of this.workers.entries()) {
      const about = { at: this.at, slot, generation };
      this.step(trouble === null ? { type: 'well', ...about } : { type: 'unwell', ...about, trouble, evidence: {} });
    }
  }

  /** Time passes, and each timer that comes due on the way fires. */
  passBy(ms: number): void {
    const until = this.at + ms;
    for (;;) {
      const next = [...this.timers.values()].sort((a, b) => a.dueAt - b.dueAt)[0];
      if (next === undefined || next.dueAt > until) break;
      this.fireNext();
    }
    this.at = until;
  }

  private troubleOf(pick: number): Trouble {
    const kind = KINDS[pick % KINDS.length]!;
    return { key: kind, kind, reason: `${kind} is wrong`, isMissingData: pick % 11 === 0 };
  }

  private answer(pick: number, isBad: boolean, isTwice: boolean): void {
    const [asked] = this.asked.splice(pick % Math.max(1, this.asked.length), 1);
    if (asked === undefined) return;
    const { slot, turn } = asked;
    const worker = this.workers[slot]!;
    const helps = this.history.helps === 'always' || (this.history.helps === 'sometimes' && pick % 3 === 0);
    let event: HealEvent;
    if (asked.type === 'recover') {
      const outcome = isBad ? (pick % 2 === 0 ? 'failed' : 'no-hook') : 'recovered';
      if (!isBad && helps) worker.trouble = null;
      event = { type: 'recovered', at: this.at, slot, turn, outcome, detail: null };
    } else if (isBad) {
      event = { type: 'replace-failed', at: this.at, slot, turn, reason: 'it did not get ready' };
    } else {
      worker.generation += 1;
      if (helps) worker.trouble = null;
      event = { type: 'replaced', at: this.at, slot, turn, generation: worker.generation };
    }
    this.answered.push(event);
    this.step(event);
    if (isTwice) this.step(event);
  }

  private fireNext(): void {
    const next = [...this.timers.values()].sort((a, b) => a.dueAt - b.dueAt)[0];
    if (next === undefined) return;
    const { slot, timer, turn, dueAt } = next;
    this.timers.delete(`${slot} ${timer}`);
    this.at = Math.max(this.at, dueAt);
    const event: HealEvent = { type: 'timer', at: this.at, slot, timer, turn };
    this.ghosts.push(event);
    this.step(event);
  }

  private step(event: HealEvent): void {
    const before = this.state;
    const slot = before.slots[event.slot];
    const phase = slot?.phase ?? 'well';
    const isStale =
      'turn' in event
        ? event.turn !== (slot?.turn ?? 0)
        : 'generation' in event && event.generation < (slot?.generation ?? 0);
    if (!isStale) this.visited.add(`${phase} × ${columnOf(event)}`);
    const { situation } = this;
    const { state, effects } = stepHealing(before, event, situation, this.policy, this.table);
    this.state = state;
    if (isStale) this.must(state === before && effects.length === 0, 'a stale event changes nothing');
    this.checkActions(before, event, effects);
    for (const effect of effects) this.run(effect);
    this.checkStanding(before, event);
    if (!isStale) this.checkMeaning(before, event, situation);
  }

  private run(effect: HealEffect): void {
    this.effects.push(effect);
    if (effect.type === 'recover' || effect.type === 'replace') this.asked.push(effect);
    const kind = 'slot' in effect ? this.state.slots[effect.slot]?.trouble?.kind : undefined;
    if (effect.type === 'replace' && kind !== 'memory') this.replacedAt.push(this.at);
    if (effect.type === 'disarm') this.timers.delete(`${effect.slot} ${effect.timer}`);
    if (effect.type === 'arm') {
      const { slot, timer, turn, afterMs } = effect;
      this.must(!this.timers.has(`${slot} ${timer}`), 'a timer is not armed twice');
      this.timers.set(`${slot} ${timer}`, { slot, timer, turn, dueAt: this.at + afterMs });
      this.ghosts.push({ type: 'timer', at: this.at, slot, timer, turn: turn - 1 });
    }
    if (effect.type === 'report') {
      this.must(effect.event !== 'defect', `no defect is reported: ${effect.reason}`);
      this.must(effect.reason !== '', 'every decision says why');
    }
  }

  private checkActions(before: HealState, event: HealEvent, effects: readonly HealEffect[]): void {
    const acts = effects.filter((effect) => effect.type === 'recover' || effect.type === 'replace');
    this.must(acts.length <= 1, 'one thing is done at a time');
    const act = acts[0];
    if (act === undefined) return;
    const { slot } = act;
    const known = before.slots[slot];
    const trouble = this.state.slots[slot]?.trouble;
    if (trouble === null || trouble === undefined) throw new Error('does not hold: nothing is done to who is well');
    const { unready, troubles, slots } = this.situation;
    this.must(this.operation === null, 'nothing is done during an operation');
    this.must(
      this.stalledAt === null || this.at - this.stalledAt >= this.policy.settleMs,
      'nothing is done after a stall',
    );
    this.must(this.at - 975_000 >= this.policy.settleMs, 'nothing is done just after the daemon started');
    this.must(!trouble.isMissingData, 'nothing is done on missing data alone');
    this.must(known?.phase !== 'quarantined', 'what is in quarantine is left alone');
    this.must(known?.phase !== 'backoff', 'what waits is left alone');
    this.must(act.generation === this.state.slots[slot]?.generation, 'it is done to the worker that is there');
    const busy = new Set(
      Object.entries(before.slots)
        .filter(([one, { phase }]) => Number(one) !== slot && (phase === 'recovering' || phase === 'replacing'))
        .map(([one]) => Number(one)),
    );
    if (trouble.kind !== 'hang') for (const one of unready) if (one !== slot) busy.add(one);
    this.must(busy.size < unavailableCap(this.policy, slots), 'never more than maxUnavailable are down');
    const others = Object.entries(before.slots).filter(([one]) => Number(one) !== slot);
    this.must(
      act.type !== 'replace' || others.every(([, { phase }]) => phase !== 'replacing'),
      'one worker is replaced at a time: the app can do no second operation beside',
    );
    const recent = this.replacedAt.filter((one) => this.at - one < HOUR_MS).length;
    if (trouble.kind !== 'memory')
      this.must(recent < this.policy.perHour, 'never more replacements within an hour than allowed');
    if (COMES_FROM_OUTSIDE[trouble.kind]) {
      const same = new Set([slot, ...troubles.filter(({ key }) => key === trouble.key).map((one) => one.slot)]).size;
      this.must(same < 2 || same * 2 <= slots, 'nothing is done about what most workers have');
      const { sharedAt } = trouble;
      this.must(
        sharedAt === null || this.at - sharedAt >= this.policy.aloneMs,
        'nothing is done about what most workers had a moment ago',
      );
    }
    if (act.type === 'recover') {
      this.must(this.history.hasHook, 'only a hook that is there is asked');
      this.must(trouble.kind !== 'hang', 'a loop that hangs is not asked');
      this.must(!(known?.hasAskedHook ?? false) || event.type === 'unwell', 'a hook is asked once');
    }
  }

  private checkStanding(before: HealState, event: HealEvent): void {
    for (const [key, slot] of Object.entries(this.state.slots)) {
      const number = Number(key);
      const timers = [...this.timers.values()].filter((one) => one.slot === number).map(({ timer }) => timer);
      const own = { recovering: 'recover', proving: 'prove', backoff: 'backoff' }[slot.phase as 'recovering'];
      this.must(
        timers.join(' ') === (own ?? ''),
        `while ${slot.phase} no other timer runs than its own, not ${timers.join(' ')}`,
      );
      for (const { turn, slot: of } of this.timers.values()) {
        if (of === number) this.must(turn === slot.turn, 'timers belong to the current turn');
      }
      if (slot.phase === 'replacing' || slot.phase === 'recovering') {
        this.must(
          this.asked.some((asked) => asked.slot === number && asked.turn === slot.turn),
          'the ladder never waits for nothing',
        );
      }
      if (slot.phase === 'well') this.must(slot.trouble === null && slot.failures === 0, 'well is well');
      if (slot.phase === 'quarantined') {
        this.must(slot.failures >= this.policy.quarantineAfter, 'nobody is given up before the limit');
        this.must(slot.attempts.length > 0, 'the evidence is kept');
      }
      this.must(slot.attempts.length <= 10, 'what is kept is bounded');
      const was = before.slots[number];
      if (was?.phase === 'quarantined' && slot.phase !== 'quarantined') {
        this.must(event.type === 'release', 'only somebody lets a slot out of quarantine');
      }
      if ((was?.failures ?? 0) > slot.failures) {
        const isOver = event.type === 'release' || (event.type === 'timer' && event.timer === 'prove');
        this.must(isOver, 'failures count until it has held out');
      }
      if (slot.failures > (was?.failures ?? 0)) {
        this.must(slot.phase === 'backoff' || slot.phase === 'quarantined', 'what does not help is followed by a wait');
      }
    }
    this.must(this.state.replacedAt.length <= this.policy.perHour, 'what is remembered is bounded');
  }

  /** What one event must bring about, whatever the table says. */
  private checkMeaning(before: HealState, event: HealEvent, situation: HealSituation): void {
    const was = before.slots[event.slot];
    const phase = was?.phase ?? 'well';
    const slot = this.state.slots[event.slot]!;
    const { policy, at } = this;
    const goesTo = (...phases: readonly HealPhase[]): void =>
      this.must(
        phases.includes(slot.phase),
        `${columnOf(event)} while ${phase} leads to ${phases.join(' or ')}, not ${slot.phase}`,
      );
    const isActing = phase === 'recovering' || phase === 'replacing';
    if ('generation' in event && event.generation > (was?.generation ?? 0)) {
      this.must(slot.generation === event.generation, 'the newest worker is the one that counts');
    }
    switch (event.type) {
      case 'unwell': {
        if (phase === 'quarantined')
          return this.must(slot === was || slot.trouble === was?.trouble, 'evidence is kept as it was');
        this.must(slot.trouble?.key === event.trouble.key, 'what is wrong now is noted');
        if (isActing || phase === 'backoff') return goesTo(phase);
        const last = was?.attempts.at(-1);
        const hasFailed = phase === 'proving' && last?.action === 'replace' && last.hasHelped === null;
        if (hasFailed) return goesTo('backoff', 'quarantined');
        const isLimited =
          findLimit({ state: before, slot: event.slot, trouble: slot.trouble!, situation, policy, at }) !== null;
        return isLimited ? goesTo('waiting') : goesTo('recovering', 'replacing');
      }
      case 'well':
        return phase === 'waiting' ? goesTo('well', 'proving') : goesTo(phase);
      case 'renewed':
        return phase === 'waiting' || phase === 'recovering' ? goesTo('well', 'proving') : goesTo(phase);
      case 'release':
        this.must(slot.failures === 0, 'who is released has a clean record');
        this.must(this.state.unhelpful.length === 0, 'what did not help before may help now');
        return goesTo(phase === 'replacing' ? 'replacing' : 'well');
      case 'recovered':
        return event.outcome === 'recovered' ? goesTo('proving') : goesTo('replacing', 'waiting');
      case 'replaced':
        return goesTo('proving');
      case 'replace-failed':
        return goesTo('backoff', 'quarantined');
      case 'timer':
        if (event.timer === 'recover') return goesTo('replacing', 'waiting');
        return goesTo(event.timer === 'prove' ? 'well' : 'waiting');
    }
  }

  /** What one history must come to when everything is answered and the trouble is over. */
  settle(): void {
    this.operation = null;
    for (const worker of this.workers) {
      worker.trouble = null;
      worker.isReady = true;
    }
    for (let round = 0; round < 20; round++) {
      while (this.asked.length > 0) this.answer(0, false, false);
      for (const worker of this.workers) worker.trouble = null;
      this.look();
      this.passBy(HOUR_MS);
      this.look();
    }
    for (const [slot, { phase }] of Object.entries(this.state.slots)) {
      this.must(phase === 'well' || phase === 'quarantined', `slot ${slot} comes to rest, and is not ${phase}`);
    }
  }

  private must(holds: boolean, sentence: string): void {
    if (!holds) throw new Error(`does not hold: ${sentence}`);
  }
}

/** Plays one history to its end; throws when something does not hold. */
export const playHealHistory = (history: HealHistory, table?: HealTable, visited?: Set<string>): HealingWorld => {
  const world = new HealingWorld(history, table, visited);
  for (const move of history.moves) world.play(move);
  world.settle();
  return world;
};
