/**
 * The slots of one app and who is in them: what an operation does to a slot, what becomes of the workers of an earlier
 * daemon, and when a slot that is not wanted any more is gone.
 */
import type { AppConfig, WorkerRecord, WorkerRole } from '../protocol/index.ts';
import { Slot } from './slot.ts';
import { Tenant, type TenantHost } from './tenant.ts';

/** What a new tenant is made of. */
export interface TenantSource {
  readonly config: AppConfig;
  readonly release: number;
  readonly isChanged: boolean;
}

export class Slots {
  readonly #host: TenantHost;
  readonly #sourceOf: (release: 'new' | 'old') => TenantSource;
  readonly #slots = new Map<number, Slot>();

  constructor(host: TenantHost, sourceOf: (release: 'new' | 'old') => TenantSource) {
    this.#host = host;
    this.#sourceOf = sourceOf;
  }

  get all(): readonly Slot[] {
    return [...this.#slots.values()];
  }

  get holders(): readonly Tenant[] {
    return this.all.map((slot) => slot.holder).filter((tenant) => tenant !== null);
  }

  get tenants(): readonly Tenant[] {
    return this.all.flatMap((slot) => slot.tenants);
  }

  find(index: number): Slot | null {
    return this.#slots.get(index) ?? null;
  }

  isEmpty(index: number): boolean {
    return this.find(index)?.tenants.every(isAtRest) ?? true;
  }

  isUnchanged(index: number, order: string): boolean {
    const slot = this.find(index);
    if (slot === null || slot.holder === null || slot.replacement !== null) return false;
    return slot.holder.order?.startsWith(order) !== true;
  }

  /** Who runs there: one that was taken over with a release that is not known is replaced by one that is. */
  isOfAnother(index: number, release: number): boolean {
    const holder = this.find(index)?.holder ?? null;
    return holder !== null && (holder.handle?.release ?? holder.release) !== release;
  }

  /**
   * Whoever holds it ended, for good, as its restart policy has it, or until it is tried again: somebody's wish starts it at once, and
   * forgets how often it has failed.
   */
  isDown(index: number): boolean {
    const holder = this.find(index)?.holder ?? null;
    return holder !== null && holder.state.wanted === 'up' && hasNoProcess(holder);
  }

  /** Nobody holds it, or only somebody who was told to go. */
  isVacant(index: number): boolean {
    return this.find(index)?.holder?.state.wanted !== 'up';
  }

  /** Nobody runs there. */
  isStartable(index: number): boolean {
    return this.isVacant(index) || this.isDown(index);
  }

  /** Fills a slot in which nobody is that is wanted and may run; else gives it a replacement. */
  boot(index: number, release: 'new' | 'old', order: string | null = null): Tenant {
    const slot = this.#slot(index);
    const found = release === 'new' ? this.#findUnrecorded(slot) : null;
    if (found !== null) return found;
    const isAnswered = order !== null && slot.holder?.order === order;
    const isFree = this.isVacant(index) || (this.isDown(index) && !isAnswered);
    if (slot.replacement !== null || !isFree) return this.bootReplacement(index, release, order);
    if (slot.holder !== null) dismiss(slot, slot.holder);
    slot.holder = this.#newTenant(index, release, 'holder', order);
    slot.holder.start();
    return slot.holder;
  }

  /**
   * `order` names what asked for it. The same order given again (its daemon may have died after it was carried out) finds
   * the tenant of the first.
   */
  bootReplacement(index: number, release: 'new' | 'old', order: string | null): Tenant {
    const slot = this.#slot(index);
    if (slot.replacement !== null) return slot.replacement;
    if (order !== null && slot.holder?.order === order) return slot.holder;
    // Where the release stays, the one that is there may be the one that is to go.
    const isOther = this.#sourceOf('new').release !== this.#sourceOf('old').release;
    const found = release === 'new' && isOther ? this.#findUnrecorded(slot) : null;
    if (found !== null) return found;
    slot.replacement = this.#newTenant(index, release, 'replacement', order);
    slot.replacement.start();
    return slot.replacement;
  }

  /** Null: nobody leaves. */
  handOver(index: number): Tenant | null {
    const slot = this.#slot(index);
    // It was carried out already: the one that leaves by it may still be there.
    if (slot.replacement === null) return lastOf(slot.leaving);
    const leaving = slot.handOver();
    // The new one accepts before the old one stops: the queue is theirs in common, so nothing waits for nobody.
    slot.holder?.accept();
    leaving?.stop();
    return leaving;
  }

  discard(index: number): Tenant | null {
    const slot = this.#slot(index);
    const tenant = slot.replacement;
    if (tenant === null) return this.#putBack(slot) ?? lastOf(slot.leaving);
    slot.replacement = null;
    slot.leave(tenant);
    tenant.stop();
    return tenant;
  }

  stop(index: number): Tenant | null {
    const { holder, leaving } = this.#slot(index);
    holder?.stop();
    return holder ?? lastOf(leaving);
  }

  /**
   * Gives an adopted worker its place: what the record says, with an operation that goes on (`isChanging`). Else the
   * newest that serves holds the slot, and others leave. Called for older workers of a slot first.
   */
  settle(tenant: Tenant, record: AdoptedRecord, isChanging: boolean): void {
    const slot = this.#slot(tenant.slot);
    slot.lastGeneration = Math.max(slot.lastGeneration, record.generation);
    place(slot, tenant, record.phase, isChanging);
    const at = this.#host.edges.clock.monotonicMs();
    const isReady = record.phase === 'running';
    tenant.step({ type: 'adopt', at, generation: record.generation, pid: record.pid, isReady });
    for (const old of slot.leaving) if (old.state.wanted === 'up') old.stop();
  }

  /** One that ended for good under an earlier daemon has its slot as before. */
  restore(tenant: Tenant): void {
    const slot = this.#slot(tenant.slot);
    slot.lastGeneration = Math.max(slot.lastGeneration, tenant.state.generation);
    slot.holder ??= tenant;
  }

  /** To be told of every change: who was leaving is let go of once it is gone. */
  note(tenant: Tenant): void {
    const slot = this.#slots.get(tenant.slot);
    if (slot === undefined) return;
    slot.lastGeneration = Math.max(slot.lastGeneration, tenant.state.generation);
    if (!slot.leaving.has(tenant) || !isAtRest(tenant)) return;
    slot.leaving.delete(tenant);
    tenant.close();
  }

  /** Drops the slots from `count` on in which nobody is left; returns their numbers. */
  dropEmpty(count: number): number[] {
    const empty = this.all.filter((slot) => slot.index >= count && slot.tenants.every(isAtRest));
    for (const slot of empty) {
      for (const tenant of slot.tenants) tenant.close();
      this.#slots.delete(slot.index);
    }
    return empty.map(({ index }) => index);
  }

  /** Who holds the slot was taken over without a record that says what it was booted for, and is what a new one would be. */
  #findUnrecorded({ index, holder, replacement }: Slot): Tenant | null {
    if (holder === null || replacement !== null || holder.order !== null) return null;
    if (this.isStartable(index)) return null;
    return holder.release === this.#sourceOf('new').release ? holder : null;
  }

  /** A new one that was found without a record took the place of one that is gone: an old one is started in its. */
  #putBack(slot: Slot): Tenant | null {
    const isOther = this.#sourceOf('new').release !== this.#sourceOf('old').release;
    const found = isOther ? this.#findUnrecorded(slot) : null;
    if (found === null) return null;
    slot.leave(found);
    found.stop();
    slot.holder = this.#newTenant(slot.index, 'old', 'holder', null);
    slot.holder.start();
    return found;
  }

  #newTenant(slot: number, release: 'new' | 'old', role: WorkerRole, order: string | null): Tenant {
    return new Tenant(this.#host, { slot, ...this.#sourceOf(release), role, order });
  }

  #slot(index: number): Slot {
    const found = this.#slots.get(index);
    if (found !== undefined) return found;
    const slot = new Slot(index);
    this.#slots.set(index, slot);
    return slot;
  }
}

type AdoptedRecord = Pick<WorkerRecord, 'generation' | 'pid' | 'phase'>;

const place = (slot: Slot, tenant: Tenant, phase: string, isChanging: boolean): void => {
  if (isChanging && tenant.isReplacement) {
    slot.replacement = tenant;
    return;
  }
  const isServing = phase === 'running';
  const isLeaving = tenant.role === 'leaving' || (!isServing && phase !== 'starting');
  if (isLeaving || (slot.holder !== null && !isServing)) return slot.leave(tenant);
  if (slot.holder !== null) slot.leave(slot.holder);
  tenant.assume('holder');
  slot.holder = tenant;
};

const lastOf = (tenants: ReadonlySet<Tenant>): Tenant | null => [...tenants].at(-1) ?? null;

/** The slot has another tenant: this one stays only until it is gone. */
const dismiss = (slot: Slot, tenant: Tenant): void => {
  if (hasNoProcess(tenant)) tenant.close();
  else slot.leave(tenant);
};

const isAtRest = ({ state: { phase } }: Tenant): boolean => phase === 'stopped' || phase === 'crashed';

/** Nor is one under way. */
const hasNoProcess = (tenant: Tenant): boolean => isAtRest(tenant) || tenant.state.phase === 'backoff';
