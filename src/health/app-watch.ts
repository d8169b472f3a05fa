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
  memoryShare,
  newDegrade,
  newOutliers,
  RECYCLE_POLICY,
  stepDegrade,
  stepOutliers,
  type AppHealth,
  type DegradeState,
  type OutlierEffect,
  type OutlierState,
  type WorkerFacts,
  type WorkerHealth,
} from '../core/index.ts';
import type { AppStatus, EventInput } from '../protocol/index.ts';
import { appStatusOf, canOverlap, type App, type Tenant, type WorkerHandle } from '../supervisor/index.ts';
import type { CoreWaits } from './core-waits.ts';
import type { HealthEdges } from './edges.ts';
import { Healer } from './healer.ts';
import { type GroupShare, WorkerWatch } from './worker-watch.ts';

const IN_BETWEEN: ReadonlySet<AppStatus> = new Set(['starting', 'stopping', 'stopped']);

/** Ready workers that are busier than this have more to do than they can. */
const OVERLOADED = 0.95;
/** Said longer ago it is not about now: a worker that has nothing to do reports every ten seconds only. */
const RECENT_MS = 3000;

/** Where it is kept what a worker of an app takes when it has started. */
export const startKey = (app: string): string => `start-rss:${app}`;

export class AppWatch {
  readonly app: App;
  readonly #edges: HealthEdges;
  readonly #cores: CoreWaits;
  readonly #workers = new Map<WorkerHandle, WorkerWatch>();
  readonly #healer: Healer;
  /** The share of its weight that each slot was given last. */
  readonly #factors = new Map<number, number>();
  /** What each worker may still take under the limits of the control group; null: as much as it likes, or replacing it is no help. */
  #groupShare: GroupShare | null = null;
  /** As read and written; null: not read yet, 0: nobody knows. */
  #startBytes: number | null = null;
  #outliers: OutlierState = newOutliers();
  #sweptAt = -Infinity;
  #degrade: DegradeState = newDegrade();
  /** Chosen to be replaced before it runs out of memory, and why. */
  #recycle: { readonly handle: WorkerHandle; readonly reason: string } | null = null;
  #health: AppHealth | null = null;
  #toldStatus: string | null = null;
  /** No worker has been ready since; null: one is. */
  #unreadySince: number | null = null;

  constructor(app: App, edges: HealthEdges, cores: CoreWaits) {
    this.app = app;
    this.#edges = edges;
    this.#cores = cores;
    this.#healer = new Healer(app, edges, (event) => this.#tell(event));
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
    // One that is shorter than the time between two looks is seen by what it does.
    this.#healer.noteOperation(at);
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
    this.#noteStart(watch, report.runtime.rssBytes);
    const before = this.#health?.down ?? [];
    for (const { type, name, critical, error } of watch.noteReport(report, at)) {
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
    this.#healer.noteOperation(at);
    const watches = app.holders.map((tenant) => this.find(tenant.handle));
    for (const watch of watches) if (watch !== null) this.#askByProbes(watch);
    this.#sweep(watches, at);
    this.#askForRoutes(watches);
    this.#groupShare = this.#shareGroup();
    this.#chooseRecycle(watches, at);
    const facts = app.holders.map((tenant, index) => this.#factsOf(tenant, watches[index] ?? null, at));
    const health = appHealth({
      status: appStatusOf(app),
      workers: facts,
      unreadyForMs: this.#unreadyFor(facts, at),
      heldBack: this.#outliers.held,
    });
    this.#health = health;
    for (const watch of watches) if (watch !== null) this.#compareBudgets(watch, at);
    health.workers.forEach((worker, index) => this.#route(watches[index] ?? null, worker, at));
    this.#healer.heal(health.workers, facts, at);
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

  #unreadyFor(facts: readonly WorkerFacts[], at: number): number | null {
    const isUnready = this.app.isWanted && facts.length > 0 && facts.every(({ phase }) => phase !== 'running');
    this.#unreadySince = isUnready ? (this.#unreadySince ?? at) : null;
    return this.#unreadySince === null ? null : at - this.#unreadySince;
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
      isQuarantined: this.#healer.isQuarantined(slot),
    };
    if (watch !== null) return watch.facts(at, this.app.state.config, this.#groupShare, standing);
    return {
      slot,
      generation: tenant.state.generation,
      phase: tenant.state.phase,
      isWanted: tenant.state.wanted === 'up',
      isLooping: tenant.isLooping,
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
    const countsRoutes = this.#countsRoutes;
    const samples = watches.flatMap((watch) =>
      watch === null || watch.handle.pid === null
        ? []
        : [watch.sample(at, this.#cores.isStarved(watch.handle.pid, at), countsRoutes)],
    );
    const step = stepOutliers(this.#outliers, samples, at, outliers);
    this.#outliers = step.state;
    for (const effect of step.effects) this.#tellOutlier(effect, at);
  }

  get #countsRoutes(): boolean {
    return this.app.state.config.metrics.routes > 0;
  }

  /** At every look while somebody is suspected, so that what is told lies within the time between two sweeps. */
  #askForRoutes(watches: readonly (WorkerWatch | null)[]): void {
    const isWanted = this.#outliers.wantsRoutes && this.#countsRoutes;
    for (const watch of watches) {
      if (watch === null) continue;
      if (isWanted && watch.isServing) void watch.routes.ask(this.app.edges.schedule);
      else watch.routes.forget();
    }
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
    const chosenBefore = this.find(this.#recycle?.handle ?? null);
    // Its siblings are not to run out of memory because it is left alone.
    if (chosenBefore === null || this.#healer.hasLeftAlone(chosenBefore.tenant.slot)) this.#recycle = null;
    const serving = watches.filter((watch) => watch !== null && watch.isServing) as readonly WorkerWatch[];
    const candidates = serving.flatMap((watch) => {
      const forecast = watch.forecast(config, this.#groupShare, at);
      // Only one successor has room in the group.
      if (forecast?.limit.isShared === true && this.#edges.isRecyclingBeside(this.app)) return [];
      const uptimeMs = watch.lastReport?.report.runtime.uptimeMs ?? 0;
      return forecast === null || this.#healer.hasLeftAlone(watch.tenant.slot)
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

  #shareGroup(): GroupShare | null {
    const group = this.#edges.groupMemory();
    if (group === null) return null;
    this.#startBytes ??= Number(this.#edges.memory.find(startKey(this.app.app)) ?? 0);
    const startBytes = this.#startBytes;
    if (startBytes === 0) return null;
    const shareBytes = memoryShare({ ...group, successorBytes: canOverlap(this.app) ? startBytes : 0 });
    return shareBytes === null ? null : { shareBytes, startBytes };
  }

  /** What a worker of this app takes when it has started, as the last one that did; outlives the daemon, as workers do. */
  #noteStart(watch: WorkerWatch, bytes: number): void {
    // One that was taken over has been up for who knows how long.
    if (watch.hasToldStart || watch.readyAt === null || !watch.handle.isChild) return;
    watch.hasToldStart = true;
    this.#startBytes = bytes;
    this.#edges.memory.put(startKey(this.app.app), String(bytes));
  }

  /** One of its workers is being replaced before it runs out of memory. */
  get isRecycling(): boolean {
    return this.#recycle !== null;
  }

  /** How long the slowest of those that serve took to be ready. */
  #startMs(serving: readonly WorkerWatch[], at: number): number {
    return Math.max(0, ...serving.map(({ handle, readyAt }) => (readyAt ?? at) - handle.spawnedAt));
  }

  get #isOutputDropped(): boolean {
    return [...this.#workers.values()].some(({ lastReport }) => lastReport?.report.log?.isDropping ?? false);
  }

  #sendTo(handle: WorkerHandle, message: Parameters<NonNullable<WorkerHandle['link']>['send']>[0]): void {
    if (handle.agentProtocol >= 2 || message.type === 'renew') handle.link?.send(message);
  }

  #tell(event: Omit<EventInput, 'app'>): void {
    this.app.edges.records.events.append({ app: this.app.app, ...event });
  }

  close(): void {
    this.#healer.close();
    for (const watch of this.#workers.values()) watch.close();
    this.#workers.clear();
  }
}
