/** Shares as chances in a classic BPF program, by the kernel's own order of the group. */
import { attachClassic, listenersBeside } from '../os/index.ts';
import type { Dispatch, Member, Share } from './dispatch.ts';
import { reconcileOrder } from './group-order.ts';
import { stickyTable } from './shares.ts';

export class ClassicGroup implements Dispatch {
  readonly level = 'classic';
  readonly #port: number;
  readonly #isSticky: boolean;
  readonly #members = new Set<Member>();
  /** Closed by us, but perhaps still held by a worker, and then still in the kernel's order. */
  readonly #closed = new Set<number>();
  #order: readonly number[];
  #shares: readonly Share[] = [];
  #inForce = '';

  /** `order` is what the daemon before us knew of it, by inode. */
  constructor(port: number, isSticky: boolean, order: readonly number[] = []) {
    this.#port = port;
    this.#isSticky = isSticky;
    this.#order = order;
  }

  add(member: Member): void {
    this.#members.add(member);
    this.#readOrder();
  }

  remove(member: Member): void {
    this.#members.delete(member);
    this.#closed.add(member.inode);
    this.settle();
  }

  apply(shares: readonly Share[]): void {
    this.#shares = shares;
    // A socket alone needs no program, and takes none before it has company if it was bound without SO_REUSEPORT.
    if (this.#order.length < 2) return;
    const rule = this.#isSticky ? this.#stickyRule(shares) : this.#weightRule(shares);
    const any = shares[0]?.member;
    const wanted = JSON.stringify(rule);
    if (rule === null || any === undefined || wanted === this.#inForce) return;
    attachClassic(any.fd, rule);
    this.#inForce = wanted;
  }

  settle(): boolean {
    if (this.#closed.size === 0) return true;
    this.#readOrder();
    for (const inode of this.#closed) if (!this.#order.includes(inode)) this.#closed.delete(inode);
    this.apply(this.#shares.filter(({ member }) => this.#members.has(member)));
    return this.#closed.size === 0;
  }

  countGiven(): null {
    return null;
  }

  positionOf(member: Member): number {
    return this.#order.indexOf(member.inode);
  }

  close(): void {
    // A program goes with its group.
    this.#members.clear();
  }

  #readOrder(): void {
    const [any] = this.#members;
    if (any !== undefined) this.#order = reconcileOrder(this.#order, listenersBeside(any.inode, this.#port));
  }

  #weightRule(shares: readonly Share[]): { kind: 'weights'; weights: readonly number[] } | null {
    const weights = this.#order.map(
      (inode) => shares.find(({ member }) => member.inode === inode)?.weight ?? 0, // not ours, or on its way out
    );
    return weights.some((weight) => weight > 0) ? { kind: 'weights', weights } : null;
  }

  #stickyRule(shares: readonly Share[]): { kind: 'sticky'; table: readonly number[] } | null {
    const owners = stickyTable(shares.map(({ member, weight }) => ({ id: member.id, weight })));
    if (owners.length === 0) return null;
    return { kind: 'sticky', table: owners.map((at) => this.#order.indexOf(shares[at]?.member.inode ?? -1)) };
  }
}
