/**
 * A world for the adoption of one recorded worker after a daemon restart: a process that lives, died or belongs to
 * somebody else, an agent that speaks early, late or never. Checks after every step what must always hold.
 */
import * as fc from 'fast-check';
import { newAdoption } from '../../src/core/index.ts';
import type {
  AdoptionEffect,
  AdoptionEvent,
  AdoptionState,
  Exit,
  ObservedProcess,
  WorkerRecord,
} from '../../src/core/index.ts';
import { ADOPTION_TABLE, stepAdoption } from '../../src/core/adoption.ts';
import type { AdoptionTable } from '../../src/core/adoption.ts';

const FATES = ['alive', 'dead', 'zombie', 'foreign', 'unmarked', 'rebooted'] as const;
const MOVES = ['probe', 'hello', 'exit', 'timer', 'ghost', 'stale', 'repeat'] as const;

export interface AdoptionHistory {
  readonly fate: (typeof FATES)[number];
  readonly wasReady: boolean;
  readonly hasAgent: boolean;
  readonly moves: readonly (typeof MOVES)[number][];
}

export const adoptionHistories: fc.Arbitrary<AdoptionHistory> = fc.record({
  fate: fc.oneof({ weight: 4, arbitrary: fc.constant('alive' as const) }, fc.constantFrom(...FATES)),
  wasReady: fc.boolean(),
  hasAgent: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
  moves: fc.array(fc.constantFrom(...MOVES), { maxLength: 12 }),
});

const GENERATION = 3;
const HELLO_MS = 5000;
const DIED: Exit = { code: 1, signal: null, cause: 'code', detail: null };

export class AdoptionWorld {
  state: AdoptionState;
  readonly effects: AdoptionEffect[] = [];
  readonly visited: Set<string>;
  private isAlive: boolean;
  private isArmed = false;
  private wasArmed = false;
  private hasProbed = false;
  private hasSpoken = false;
  private last: AdoptionEvent | null = null;
  private readonly history: AdoptionHistory;
  private readonly table: AdoptionTable;

  constructor(history: AdoptionHistory, table: AdoptionTable = ADOPTION_TABLE, visited = new Set<string>()) {
    this.history = history;
    this.table = table;
    this.visited = visited;
    this.isAlive = history.fate === 'alive';
    const { wasReady, hasAgent } = history;
    const record: WorkerRecord = {
      app: 'shop',
      slot: 0,
      generation: GENERATION,
      pid: 77,
      startTimeTicks: 5,
      bootId: 'today',
      wasReady,
      hasAgent,
    };
    this.state = newAdoption(record);
  }

  play(move: (typeof MOVES)[number]): void {
    switch (move) {
      case 'probe':
        this.hasProbed = true;
        this.step({ type: 'probed', generation: GENERATION, observed: this.observe() });
        return;
      case 'hello':
        // A dead worker's last words may still arrive.
        if (!this.history.hasAgent || !(this.isAlive || this.hasSpoken)) return;
        this.hasSpoken = true;
        this.step({ type: 'hello', generation: GENERATION });
        return;
      case 'exit':
        if (this.history.fate !== 'alive') return;
        this.isAlive = false;
        this.step({ type: 'exited', generation: GENERATION, exit: DIED });
        return;
      case 'timer':
        if (!this.isArmed) return;
        this.isArmed = false;
        this.step({ type: 'timer', generation: GENERATION });
        return;
      case 'ghost':
        if (this.wasArmed && !this.isArmed) this.step({ type: 'timer', generation: GENERATION });
        return;
      case 'stale':
        this.step({ type: 'exited', generation: GENERATION - 1, exit: DIED });
        return;
      case 'repeat':
        if (this.last !== null) this.step(this.last);
        return;
    }
  }

  /** The probe comes back, and what is armed comes due: then it is decided. */
  settle(): void {
    if (!this.hasProbed) this.play('probe');
    this.play('timer');
    const { phase } = this.state;
    const kinds = this.effects.map(({ type }) => type);
    const count = (type: AdoptionEffect['type']): number => kinds.filter((kind) => kind === type).length;
    this.must(phase !== 'probing' && phase !== 'waiting-for-hello', 'every record is decided in the end');
    this.must(count('adopt') + count('lost') === 1, 'a worker is either adopted or lost, once');
    this.must(count('replace') === (phase === 'replaced' ? 1 : 0), 'replaced means that it is being replaced');
    if (this.history.fate !== 'alive') this.must(count('lost') === 1, 'what does not live is lost');
    if (count('lost') === 1) this.must(phase === 'gone', 'lost means gone');
    if (count('adopt') === 1 && this.isAlive && this.history.hasAgent) {
      this.must(phase === (this.hasSpoken ? phase : 'replaced'), 'a silent agent costs a worker its place');
    }
    this.must(!this.isArmed, 'no timer is left over');
  }

  private observe(): ObservedProcess {
    const { fate } = this.history;
    return {
      isAlive: this.isAlive || fate === 'zombie' || fate === 'foreign' || fate === 'unmarked',
      isZombie: fate === 'zombie',
      startTimeTicks: fate === 'foreign' ? 9 : 5,
      bootId: fate === 'rebooted' ? 'tomorrow' : 'today',
      hasSpawnMark: fate === 'unmarked' ? false : null,
      isElsewhere: false,
      exit: fate === 'dead' ? DIED : null,
    };
  }

  private step(event: AdoptionEvent): void {
    const before = this.state;
    const isStale = event.generation !== GENERATION;
    if (!isStale) this.visited.add(`${before.phase} × ${event.type}`);
    this.last = event;
    const { state, effects } = stepAdoption(before, event, { helloTimeoutMs: HELLO_MS }, this.table);
    this.state = state;
    this.effects.push(...effects);
    if (isStale) this.must(state === before && effects.length === 0, 'a stale event changes nothing');
    for (const effect of effects) this.run(effect, event);
    this.must(this.isArmed === (state.phase === 'waiting-for-hello'), 'the timer runs while a hello is awaited');
    if (['adopted', 'replaced', 'gone'].includes(before.phase)) {
      this.must(state === before && effects.length === 0, 'what is decided stays decided');
    }
    if (event.type === 'exited' && !isStale && before.phase !== 'adopted' && before.phase !== 'replaced') {
      this.must(state.phase === 'gone', 'what ends before it is adopted is gone');
    }
    if (event.type === 'hello' && before.phase === 'waiting-for-hello') {
      this.must(state.phase === 'adopted', 'a worker that speaks is adopted');
    }
  }

  private run(effect: AdoptionEffect, event: AdoptionEvent): void {
    switch (effect.type) {
      case 'adopt':
        this.must(this.history.fate === 'alive' && event.type === 'probed', 'only a living worker is adopted');
        return;
      case 'lost':
        this.must(!this.isAlive, 'only what is gone is given up');
        if (this.history.fate === 'dead') this.must(effect.exit === DIED, 'the exit that the kernel knows is kept');
        return;
      case 'replace':
        this.must(event.type === 'timer' && this.history.hasAgent, 'only silence leads to a replacement');
        return;
      case 'arm':
        this.isArmed = true;
        this.wasArmed = true;
        return;
      case 'disarm':
        this.isArmed = false;
        return;
      case 'report':
        this.must(false, `no defect is reported: ${effect.reason}`);
        return;
    }
  }

  private must(holds: boolean, sentence: string): void {
    if (!holds) throw new Error(`does not hold: ${sentence}`);
  }
}

/** Plays one history to its end; throws when something does not hold. */
export const playAdoptionHistory = (
  history: AdoptionHistory,
  table?: AdoptionTable,
  visited?: Set<string>,
): AdoptionWorld => {
  const world = new AdoptionWorld(history, table, visited);
  for (const move of history.moves) world.play(move);
  world.settle();
  return world;
};
