/**
 * Carries one operation through: feeds its machine (`core/operation.ts`) with what happens to the tenants, carries out
 * its effects on the slots, writes each step to the state first, and ends it once, with a receipt.
 */
import {
  newOperation,
  releaseOf,
  stepOperation,
  type OperationEffect,
  type OperationEvent,
  type OperationOutcome,
  type OperationState,
  type SlotChange,
  type SlotProgress,
} from '../core/index.ts';
import type { OperationDocument, OperationKind, ReceiptDocument, ReceiptStep, RequestKey } from '../protocol/index.ts';
import type { AppChange } from './app-state.ts';
import type { Records } from './edges.ts';
import { answerOf, type Awaited } from './awaited.ts';
import { endByDefect, tellDefect, type Failing } from './operation-defect.ts';
import type { OperationHost } from './operation-host.ts';
import { memoryOf, type OperationMemory, type UnfinishedOperation } from './operation-memory.ts';
import { ReceiptBook } from './receipt.ts';
import type { Tenant } from './tenant.ts';
import { openTimers, type NamedTimers } from './timers.ts';
import type { WorkerHandle } from './worker-handle.ts';

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
  /** What becomes of the app when it succeeds. */
  readonly detail: AppChange;
}

/** Where it comes from: an earlier daemon that did not end it, or a request that may be sent again. */
export interface OperationOrigin {
  readonly unfinished?: UnfinishedOperation;
  readonly request?: RequestKey | null;
}

/** A worker whose loop is blocked cannot answer; its last report is taken then. */
const FRESH_REPORT_MS = 250;
const LOG_LINES_SHOWN = 20;

export class OperationRun {
  readonly id: string;
  readonly kind: OperationKind;
  readonly plan: OperationPlan;
  readonly ended: Promise<OperationDocument>;
  readonly #host: OperationHost;
  readonly #startedAt: number;
  /** On the clock of this daemon, also where an earlier one began it. */
  readonly #startedMonotonic: number;
  readonly #awaited = new Map<number, Awaited>();
  readonly #steps: ReceiptStep[];
  readonly #book: ReceiptBook;
  readonly #onChange: (run: OperationRun) => void;
  #state: OperationState;
  #document: OperationDocument;
  #log: readonly string[] = [];
  #end!: (document: OperationDocument) => void;
  #isEnding = false;
  readonly #timers: NamedTimers<'deadline'>;

  /** Writes a new operation down, or goes on with one that is on record. */
  constructor(
    host: OperationHost,
    plan: OperationPlan,
    onChange: (run: OperationRun) => void,
    { unfinished, request = null }: OperationOrigin = {},
  ) {
    const { clock, records } = host.edges;
    const memory = unfinished?.memory;
    this.#host = host;
    this.#timers = openTimers(host.edges.schedule, ['deadline']);
    this.plan = plan;
    this.kind = plan.kind;
    this.#onChange = onChange;
    this.#state = memory?.machine ?? newOperation(plan.machine, plan.changes, plan.batchSize);
    this.#steps = [...(memory?.steps ?? [])];
    this.#book = new ReceiptBook(memory?.receipt);
    this.#startedAt = unfinished?.startedAtMs ?? clock.wallMs();
    this.#startedMonotonic = clock.monotonicMs() - Math.max(0, clock.wallMs() - this.#startedAt);
    this.id = unfinished?.id ?? this.#enter(records.operations, request);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#document = this.#describe(null);
    const word = unfinished === undefined ? 'operation-started' : 'operation-resumed';
    this.#event(word, `${plan.kind} (operation ${this.id})`, { isAsked: plan.isAsked });
  }

  /** Returns its id. */
  #enter(operations: Records['operations'], request: RequestKey | null): string {
    const { kind, isAsked } = this.plan;
    const begun = { kind, app: this.#host.app, phase: this.#state.phase, state: this.#recorded() };
    return (isAsked ? operations.begin({ ...begun, request }) : operations.beginUnasked(begun)).id;
  }

  get document(): OperationDocument {
    return this.#document;
  }

  get isRunning(): boolean {
    return this.#document.status === 'running';
  }

  /** Takes the counters before anything changes, then begins; not before `after` (what the app depends on is up). */
  async begin(after?: Promise<unknown>): Promise<void> {
    await this.#orFail(async () => {
      await after;
      this.#book.begin(await this.#freshHandles());
      this.#step({ type: 'begin' });
    });
  }

  /** Goes on where the daemon before this one left it; its workers were taken over or are gone. */
  async resume(after?: Promise<unknown>): Promise<void> {
    await this.#orFail(async () => {
      this.#note({ name: 'resumed', slot: null, outcome: 'done', detail: 'the daemon was restarted' });
      if (this.#state.phase === 'preparing') return this.begin(after);
      for (const handle of this.#host.liveHandles()) this.#book.add(handle);
      this.#step({ type: 'restored', undone: this.#undoneSlots });
    });
  }

  /** What is on record as done, or as about to be, and is not so; see `restored` in `core/operation.ts`. */
  get #undoneSlots(): readonly number[] {
    const { slots } = this.#host;
    const { from, to } = this.plan;
    return this.#state.slots
      .filter(({ slot, stage }) =>
        stage === 'changed'
          ? to !== null && to !== from && slots.isOfAnother(slot, to)
          : stage === 'ending' && slots.isUnchanged(slot, `${this.id}:`),
      )
      .map(({ slot }) => slot);
  }

  /** Names the latest order for a slot: who is booted in its place is as good as booted for it. */
  orderFor(slot: number): string | null {
    const progress = this.#progressOf(slot);
    return progress === undefined ? null : this.#order(progress);
  }

  /** Which release belongs into a slot that turned out to be empty; null: it sees to that itself. */
  releaseOf(slot: number): 'new' | 'old' | null {
    const progress = this.#progressOf(slot);
    return progress === undefined ? 'new' : releaseOf(progress);
  }

  /** Slots in which somebody should be, as far as it has come. */
  get filledSlots(): readonly number[] {
    return this.#state.slots.filter((progress) => releaseOf(progress) !== null).map(({ slot }) => slot);
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
    if (awaited === undefined) return;
    if (awaited.tenant !== tenant && awaited.answer !== 'emptying') return;
    if (awaited.answer === 'emptying' && !this.#host.slots.isEmpty(tenant.slot)) return;
    const event = answerOf(awaited, tenant);
    if (event === null) return;
    switch (event.type) {
      case 'boot-failed':
        if (awaited.answered === 'failed') return;
        // It goes on being retried, and may yet come up before the operation ends.
        this.#awaited.set(tenant.slot, { ...awaited, answered: 'failed' });
        // That it failed must be heard also where its log cannot be read.
        void this.#keepLog(tenant)
          .catch(() => {})
          .then(() => this.#step(event));
        return;
      case 'booted':
        if (awaited.answered === 'booted') return;
        this.#awaited.set(tenant.slot, { ...awaited, answered: 'booted' });
        // The slot was thought to be empty, and a daemon found somebody of another release in it since: nothing awaits that one.
        if (tenant.isReplacement && this.#progressOf(tenant.slot)?.action === 'boot')
          this.#host.slots.handOver(tenant.slot);
        break;
      default:
        this.#awaited.delete(tenant.slot);
    }
    this.#step(event);
  }

  #step(event: OperationEvent): void {
    if (!this.isRunning || this.#isEnding) return;
    try {
      this.#take(event);
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(event: OperationEvent): void {
    const { state, effects } = stepOperation(this.#state, event);
    this.#state = state;
    this.#timers.arm('deadline', this.plan.patienceMs, () => this.#step({ type: 'deadline' }));
    for (const effect of effects) if (effect.type === 'step') this.#note(effect);
    if (effects.some((effect) => effect.type === 'hand-over')) this.#book.markHandOver();
    this.#host.edges.records.operations.advance(this.id, state.phase, this.#recorded());
    this.#document = this.#describe(null);
    // One of them may come to a defect, and end it.
    for (const effect of effects) if (this.isRunning) this.#run(effect);
    this.#onChange(this);
  }

  async #orFail(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whatever went wrong, an operation that did not end would keep its app busy until the daemon is restarted. */
  #fail(error: unknown): void {
    this.#isEnding = true;
    this.#timers.close();
    const failing: Failing = {
      id: this.id,
      kind: this.kind,
      host: this.#host,
      phase: this.#state.phase,
      slots: () => this.#state.slots.map(({ slot }) => slot),
      book: this.#book,
      receiptOf: (reason, book) => this.#receiptOf('failed', reason, book),
    };
    if (this.isRunning) this.#document = this.#describe(endByDefect(failing, error));
    // It is on record as ended.
    else tellDefect(failing, error);
    this.#end(this.#document);
    this.#onChange(this);
  }

  #run(effect: OperationEffect): void {
    switch (effect.type) {
      case 'boot':
        this.#await('boot', effect, this.#boot(effect));
        return;
      case 'boot-old':
        this.#await('old-boot', effect, this.#host.slots.boot(effect.slot, 'old', this.#order(effect)));
        return;
      case 'hand-over':
        this.#await('drain', effect, this.#host.slots.handOver(effect.slot));
        return;
      case 'discard':
        this.#await('discard', effect, this.#host.slots.discard(effect.slot));
        return;
      case 'stop':
        this.#await('emptying', effect, this.#host.slots.stop(effect.slot));
        return;
      case 'step':
        return; // Was noted before the others began.
      case 'finish':
        this.#isEnding = true;
        this.#timers.close();
        void this.#orFail(async () => this.#finish(effect.outcome, effect.reason));
        return;
    }
  }

  /** Where a slot is to be replaced, nobody takes it before the hand-over, also when its holder has gone meanwhile. */
  #boot(effect: { readonly slot: number; readonly turn: number }): Tenant {
    const { slots } = this.#host;
    return this.#progressOf(effect.slot)?.action === 'replace'
      ? slots.bootReplacement(effect.slot, 'new', this.#order(effect))
      : slots.boot(effect.slot, 'new', this.#order(effect));
  }

  #progressOf(slot: number): SlotProgress | undefined {
    return this.#state.slots.find((progress) => progress.slot === slot);
  }

  #order({ turn }: { readonly turn: number }): string {
    return `${this.id}:${turn}`;
  }

  /** The answer may be there already (a worker that is gone); through the queue, so that effects stay in order. */
  #await(answer: Awaited['answer'], { slot, turn }: { slot: number; turn: number }, tenant: Tenant | null): void {
    const { schedule } = this.#host.edges;
    if (tenant === null) {
      schedule.soon(() => this.#step({ type: answer === 'discard' ? 'discarded' : 'drained', slot, turn }));
      return;
    }
    this.#awaited.set(slot, { answer, tenant, turn, answered: 'nothing' });
    schedule.soon(() => this.onTenant(tenant));
  }

  /** The live workers, once each has told its counters of this moment or has not answered in time. */
  async #freshHandles(): Promise<readonly WorkerHandle[]> {
    const { schedule } = this.#host.edges;
    const handles = this.#host.liveHandles();
    await Promise.all(handles.map((handle) => handle.freshReport(schedule, FRESH_REPORT_MS)));
    return handles;
  }

  async #keepLog(tenant: Tenant): Promise<void> {
    if (this.#log.length > 0) return;
    const { edges, app } = this.#host;
    const generation = tenant.handle?.generation ?? tenant.state.generation;
    this.#log = await edges.output.lastLines(app, tenant.slot, generation, LOG_LINES_SHOWN);
  }

  async #finish(outcome: OperationOutcome, reason: string | null): Promise<void> {
    await this.#freshHandles();
    if (!this.isRunning) return;
    const receipt = this.#receiptOf(outcome, reason, this.#book);
    const { records } = this.#host.edges;
    records.keepTogether(() => {
      this.#host.conclude(this.kind, outcome);
      records.operations.end(this.id, this.#state.phase, receipt);
    });
    this.#document = this.#describe(receipt);
    this.#event(
      'operation-ended',
      `${this.kind} ${outcome}${reason === null ? '' : `: ${reason}`} (operation ${this.id})`,
      { outcome },
    );
    this.#end(this.#document);
    this.#onChange(this);
  }

  #receiptOf(outcome: OperationOutcome, reason: string | null, book: ReceiptBook): ReceiptDocument {
    return {
      operation: this.id,
      app: this.#host.app,
      from: this.plan.from,
      to: this.plan.to,
      outcome,
      reason,
      durationMs: Math.round(this.#host.edges.clock.monotonicMs() - this.#startedMonotonic),
      ...book.figures(),
      steps: this.#steps,
      ...(outcome === 'completed' || this.#log.length === 0 ? {} : { log: this.#log }),
    };
  }

  #note({ name, slot, outcome, detail }: Omit<Extract<OperationEffect, { type: 'step' }>, 'type'>): void {
    this.#steps.push({
      at: new Date(this.#host.edges.clock.wallMs()).toISOString(),
      name,
      ...(slot === null ? {} : { worker: `${this.#host.app}/${slot}` }),
      outcome,
      detail,
    });
    if (name === 'defect') this.#event('defect', `${detail} (operation ${this.id})`);
  }

  #event(
    type: 'operation-started' | 'operation-resumed' | 'operation-ended' | 'defect',
    reason: string,
    data: { outcome?: OperationOutcome; isAsked?: boolean } = {},
  ): void {
    const { app, edges } = this.#host;
    const { isAsked, changes } = this.plan;
    edges.records.events.append({
      app,
      type,
      reason,
      data: { operation: this.id, kind: this.kind, ...data },
      operation: { id: this.id, slots: changes.map(({ slot }) => slot), isAsked },
    });
  }

  #recorded(): OperationMemory {
    return memoryOf({
      machine: this.#state,
      plan: this.plan,
      steps: this.#steps,
      receipt: this.#book.toMemory(),
    });
  }

  #describe(receipt: ReceiptDocument | null): OperationDocument {
    return {
      id: this.id,
      kind: this.kind,
      app: this.#host.app,
      status: receipt === null ? 'running' : 'done',
      startedAt: new Date(this.#startedAt).toISOString(),
      endedAt: receipt === null ? null : new Date(this.#host.edges.clock.wallMs()).toISOString(),
      phase: this.#state.phase,
      receipt,
    };
  }
}
