/** Shares as a schedule that an eBPF program walks. Indices are ours: members come and go without moving the others. */
import { detachProgram, ExactDispatch, MAX_SOCKETS } from '../os/index.ts';
import type { Dispatch, Member, Share } from './dispatch.ts';
import { stickyTable, turnsOf } from './shares.ts';

export class ExactGroup implements Dispatch {
  readonly level = 'exact';
  readonly #program: ExactDispatch;
  readonly #isSticky: boolean;
  readonly #indices = new Map<Member, number>();
  /** Not in our array yet: still in that of a daemon that is gone, or without company. */
  readonly #busy = new Set<Member>();
  #shares: readonly Share[] = [];
  #run = 1;
  #inForce = '';

  constructor(isSticky: boolean) {
    this.#isSticky = isSticky;
    this.#program = ExactDispatch.create(isSticky ? 'sticky' : 'in-turn');
  }

  add(member: Member): void {
    const used = new Set(this.#indices.values());
    const index = Array.from({ length: MAX_SOCKETS }, (_, each) => each).find((each) => !used.has(each));
    if (index === undefined) throw new RangeError(`More than ${MAX_SOCKETS} shards on one port.`);
    this.#indices.set(member, index);
    // It may be the company that another one waited for.
    this.#placeBusy();
    if (this.#program.setSocket(index, member.fd)) return;
    // The program in force before ours is what keeps the old array alive.
    if (this.#inForce === '') detachProgram(member.fd);
    this.#busy.add(member);
  }

  remove(member: Member): void {
    this.#indices.delete(member);
    this.#busy.delete(member);
  }

  apply(shares: readonly Share[], run: number): void {
    this.#shares = shares;
    this.#run = run;
    // The kernel spreads by its own hash until the first of them is in the array.
    const ready = shares.filter(({ member }) => this.#indices.has(member) && !this.#busy.has(member));
    const weights = ready.map(({ weight }) => weight);
    const chosen = this.#isSticky
      ? stickyTable(ready.map(({ member, weight }) => ({ id: member.id, weight })))
      : turnsOf(weights);
    const indices = chosen.map((at) => this.#indexOf(ready[at]));
    const any = ready[0]?.member;
    if (indices.length === 0 || any === undefined) return;
    const shift = Math.floor(Math.log2(run));
    const wanted = `${indices.join()} in runs of ${2 ** shift}`;
    if (wanted !== this.#inForce) this.#program.setSchedule(indices, shift);
    if (this.#inForce === '') this.#program.attach(any.fd);
    this.#inForce = wanted;
  }

  settle(): boolean {
    if (this.#busy.size === 0) return true;
    this.#placeBusy();
    this.apply(this.#shares, this.#run);
    return this.#busy.size === 0;
  }

  countGiven(): (member: Member) => number {
    const read = this.#program.counts();
    return (member) => read(this.#indices.get(member) ?? 0);
  }

  positionOf(): null {
    return null;
  }

  close(): void {
    this.#program.close();
  }

  #placeBusy(): void {
    for (const member of this.#busy) {
      const index = this.#indices.get(member);
      if (index === undefined || this.#program.setSocket(index, member.fd)) this.#busy.delete(member);
    }
  }

  #indexOf(share: Share | undefined): number {
    return (share && this.#indices.get(share.member)) ?? 0;
  }
}
