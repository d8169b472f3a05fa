/**
 * Clients of the simulated apps, and what must hold for them: whoever connects is served soon while somebody could, and
 * nobody is given to a worker that stalls once that is known. Looked at every quarter of a second while there is traffic.
 */
import type { Kernel, Listener } from './kernel.ts';
import type { Machine } from './machine.ts';
import type { SimProcess } from './process.ts';
import type { Random } from './random.ts';
import { must } from './invariants.ts';

/** A connection waits no longer, while a worker of its app could have served it and a daemon was there, all this time. */
export const LONGEST_WAIT_MS = 3000;
/** A worker that could serve gets connections again after this. */
export const LONGEST_EXCLUSION_MS = 3000;
/** By then a stalled worker is known to be one, where others have shown that they are not. */
export const STALL_KNOWN_MS = 1500;
/** What it may be given for all that: a shard that gets nothing shows nothing. */
const STALLED_SHARE = 0.25;
const STALLED_ATTEMPTS = 8;
/** What follows from a worker's first word to a daemon takes a moment. */
export const HEARD_MS = 1000;
/** Longer than a worker may take to get ready: one that the daemon has misunderstood is started again by then. */
const DISORDER_MS = 12_000;
/** One that fell behind twice is kept small for five seconds, and may have been misjudged when a sibling stalled. */
const LONGEST_SMALL_MS = 9000;
/** Of an even share: lasting imbalances of open connections are leaned against, by a tenth. */
const LEAST_SHARE = 0.5;
const LOOK_EVERY_MS = 250;

interface StallWatch {
  readonly listener: Listener;
  /** What it, and all shards of its port, had been given when the stall was known. */
  readonly given: number;
  readonly ofPort: number;
  wasCovered: boolean;
}

export interface ClientFacts {
  readonly machine: Machine;
  readonly random: Random;
  /** Since then the same daemon has been there, awake. */
  readonly daemonSince: () => number;
  /** The daemon has heard of it: until then it can ask it for nothing. */
  readonly isHeard: (process: SimProcess) => boolean;
  /** Its app is on record: after a fall-back a daemon leaves workers alone whose app it does not know. */
  readonly isKnown: (port: number) => boolean;
  readonly check: (look: () => void) => void;
}

export class Clients {
  readonly #facts: ClientFacts;
  #until = 0;
  #isLooking = false;
  readonly #stalls = new Map<SimProcess, StallWatch>();
  /** Since when the daemon knows what they listen on. */
  readonly #heardAt = new Map<SimProcess, number>();
  connections = 0;
  refused = 0;

  constructor(facts: ClientFacts) {
    this.#facts = facts;
  }

  get kernel(): Kernel {
    return this.#facts.machine.kernel;
  }

  /** Nobody connects, and nobody waits. */
  get isQuiet(): boolean {
    return this.#facts.machine.time.now > this.#until && this.kernel.waiting.size === 0;
  }

  connect(port: number, ms: number, everyMs: number): void {
    const { random, machine } = this.#facts;
    const { time } = machine;
    const end = time.now + ms;
    this.#until = Math.max(this.#until, end + LONGEST_SMALL_MS + 1000);
    const next = (): void => {
      this.connections += 1;
      if (this.kernel.connect(port) === null) this.refused += 1;
      // As independent clients do; in step with the looks at the queues they would show what is not.
      const waitMs = Math.ceil(-Math.log(1 - random.next()) * everyMs);
      if (time.now + waitMs <= end) time.after(waitMs, next);
    };
    time.after(0, next);
    this.#lookLater();
  }

  #lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#facts.machine.time.after(LOOK_EVERY_MS, () => {
      this.#isLooking = false;
      this.#facts.check(() => this.#look());
      if (!this.isQuiet) this.#lookLater();
    });
  }

  #look(): void {
    const { machine, daemonSince, isKnown } = this.#facts;
    const { now } = machine.time;
    for (const process of machine.living) {
      if (!this.#facts.isHeard(process)) this.#heardAt.delete(process);
      else if (!this.#heardAt.has(process)) this.#heardAt.set(process, now);
    }
    const able = machine.living.filter(
      (process) =>
        process.isAble &&
        isKnown(process.birth.port) &&
        now - (this.#heardAt.get(process) ?? now) >= HEARD_MS &&
        !process.wasAsked &&
        now - process.disorderedAt >= DISORDER_MS,
    );
    const awake = now - daemonSince();
    for (const connection of this.kernel.waiting) {
      const since = Math.min(now - connection.at, awake);
      if (since < LONGEST_WAIT_MS) continue;
      const helper = able.find(
        ({ ableSince, birth }) => birth.port === connection.port && now - (ableSince ?? now) >= LONGEST_WAIT_MS,
      );
      must(
        helper === undefined,
        'no connection waits while somebody could serve it',
        () =>
          `${since} ms on shard ${connection.listener.inode} of ${connection.port}, while pid ${helper!.birth.pid} is able`,
      );
    }
    for (const { own, birth, ableSince } of able) {
      const since = Math.min(now - (ableSince ?? now), awake);
      if (since < LONGEST_EXCLUSION_MS || own === null || !own.isOpen) continue;
      const share = this.kernel.shareOf(own);
      must(
        share !== null && share > 0,
        'no able worker is kept from connections',
        () => `${birth.app}/${birth.slot}#${birth.generation} pid ${birth.pid} has ${share} for ${since} ms`,
      );
    }
    this.#lookAtShares(now, able, awake);
    this.#lookAtStalls(now, able, awake);
  }

  /** Where everybody can serve, nobody is kept small. */
  #lookAtShares(now: number, able: readonly SimProcess[], awake: number): void {
    for (const process of able) {
      const { own, birth } = process;
      const listeners = this.kernel.listeners(birth.port);
      const areAllAble = listeners.every((listener) =>
        able.some((each) => each.own === listener && now - (each.ableSince ?? now) >= LONGEST_EXCLUSION_MS),
      );
      const share = own === null ? null : this.kernel.shareOf(own);
      const isFair = share !== null && share >= LEAST_SHARE / listeners.length;
      // Nobody has looked for a while.
      const isNew = now - process.lookedAt > 2 * LOOK_EVERY_MS;
      process.lookedAt = now;
      if (!areAllAble || isFair || isNew || awake < LONGEST_EXCLUSION_MS) process.fairAt = now;
      must(
        now - process.fairAt < LONGEST_SMALL_MS,
        'who can serve as well as the others gets a share like theirs',
        () => `${birth.app}/${birth.slot}#${birth.generation} pid ${birth.pid} has ${share} of ${listeners.length}`,
      );
    }
  }

  #lookAtStalls(now: number, able: readonly SimProcess[], awake: number): void {
    for (const process of this.#facts.machine.living) {
      const { own, birth, isAccepting, shownStallSince } = process;
      const others = able.filter(
        (each) => each.birth.port === birth.port && each.own !== own && now - (each.ableSince ?? now) >= STALL_KNOWN_MS,
      );
      const isKnown =
        isAccepting &&
        // Handed over already: the shard is its successor's.
        !process.wasAsked &&
        // Nor is there one that was to leave and goes on accepting.
        this.#facts.machine.living.every((each) => each === process || each.own !== own || !each.isAble) &&
        process.isStalled &&
        shownStallSince !== null &&
        Math.min(now - shownStallSince, awake) >= STALL_KNOWN_MS &&
        others.length > 0;
      const watch = this.#stalls.get(process);
      if (!isKnown || own === null) this.#stalls.delete(process);
      else if (watch?.listener !== own)
        this.#stalls.set(process, { listener: own, wasCovered: false, ...this.#givenOf(own) });
      else {
        const now = this.#givenOf(own);
        const given = now.given - watch.given;
        const arrived = now.ofPort - watch.ofPort;
        // Where a sibling accepts in its place, its queue is empty, and whoever is put there is served at once.
        watch.wasCovered ||= others.some(({ covers }) => [...covers.values()].includes(own));
        must(
          watch.wasCovered || given <= STALLED_ATTEMPTS + (STALLED_SHARE * arrived) / (others.length + 1),
          'a stalled worker that nobody covers is given no more connections',
          () => `${birth.app}/${birth.slot}#${birth.generation} pid ${birth.pid}: ${given} of ${arrived}`,
        );
      }
    }
  }

  #givenOf(own: Listener): Pick<StallWatch, 'given' | 'ofPort'> {
    const ofPort = this.kernel.listeners(own.port).reduce((sum, { given }) => sum + given, 0);
    return { given: own.given, ofPort };
  }
}
