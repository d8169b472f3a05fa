/**
 * A TCP port with a socket for each slot and lane. The port keeps one descriptor of each open for as long as the shard
 * exists (closing the last one resets what waits in its queue), and never accepts on any.
 */
import { findUnmoved, newFeedback, pollEvery, stepFeedback } from '../core/index.ts';
import type { FeedbackState, FeedbackStep, ShardSample } from '../core/index.ts';
import type { Clock, Lane, ShardHolder } from '../protocol/index.ts';
import { placeKey } from './app-traffic.ts';
import type { AppTraffic, Place } from './app-traffic.ts';
import { Arrivals } from './arrivals.ts';
import type { Dispatch, Member } from './dispatch.ts';
import { stepChange, withoutCover, withoutShard } from './feedback-steps.ts';
import { writeKeptName } from './kept-name.ts';
import type { PortFacts } from './kept-name.ts';
import type { NetKernel } from './kernel.ts';
import type { KeptDescriptor, ManagedPort, PortView, PrivateSocket, ShardSocket } from './port.ts';
import type { KeptPrivate, PrivateSockets } from './private-sockets.ts';
import { percentages } from './shares.ts';
import { Starvation } from './starvation.ts';
import { waitForQuiet } from './wait-for-quiet.ts';

export type CoverReport = (change: 'covered' | 'uncovered', place: Place, by: string) => void;

export interface GroupPortParts {
  readonly key: string;
  readonly facts: PortFacts;
  readonly traffic: AppTraffic;
  readonly dispatch: Dispatch;
  readonly privates: PrivateSockets;
  readonly kernel: NetKernel;
  readonly clock: Clock;
  readonly hasFeedback: boolean;
  readonly onCover: CoverReport;
  readonly onDescriptors: () => void;
}

interface Shard extends Member, Place {
  weight: number;
  /** Gets nothing more, and is closed when it is empty. */
  isLeaving: boolean;
  coverer: ShardHolder | null;
}

/** How often the kernel is asked again for what it could not do yet. */
const SETTLE_EVERY_MS = 50;
/** With no feedback to give: only one shard, or nobody alive. */
const UNEVENTFUL_POLL_MS = 500;
const SERVING_POLL_MS = 50;

export class GroupPort implements ManagedPort {
  readonly key: string;
  readonly #parts: GroupPortParts;
  readonly #closing = new AbortController();
  readonly #arrivals: Arrivals;
  readonly #starvation: Starvation;
  readonly #kernel: NetKernel;
  #shards: readonly Shard[] = [];
  #feedback: FeedbackState = newFeedback();
  #isSettled = true;
  #hasNewMembers = false;
  #runInForce = 1;
  #settledAt = 0;

  constructor(parts: GroupPortParts) {
    this.#parts = parts;
    this.key = parts.key;
    this.#kernel = parts.kernel;
    this.#starvation = new Starvation(parts.kernel);
    this.#arrivals = new Arrivals(parts.dispatch);
  }

  get app(): string {
    return this.#parts.facts.app;
  }

  get address(): PortFacts['address'] {
    return this.#parts.facts.address;
  }

  get declared(): boolean {
    return this.#parts.facts.declared;
  }

  shard(slot: number, lane: Lane = 'stable'): ShardSocket {
    const known = this.#find({ slot, lane });
    if (known === undefined) return this.#add({ slot, lane }, this.#listen());
    known.isLeaving = false;
    this.refresh();
    return known;
  }

  hasShard(slot: number, lane: Lane = 'stable'): boolean {
    return this.#find({ slot, lane }) !== undefined;
  }

  isShardAmong(slot: number, inodes: ReadonlySet<number>): boolean {
    const shard = this.#find({ slot, lane: 'stable' });
    return shard !== undefined && inodes.has(shard.inode);
  }

  /** A socket that listens already: of the daemon before us, or a duplicate of one that a worker bound by itself. */
  adopt(fd: number, place: Place): void {
    const inode = this.#kernel.inodeOf(fd);
    if (this.hasSocket(inode)) {
      this.#kernel.closeDescriptor(fd);
      return;
    }
    this.#kernel.setReusePort(fd);
    this.#kernel.setBacklog(fd);
    // The worker accepts on its own socket, whatever we had put aside for it.
    const spare = this.#find(place);
    this.#add(place, fd);
    if (spare !== undefined) void this.#retire(spare);
  }

  async giveUp(slot: number, lane: Lane = 'stable'): Promise<void> {
    const shard = this.#find({ slot, lane });
    if (shard === undefined) return;
    await this.#retire(shard);
    if (this.#find({ slot, lane }) === undefined) this.#parts.traffic.forgetPlace({ slot, lane });
    if (!this.#shards.some((each) => each.slot === slot)) this.#parts.privates.closeSlot(slot);
  }

  findPrivatePath(slot: number, worker: string): string | null {
    return this.#parts.privates.findPath(slot, worker);
  }

  privateSocket(slot: number, worker: string): PrivateSocket | null {
    return this.#parts.privates.open(slot, worker);
  }

  /** A private socket of the daemon before us. */
  adoptPrivate(socket: KeptPrivate): void {
    this.#parts.privates.add(socket);
  }

  refresh(): void {
    this.#recover();
    const at = this.#parts.clock.monotonicMs();
    this.#run(stepChange(this.#feedback, this.#samples(at), at));
  }

  poll(): number {
    const at = this.#parts.clock.monotonicMs();
    if (!this.#isSettled && at - this.#settledAt >= SETTLE_EVERY_MS) {
      this.#settledAt = at;
      this.#isSettled = this.#parts.dispatch.settle();
    }
    return Math.min(this.#isSettled ? Infinity : SETTLE_EVERY_MS, this.#feedBack(at));
  }

  view(): PortView {
    const shares = percentages(this.#shards.map(({ weight }) => weight));
    const shards = this.#shards.map(({ slot, lane, fd, coverer }, at) => ({
      slot,
      lane,
      weight: shares[at] ?? 0,
      acceptQueue: this.#kernel.acceptQueue(fd)?.depth ?? null,
      coveredBy: coverer?.id ?? null,
    }));
    return { key: this.key, address: this.address, declared: this.declared, shards };
  }

  keep(): readonly KeptDescriptor[] {
    const { facts, dispatch, privates } = this.#parts;
    return [
      ...this.#shards.map((shard) => {
        const { slot, lane, fd } = shard;
        const position = dispatch.positionOf(shard);
        return { name: writeKeptName({ kind: 'shard', ...facts, slot, lane, position }), fd };
      }),
      ...privates.list().map(({ slot, worker, path, fd }) => ({
        name: writeKeptName({ kind: 'private', ...facts, slot, worker, path }),
        fd,
      })),
    ];
  }

  hasSocket(inode: number): boolean {
    return this.#shards.some((shard) => shard.inode === inode);
  }

  close(): void {
    this.#closing.abort();
    for (const { fd } of this.#shards) this.#kernel.closeDescriptor(fd);
    this.#shards = [];
    this.#parts.privates.close();
    this.#parts.dispatch.close();
    this.#parts.onDescriptors();
  }

  end(): void {
    for (const { fd } of this.#shards) this.#kernel.stopListening(fd);
    this.#parts.privates.end();
    this.close();
  }

  #feedBack(at: number): number {
    if (!this.#parts.hasFeedback || this.#shards.length < 2) return UNEVENTFUL_POLL_MS;
    const samples = this.#samples(at);
    // A sticky client is better off waiting for its worker than with one that does not know it.
    const step = this.#parts.facts.sticky
      ? stepChange(this.#feedback, samples, at)
      : stepFeedback(this.#feedback, this.#findStarved(samples, at), at);
    this.#run(step);
    // Kept-alive traffic shows in no queue, but a burst of new connections may come with it at any time.
    const isServing = this.#parts.traffic.requestsPerSecond > 0;
    return Math.min(isServing ? SERVING_POLL_MS : Infinity, pollEvery(this.#feedback));
  }

  #listen(): number {
    const { address, uid } = this.#parts.facts;
    if (address.kind !== 'tcp') throw new TypeError('Only TCP ports have shards.');
    return this.#kernel.listenSocket({ ...address, uid, reusePort: true });
  }

  #add(place: Place, fd: number): Shard {
    const id = placeKey(place);
    const shard: Shard = {
      ...place,
      id,
      fd,
      inode: this.#kernel.inodeOf(fd),
      weight: 0,
      isLeaving: false,
      coverer: null,
    };
    this.#shards = [...this.#shards, shard];
    this.#parts.dispatch.add(shard);
    this.#isSettled = false;
    this.#hasNewMembers = true;
    this.refresh();
    this.#parts.onDescriptors();
    return shard;
  }

  #find({ slot, lane }: Place): Shard | undefined {
    return this.#shards.findLast((shard) => shard.slot === slot && shard.lane === lane);
  }

  async #retire(shard: Shard): Promise<void> {
    // Asked for twice: once is enough, and its descriptor must not be looked at when it is closed.
    if (shard.isLeaving) return;
    shard.isLeaving = true;
    this.refresh();
    await waitForQuiet({
      kernel: this.#kernel,
      signal: this.#closing.signal,
      // Also while nobody accepts: whoever is started next covers it.
      isQuiet: () => (this.#kernel.acceptQueue(shard.fd)?.depth ?? 0) === 0,
      isWanted: () => !shard.isLeaving,
      handshakes: () => this.#handshakes(),
    });
    if (shard.isLeaving && this.#shards.includes(shard)) this.#drop(shard);
  }

  #handshakes(): ReadonlySet<string> {
    return this.address.kind === 'tcp' && this.#shards.length > 1
      ? this.#kernel.handshakesOn(this.address.port)
      : new Set();
  }

  #drop(shard: Shard): void {
    const at = this.#shards.indexOf(shard);
    if (shard.coverer !== null) this.#endCover(shard, shard.coverer);
    this.#feedback = withoutShard(this.#feedback, at);
    this.#shards = this.#shards.filter((each) => each !== shard);
    this.#kernel.closeDescriptor(shard.fd);
    this.#parts.dispatch.remove(shard);
    this.#isSettled = false;
    this.#hasNewMembers = true;
    this.refresh();
    this.#parts.onDescriptors();
  }

  #samples(now: number): readonly ShardSample[] {
    const { traffic, facts } = this.#parts;
    const staying = this.#shards.filter(({ isLeaving }) => !isLeaving);
    const bases = new Map(traffic.baseWeights(staying, this.key).map((base, at) => [staying[at], base]));
    const arrivals = this.#arrivals.take(this.#shards, now);
    return this.#shards.map((shard, at) => {
      const load = traffic.findLoad(shard);
      return {
        depth: this.#kernel.acceptQueue(shard.fd)?.depth ?? 0,
        arrivals: arrivals[at] ?? null,
        isStarved: false,
        utilization: load?.utilization ?? null,
        // A sticky client's place does not depend on how busy it is.
        connections: facts.sticky ? null : (load?.connections ?? null),
        base: bases.get(shard) ?? 0,
        // Whoever has its place accepts on another one, where that one was found with it.
        isUp: this.#find(shard) === shard && traffic.findHolder(shard, this.key) !== null,
        lane: shard.lane,
      };
    });
  }

  /** Asks the system only about those whose queue stands still. */
  #findStarved(samples: readonly ShardSample[], now: number): readonly ShardSample[] {
    const unmoved = findUnmoved(this.#feedback, samples);
    if (unmoved.size === 0) return samples;
    return samples.map((sample, at) => {
      const shard = this.#shards[at];
      const holder = unmoved.has(at) && shard ? this.#parts.traffic.findHolder(shard, this.key) : null;
      return holder !== null && this.#starvation.isStarved(holder, now) ? { ...sample, isStarved: true } : sample;
    });
  }

  #run({ state, weights, cover, uncover }: FeedbackStep): void {
    this.#feedback = state;
    this.#apply(weights);
    for (const { shard: at } of uncover) {
      const shard = this.#shards[at];
      if (shard?.coverer) this.#endCover(shard, shard.coverer);
    }
    if (!this.#parts.hasFeedback) return;
    for (const { shard: at, by } of cover) this.#beginCover(this.#shards[at], this.#shards[by]);
  }

  #apply(weights: readonly number[]): void {
    // A sticky client has its place, and no turn.
    const run = this.#parts.facts.sticky ? 1 : this.#arrivals.run;
    const isSame = run === this.#runInForce && this.#shards.every((shard, at) => shard.weight === weights[at]);
    if (isSame && !this.#hasNewMembers) return;
    this.#hasNewMembers = false;
    this.#runInForce = run;
    for (const [at, shard] of this.#shards.entries()) shard.weight = weights[at] ?? 0;
    const shares = this.#shards.map((shard) => ({ member: shard, weight: shard.weight }));
    this.#parts.dispatch.apply(shares, run);
  }

  #beginCover(shard: Shard | undefined, sibling: Shard | undefined): void {
    const holder = sibling && this.#parts.traffic.findHolder(sibling, this.key);
    if (!shard || !holder) return;
    shard.coverer = holder;
    holder.cover(this.key, shard.slot, shard.fd);
    this.#parts.onCover('covered', shard, holder.id);
  }

  #endCover(shard: Shard, holder: ShardHolder): void {
    shard.coverer = null;
    holder.uncover(this.key, shard.slot);
    this.#parts.onCover('uncovered', shard, holder.id);
  }

  /** Who covered others has stopped accepting, or is about to leave, its successor there: another one is found. */
  #recover(): void {
    const { traffic } = this.#parts;
    for (const [at, shard] of this.#shards.entries()) {
      const { coverer } = shard;
      if (coverer === null || traffic.findHolder(coverer, this.key)?.id === coverer.id) continue;
      this.#endCover(shard, coverer);
      this.#feedback = withoutCover(this.#feedback, at);
    }
  }
}
