/**
 * The slots of one app and who is in them: what an operation does to a slot, what becomes of the workers of an earlier
 * daemon, and when a slot that is not wanted any more is gone.
 */
import type { AppConfig } from '../protocol/index.ts';
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

  boot(index: number, release: 'new' | 'old'): Tenant {
    const slot = this.#slot(index);
    const pending = slot.replacement ?? (slot.holder?.state.wanted === 'up' ? null : slot.holder);
    // The effect may be sent twice after a daemon restart: the tenant that it made is the answer.
    if (slot.replacement !== null) return slot.replacement;
    const isFirst = slot.holder === null || pending === slot.holder;
    if (slot.holder !== null && isFirst) dismiss(slot, slot.holder);
    const tenant = new Tenant(this.#host, { slot: index, ...this.#sourceOf(release), isReplacement: !isFirst });
    if (isFirst) slot.holder = tenant;
    else slot.replacement = tenant;
    tenant.start();
    return tenant;
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
    const tenant = this.#slot(index).holder;
    tenant?.stop();
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
    const at = this.#host.edges.clock.monotonicMs();
    tenant.step({ type: 'adopt', at, generation: record.generation, pid: record.pid, isReady: isServing });
    for (const old of slot.leaving) if (old.state.wanted === 'up') old.stop();
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

  /** Drops the slots from `count` on in which nobody is left. */
  dropEmpty(count: number): void {
    for (const slot of this.all) {
      if (slot.index < count || !slot.tenants.every(isAtRest)) continue;
      for (const tenant of slot.tenants) tenant.close();
      this.#slots.delete(slot.index);
    }
  }

  #slot(index: number): Slot {
    const found = this.#slots.get(index);
    if (found !== undefined) return found;
    const slot = new Slot(index);
    this.#slots.set(index, slot);
    return slot;
  }
}

/** The slot has another tenant: this one stays only until it is gone. */
const dismiss = (slot: Slot, tenant: Tenant): void => {
  if (isAtRest(tenant)) tenant.close();
  else slot.leaving.add(tenant);
};

const isAtRest = (tenant: Tenant): boolean => tenant.state.phase === 'stopped' || tenant.state.phase === 'crashed';
