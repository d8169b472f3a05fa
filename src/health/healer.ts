/**
 * The ladder of one app at work: tells it how the workers are, and carries out what it decides (`core/healing.ts`). Decides
 * nothing itself.
 */
import {
  HEAL_POLICY,
  healPhaseOf,
  keepSlots,
  stepHealing,
  type HealEffect,
  type HealEvent,
  type HealPolicy,
  type HealSituation,
  type HealState,
  type Trouble,
  type WorkerFacts,
  type WorkerHealth,
} from '../core/index.ts';
import type { EventInput } from '../protocol/index.ts';
import { canOverlap, type App, type CallOff } from '../supervisor/index.ts';
import type { HealthEdges } from './edges.ts';
import { healingKey, keptOf, readHealing, writeHealing, type Timeline } from './healing-memory.ts';

/** How long what a recover hook has done may take to show: two runs of a check at its usual interval, */
const RELIEF_MS = 20_000;
/** and as many intervals of the budgets: it counts as met again after three. */
const RELIEF_INTERVALS = 4;

export class Healer {
  readonly #app: App;
  readonly #edges: HealthEdges;
  readonly #tell: (event: Omit<EventInput, 'app'>) => void;
  readonly #timers = new Map<string, CallOff>();
  #healing: HealState;
  /** What is wrong with whom, as seen at the last look. */
  #troubles: HealSituation['troubles'] = [];
  /** By slot: how long what a recover hook has done may take to show. */
  readonly #reliefs = new Map<number, { readonly generation: number; readonly untilAt: number }>();
  #kept: string;
  /** Begun by the ladder, not by a person. */
  #ownOperation: string | null = null;
  #seenOperation: string | null = null;

  constructor(app: App, edges: HealthEdges, tell: (event: Omit<EventInput, 'app'>) => void) {
    this.#app = app;
    this.#edges = edges;
    this.#tell = tell;
    this.#healing = readHealing(edges.memory.find(healingKey(app)), this.#timeline);
    this.#kept = keptOf(this.#healing);
  }

  /** What lasts of the ladder is told on the wall clock: the next daemon's monotonic one begins anew. */
  get #timeline(): Timeline {
    const { clock } = this.#edges;
    return { aheadMs: clock.wallMs() - clock.monotonicMs() };
  }

  isQuarantined(slot: number): boolean {
    return healPhaseOf(this.#healing, slot) === 'quarantined';
  }

  /** Replacing its worker has not helped, so nothing is done about it: for a while, or until somebody looks after it. */
  hasLeftAlone(slot: number): boolean {
    const phase = healPhaseOf(this.#healing, slot);
    return phase === 'backoff' || phase === 'quarantined';
  }

  /** What a person has asked for and what has ended is a new beginning for the slots. */
  noteOperation(at: number): void {
    const { operation } = this.#app;
    if (operation !== null) {
      if (operation.id !== this.#ownOperation && operation.plan.isAsked) this.#seenOperation = operation.id;
      return;
    }
    if (this.#seenOperation === null) return;
    this.#seenOperation = null;
    for (const slot of this.#app.slotNumbers) this.#step({ type: 'release', at, slot });
  }

  /** At every look: how the workers are, and what is known of each. */
  heal(workers: readonly WorkerHealth[], facts: readonly WorkerFacts[], at: number): void {
    this.#troubles = workers.flatMap(({ slot, trouble }) => (trouble === null ? [] : [{ slot, key: trouble.key }]));
    if (!this.#app.isWanted) return;
    this.#healing = keepSlots(this.#healing, this.#app.slotNumbers);
    workers.forEach(({ slot, generation, trouble, reason }, index) => {
      const worker = facts[index];
      if (worker === undefined || worker.phase !== 'running') return;
      if (trouble === null) this.#step({ type: 'well', at, slot, generation });
      else if (this.#isRelieving(slot, generation, trouble, at)) return;
      else this.#step({ type: 'unwell', at, slot, generation, trouble, evidence: evidenceOf(worker, reason) });
    });
  }

  /** Written only where what lasts of it has changed. */
  #keepHealing(): void {
    const kept = keptOf(this.#healing);
    if (kept === this.#kept) return;
    this.#kept = kept;
    this.#edges.memory.put(healingKey(this.#app), writeHealing(this.#healing, this.#timeline));
  }

  /** Its recover hook has just run: checks and budgets have to be good several times in a row before that shows. */
  #isRelieving(slot: number, generation: number, { kind }: Trouble, at: number): boolean {
    const relief = this.#reliefs.get(slot);
    return kind !== 'hang' && relief !== undefined && relief.generation === generation && at < relief.untilAt;
  }

  #policy(): HealPolicy {
    const { heal, probes } = this.#app.state.config;
    const { patienceMs } = HEAL_POLICY;
    // Those that have the same show it within a period of the probe, and its timeout.
    const roundMs = probes.liveness === undefined ? 0 : probes.liveness.periodMs + probes.liveness.timeoutMs;
    return {
      ...HEAL_POLICY,
      ...heal,
      patienceMs: { ...patienceMs, liveness: Math.max(patienceMs.liveness, roundMs) },
      aloneMs: Math.max(HEAL_POLICY.aloneMs, 2 * roundMs),
    };
  }

  #step(event: HealEvent): void {
    const app = this.#app;
    const running = app.operation;
    const handle = app.slots.find(event.slot)?.holder?.handle ?? null;
    const step = stepHealing(
      this.#healing,
      event,
      {
        slots: app.state.instances,
        unready: app.slotNumbers.filter((slot) => app.slots.find(slot)?.holder?.state.phase !== 'running'),
        troubles: this.#troubles,
        operation: running === null || running.id === this.#ownOperation ? null : `${running.kind} ${running.id}`,
        daemonUpMs: this.#edges.upMs(),
        sinceStallMs: this.#edges.sinceStallMs(),
        canRecover: handle?.lastReport?.canRecover ?? false,
      },
      this.#policy(),
    );
    this.#healing = step.state;
    this.#keepHealing();
    for (const effect of step.effects) this.#carryOut(effect);
  }

  #carryOut(effect: HealEffect): void {
    switch (effect.type) {
      case 'arm':
        return this.#arm(effect);
      case 'disarm':
        this.#timers.get(`${effect.slot} ${effect.timer}`)?.();
        return;
      case 'recover':
        return void this.#recover(effect);
      case 'replace':
        return void this.#replace(effect);
      case 'report':
        this.#tell({
          worker: `${this.#app.app}/${effect.slot}`,
          type: effect.event,
          reason: effect.reason,
          data: {
            generation: effect.generation,
            trouble: effect.trouble,
            evidence: effect.evidence,
            attempts: effect.attempts,
          },
        });
    }
  }

  #arm({ slot, timer, afterMs, turn }: Extract<HealEffect, { type: 'arm' }>): void {
    const name = `${slot} ${timer}`;
    this.#timers.get(name)?.();
    const fire = (): void => this.#step({ type: 'timer', at: this.#edges.clock.monotonicMs(), slot, turn, timer });
    this.#timers.set(name, this.#app.edges.schedule.background(afterMs, fire));
  }

  async #recover({ slot, turn, reason }: Extract<HealEffect, { type: 'recover' }>): Promise<void> {
    const app = this.#app;
    const handle = app.slots.find(slot)?.holder?.handle ?? null;
    const answer = await handle?.ask(
      app.edges.schedule,
      app.state.config.heal.recoverTimeoutMs,
      (id) => ({ type: 'recover', id, reason }),
      'recovered',
    );
    const at = this.#edges.clock.monotonicMs();
    const { outcome, detail } = answer ?? { outcome: 'failed', detail: 'it did not answer' };
    if (outcome === 'recovered' && handle !== null) {
      const reliefMs = Math.max(RELIEF_MS, RELIEF_INTERVALS * app.state.config.budgets.intervalMs);
      this.#reliefs.set(slot, { generation: handle.generation, untilAt: at + reliefMs });
    }
    this.#step({ type: 'recovered', at, slot, turn, outcome, detail });
  }

  async #replace({ slot, turn, generation, reason }: Extract<HealEffect, { type: 'replace' }>): Promise<void> {
    const app = this.#app;
    const fail = (words: string): void =>
      this.#step({ type: 'replace-failed', at: this.#edges.clock.monotonicMs(), slot, turn, reason: words });
    try {
      const machine = canOverlap(app) ? 'reload' : 'restart';
      const action = machine === 'reload' ? 'replace' : 'stop-start';
      const run = app.begin(machine, {}, { machine, changes: [{ slot, action }] }, { isAsked: false });
      this.#ownOperation = run.id;
      const { receipt } = await run.ended;
      const now = app.slots.find(slot)?.holder?.handle?.generation ?? generation;
      if (receipt?.outcome !== 'completed' || now === generation)
        return fail(receipt?.reason ?? `the replacement for ${reason} did not come up`);
      this.#step({ type: 'replaced', at: this.#edges.clock.monotonicMs(), slot, turn, generation: now });
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    for (const callOff of this.#timers.values()) callOff();
  }
}

/** What is kept of a worker that is unwell, for whoever looks into it. */
const evidenceOf = (worker: WorkerFacts, reason: string | null): Readonly<Record<string, unknown>> => ({
  reason,
  probes: worker.probes.filter(({ status }) => status === 'fail'),
  checks: worker.checks.filter(({ status }) => status === 'fail'),
  blockedMs: worker.blockedMs,
  budgets: worker.budgets.filter(({ isExceeded }) => isExceeded),
  forecast: worker.forecast?.reason ?? null,
});
