/**
 * What is done when nobody of an app accepts, or hardly anybody: an untried worker may serve, or a backoff ends early. Which, decides
 * `core/availability.ts`; this file asks it whenever something changed, and again when the time that it named has come.
 */
import { chooseHurry, isOwnFault, isWellServed, isWorthTry, type WaitingSlot } from '../core/index.ts';
import type { SupervisorEdges } from './edges.ts';
import type { CallOff } from './schedule.ts';
import type { Tenant } from './tenant.ts';

export interface AvailabilityFacts {
  readonly holders: () => readonly Tenant[];
  /** The shortest time between two starts that do not wait for their backoff. */
  readonly spacingMs: () => number;
}

export class Availability {
  readonly #edges: Pick<SupervisorEdges, 'clock' | 'schedule'>;
  readonly #facts: AvailabilityFacts;
  #lastHurryAt: number | null = null;
  #faultsInRow = 0;
  #callOff: CallOff | null = null;

  constructor(edges: Pick<SupervisorEdges, 'clock' | 'schedule'>, facts: AvailabilityFacts) {
    this.#edges = edges;
    this.#facts = facts;
  }

  look(): void {
    if (this.#callOff !== null) return;
    if (isWellServed(this.#slots())) return;
    // Once a turn, because tenants change in bursts.
    this.#arm(0, () => {
      for (const holder of this.#facts.holders()) holder.checkReadiness();
      this.#hurry();
    });
  }

  close(): void {
    this.#callOff?.();
    this.#callOff = null;
  }

  #slots(): readonly WaitingSlot[] {
    return this.#facts.holders().map((holder) => ({
      slot: holder.slot,
      phase: holder.state.phase,
      isAccepting: holder.handle?.isAccepting ?? false,
      hasListened: holder.state.hasListened,
      backoffUntil: holder.backoffUntil,
      lastExit: holder.state.lastExit,
    }));
  }

  #arm(afterMs: number, then: () => void): void {
    this.#callOff = this.#edges.schedule.after(afterMs, () => {
      this.#callOff = null;
      then();
    });
  }

  /** A worker is ready: what failed before it is over. */
  noteReady(): void {
    this.#faultsInRow = 0;
  }

  #hurry(): void {
    const at = this.#edges.clock.monotonicMs();
    const waiting = this.#slots();
    const spacingMs = this.#facts.spacingMs();
    const faultsInRow = this.#faultsInRow;
    const chosen = chooseHurry({ slots: waiting, lastHurryAt: this.#lastHurryAt, at, spacingMs, faultsInRow });
    if (chosen !== null) {
      const holder = this.#facts.holders().find(({ slot }) => slot === chosen);
      this.#lastHurryAt = at;
      if (isOwnFault(holder?.state.lastExit ?? null)) this.#faultsInRow += 1;
      holder?.step({ type: 'hurry', at });
      return;
    }
    if (isWellServed(waiting) || !waiting.some((slot) => isWorthTry(slot, faultsInRow))) return;
    this.#arm(Math.max(1, (this.#lastHurryAt ?? 0) + spacingMs - at), () => this.#hurry());
  }
}
