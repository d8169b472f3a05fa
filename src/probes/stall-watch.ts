/**
 * Notices that this process itself did not run: a loop that was busy for long, a signal that stopped it, a machine that
 * was suspended. Timers that are late tell. Who decides by times looks here first, before it blames anybody.
 */
import type { Clock } from '../protocol/index.ts';
import type { CallOff, ProbeSchedule } from './edges.ts';

const TICK_MS = 250;
/** A tick that is this much later than it should be; half of the usual timeout of a probe. */
const AWAY_MS = 500;

export class StallWatch {
  readonly #clock: Clock;
  readonly #schedule: ProbeSchedule;
  readonly #onStall: (at: number) => void;
  #seenAt = 0;
  #callOff: CallOff | null = null;

  constructor(edges: { readonly clock: Clock; readonly schedule: ProbeSchedule }, onStall: (at: number) => void) {
    this.#clock = edges.clock;
    this.#schedule = edges.schedule;
    this.#onStall = onStall;
  }

  start(): void {
    if (this.#callOff !== null) return;
    this.#seenAt = this.#clock.monotonicMs();
    this.#tick();
  }

  stop(): void {
    this.#callOff?.();
    this.#callOff = null;
  }

  /** Tells of a stall that nobody has told of yet. To be called before anything is judged by its time. */
  look(): void {
    if (this.#callOff === null) return;
    const at = this.#clock.monotonicMs();
    const awayMs = at - this.#seenAt - TICK_MS;
    if (awayMs < AWAY_MS) return;
    this.#seenAt = at;
    this.#onStall(at);
  }

  #tick(): void {
    this.#callOff = this.#schedule.background(TICK_MS, () => {
      this.look();
      this.#seenAt = this.#clock.monotonicMs();
      if (this.#callOff !== null) this.#tick();
    });
  }
}
