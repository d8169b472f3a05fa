/**
 * One app: its slots, their tenants, and the one operation that may be changing them. Connects the pieces; what to do
 * is decided by the machines in `core/`.
 */
import { mayAcceptEarly, type WorkerPolicy } from '../core/index.ts';
import { freeMemoryBytes, usableCpus } from '../os/index.ts';
import {
  DroverError,
  type LoopBlock,
  type OperationDocument,
  type OperationKind,
  type ReceiptOutcome,
} from '../protocol/index.ts';
import {
  isOtherProgram,
  isSameWish,
  wishAfter,
  type AppChange,
  type AppListener,
  type AppState,
  type BeginOptions,
} from './app-state.ts';
import { Availability } from './availability.ts';
import { forgetOnceComplete, noteClosed } from './closed-ports.ts';
import type { SupervisorEdges } from './edges.ts';
import { identityOf } from './identity.ts';
import { ListenDesk } from './listen-desk.ts';
import type { UnfinishedOperation } from './operation-memory.ts';
import { OperationRun, type OperationOrigin, type OperationPlan } from './operation-run.ts';
import { KILL_AFTER_MS, patienceMs } from './patience.ts';
import { isHeldByOwn } from './own-sockets.ts';
import { newRegained } from './regained.ts';
import { regainPort } from './regain-ports.ts';
import { replaceOthers } from './replacements.ts';
import { Slots } from './slots.ts';
import { chooseSurge } from './surge.ts';
import type { Tenant, TenantHost } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

export class App implements TenantHost {
  readonly app: string;
  readonly edges: SupervisorEdges;
  readonly desk: ListenDesk;
  readonly slots: Slots;
  /** From where this daemon has what the one before held. */
  readonly regained = newRegained();
  readonly #listener: AppListener;
  readonly #availability: Availability;
  #state: AppState;
  #target: AppState;
  #run: OperationRun | null = null;
  #lastRun: OperationDocument | null = null;
  #isChanged = false;
  /** What the operator wants of an app whose workers end with the daemon. */
  #wantedAgain: AppState['wanted'] | null = null;

  constructor(edges: SupervisorEdges, state: AppState, listener: AppListener) {
    this.app = state.config.name;
    this.edges = edges;
    this.#state = state;
    this.#target = state;
    this.#listener = listener;
    this.slots = new Slots(this, (release) => ({
      ...(release === 'new' ? this.#target : this.#state),
      isChanged: release === 'new' && this.#isChanged,
    }));
    this.#availability = new Availability(edges, {
      holders: () => this.holders,
      // Half of the first wait: while nobody serves, a try is worth more than the cores it takes.
      spacingMs: () => this.#state.config.restart.backoff.initialMs / 2,
    });
    this.desk = new ListenDesk(edges, {
      app: this.app,
      uid: () => this.uid,
      sticky: () => this.#target.config.sticky,
      declaredPorts: () => this.#target.config.ports,
      isHeldByOwn: (address) => isHeldByOwn(this, address),
      isWanted: () => this.isWanted,
      regain: (address, from) => regainPort(this, address, from && [from]),
    });
  }

  get state(): AppState {
    return this.#state;
  }

  /** The state as the next daemon should find it. */
  get lasting(): AppState {
    return { ...this.#state, wanted: this.#wantedAgain ?? this.#state.wanted };
  }

  /** Null as well where there is no such user. */
  get uidIfKnown(): number | null {
    try {
      return this.uid;
    } catch {
      return null;
    }
  }

  /** Whom its next workers run as, where that is not the daemon's user. Throws DROVER_USER_UNKNOWN. */
  get uid(): number | null {
    return identityOf(this.#target.config)?.uid ?? null;
  }

  get isWanted(): boolean {
    return this.#state.wanted === 'up';
  }

  wants(slot: number): boolean {
    return this.isWanted && !this.#state.stoppedSlots.includes(slot);
  }

  get operation(): OperationRun | null {
    return this.#run;
  }

  get lastOperation(): OperationDocument | null {
    return this.#run?.document ?? this.#lastRun;
  }

  /** The slots that it should have. */
  get slotNumbers(): readonly number[] {
    return Array.from({ length: this.#state.instances }, (_, index) => index);
  }

  get holders(): readonly Tenant[] {
    return this.slots.holders;
  }

  get tenants(): readonly Tenant[] {
    return this.slots.tenants;
  }

  liveHandles(): readonly WorkerHandle[] {
    return this.tenants.flatMap(({ handle }) => (handle !== null && handle.pid !== null ? [handle] : []));
  }

  // ── operations ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes the wanted configuration known before the ports are opened; `begin` or the next `prepare` replaces it. */
  prepare(change: AppChange): void {
    if (this.#run === null) this.#target = { ...this.#state, ...change };
  }

  /** Throws DROVER_BUSY while an operation runs. */
  assertIdle(): void {
    if (this.#run === null) return;
    throw new DroverError('DROVER_BUSY', { app: this.app, kind: this.#run.kind, operation: this.#run.id });
  }

  /**
   * Begins an operation. Throws DROVER_BUSY while another one runs, and, for one that was asked for,
   * DROVER_STATE_UNWRITABLE: nothing has changed then.
   */
  begin(
    kind: OperationKind,
    change: AppChange,
    plan: Pick<OperationPlan, 'machine' | 'changes'>,
    { after, wants, slots = null, isAsked = true, request = null, alongside }: BeginOptions = {},
  ): OperationRun {
    this.assertIdle();
    const before = this.#state;
    const wish = wishAfter(before, { kind, changes: plan.changes, isAsked }, { wants, slots });
    const from = { ...before, ...wish };
    this.#target = { ...from, ...change };
    this.#isChanged = isOtherProgram(from, this.#target);
    const whole: OperationPlan = {
      kind,
      ...plan,
      // Only a reload has old workers to serve beside: whatever else boots, boots together.
      batchSize: plan.machine === 'reload' ? this.#batchSize(plan.changes.length) : plan.changes.length,
      from: from.release,
      to: this.#target.release,
      patienceMs: Math.max(patienceMs(from.config), patienceMs(this.#target.config)),
      isAsked,
      detail: change,
    };
    // What is wanted and what is done about it are written together, before anything happens.
    const write = (): OperationRun => {
      if (!isSameWish(wish, before)) this.#listener.onWanted(this, wish);
      alongside?.();
      return this.#open(whole, { request });
    };
    let run: OperationRun;
    try {
      run = isAsked ? this.edges.records.transaction(write) : this.#open(whole);
    } catch (error) {
      this.#target = before;
      this.#isChanged = false;
      throw error;
    }
    this.#state = from;
    this.#carry(run);
    void run.begin(after);
    return run;
  }

  /** An operation that an earlier daemon did not end: known from now on, and gone on with by {@link OperationRun.resume}. */
  takeOver(unfinished: UnfinishedOperation): OperationRun {
    const { memory } = unfinished;
    this.#target = { ...this.#state, ...memory.plan.detail };
    this.#isChanged = isOtherProgram(this.#state, this.#target);
    const run = this.#open(memory.plan, { unfinished });
    this.#carry(run);
    this.#listener.onOperation(this, run);
    return run;
  }

  #open(plan: OperationPlan, origin: OperationOrigin = {}): OperationRun {
    return new OperationRun(this, plan, (changed) => this.#listener.onOperation(this, changed), origin);
  }

  #carry(run: OperationRun): void {
    this.#run = run;
    // First: whatever becomes of it, the app is free once it has ended.
    void run.ended.then((document) => this.#settle(document));
    this.#listener.onState(this);
  }

  /**
   * What the next process of a worker of that release runs with. A release that the app does not know (its state fell
   * back to one before it) has none: who replaces such a worker is of the release that the app has.
   */
  sourceOf(release: number): Pick<AppState, 'config' | 'release'> {
    const { config, release: known } = release === this.#target.release ? this.#target : this.#state;
    return { config, release: known };
  }

  /** Its workers are to end with the daemon; what the operator wants stays as it is. */
  standDown(): void {
    this.#wantedAgain = this.#state.wanted;
    this.#state = { ...this.#state, wanted: 'stopped' };
    this.#target = { ...this.#target, wanted: 'stopped' };
  }

  conclude(kind: OperationKind, outcome: ReceiptOutcome): void {
    if (kind === 'delete') return this.#listener.onDeleted(this);
    const isKept = outcome === 'completed' || kind === 'start' || kind === 'restart';
    if (isKept) this.#state = this.#target;
    else this.#target = this.#state;
    this.#listener.onState(this);
  }

  #settle(document: OperationDocument): void {
    const ended = this.#run;
    // First of all: whatever follows from it, the app is free for the next one.
    this.#run = null;
    this.#lastRun = document;
    this.#isChanged = false;
    this.#dropSurplus();
    if (document.receipt?.outcome === 'completed') forgetOnceComplete(this);
    // Who was to be put back, or died while no daemon looked: nothing that is wanted is ever given up.
    if (this.#state.wanted !== 'up') return;
    for (const index of ended?.filledSlots ?? []) {
      if (index < this.#state.instances && this.slots.isVacant(index)) this.slots.boot(index, 'old');
    }
    if (document.receipt?.outcome !== 'completed' && ended?.plan.isAsked === true) void replaceOthers(this);
    this.#removeSurplus();
  }

  /** What it should not have goes: shards that nobody needs, and workers. */
  dismissSurplus(): void {
    if (this.#run !== null || !this.isWanted) return;
    this.#dropSurplus();
    this.#removeSurplus();
  }

  /** Workers that it should not have, as a state that fell back to an older one leaves them, go like those of a scaling. */
  #removeSurplus(): void {
    if (this.#run !== null) return;
    const { instances, stoppedSlots } = this.#state;
    const changes = this.slots.all
      .filter(({ index }) => index >= instances || stoppedSlots.includes(index))
      .filter(({ holder }) => holder?.state.wanted === 'up')
      .map(({ index }) => ({ slot: index, action: 'remove' }) as const);
    if (changes.length > 0) this.begin('scale', {}, { machine: 'scale', changes }, { isAsked: false });
  }

  /**
   * Nobody is left in slots that it should not have: their shards go once a sibling has emptied their queues, also those
   * of slots that an earlier daemon has emptied.
   */
  #dropSurplus(): void {
    const { instances } = this.#state;
    this.slots.dropEmpty(instances);
    // Nobody accepts yet as far as we know, and a queue that nobody empties would be reset.
    if (this.awaitsWord) return;
    const { traffic } = this.edges;
    const views = new Map(traffic.view(this.app).map(({ key, shards }) => [key, shards]));
    for (const port of traffic.ports(this.app)) {
      for (const { slot } of views.get(port.key) ?? []) {
        if (slot >= instances && this.slots.find(slot) === null) void port.giveUp(slot);
      }
    }
  }

  /** Somebody was taken over and has not said yet what it listens on: it may serve any of the ports. */
  get awaitsWord(): boolean {
    return this.liveHandles().some((handle) => handle.adoption !== null && !handle.isHeard);
  }

  #batchSize(count: number): number {
    const { surge } = this.#target.config;
    if (surge !== 'auto') return surge;
    const sizes = this.liveHandles().map((handle) => handle.lastReport?.runtime.rssBytes ?? 0);
    return chooseSurge({
      slots: count,
      workerBytes: Math.max(0, ...sizes),
      freeBytes: freeMemoryBytes(),
      cpus: usableCpus(),
    });
  }

  // ── what tenants ask ───────────────────────────────────────────────────────────────────────────────────────────

  policy(tenant: Tenant): WorkerPolicy {
    const { config } = tenant;
    const ready = this.holders.filter((holder) => holder.state.phase === 'running').length;
    return {
      // A replacement gets one try: when it fails, the operation decides, not the restart policy.
      restart: tenant.isReplacement ? { ...config.restart, policy: 'never' } : config.restart,
      readyTimeoutMs: config.ready.timeoutMs,
      drainTimeoutMs: config.drain.timeoutMs,
      killAfterMs: KILL_AFTER_MS,
      isShortOfWorkers: ready * 2 < this.#target.instances,
      nextGeneration: (this.slots.find(tenant.slot)?.lastGeneration ?? 0) + 1,
    };
  }

  get isAnyReady(): boolean {
    // One whose process has just ended still counts as running until its last words are read.
    return this.tenants.some(
      ({ state, handle, isReplacement }) => state.phase === 'running' && handle?.pid !== null && !isReplacement,
    );
  }

  mayAcceptEarly(tenant: Tenant): boolean {
    return mayAcceptEarly({
      hasListened: (tenant.handle?.listening.length ?? 0) > 0,
      waitsOnlyForStability: true,
      isReplacement: tenant.isReplacement,
      isAnyWorkerReady: this.isAnyReady,
    });
  }

  mayAcceptAtOnce(tenant: Tenant): boolean {
    if (tenant.isReplacement || this.isAnyReady || this.needsReadySignal(tenant)) return false;
    const { startup, readiness } = tenant.config.probes;
    // It is to show first that it can serve.
    if (startup !== undefined || readiness !== undefined) return false;
    return this.desk.expectedPorts(tenant).length <= 1;
  }

  needsReadySignal(tenant: Tenant): boolean {
    const { signal } = tenant.config.ready;
    return signal === 'auto' ? this.#state.readySignalSeen : signal;
  }

  onReadySignal(): void {
    if (this.#state.readySignalSeen) return;
    this.#state = { ...this.#state, readySignalSeen: true };
    this.#target = { ...this.#target, readySignalSeen: true };
    this.#listener.onState(this);
  }

  onHello(tenant: Tenant): void {
    const { handle, state } = tenant;
    handle?.adoption?.hear();
    // What had to wait for the last of those that were taken over.
    if (handle?.adoption && this.#run === null) this.edges.schedule.soon(() => this.dismissSurplus());
    // It was asked to go before its agent could hear it.
    if (handle?.link && (state.phase === 'draining' || state.phase === 'aborting')) tenant.drainAgain();
    if (handle !== null) this.#listener.health?.greeted(this, tenant, handle);
  }

  onServerClosed(tenant: Tenant, key: string | null): void {
    noteClosed(this, tenant, key);
  }

  onBlocked(tenant: Tenant, handle: WorkerHandle, block: LoopBlock): void {
    this.#listener.health?.blocked(this, tenant, handle, block);
  }

  onReport(tenant: Tenant, handle: WorkerHandle): void {
    this.#listener.health?.reported(this, tenant, handle);
  }

  onPong(tenant: Tenant, handle: WorkerHandle, id: number): void {
    this.#listener.health?.answered(this, tenant, handle, id);
  }

  missingHealth(tenant: Tenant): readonly string[] {
    return this.#listener.health?.missing(this, tenant) ?? [];
  }

  onTenantChanged(tenant: Tenant): void {
    this.slots.note(tenant);
    this.#listener.health?.changed(this, tenant);
    if (tenant.state.phase === 'running' && tenant.handle !== null && !tenant.handle.isLearned) {
      tenant.handle.isLearned = true;
      this.desk.learn(tenant.handle);
    }
    this.#run?.onTenant(tenant);
    if (tenant.state.phase === 'running') this.#availability.noteReady();
    if (this.#state.wanted === 'up') this.#availability.look();
  }

  close(): void {
    this.#run?.close();
    this.#availability.close();
    for (const tenant of this.tenants) tenant.close();
  }
}
