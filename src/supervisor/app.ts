/**
 * One app: its slots, their tenants, and the one operation that may be changing them. Connects the pieces; what to do
 * is decided by the machines in `core/`.
 */
import { mayAcceptEarly, type WorkerPolicy } from '../core/index.ts';
import { freeMemoryBytes, usableCpus } from '../os/index.ts';
import { DroverError, type OperationDocument, type OperationKind } from '../protocol/index.ts';
import { isOtherProgram, type AppChange, type AppListener, type AppState, type BeginOptions } from './app-state.ts';
import { Availability } from './availability.ts';
import type { SupervisorEdges } from './edges.ts';
import { identityOf } from './identity.ts';
import { ListenDesk } from './listen-desk.ts';
import { OperationRun, type OperationPlan, type SlotHands } from './operation-run.ts';
import { KILL_AFTER_MS, patienceMs } from './patience.ts';
import { Slot } from './slot.ts';
import { chooseSurge } from './surge.ts';
import { Tenant, type TenantHost } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

export class App implements TenantHost, SlotHands {
  readonly app: string;
  readonly edges: SupervisorEdges;
  readonly desk: ListenDesk;
  readonly slots = new Map<number, Slot>();
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
    this.#availability = new Availability(edges.clock, {
      holders: () => this.holders,
      // Half of the first wait: while nobody serves, a try is worth more than the cores it takes.
      spacingMs: () => this.#state.config.restart.backoff.initialMs / 2,
    });
    this.desk = new ListenDesk(edges, {
      app: this.app,
      uid: () => this.uid,
      sticky: () => this.#target.config.sticky,
      declaredPorts: () => this.#target.config.ports,
    });
  }

  get state(): AppState {
    return this.#state;
  }

  /** The state as the next daemon should find it. */
  get lasting(): AppState {
    return { ...this.#state, wanted: this.#wantedAgain ?? this.#state.wanted };
  }

  /** Whom its next workers run as, where that is not the daemon's user. Throws DROVER_USER_UNKNOWN. */
  get uid(): number | null {
    return identityOf(this.#target.config)?.uid ?? null;
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
    return [...this.slots.values()].map((slot) => slot.holder).filter((tenant) => tenant !== null);
  }

  get tenants(): readonly Tenant[] {
    return [...this.slots.values()].flatMap((slot) => slot.tenants);
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
    { after, wants, isAsked = true }: BeginOptions = {},
  ): OperationRun {
    this.assertIdle();
    const before = this.#state;
    const from = wants === undefined ? before : { ...before, wanted: wants };
    this.#target = { ...from, ...change };
    this.#isChanged = isOtherProgram(from, this.#target);
    const open = (): OperationRun =>
      new OperationRun(
        this,
        {
          kind,
          ...plan,
          // Only a reload has old workers to serve beside: whatever else boots, boots together.
          batchSize: plan.machine === 'reload' ? this.#batchSize(plan.changes.length) : plan.changes.length,
          from: from.release,
          to: this.#target.release,
          patienceMs: Math.max(patienceMs(from.config), patienceMs(this.#target.config)),
          isAsked,
          detail: change,
        },
        (changed) => this.#listener.onOperation(this, changed),
      );
    // What is wanted and what is done about it are written together, before anything happens.
    const write = (): OperationRun => {
      if (wants !== undefined) this.#listener.onWanted(this, wants);
      return open();
    };
    let run: OperationRun;
    try {
      run = isAsked ? this.edges.records.transaction(write) : open();
    } catch (error) {
      this.#target = before;
      this.#isChanged = false;
      throw error;
    }
    this.#state = from;
    this.#run = run;
    this.#listener.onState(this);
    void run.ended.then((document) => this.#settle(document));
    void run.begin(after);
    return run;
  }

  /** Its workers are to end with the daemon; what the operator wants stays as it is. */
  standDown(): void {
    this.#wantedAgain = this.#state.wanted;
    this.#state = { ...this.#state, wanted: 'stopped' };
    this.#target = { ...this.#target, wanted: 'stopped' };
  }

  #settle(document: OperationDocument): void {
    const isKept =
      document.receipt?.outcome === 'completed' || document.kind === 'start' || document.kind === 'restart';
    if (isKept) this.#state = this.#target;
    else this.#target = this.#state;
    this.#run = null;
    this.#lastRun = document;
    this.#isChanged = false;
    this.#dropEmptySlots();
    if (document.receipt?.outcome === 'completed') this.#forgetUnserved();
    this.#listener.onState(this);
  }

  #forgetUnserved(): void {
    if (this.#state.wanted !== 'up' || !this.holders.some((tenant) => tenant.state.phase === 'running')) return;
    for (const label of this.desk.forgetUnserved(this.liveHandles())) {
      this.edges.records.events.append({
        app: this.app,
        type: 'port-vanished',
        reason: `No worker listens on ${label} any more`,
      });
    }
  }

  /** Slots that scaling removed, once nobody is left in them. */
  #dropEmptySlots(): void {
    for (const slot of this.slots.values()) {
      const isOver = slot.tenants.every(isAtRest);
      if (!isOver || slot.index < this.#state.instances) continue;
      for (const tenant of slot.tenants) tenant.close();
      this.slots.delete(slot.index);
    }
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

  // ── what operations do to slots ────────────────────────────────────────────────────────────────────────────────

  boot(index: number, release: 'new' | 'old'): Tenant {
    const slot = this.#slot(index);
    const source = release === 'new' ? this.#target : this.#state;
    const pending = slot.replacement ?? (slot.holder?.state.wanted === 'up' ? null : slot.holder);
    // The effect may be sent twice after a daemon restart: the tenant that it made is the answer.
    if (slot.replacement !== null) return slot.replacement;
    const isFirst = slot.holder === null || pending === slot.holder;
    if (slot.holder !== null && isFirst) this.#dismiss(slot, slot.holder);
    const tenant = new Tenant(this, {
      slot: index,
      config: source.config,
      release: source.release,
      isChanged: release === 'new' && this.#isChanged,
      isReplacement: !isFirst,
    });
    if (isFirst) slot.holder = tenant;
    else slot.replacement = tenant;
    tenant.start();
    return tenant;
  }

  /** The slot has another tenant: this one stays only until it is gone. */
  #dismiss(slot: Slot, tenant: Tenant): void {
    if (isAtRest(tenant)) tenant.close();
    else slot.leaving.add(tenant);
  }

  handOver(index: number): Tenant | null {
    const slot = this.#slot(index);
    const leaving = slot.handOver();
    // The new one accepts before the old one stops: the queue is theirs in common, so nothing waits for nobody.
    slot.holder?.accept();
    leaving?.stop();
    return leaving;
  }

  discard(index: number): Tenant | null {
    const slot = this.#slot(index);
    const tenant = slot.replacement;
    if (tenant === null) return null;
    slot.replacement = null;
    slot.leaving.add(tenant);
    tenant.stop();
    return tenant;
  }

  stop(index: number): Tenant | null {
    const slot = this.#slot(index);
    const tenant = slot.holder;
    if (tenant === null) return null;
    tenant.stop();
    return tenant;
  }

  /** Gives an adopted worker its place: the newest that serves holds the slot, older ones leave. */
  settle(tenant: Tenant, record: { readonly generation: number; readonly pid: number; readonly phase: string }): void {
    const slot = this.#slot(tenant.slot);
    slot.lastGeneration = Math.max(slot.lastGeneration, record.generation);
    const isServing = record.phase === 'running';
    const isLeaving = record.phase !== 'running' && record.phase !== 'starting';
    const isUnfinished = slot.holder !== null && !isServing;
    if (!isLeaving && !isUnfinished) {
      if (slot.holder !== null) slot.leaving.add(slot.holder);
      slot.holder = tenant;
    } else {
      slot.leaving.add(tenant);
    }
    const at = this.edges.clock.monotonicMs();
    tenant.step({ type: 'adopt', at, generation: record.generation, pid: record.pid, isReady: isServing });
    for (const old of slot.leaving) if (old.state.wanted === 'up') old.stop();
  }

  /** A worker that was taken over and cannot be spoken to: it serves, but could never be drained. */
  async replaceSilent(tenant: Tenant, reason: string): Promise<void> {
    while (this.#run !== null) await this.#run.ended;
    const isHolder = this.slots.get(tenant.slot)?.holder === tenant;
    if (!isHolder || tenant.state.phase !== 'running' || this.#state.wanted !== 'up') return;
    this.edges.records.events.append({ app: this.app, worker: tenant.id, type: 'worker-hung', reason });
    this.begin(
      'reload',
      {},
      { machine: 'reload', changes: [{ slot: tenant.slot, action: 'replace' }] },
      { isAsked: false },
    );
  }

  /** A slot that scaling removed: its shards are given up once a sibling has emptied their queues. */
  removeSlot(index: number): void {
    for (const port of this.edges.traffic.ports(this.app)) void port.giveUp(index);
  }

  #slot(index: number): Slot {
    const found = this.slots.get(index);
    if (found !== undefined) return found;
    const slot = new Slot(index);
    this.slots.set(index, slot);
    return slot;
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
      nextGeneration: (this.slots.get(tenant.slot)?.lastGeneration ?? 0) + 1,
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
    // It was asked to go before its agent could hear it.
    if (handle?.link && (state.phase === 'draining' || state.phase === 'aborting')) tenant.drainAgain();
  }

  onServerClosed(tenant: Tenant): void {
    const isLeaving = tenant.state.phase !== 'running' && tenant.state.phase !== 'starting';
    if (isLeaving || this.#run !== null) return;
    this.#forgetUnserved();
  }

  onTenantChanged(tenant: Tenant): void {
    const slot = this.slots.get(tenant.slot);
    if (slot !== undefined) {
      slot.lastGeneration = Math.max(slot.lastGeneration, tenant.state.generation);
      if (slot.leaving.has(tenant) && isAtRest(tenant)) {
        slot.leaving.delete(tenant);
        tenant.close();
      }
    }
    if (tenant.state.phase === 'running' && tenant.handle !== null && !tenant.handle.isLearned) {
      tenant.handle.isLearned = true;
      this.desk.learn(tenant.handle);
    }
    this.#run?.onTenant(tenant);
    if (this.#state.wanted === 'up') this.#availability.look();
  }

  close(): void {
    this.#run?.close();
    this.#availability.close();
    for (const tenant of this.tenants) tenant.close();
  }
}

const isAtRest = (tenant: Tenant): boolean => tenant.state.phase === 'stopped' || tenant.state.phase === 'crashed';
