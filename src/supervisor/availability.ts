/**
 * What is done when nobody of an app accepts, or hardly anybody: an untried worker may serve, or a backoff ends early. Which, decides
 * `core/availability.ts`; this file asks it whenever something changed, and again when the time that it named has come.
 */
import { chooseHurry, isWellServed, type WaitingSlot } from '../core/index.ts';
import type { Clock } from '../protocol/index.ts';
import type { Tenant } from './tenant.ts';

export interface AvailabilityFacts {
  readonly holders: () => readonly Tenant[];
  /** The shortest time between two starts that do not wait for their backoff. */
  readonly spacingMs: () => number;
}

export class Availability {
  readonly #clock: Clock;
  readonly #facts: AvailabilityFacts;
  #lastHurryAt: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock, facts: AvailabilityFacts) {
    this.#clock = clock;
    this.#facts = facts;
  }

  look(): void {
    if (this.#timer !== null) return;
    if (isWellServed(this.#slots())) return;
    // Once a turn, because tenants change in bursts.
    this.#arm(0, () => {
      for (const holder of this.#facts.holders()) holder.checkReadiness();
      this.#hurry();
    });
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #slots(): readonly WaitingSlot[] {
    return this.#facts.holders().map((holder) => ({
      slot: holder.slot,
      phase: holder.state.phase,
      isAccepting: holder.handle?.isAccepting ?? false,
      hasListened: holder.state.hasListened,
      backoffUntil: holder.backoffUntil,
    }));
  }

  #arm(afterMs: number, then: () => void): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      then();
    }, afterMs);
  }

  #hurry(): void {
    const at = this.#clock.monotonicMs();
    const spacingMs = this.#facts.spacingMs();
    const waiting = this.#slots();
    const chosen = chooseHurry({ slots: waiting, lastHurryAt: this.#lastHurryAt, at, spacingMs });
    if (chosen !== null) {
      this.#lastHurryAt = at;
      this.#facts
        .holders()
        .find((holder) => holder.slot === chosen)
        ?.step({ type: 'hurry', at });
      return;
    }
    const isWorthWaiting = waiting.some((slot) => slot.phase === 'backoff' && slot.hasListened);
    if (!isWorthWaiting || isWellServed(waiting)) return;
    this.#arm(Math.max(1, (this.#lastHurryAt ?? 0) + spacingMs - at), () => this.#hurry());
  }
}
