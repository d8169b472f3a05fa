/**
 * One tenant of a slot: a worker machine (`core/worker.ts`) and the process it has at the moment. A reload gives a
 * slot a second tenant; once traffic is handed over, the first one leaves.
 *
 * This file connects the machine to the world: events in (process, agent, timers), effects out (`run-effects.ts`).
 */
import {
  describeExit,
  finalExit,
  isCrash,
  loadingUntil,
  newWorker,
  readinessAt,
  stepWorker,
  type Exit,
  type ExpectedPort,
  type Readiness,
  type WorkerEvent,
  type WorkerPolicy,
  type WorkerState,
  type WorkerTimer,
} from '../core/index.ts';
import type { AppConfig, LoopBlock, WorkerRole } from '../protocol/index.ts';
import { receiveMessage } from './agent-messages.ts';
import { accountForExit } from './exit-account.ts';
import type { SupervisorEdges } from './edges.ts';
import { hearLoop } from './hear-loop.ts';
import { labelOf, type ListenDesk } from './listen-desk.ts';
import { endLogDrops } from './log-drops.ts';
import { askToDrain, runEffect } from './run-effects.ts';
import type { StartedProcess } from './processes.ts';
import { wait } from './schedule.ts';
import { openTimers, type NamedTimers } from './timers.ts';
import type { WorkerHandle } from './worker-handle.ts';
import { recordEnd } from './worker-record.ts';

/** What a tenant needs from the app it belongs to, and tells it. */
export interface TenantHost {
  readonly app: string;
  readonly edges: SupervisorEdges;
  readonly desk: ListenDesk;
  /** Somebody is to be in that slot: nobody is started otherwise. */
  wants(slot: number): boolean;
  policy(tenant: Tenant): WorkerPolicy;
  /** Nobody of this app is ready: a worker that only waits for `stableFor` may accept. */
  mayAcceptEarly(tenant: Tenant): boolean;
  /** Known before the spawn: nobody else serves, so it may accept without asking. */
  mayAcceptAtOnce(tenant: Tenant): boolean;
  needsReadySignal(tenant: Tenant): boolean;
  onReadySignal(tenant: Tenant): void;
  onHello(tenant: Tenant, handle: WorkerHandle): void;
  /** `key`: of the port, null where it was none of ours. */
  onServerClosed(tenant: Tenant, key: string | null): void;
  onReport(tenant: Tenant, handle: WorkerHandle): void;
  onPong(tenant: Tenant, handle: WorkerHandle, id: number): void;
  /** What its health has to show yet before it counts as ready, in words. */
  missingHealth(tenant: Tenant): readonly string[];
  /** The watchdog of a worker says that its event loop is blocked now. */
  onBlocked(tenant: Tenant, handle: WorkerHandle, block: LoopBlock): void;
  /** Something about the tenant changed: phase, readiness, acceptance, process. */
  onTenantChanged(tenant: Tenant): void;
}

/** Node takes a fraction of this to load, also on a busy machine. */
const SILENT_AGENT_MS = 5000;

/** The machine's timers, and the wait for `stableFor`. */
export type TenantTimer = WorkerTimer | 'settle';
/** What a worker does not do in this time is held against it. */
const PATIENT_TIMERS: readonly TenantTimer[] = ['ready', 'drain', 'kill'];

export class Tenant {
  readonly host: TenantHost;
  readonly slot: number;
  readonly config: AppConfig;
  readonly release: number;
  /** Anything of script, arguments, environment or release differs from what learned the app's ports. */
  readonly isChanged: boolean;
  /** The order of an operation that it was made for, if any: given again after a daemon restart, it finds its answer. */
  readonly order: string | null;
  #role: WorkerRole;
  state: WorkerState = newWorker();
  handle: WorkerHandle | null = null;
  /** When the current backoff ends; null outside it. */
  backoffUntil: number | null = null;
  /** What readiness waits for, at the last look. */
  missing: readonly string[] = [];
  readonly timers: NamedTimers<TenantTimer>;

  constructor(
    host: TenantHost,
    facts: {
      readonly slot: number;
      readonly config: AppConfig;
      readonly release: number;
      readonly isChanged: boolean;
      readonly role: WorkerRole;
      readonly order: string | null;
    },
  ) {
    this.host = host;
    this.timers = openTimers(host.edges.schedule, PATIENT_TIMERS);
    this.slot = facts.slot;
    this.config = facts.config;
    this.release = facts.release;
    this.isChanged = facts.isChanged;
    this.#role = facts.role;
    this.order = facts.order;
  }

  get id(): string {
    return `${this.host.app}/${this.slot}`;
  }

  get role(): WorkerRole {
    return this.#role;
  }

  /** It accepts nothing before its hand-over: others serve. */
  get isReplacement(): boolean {
    return this.#role === 'replacement';
  }

  /** What it is in its slot from now on; on record before anything comes of it. */
  assume(role: WorkerRole): void {
    if (this.#role === role) return;
    this.#role = role;
    const { handle } = this;
    if (handle === null || handle.pid === null) return;
    const key = { app: this.host.app, slot: this.slot, generation: handle.generation };
    this.host.edges.records.workers.setRole(key, role);
  }

  get at(): number {
    return this.host.edges.clock.monotonicMs();
  }

  step(event: WorkerEvent): void {
    const before = this.state;
    const { state, effects } = stepWorker(before, event, this.host.policy(this));
    this.state = state;
    if (this.handle !== null && state.phase !== before.phase && this.handle.pid !== null) {
      this.host.edges.records.workers.setPhase(
        { app: this.host.app, slot: this.slot, generation: this.handle.generation },
        state.phase,
      );
    }
    for (const effect of effects) runEffect(this, effect);
    this.host.onTenantChanged(this);
  }

  start(): void {
    this.step({ type: 'start', at: this.at });
  }

  stop(): void {
    this.step({ type: 'stop', at: this.at });
  }

  kill(): void {
    this.step({ type: 'kill', at: this.at });
  }

  /** Called by the spawn effect once a process exists. */
  attach(handle: WorkerHandle, started: StartedProcess): void {
    this.handle = handle;
    handle.isChild = true;
    started.onEnd((code, signal) => this.onExit(handle, code, signal));
  }

  onExit(handle: WorkerHandle, code: number | null, signal: string | null): void {
    void endWorker(this, handle, code, signal);
  }

  receive(handle: WorkerHandle, message: Parameters<typeof receiveMessage>[2]): void {
    receiveMessage(this, handle, message);
  }

  /** Looks whether the worker is ready now, and else when to look again. */
  checkReadiness(): Readiness | null {
    const { handle } = this;
    if (handle === null || handle.pid === null || this.state.phase !== 'starting') return null;
    const readiness = readinessAt(
      {
        aliveSince: this.#aliveSince(handle),
        expected: [...this.host.desk.expectedPorts(this), ...pendingPorts(handle)],
        anyListenerCounts: this.isChanged,
        listeners: handle.listening.map((server) => ({
          key: server.key,
          port: server.address.kind === 'tcp' ? server.address.port : null,
          since: server.since ?? handle.spawnedAt,
        })),
        needsSignal: this.host.needsReadySignal(this),
        signalledAt: handle.signalledReadyAt,
        missingHealth: this.host.missingHealth(this),
        stableForMs: this.config.ready.stableForMs,
        mayLoadUntil: this.#mayLoadUntil(handle),
      },
      this.at,
    );
    this.missing = readiness.status === 'waiting' ? readiness.missing : [];
    if (readiness.status === 'ready') this.becomeReady(handle);
    if (readiness.status === 'unheard') void hearLoop(this, handle, readiness.until);
    if (readiness.status === 'settling') {
      this.timers.arm('settle', readiness.at - this.at, () => void this.checkReadiness());
      if (handle.listening.length > 0 && this.host.mayAcceptEarly(this)) this.accept();
    }
    return readiness;
  }

  /** An agent that does not come at all must not keep a worker from its service for ever. */
  #aliveSince(handle: WorkerHandle): number {
    return handle.loadedAt ?? handle.helloAt ?? handle.spawnedAt + (this.isAgentless ? 0 : SILENT_AGENT_MS);
  }

  #mayLoadUntil({ helloAt, loop, isAgentHere }: WorkerHandle): number | null {
    return helloAt === null || loop === 'heard' || !isAgentHere ? null : loadingUntil(helloAt, this.config.ready);
  }

  /** A worker that began to listen after it counted as ready: what it holds for `stableFor` is what the app serves. */
  watchLateListener(handle: WorkerHandle): void {
    if (this.state.phase !== 'running') return;
    this.timers.arm('settle', this.config.ready.stableForMs, () => {
      if (this.state.phase === 'running') this.host.desk.learn(handle);
    });
  }

  /** Lets the worker accept from its public sockets. */
  accept(): void {
    const { handle } = this;
    if (handle === null || handle.isAccepting || handle.isLeaving || handle.pid === null) return;
    handle.isAccepting = true;
    handle.link?.send({ type: 'accept' });
    this.host.desk.attach(this, handle);
    this.host.onTenantChanged(this);
  }

  /** A program that no agent has come to: nothing is known but that it lives and what it listens on. */
  get isAgentless(): boolean {
    return this.config.command.kind === 'program' && this.handle?.isAgentHere !== true;
  }

  /** The connection of an agent behind a wrapper ended: its process is gone, and the wrapper may live on. */
  loseAgent(handle: WorkerHandle): void {
    handle.loseAgent();
    if (handle.pid === null || this.handle !== handle) return;
    // Siblings accept in its place; an agent that comes back says whether it still does.
    this.host.desk.detach(handle);
    handle.isAccepting = false;
    handle.servers.clear();
    const hasEnded = handle.drain !== null || handle.exitWord !== null;
    const isLeaving = this.state.wanted !== 'up' && this.state.phase !== 'starting';
    // Some wrappers wait for their next run, or for a key: now there is nothing left that they could cut short.
    if (hasEnded && isLeaving) this.host.edges.processes.signalTree(handle, 'SIGTERM');
    this.host.onTenantChanged(this);
  }

  /** The agent came up after the worker had been asked to go. */
  drainAgain(): void {
    if (this.handle !== null) askToDrain(this, this.handle);
  }

  /** It crashed more often than `restart.crashLoop` lets pass, and has not held out since. */
  get isLooping(): boolean {
    return this.state.loops > 0;
  }

  /** It ended well and for good, as its restart policy has it, before it could count as ready; nothing was expected to be served. */
  get hasDoneItsJob(): boolean {
    const { phase, wanted, lastExit } = this.state;
    const isDone = phase === 'stopped' && wanted === 'up' && lastExit?.cause === 'clean';
    return isDone && !this.isReplacement && this.host.desk.expectedPorts(this).length === 0;
  }

  /** What readiness waits for, to be put behind that it has not come; empty where nothing is known to be missing. */
  get waiting(): string {
    return this.missing.length === 0 ? '' : `, waiting for ${this.missing.join(', ')}`;
  }

  /** Why it did not get ready, in words. */
  failure(): string {
    const { state } = this;
    if (state.phase === 'aborting') {
      return `was not ready after ${this.config.ready.timeoutMs} ms${this.waiting}`;
    }
    return state.lastExit === null ? 'did not start' : describeExit(state.lastExit);
  }

  /** What there is to say about its state; null when all is well. */
  explanation(): string | null {
    const { state } = this;
    if (state.phase === 'running') return null;
    const exit = state.lastExit === null ? null : describeExit(state.lastExit);
    if (state.phase !== 'starting' || this.missing.length === 0) return exit;
    // Until it is up, what ended it before is the news: it may well do so again.
    return `waiting for ${this.missing.join(', ')}${exit === null ? '' : `; before that it ${exit}`}`;
  }

  private becomeReady(handle: WorkerHandle): void {
    this.step({ type: 'ready', at: this.at, generation: handle.generation });
    if (!this.isReplacement) this.accept();
  }

  close(): void {
    this.timers.close();
    this.handle?.adoption?.close();
    this.handle?.link?.close();
  }
}

/** Ports that the worker has asked for and does not listen on yet: it is not done with starting. */
const pendingPorts = (handle: WorkerHandle): readonly ExpectedPort[] =>
  [...handle.servers.values()]
    .filter((server) => server.since === null)
    .map((server) => ({ label: labelOf(server.address), matches: (key) => key === server.key }));

/** How long the last words of a worker that is gone may take to arrive. They are usually there before its exit is. */
const LAST_WORDS_MS = 100;

/** By then the next worker has been started. */
const SWEEP_AFTER_MS = 50;

/** The process is gone: let siblings take over at once, hear its last words, settle its accounts, tell the machine. */
const endWorker = async (
  tenant: Tenant,
  handle: WorkerHandle,
  code: number | null,
  signal: string | null,
): Promise<void> => {
  const { edges } = tenant.host;
  const { link } = handle;
  tenant.timers.disarm('settle');
  tenant.host.desk.detach(handle);
  handle.pid = null;
  handle.isAccepting = false;
  // Whoever can serve in its place need not wait for its last words.
  tenant.host.onTenantChanged(tenant);
  if (link !== null) await Promise.race([link.ended, wait(edges.schedule, LAST_WORDS_MS)]);
  link?.close();
  handle.servers.clear();
  const exit: Exit = accountForExit(edges.oomKills, handle, code, signal);
  try {
    handle.adoption?.end(exit);
    endLogDrops(tenant, handle);
    edges.onDescriptorsChanged();
    const isWanted = tenant.state.wanted === 'up';
    // After a stop, "stopped" means that nobody is left. After a crash the next one must not wait, not even for the look
    // at every process of the machine; but where workers bind by themselves, what was left behind may hold the port.
    if (!isWanted) await edges.processes.sweep(handle, true);
    else if (tenant.isAgentless) void edges.processes.sweep(handle, false);
    else edges.schedule.background(SWEEP_AFTER_MS, () => void edges.processes.sweep(handle, false));
    const final = tenant.isReplacement ? null : finalExit(tenant.state, exit, tenant.host.policy(tenant));
    if (final === null) edges.records.workers.remove(handle);
    else recordEnd(tenant, handle, final);
    if (isCrash(exit, tenant.state.ending, tenant.state.hasBeenReady)) {
      handle.lastWords = edges.output.lastWords(tenant.host.app, tenant.slot, handle.generation);
    }
  } finally {
    // Whatever fails there is told as a defect; the machine hears of the end in any case, or nobody would follow.
    tenant.step({ type: 'exited', at: tenant.at, generation: handle.generation, exit });
    // A start that fails before there is a process is told with this handle too.
    handle.lastWords = [];
  }
};
