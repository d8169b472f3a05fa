/**
 * The health of one app: looks at its workers, decides by the tables of `core/` how they are, and does what follows:
 * weights, ejection, degrading, the ladder. Refuses to measure anything itself, and to act in any way that the tables do
 * not say.
 */
import {
  appHealth,
  chooseRecycle,
  ejectionOf,
  factorOf,
  HEAL_POLICY,
  healPhaseOf,
  keepSlots,
  newDegrade,
  newOutliers,
  RECYCLE_POLICY,
  stepDegrade,
  stepHealing,
  stepOutliers,
  type AppHealth,
  type DegradeState,
  type HealEffect,
  type HealEvent,
  type HealPolicy,
  type HealState,
  type OutlierEffect,
  type OutlierState,
  type Trouble,
  type WorkerFacts,
  type WorkerHealth,
} from '../../core/index.ts';
import type { AppStatus, EventInput } from '../../protocol/index.ts';
import {
  appStatusOf,
  canOverlap,
  type App,
  type CallOff,
  type Tenant,
  type WorkerHandle,
} from '../../supervisor/index.ts';
import type { CoreTime } from './core-time.ts';
import type { HealthEdges } from './edges.ts';
import { healingKey, keptOf, readHealing, writeHealing, type Timeline } from './healing-memory.ts';
import { WorkerWatch } from './worker-watch.ts';

const IN_BETWEEN: ReadonlySet<AppStatus> = new Set(['starting', 'stopping', 'stopped']);

/** Ready workers that are busier than this have more to do than they can. */
const OVERLOADED = 0.95;
/** Said longer ago it is not about now: a worker that has nothing to do reports every ten seconds only. */
const RECENT_MS = 3000;
/** How long what a recover hook has done may take to show: two runs of a check at its usual interval, */
const RELIEF_MS = 20_000;
/** and as many intervals of the budgets: it counts as met again after three. */
const RELIEF_INTERVALS = 4;

export class AppWatch {
  readonly app: App;
  readonly #edges: HealthEdges;
  readonly #cores: CoreTime;
  readonly #workers = new Map<WorkerHandle, WorkerWatch>();
  readonly #timers = new Map<string, CallOff>();
  /** The share of its weight that each slot was given last. */
  readonly #factors = new Map<number, number>();
  #outliers: OutlierState = newOutliers();
  #sweptAt = -Infinity;
  #healing: HealState;
  #degrade: DegradeState = newDegrade();
  /** By slot: how long what a recover hook has done may take to show. */
  readonly #reliefs = new Map<number, { readonly generation: number; readonly untilAt: number }>();
  #kept: string;
  /** Chosen to be replaced before it runs out of memory, and why. */
  #recycle: { readonly handle: WorkerHandle; readonly reason: string } | null = null;
  /** Begun by the ladder, not by a person. */
  #ownOperation: string | null = null;
  #seenOperation: string | null = null;
  #health: AppHealth | null = null;
  #toldStatus: string | null = null;

  constructor(app: App, edges: HealthEdges, cores: CoreTime) {
    this.app = app;
    this.#edges = edges;
    this.#cores = cores;
    this.#healing = readHealing(edges.memory.find(healingKey(app)), this.#timeline);
    this.#kept = keptOf(this.#healing);
  }

  /** What lasts of the ladder is told on the wall clock: the next daemon's monotonic one begins anew. */
  get #timeline(): Timeline {
    const { clock } = this.#edges;
    return { aheadMs: clock.wallMs() - clock.monotonicMs() };
  }

  get workers(): Iterable<WorkerWatch> {
    return this.#workers.values();
  }

  get health(): AppHealth | null {
    return this.#health;
  }

  get degradeLevel(): DegradeState {
    return this.#degrade;
  }

  find(handle: WorkerHandle | null): WorkerWatch | null {
    return handle === null ? null : (this.#workers.get(handle) ?? null);
  }

  ejectionOf(slot: number): ReturnType<typeof ejectionOf> {
    return ejectionOf(this.#outliers, slot);
  }

  /** Called whenever something about a tenant changed: a process came, or went. */
  note(tenant: Tenant, at: number): void {
    const { handle } = tenant;
    if (handle === null) return;
    const known = this.#workers.get(handle);
    if (handle.pid === null) {
      known?.close();
      this.#workers.delete(handle);
      return;
    }
    const watch = known ?? new WorkerWatch(tenant, handle, at);
    if (known === undefined) this.#workers.set(handle, watch);
    if (tenant.state.phase === 'running') watch.readyAt ??= at;
    this.#askByProbes(watch);
  }

  /** Begins to ask, and again where the configuration of the probes became another. */
  #askByProbes(watch: WorkerWatch): void {
    const { probes } = this.app.state.config;
    if (watch.probedBy === probes || watch.handle.isLeaving) return;
    // Before it listens nobody would answer, and the next question comes a whole period later.
    const { tenant, handle } = watch;
    const isUp = handle.listening.length > 0 || tenant.isAgentless || tenant.state.phase === 'running';
    if (!isUp && Object.values(probes).some(({ target }) => target.kind === 'http' || target.kind === 'tcp')) return;
    watch.probes?.close();
    watch.probedBy = probes;
    watch.probes = this.#edges.watchProbes(this.app, watch, () => {
      watch.tenant.checkReadiness();
      this.look(this.#edges.clock.monotonicMs());
    });
  }

  /** What a start still waits for: probes that have not passed yet. */
  missing(tenant: Tenant): readonly string[] {
    const { probes } = this.app.state.config;
    const watch = this.find(tenant.handle);
    return (['startup', 'readiness'] as const).flatMap((kind) => {
      if (probes[kind] === undefined || watch?.probes?.verdict(kind) === 'passed') return [];
      const error = watch?.probes?.last(kind)?.error ?? null;
      return [`its ${kind} probe${error === null ? '' : ` (${error})`}`];
    });
  }

  takeReport(tenant: Tenant, handle: WorkerHandle, at: number): void {
    const report = handle.lastReport;
    const watch = this.#workers.get(handle);
    if (report === null || watch === undefined) return;
    const before = this.#health?.down ?? [];
    for (const { type, name, critical, error } of watch.noteReport(report, at, this.app.state.config)) {
      // One that everybody shows is told once, of the app (`look`).
      if (before.includes(name)) continue;
      this.#tell({
        worker: tenant.id,
        type: type === 'failed' ? 'check-failed' : 'check-passed',
        reason: `${name}${error === null ? '' : `: ${error}`}`,
        data: { check: name, critical },
      });
    }
  }

  /** Every second or so, and whenever something turned. */
  look(at: number): void {
    const { app } = this;
    const { config } = app.state;
    this.#noteOperation(at);
    const watches = app.holders.map((tenant) => this.find(tenant.handle));
    for (const watch of watches) if (watch !== null) this.#askByProbes(watch);
    this.#sweep(watches, at);
    this.#chooseRecycle(watches, at);
    const facts = app.holders.map((tenant, index) => this.#factsOf(tenant, watches[index] ?? null, at));
    const health = appHealth({ status: appStatusOf(app), workers: facts });
    this.#health = health;
    for (const watch of watches) if (watch !== null) this.#compareBudgets(watch, at);
    health.workers.forEach((worker, index) => this.#route(watches[index] ?? null, worker, at));
    this.#heal(health.workers, facts, at);
    this.#tellStatus(health, config.name);
    const ready = watches.filter((watch) => watch !== null && watch.isServing);
    const overloaded = ready.filter((watch) => (watch?.utilizationWithin(RECENT_MS, at) ?? 0) > OVERLOADED);
    const isOverloaded = overloaded.length * 2 > ready.length;
    const degrade = stepDegrade(
      this.#degrade,
      { isOverloaded, down: health.down, isDiskFull: this.#isOutputDropped },
      at,
    );
    this.#degrade = degrade.state;
    for (const { level, reason } of degrade.effects) {
      for (const watch of this.#workers.values()) this.#sendTo(watch.handle, { type: 'degrade', level, reason });
      this.#tell({
        type: 'degrade-changed',
        reason: `${level}${reason === null ? '' : `: ${reason}`}`,
        data: { level },
      });
    }
  }

  #tellStatus({ status, reason }: AppHealth, name: string): void {
    // That it is not all there while it starts is no news.
    if (this.#toldStatus === status || IN_BETWEEN.has(appStatusOf(this.app))) return;
    const before = this.#toldStatus;
    this.#toldStatus = status;
    if (before === null && status === 'healthy') return;
    this.#tell({
      type: 'health-changed',
      reason: `${name} is ${status}${reason === null ? '' : `: ${reason}`}`,
      data: { from: before, to: status },
    });
  }

  #factsOf(tenant: Tenant, watch: WorkerWatch | null, at: number): WorkerFacts {
    const { slot } = tenant;
    const ejection = ejectionOf(this.#outliers, slot);
    const standing = {
      ejection:
        ejection === null
          ? null
          : {
              untilAt: ejection.untilAt,
              reason: ejection.reason,
              ejections: this.#outliers.workers[slot]?.ejections ?? 1,
            },
      recycle: watch !== null && this.#recycle?.handle === watch.handle ? this.#recycle.reason : null,
      isQuarantined: healPhaseOf(this.#healing, slot) === 'quarantined',
    };
    if (watch !== null) return watch.facts(at, this.app.state.config, standing);
    return {
      slot,
      generation: tenant.state.generation,
      phase: tenant.state.phase,
      isWanted: tenant.state.wanted === 'up',
      isLooping: tenant.state.loops > 0,
      probes: [],
      checks: [],
      blockedMs: null,
      isHung: false,
      budgets: [],
      forecast: null,
      ...standing,
    };
  }

  #sweep(watches: readonly (WorkerWatch | null)[], at: number): void {
    const { outliers } = this.app.state.config.health;
    if (at - this.#sweptAt < outliers.intervalMs) return;
    this.#sweptAt = at;
    const samples = watches.flatMap((watch) =>
      watch === null || watch.handle.pid === null
        ? []
        : [watch.sample(at, this.#cores.isStarved(watch.handle.pid, at))],
    );
    const step = stepOutliers(this.#outliers, samples, at, outliers);
    this.#outliers = step.state;
    for (const effect of step.effects) this.#tellOutlier(effect, at);
  }

  #tellOutlier(effect: OutlierEffect, at: number): void {
    if (effect.type === 'factor') return;
    if (effect.type === 'held-back') {
      this.#tell({ type: 'heal-held-back', reason: effect.reason, data: { slots: effect.slots } });
      return;
    }
    const worker = `${this.app.app}/${effect.slot}`;
    const { reason } = effect;
    if (effect.type === 'return') this.#tell({ worker, type: 'worker-returned', reason });
    else {
      const data = { forMs: Math.round(effect.untilAt - at), ejections: effect.ejections };
      this.#tell({ worker, type: 'worker-ejected', reason, data });
    }
  }

  /** The share that it may have, and whether its kept-alive clients are to go elsewhere. */
  #route(watch: WorkerWatch | null, health: WorkerHealth, at: number): void {
    if (watch === null || !watch.isServing) return;
    const { slot } = watch.tenant;
    const factor = health.isRoutable ? factorOf(this.#outliers, slot, at) : 0;
    // By slot: its weight is the same for whoever holds it next.
    if (factor !== (this.#factors.get(slot) ?? 1)) {
      this.#factors.set(slot, factor);
      this.app.edges.traffic.setSlotFactor(this.app.app, slot, watch.handle.lane, factor);
    }
    const isRenewing = factor === 0;
    if (isRenewing === watch.isRenewing) return;
    watch.isRenewing = isRenewing;
    this.#sendTo(watch.handle, { type: 'renew', share: isRenewing ? 1 : 0 });
  }

  #compareBudgets(watch: WorkerWatch, at: number): void {
    for (const { type, reason, budget, value, max, critical } of watch.compareBudgets(at, this.app.state.config))
      this.#tell({
        worker: watch.tenant.id,
        type: type === 'exceeded' ? 'budget-exceeded' : 'budget-met',
        reason,
        data: { budget, value, max, critical },
      });
  }

  #chooseRecycle(watches: readonly (WorkerWatch | null)[], at: number): void {
    const { config } = this.app.state;
    if (this.#recycle !== null && this.find(this.#recycle.handle) === null) this.#recycle = null;
    const serving = watches.filter((watch) => watch !== null && watch.isServing) as readonly WorkerWatch[];
    const candidates = serving.flatMap((watch) => {
      const forecast = watch.forecast(config);
      const uptimeMs = watch.lastReport?.report.runtime.uptimeMs ?? 0;
      return forecast === null
        ? []
        : [{ slot: watch.tenant.slot, generation: watch.handle.generation, uptimeMs, forecast }];
    });
    const isRecycling = this.#recycle !== null || this.app.operation !== null;
    const choice = chooseRecycle(candidates, isRecycling, {
      ...RECYCLE_POLICY,
      startMs: config.ready.stableForMs + this.#startMs(serving, at),
      drainMs: config.drain.timeoutMs,
    });
    const chosen = serving.find(({ tenant }) => tenant.slot === choice?.slot);
    if (choice !== null && chosen !== undefined) this.#recycle = { handle: chosen.handle, reason: choice.reason };
  }

  /** How long the slowest of those that serve took to be ready. */
  #startMs(serving: readonly WorkerWatch[], at: number): number {
    return Math.max(0, ...serving.map(({ handle, readyAt }) => (readyAt ?? at) - handle.spawnedAt));
  }

  // ── the ladder ─────────────────────────────────────────────────────────────────────────────────────────────────

  #heal(workers: readonly WorkerHealth[], facts: readonly WorkerFacts[], at: number): void {
    if (!this.app.isWanted) return;
    this.#healing = keepSlots(this.#healing, this.app.slotNumbers);
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
    this.#edges.memory.put(healingKey(this.app), writeHealing(this.#healing, this.#timeline));
  }

  /** Its recover hook has just run: checks and budgets have to be good several times in a row before that shows. */
  #isRelieving(slot: number, generation: number, { kind }: Trouble, at: number): boolean {
    const relief = this.#reliefs.get(slot);
    return kind !== 'hang' && relief !== undefined && relief.generation === generation && at < relief.untilAt;
  }

  #policy(): HealPolicy {
    return { ...HEAL_POLICY, ...this.app.state.config.heal };
  }

  #step(event: HealEvent): void {
    const { app } = this;
    const troubles = (this.#health?.workers ?? []).flatMap(({ slot, trouble }) =>
      trouble === null ? [] : [{ slot, key: trouble.key }],
    );
    const running = app.operation;
    const watch = this.find(app.slots.find(event.slot)?.holder?.handle ?? null);
    const step = stepHealing(
      this.#healing,
      event,
      {
        slots: app.state.instances,
        unready: app.slotNumbers.filter((slot) => app.slots.find(slot)?.holder?.state.phase !== 'running'),
        troubles,
        operation: running === null || running.id === this.#ownOperation ? null : `${running.kind} ${running.id}`,
        daemonUpMs: this.#edges.upMs(),
        sinceStallMs: this.#edges.sinceStallMs(),
        canRecover: watch?.lastReport?.report.canRecover ?? false,
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
          worker: `${this.app.app}/${effect.slot}`,
          type: effect.event,
          reason: effect.reason,
          data: { generation: effect.generation, evidence: effect.evidence, attempts: effect.attempts },
        });
    }
  }

  #arm({ slot, timer, afterMs, turn }: Extract<HealEffect, { type: 'arm' }>): void {
    const name = `${slot} ${timer}`;
    this.#timers.get(name)?.();
    const fire = (): void => this.#step({ type: 'timer', at: this.#edges.clock.monotonicMs(), slot, turn, timer });
    this.#timers.set(name, this.app.edges.schedule.background(afterMs, fire));
  }

  async #recover({ slot, turn, reason }: Extract<HealEffect, { type: 'recover' }>): Promise<void> {
    const { app } = this;
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
    const { app } = this;
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

  get #isOutputDropped(): boolean {
    return [...this.#workers.values()].some(({ lastReport }) => lastReport?.report.log?.isDropping ?? false);
  }

  /** What a person has asked for and what has ended is a new beginning for the slots. */
  #noteOperation(at: number): void {
    const { operation } = this.app;
    if (operation !== null) {
      if (operation.id !== this.#ownOperation && operation.plan.isAsked) this.#seenOperation = operation.id;
      return;
    }
    if (this.#seenOperation === null) return;
    this.#seenOperation = null;
    for (const slot of this.app.slotNumbers) this.#step({ type: 'release', at, slot });
  }

  #sendTo(handle: WorkerHandle, message: Parameters<NonNullable<WorkerHandle['link']>['send']>[0]): void {
    if (handle.agentProtocol >= 2 || message.type === 'renew') handle.link?.send(message);
  }

  #tell(event: Omit<EventInput, 'app'>): void {
    this.app.edges.records.events.append({ app: this.app.app, ...event });
  }

  close(): void {
    for (const callOff of this.#timers.values()) callOff();
    for (const watch of this.#workers.values()) watch.close();
    this.#workers.clear();
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
