/** A numbered place in an app: the tenant that holds its traffic, a replacement on its way, and those that leave. */
import type { Tenant } from './tenant.ts';

export class Slot {
  readonly index: number;
  holder: Tenant | null = null;
  replacement: Tenant | null = null;
  readonly leaving = new Set<Tenant>();
  /** Counts spawns of all tenants; stale exits and timers carry an old one. */
  lastGeneration = 0;

  constructor(index: number) {
    this.index = index;
  }

  get tenants(): readonly Tenant[] {
    return [this.holder, this.replacement, ...this.leaving].filter((tenant) => tenant !== null);
  }

  /** It stays only until it is gone. */
  leave(tenant: Tenant): void {
    tenant.assume('leaving');
    this.leaving.add(tenant);
  }

  /** The replacement takes the slot over; returns the tenant that leaves. */
  handOver(): Tenant | null {
    const { holder, replacement } = this;
    if (replacement === null) return null;
    replacement.assume('holder');
    this.holder = replacement;
    this.replacement = null;
    if (holder !== null) this.leave(holder);
    return holder;
  }
}
