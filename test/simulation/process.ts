/**
 * One worker process of the simulated machine: it boots, speaks as its agent would, serves the connections that wait on
 * its sockets, stalls, and goes; each as its temper says.
 */
import type { AgentMessage, AgentReport, DaemonMessage } from '../../src/protocol/index.ts';
import { NO_REQUESTS } from '../support/counters.ts';
import type { Listener } from './kernel.ts';
import type { Machine } from './machine.ts';
import { addressOf } from './net-kernel.ts';

/** How a process comes up. */
export type Boot = 'well' | 'throws' | 'exits-0' | 'hangs' | 'never-listens' | 'silent';
/** How it goes when it is asked to. */
export type Manner = 'drains' | 'ignores' | 'exits-at-once';
/** What an agent can say that is not so. */
export type Lie = 'garbage' | 'closed' | 'listening' | 'exit' | 'stranger' | 'old-report';

export interface Temper {
  readonly boot: Boot;
  readonly manner: Manner;
  readonly bootMs: number;
  readonly drainMs: number;
}

/** Where the messages of a process go: to the daemon of the moment. */
export interface Ear {
  readonly onMessage: (message: AgentMessage) => void;
}

export interface Birth {
  readonly pid: number;
  readonly app: string;
  readonly port: number;
  readonly slot: number;
  readonly generation: number;
  readonly release: number;
  readonly spawn: string;
  readonly bootId: string;
  readonly temper: Temper;
  /** Listens on it without asking. */
  readonly boots: { readonly key: string; readonly listener: Listener } | null;
  readonly acceptAtOnce: boolean;
}

const RUNTIME = {
  uptimeMs: 1,
  rssBytes: 1,
  heapUsedBytes: 1,
  heapTotalBytes: 1,
  externalBytes: 1,
  cpuUserUs: 1,
  cpuSystemUs: 1,
  eventLoopUtilization: 0.1,
  delayMs: { mean: 0, p99: 0, max: 0 },
  gc: { count: 0, pauseMs: 0 },
  openConnections: 0,
  inFlight: 0,
};

/** Of a worker that has had something to do. */
const REPORT_EVERY_MS = 1000;

export class SimProcess {
  readonly birth: Birth;
  readonly startTicks: number;
  readonly startedAt: number;
  isAlive = true;
  isListening = false;
  listenedAt: number | null = null;
  /** When its agent last said what is not so. */
  liedAt = -Infinity;
  /** A message of its channel took long: without a word of its listening it may have counted as one that never does. */
  wasHeardLate = false;
  /** A daemon found it without a record: nobody knew whether it served. */
  wasStray = false;
  /** When a daemon first asked it to drain. */
  askedAt: number | null = null;
  /** That daemon could not write down that it did. */
  wasAskedOffRecord = false;
  /** Its end was asked for by a signal of the daemon. */
  wasSignalled = false;
  endedAt: number | null = null;
  isAccepting = false;
  isDraining = false;
  /** Accepts and is not stalled, since then. */
  ableSince: number | null = null;
  stalledUntil = 0;
  /** Since then a connection has been given to it although it stalls: it can be known. */
  shownStallSince: number | null = null;
  /** When it last had half of an even share of the new connections, and all others of its port could serve too. */
  fairAt = -Infinity;
  lookedAt = -Infinity;
  /** A message of its channel was last overtaken; what the daemon makes of it may take a start to be put right. */
  disorderedAt = -Infinity;
  onEnd: ((code: number | null, signal: string | null) => void) | null = null;
  /** Its own shard, and those of siblings that it covers, by slot. */
  own: Listener | null = null;
  readonly covers = new Map<number, Listener>();
  readonly #machine: Machine;
  #ear: Ear | null = null;
  #unread: AgentMessage[] = [];
  #seq = 0;
  #served = 0;
  #request: AgentMessage | null = null;
  #mayAccept: boolean;
  #key: string | null = null;
  #isWorking = false;
  #willReport = false;

  constructor(machine: Machine, birth: Birth, startTicks: number) {
    this.#machine = machine;
    this.birth = birth;
    this.startTicks = startTicks;
    this.startedAt = machine.time.now;
    this.#mayAccept = birth.acceptAtOnce;
    if (birth.boots !== null) machine.kernel.hold(birth.boots.listener, this);
    this.#later(birth.temper.bootMs, () => this.#boot(birth.temper.boot));
  }

  get hasListened(): boolean {
    return this.listenedAt !== null;
  }

  get isStalled(): boolean {
    return this.#machine.time.now < this.stalledUntil;
  }

  get wasAsked(): boolean {
    return this.askedAt !== null;
  }

  get hasLied(): boolean {
    return this.liedAt > -Infinity;
  }

  get isAble(): boolean {
    return this.isAlive && this.isAccepting && !this.isStalled && this.own !== null;
  }

  // ── its life ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Its loop is blocked, or it is stopped: it does nothing at all for so long. */
  stall(ms: number): void {
    this.stalledUntil = Math.max(this.stalledUntil, this.#machine.time.now + ms);
    this.ableSince = null;
    this.#machine.time.after(ms, () => {
      if (!this.isAlive || this.isStalled) return;
      this.shownStallSince = null;
      this.#note();
      this.wake();
    });
  }

  /** SIGTERM of one that has no agent to ask, or SIGKILL. */
  signal(signal: string): void {
    if (!this.isAlive) return;
    if (signal === 'SIGKILL' || this.birth.temper.manner !== 'ignores') this.end(null, signal);
  }

  end(code: number | null, signal: string | null): void {
    if (!this.isAlive) return;
    if (code !== null) this.say({ type: 'exit', code, reason: null, report: this.#report() });
    this.isAlive = false;
    this.endedAt = this.#machine.time.now;
    this.isAccepting = false;
    this.isListening = false;
    this.ableSince = null;
    this.#machine.kernel.closeAll(this);
    const { onEnd } = this;
    if (onEnd !== null)
      this.#machine.time.after(this.#machine.lateness(), () => this.onEnd === onEnd && onEnd(code, signal));
  }

  #later(ms: number, call: () => void): void {
    const run = (): void => {
      if (!this.isAlive) return;
      if (!this.isStalled) return call();
      this.#machine.noteStall(this);
      this.#machine.time.after(this.stalledUntil - this.#machine.time.now, run);
    };
    this.#machine.time.after(ms, run);
  }

  #boot(boot: Boot): void {
    if (boot === 'hangs' || boot === 'silent') return;
    if (boot === 'throws') return this.end(1, null);
    if (boot === 'exits-0') return this.end(0, null);
    this.#sayHello();
    if (boot === 'never-listens') return;
    const { boots } = this.birth;
    if (boots !== null) return this.#listen(boots.key, boots.listener);
    this.#ask();
  }

  #ask(): void {
    const { port } = this.birth;
    const request = { host: '0.0.0.0', port, v6only: false, path: null, randomIndex: null, reservedPort: null };
    this.#request = { type: 'listen', id: 1, request, protocol: 'http' };
    this.say(this.#request);
  }

  #listen(key: string, listener: Listener): void {
    if (this.isListening) {
      if (this.isAccepting) return;
      // It was told to let go of the one that it had.
      if (this.own !== null) this.#machine.kernel.drop(this.own, this);
      this.own = listener;
      if (this.#mayAccept) this.#accept();
      return;
    }
    this.own = listener;
    this.isListening = true;
    this.listenedAt ??= this.#machine.time.now;
    this.#key = key;
    this.say({ type: 'listening', id: 1, key, protocol: 'http' });
    if (this.#mayAccept) this.#accept();
  }

  #accept(): void {
    this.isAccepting = this.isListening;
    this.#note();
    this.wake();
  }

  /** Keeps what others want to know of it up to date. */
  #note(): void {
    this.ableSince = this.isAble ? (this.ableSince ?? this.#machine.time.now) : null;
  }

  // ── serving ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A connection waits on one of its sockets. */
  wake(): void {
    if (this.isStalled && this.own !== null && this.own.queue.length > 0) {
      this.shownStallSince ??= this.#machine.time.now;
    }
    if (this.#isWorking || !this.isAlive || this.#next() === null) return;
    this.#isWorking = true;
    this.#later(this.#machine.serviceMs(), () => {
      this.#isWorking = false;
      const listener = this.#next();
      if (listener !== null && this.#machine.kernel.accept(listener) !== null) this.#noteServed();
      this.wake();
    });
  }

  /** Where a connection waits that it accepts. */
  #next(): Listener | null {
    if (this.isAccepting && this.own !== null && this.own.queue.length > 0) return this.own;
    if (this.isDraining) return null;
    for (const listener of this.covers.values()) if (listener.queue.length > 0) return listener;
    return null;
  }

  #noteServed(): void {
    this.#served += 1;
    if (this.#willReport) return;
    this.#willReport = true;
    this.#later(REPORT_EVERY_MS, () => {
      this.#willReport = false;
      this.say({ type: 'report', report: this.#report(), replyTo: null });
    });
  }

  // ── what the daemon says ───────────────────────────────────────────────────────────────────────────────────────

  /** Arrives late, and never at a process that is gone; `listener` came with it. */
  hear(message: DaemonMessage, listener: Listener | null): void {
    this.#later(0, () => this.#hear(message, listener));
  }

  #hear(message: DaemonMessage, listener: Listener | null): void {
    if (this.birth.temper.boot === 'hangs' || this.birth.temper.boot === 'silent') return;
    switch (message.type) {
      case 'welcome':
        this.#sayHello();
        // What was asked of the daemon before this one may never have arrived.
        if (this.#request !== null && !this.isListening) this.say(this.#request);
        return;
      case 'descriptor':
        if (listener !== null) this.#take(message, listener);
        return;
      case 'uncover': {
        const covered = this.covers.get(message.slot);
        this.covers.delete(message.slot);
        if (covered !== undefined) this.#machine.kernel.drop(covered, this);
        return;
      }
      case 'hold':
        if (!this.isDraining) this.#hold();
        return;
      case 'accept':
        if (this.isDraining) return;
        this.#mayAccept = true;
        return this.isListening && this.own === null ? this.#ask() : this.#accept();
      case 'drain':
        return this.#drain();
      case 'report-now':
        return this.say({ type: 'report', report: this.#report(), replyTo: message.id });
      default:
    }
  }

  /** Lets go of its socket: whoever has others gives it one when it is to accept again. */
  #hold(): void {
    this.#mayAccept = false;
    this.isAccepting = false;
    if (this.own !== null) this.#machine.kernel.drop(this.own, this);
    this.own = null;
    this.#note();
  }

  #take({ role, key, slot }: Extract<DaemonMessage, { type: 'descriptor' }>, listener: Listener): void {
    if (role === 'shard') return this.#listen(key, listener);
    if (role !== 'cover') return;
    const before = this.covers.get(slot);
    // It holds the same socket twice, and needs it once.
    if (before !== undefined) this.#machine.kernel.drop(before, this);
    this.covers.set(slot, listener);
    this.wake();
  }

  #drain(): void {
    if (this.isDraining) return;
    const { manner, drainMs } = this.birth.temper;
    if (manner === 'ignores') return;
    this.isDraining = true;
    this.#mayAccept = false;
    this.isAccepting = false;
    this.ableSince = null;
    if (manner === 'exits-at-once') return this.end(0, null);
    this.say({ type: 'draining', report: this.#report() });
    this.#later(drainMs, () => {
      const summary = { cutRequests: 0, cutUpgrades: 0, cutConnections: 0, closedUpgrades: 0 };
      this.say({ type: 'drained', summary, report: this.#report() });
      this.end(0, null);
    });
  }

  // ── what it says ───────────────────────────────────────────────────────────────────────────────────────────────

  get ear(): Ear | null {
    return this.#ear;
  }

  /** Nobody listens: what is said waits in the channel for the next daemon. */
  deafen(): void {
    this.#ear = null;
  }

  listenTo(ear: Ear): void {
    this.#ear = ear;
    for (const message of this.#unread.splice(0)) this.say(message);
  }

  /** What waits in the channel is lost; returns how much that was. */
  loseUnread(): number {
    return this.#unread.splice(0).length;
  }

  say(message: AgentMessage): void {
    this.#machine.deliver(this, () => {
      if (this.#ear === null) this.#unread.push(message);
      else this.#ear.onMessage(message);
    });
  }

  lie(lie: Lie): void {
    this.liedAt = this.#machine.time.now;
    switch (lie) {
      case 'garbage':
        return this.say({ type: 'nonsense' } as unknown as AgentMessage);
      case 'closed':
        return this.say({ type: 'closed', id: 77 });
      case 'listening':
        return this.say({ type: 'listening', id: 77, key: 'nowhere', protocol: 'http' });
      case 'exit':
        return this.say({ type: 'exit', code: 3, reason: 'it goes on', report: this.#report() });
      case 'stranger':
        return this.say({ ...this.#hello(), pid: 0 });
      case 'old-report':
        return this.say({ type: 'report', report: { ...this.#report(), seq: 0 }, replyTo: 1 });
    }
  }

  #sayHello(): void {
    this.say(this.#hello());
  }

  #hello(): Extract<AgentMessage, { type: 'hello' }> {
    const address = addressOf(this.birth.port);
    const servers = this.isListening
      ? [
          {
            id: 1,
            key: this.#key,
            address,
            accepting: this.isAccepting,
            covers: [...this.covers.keys()],
            protocol: 'http' as const,
          },
        ]
      : [];
    return {
      type: 'hello',
      v: 1,
      spawn: this.birth.spawn,
      pid: this.birth.pid,
      node: '24.0.0',
      phase: this.isDraining ? 'draining' : this.isAccepting ? 'serving' : 'booting',
      signalledReady: false,
      servers,
      report: this.#report(),
    };
  }

  #report(): AgentReport {
    this.#seq += 1;
    const counters = { ...NO_REQUESTS, begun: this.#served, served: this.#served, connections: this.#served };
    const runtime = { ...RUNTIME, uptimeMs: this.#machine.time.now - this.startedAt };
    return { seq: this.#seq, counters, runtime };
  }
}
