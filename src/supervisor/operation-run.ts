/**
 * Carries one operation through: feeds its machine (`core/operation.ts`) with what happens to the tenants, carries out
 * its effects on the slots, writes each step to the state first, and ends it once, with a receipt.
 */
import {
  newOperation,
  stepOperation,
  type OperationEffect,
  type OperationEvent,
  type OperationOutcome,
  type OperationState,
  type SlotChange,
} from '../core/index.ts';
import type { OperationDocument, OperationKind, ReceiptDocument, ReceiptStep } from '../protocol/index.ts';
import type { SupervisorEdges } from './edges.ts';
import { FAILED_STARTS_TO_FAIL } from './patience.ts';
import { ReceiptBook } from './receipt.ts';
import type { Tenant } from './tenant.ts';
import { openTimers } from './timers.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** What an operation does to the slots of its app. Each returns the tenant whose answer is awaited; null: there is none. */
export interface SlotHands {
  readonly app: string;
  readonly edges: SupervisorEdges;
  boot(slot: number, release: 'new' | 'old'): Tenant;
  handOver(slot: number): Tenant | null;
  discard(slot: number): Tenant | null;
  stop(slot: number): Tenant | null;
  liveHandles(): readonly WorkerHandle[];
}

export interface OperationPlan {
  readonly kind: OperationKind;
  readonly machine: Parameters<typeof newOperation>[0];
  readonly changes: readonly SlotChange[];
  readonly batchSize: number;
  readonly from: number | null;
  readonly to: number | null;
  /** Without any progress for this long, something is wrong that nobody foresaw. */
  readonly patienceMs: number;
  /** Somebody asked for it: it does not begin where it cannot be written. */
  readonly isAsked: boolean;
  /** Kept with the state, so that a new daemon can resume it. */
  readonly detail: unknown;
}

interface Awaited {
  readonly answer: 'boot' | 'old-boot' | 'drain' | 'discard';
  readonly tenant: Tenant;
  readonly turn: number;
  /** What was answered so far. A replacement that is up may still die before its hand-over. */
  readonly answered: 'nothing' | 'booted' | 'failed';
}

/** A worker whose loop is blocked cannot answer; its last report is taken then. */
const FRESH_REPORT_MS = 250;
const LOG_LINES_SHOWN = 20;

export class OperationRun {
  readonly id: string;
  readonly kind: OperationKind;
  readonly plan: OperationPlan;
  readonly ended: Promise<OperationDocument>;
  readonly #hands: SlotHands;
  readonly #startedAt: number;
  readonly #startedMonotonic: number;
  readonly #awaited = new Map<number, Awaited>();
  readonly #steps: ReceiptStep[] = [];
  readonly #book = new ReceiptBook();
  readonly #onChange: (run: OperationRun) => void;
  #state: OperationState;
  #document: OperationDocument;
  #log: readonly string[] = [];
  #end!: (document: OperationDocument) => void;
  #isEnding = false;
  readonly #timers = openTimers<'deadline'>();

  constructor(hands: SlotHands, plan: OperationPlan, onChange: (run: OperationRun) => void) {
    this.#hands = hands;
    this.plan = plan;
    this.kind = plan.kind;
    this.#onChange = onChange;
    this.#state = newOperation(plan.machine, plan.changes, plan.batchSize);
    this.#startedAt = hands.edges.clock.wallMs();
    this.#startedMonotonic = hands.edges.clock.monotonicMs();
    const { operations } = hands.edges.records;
    const begun = { kind: plan.kind, app: hands.app, phase: this.#state.phase, state: this.#recorded() };
    this.id = (plan.isAsked ? operations.begin(begun) : operations.beginUnasked(begun)).id;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#document = this.#describe(null);
    this.#event('operation-started', `${plan.kind} (operation ${this.id})`);
  }

  get document(): OperationDocument {
    return this.#document;
  }

  get isRunning(): boolean {
    return this.#document.status === 'running';
  }

  /** Takes the counters before anything changes, then begins; not before `after` (what the app depends on is up). */
  async begin(after?: Promise<unknown>): Promise<void> {
    await after;
    const handles = this.#hands.liveHandles();
    await Promise.all(handles.map((handle) => handle.freshReport(FRESH_REPORT_MS)));
    this.#book.begin(handles);
    this.#step({ type: 'begin' });
  }

  abort(reason: string): void {
    this.#step({ type: 'abort', reason });
  }

  /** Stops waiting: the daemon ends. */
  close(): void {
    this.#timers.close();
  }

  /** Called whenever something about a tenant of the app changed. */
  onTenant(tenant: Tenant): void {
    if (tenant.handle !== null && tenant.handle.pid !== null) this.#book.add(tenant.handle);
    const awaited = this.#awaited.get(tenant.slot);
    if (awaited === undefined || awaited.tenant !== tenant) return;
    const event = answerOf(awaited, tenant);
    if (event === null) return;
    switch (event.type) {
      case 'boot-failed':
        if (awaited.answered === 'failed') return;
        // It goes on being retried, and may yet come up before the operation ends.
        this.#awaited.set(tenant.slot, { ...awaited, answered: 'failed' });
        void this.#keepLog(tenant).then(() => this.#step(event));
        return;
      case 'booted':
        if (awaited.answered === 'booted') return;
        this.#awaited.set(tenant.slot, { ...awaited, answered: 'booted' });
        break;
      default:
        this.#awaited.delete(tenant.slot);
    }
    this.#step(event);
  }

  #step(event: OperationEvent): void {
    if (!this.isRunning || this.#isEnding) return;
    const { state, effects } = stepOperation(this.#state, event);
    this.#state = state;
    this.#timers.arm('deadline', this.plan.patienceMs, () => this.#step({ type: 'deadline' }));
    this.#hands.edges.records.operations.advance(this.id, state.phase, this.#recorded());
    this.#document = this.#describe(null);
    if (effects.some((effect) => effect.type === 'hand-over')) this.#book.markHandOver();
    for (const effect of effects) this.#run(effect);
    this.#onChange(this);
  }

  #run(effect: OperationEffect): void {
    switch (effect.type) {
      case 'boot':
        this.#await('boot', effect, this.#hands.boot(effect.slot, 'new'));
        return;
      case 'boot-old':
        this.#await('old-boot', effect, this.#hands.boot(effect.slot, 'old'));
        return;
      case 'hand-over':
        this.#await('drain', effect, this.#hands.handOver(effect.slot));
        return;
      case 'discard':
        this.#await('discard', effect, this.#hands.discard(effect.slot));
        return;
      case 'stop':
        this.#await('drain', effect, this.#hands.stop(effect.slot));
        return;
      case 'step':
        this.#note(effect.name, effect.slot, effect.outcome, effect.detail);
        return;
      case 'finish':
        this.#isEnding = true;
        this.#timers.close();
        void this.#finish(effect.outcome, effect.reason);
        return;
    }
  }

  /** The answer may be there already (a worker that is gone); through the queue, so that effects stay in order. */
  #await(answer: Awaited['answer'], { slot, turn }: { slot: number; turn: number }, tenant: Tenant | null): void {
    if (tenant === null) {
      setImmediate(() => this.#step({ type: answer === 'discard' ? 'discarded' : 'drained', slot, turn }));
      return;
    }
    this.#awaited.set(slot, { answer, tenant, turn, answered: 'nothing' });
    setImmediate(() => this.onTenant(tenant));
  }

  async #keepLog(tenant: Tenant): Promise<void> {
    if (this.#log.length > 0) return;
    const { edges, app } = this.#hands;
    const generation = tenant.handle?.generation ?? tenant.state.generation;
    this.#log = await edges.output.lastLines(app, tenant.slot, generation, LOG_LINES_SHOWN);
  }

  async #finish(outcome: OperationOutcome, reason: string | null): Promise<void> {
    await Promise.all(this.#hands.liveHandles().map((handle) => handle.freshReport(FRESH_REPORT_MS)));
    const receipt: ReceiptDocument = {
      operation: this.id,
      app: this.#hands.app,
      from: this.plan.from,
      to: this.plan.to,
      outcome,
      reason,
      durationMs: Math.round(this.#hands.edges.clock.monotonicMs() - this.#startedMonotonic),
      ...this.#book.figures(),
      steps: this.#steps,
      ...(outcome === 'completed' || this.#log.length === 0 ? {} : { log: this.#log }),
    };
    this.#hands.edges.records.operations.end(this.id, this.#state.phase, receipt);
    this.#document = this.#describe(receipt);
    this.#event(
      'operation-ended',
      `${this.kind} ${outcome}${reason === null ? '' : `: ${reason}`} (operation ${this.id})`,
      { outcome },
    );
    this.#end(this.#document);
    this.#onChange(this);
  }

  #note(name: string, slot: number | null, outcome: string, detail: string | null): void {
    this.#steps.push({
      at: new Date(this.#hands.edges.clock.wallMs()).toISOString(),
      name,
      ...(slot === null ? {} : { worker: `${this.#hands.app}/${slot}` }),
      outcome,
      detail,
    });
  }

  #event(
    type: 'operation-started' | 'operation-ended',
    reason: string,
    data: { outcome?: OperationOutcome } = {},
  ): void {
    const { app, edges } = this.#hands;
    edges.records.events.append({ app, type, reason, data: { operation: this.id, kind: this.kind, ...data } });
  }

  #recorded(): unknown {
    return { machine: this.#state, plan: this.plan };
  }

  #describe(receipt: ReceiptDocument | null): OperationDocument {
    return {
      id: this.id,
      kind: this.kind,
      app: this.#hands.app,
      status: receipt === null ? 'running' : 'done',
      startedAt: new Date(this.#startedAt).toISOString(),
      endedAt: receipt === null ? null : new Date(this.#hands.edges.clock.wallMs()).toISOString(),
      phase: this.#state.phase,
      receipt,
    };
  }
}

/** What a tenant's state means for the effect that awaits it; null while there is nothing to say. */
const answerOf = ({ answer, turn }: Awaited, tenant: Tenant): OperationEvent | null => {
  const { slot, state } = tenant;
  const isGone = state.phase === 'stopped' || state.phase === 'crashed';
  if (answer === 'drain') return isGone ? { type: 'drained', slot, turn } : null;
  if (answer === 'discard') return isGone ? { type: 'discarded', slot, turn } : null;
  if (state.phase === 'running') return { type: answer === 'boot' ? 'booted' : 'old-booted', slot, turn };
  if (!isGone && state.phase !== 'aborting' && state.failedStarts < FAILED_STARTS_TO_FAIL) return null;
  return {
    type: answer === 'boot' ? 'boot-failed' : 'old-boot-failed',
    slot,
    turn,
    reason: `${tenant.id} ${tenant.failure()}`,
  };
};
