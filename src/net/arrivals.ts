/** How many connections each shard of a port was given since it was last asked about, and how long runs may be. */
import { NEW_RUN, stepRun } from '../core/index.ts';
import type { RunState } from '../core/index.ts';
import type { Dispatch, Member } from './dispatch.ts';

export class Arrivals {
  readonly #dispatch: Dispatch;
  readonly #given = new WeakMap<Member, number>();
  #state: RunState = NEW_RUN;
  #takenAt: number | null = null;

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  /** Connections in a row that a turn is worth now. */
  get run(): number {
    return this.#state.run;
  }

  /** Since the last call; null for a member that was not there then, and where nobody counts. */
  take(members: readonly Member[], at: number): readonly (number | null)[] {
    const read = this.#dispatch.countGiven();
    if (read === null) return members.map(() => null);
    const arrivals = members.map((member) => {
      const given = read(member);
      const before = this.#given.get(member);
      this.#given.set(member, given);
      return before === undefined ? null : (given - before) >>> 0;
    });
    const sum = arrivals.reduce<number>((total, each) => total + (each ?? 0), 0);
    if (this.#takenAt !== null) this.#state = stepRun(this.#state, sum, at - this.#takenAt);
    this.#takenAt = at;
    return arrivals;
  }
}
