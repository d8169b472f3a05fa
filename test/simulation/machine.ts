/**
 * The machine: processes with a life of their own, whose agents speak over channels that are slow, and the kernel's
 * memory of who listens. It outlives every daemon.
 */
import type { AgentMessage, AgentReport, DaemonMessage, ListenAddress } from '../../src/protocol/index.ts';
import { NO_REQUESTS } from '../support/counters.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How a process comes up. */
export type Boot = 'well' | 'throws' | 'exits-0' | 'hangs' | 'never-listens' | 'silent';
/** How it goes when it is asked to. */
export type Manner = 'drains' | 'ignores' | 'exits-at-once';

export interface Temper {
  readonly boot: Boot;
  readonly manner: Manner;
  readonly bootMs: number;
  readonly drainMs: number;
}

export const ADDRESS: ListenAddress = { kind: 'tcp', host: '0.0.0.0', port: 8000, v6only: false };

/** Where the messages of a process go: to the daemon of the moment. */
export interface Ear {
  readonly onMessage: (message: AgentMessage) => void;
}

export interface Birth {
  readonly pid: number;
  readonly app: string;
  readonly slot: number;
  readonly generation: number;
  readonly release: number;
  readonly spawn: string;
  readonly temper: Temper;
  /** Listens on it without asking. */
  readonly bootKey: string | null;
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

export class SimProcess {
  readonly birth: Birth;
  readonly startTicks: number;
  readonly startedAt: number;
  isAlive = true;
  /** It has ended and nobody has waited for it. */
  exit: { readonly code: number | null; readonly signal: string | null } | null = null;
  isListening = false;
  hasListened = false;
  endedAt: number | null = null;
  isAccepting = false;
  isDraining = false;
  ear: Ear | null = null;
  onEnd: ((code: number | null, signal: string | null) => void) | null = null;
  readonly #machine: Machine;
  #seq = 0;
  wasAsked = false;
  #request: AgentMessage | null = null;
  #mayAccept: boolean;
  #key: string | null = null;

  constructor(machine: Machine, birth: Birth, startTicks: number) {
    this.#machine = machine;
    this.birth = birth;
    this.startTicks = startTicks;
    this.startedAt = machine.time.now;
    this.#mayAccept = birth.acceptAtOnce;
    const { boot, bootMs } = birth.temper;
    machine.time.after(bootMs, () => this.#boot(boot));
  }

  #boot(boot: Boot): void {
    if (!this.isAlive || boot === 'hangs') return;
    if (boot === 'throws') return this.end(1, null);
    if (boot === 'exits-0') return this.end(0, null);
    if (boot === 'silent') return;
    this.#sayHello();
    if (boot === 'never-listens') return;
    const { bootKey } = this.birth;
    if (bootKey !== null) return this.#listen(bootKey);
    const request = { host: '0.0.0.0', port: 8000, v6only: false, path: null, randomIndex: null, reservedPort: null };
    this.#request = { type: 'listen', id: 1, request, protocol: 'http' };
    this.say(this.#request);
  }

  #listen(key: string): void {
    this.isListening = true;
    this.hasListened = true;
    this.#key = key;
    this.say({ type: 'listening', id: 1, key, protocol: 'http' });
    if (this.#mayAccept) this.isAccepting = true;
  }

  /** What the daemon says; arrives late, and never at a process that is gone. */
  hear(message: DaemonMessage): void {
    if (!this.isAlive || this.birth.temper.boot === 'hangs' || this.birth.temper.boot === 'silent') return;
    switch (message.type) {
      case 'welcome':
        this.#sayHello();
        // What was asked of the daemon before this one may never have arrived.
        if (this.#request !== null && !this.isListening) this.say(this.#request);
        return;
      case 'grant':
        return this.#listen(message.key);
      case 'accept':
        if (this.isDraining) return;
        this.#mayAccept = true;
        this.isAccepting = this.isListening;
        return;
      case 'drain':
        return this.#drain();
      case 'report-now':
        return this.say({ type: 'report', report: this.#report(), replyTo: message.id });
      default:
    }
  }

  #drain(): void {
    if (this.isDraining) return;
    const { manner, drainMs } = this.birth.temper;
    if (manner === 'ignores') return;
    this.isDraining = true;
    this.isAccepting = false;
    if (manner === 'exits-at-once') return this.end(0, null);
    this.say({ type: 'draining', report: this.#report() });
    this.#machine.time.after(drainMs, () => {
      if (!this.isAlive) return;
      const summary = { cutRequests: 0, cutUpgrades: 0, cutConnections: 0, closedUpgrades: 0 };
      this.say({ type: 'drained', summary, report: this.#report() });
      this.end(0, null);
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
    this.exit = { code, signal };
    this.#machine.onChange(this);
    const { onEnd } = this;
    if (onEnd !== null)
      this.#machine.time.after(this.#machine.lateness(), () => this.onEnd === onEnd && onEnd(code, signal));
  }

  say(message: AgentMessage): void {
    const { ear } = this;
    if (ear === null) return;
    this.#machine.deliver(this, () => {
      // Who listened then is gone, and what was under way with it.
      if (this.ear === ear) ear.onMessage(message);
    });
  }

  #sayHello(): void {
    const servers = this.isListening
      ? [{ id: 1, key: this.#key, address: ADDRESS, accepting: this.isAccepting, protocol: 'http' as const }]
      : [];
    this.say({
      type: 'hello',
      v: 1,
      spawn: this.birth.spawn,
      pid: this.birth.pid,
      node: '24.0.0',
      phase: this.isDraining ? 'draining' : this.isAccepting ? 'serving' : 'booting',
      signalledReady: false,
      servers,
      report: this.#report(),
    });
  }

  #report(): AgentReport {
    this.#seq += 1;
    return { seq: this.#seq, counters: NO_REQUESTS, runtime: RUNTIME };
  }
}

export class Machine {
  readonly time: VirtualTime;
  readonly processes: SimProcess[] = [];
  bootId = 'boot-1';
  /** How a process that is started now will behave. */
  temper: () => Temper;
  onChange: (process: SimProcess) => void = () => {};
  onDoubled: () => void = () => {};
  /** The next so many messages arrive twice. */
  doubled = 0;
  readonly #random: Random;
  #pids = 100;
  #ticks = 0;
  /** The channel of a process is in order: nothing arrives before what was said earlier. */
  readonly #lastArrival = new WeakMap<SimProcess, number>();

  constructor(time: VirtualTime, random: Random, temper: () => Temper) {
    this.time = time;
    this.#random = random;
    this.temper = temper;
  }

  start(birth: Omit<Birth, 'pid' | 'temper'>): SimProcess {
    this.#pids += 1;
    this.#ticks += 1;
    const process = new SimProcess(this, { ...birth, pid: this.#pids, temper: this.temper() }, this.#ticks);
    this.processes.push(process);
    this.onChange(process);
    return process;
  }

  find(pid: number): SimProcess | null {
    return this.processes.findLast((process) => process.birth.pid === pid) ?? null;
  }

  get living(): readonly SimProcess[] {
    return this.processes.filter(({ isAlive }) => isAlive);
  }

  lateness(): number {
    return this.#random.next() < 0.1 ? this.#random.between(10, 200) : this.#random.between(0, 3);
  }

  deliver(process: SimProcess, arrive: () => void): void {
    const at = Math.max(this.time.now + this.lateness(), this.#lastArrival.get(process) ?? 0);
    this.#lastArrival.set(process, at);
    this.time.after(at - this.time.now, arrive);
    if (this.doubled === 0) return;
    this.doubled -= 1;
    this.onDoubled();
    this.time.after(at - this.time.now, arrive);
  }

  /** Everything ends, and nothing of it is left but what is on disk. */
  reboot(): void {
    for (const process of this.living) {
      process.ear = null;
      process.onEnd = null;
      process.end(null, 'SIGKILL');
    }
    this.bootId = `boot-${this.#random.between(2, 1e9)}`;
  }

  /** Another program gets the pid of one that is gone. */
  reusePid(pid: number): void {
    this.#ticks += 1;
    const process = new SimProcess(
      this,
      {
        pid,
        app: 'stranger',
        slot: -1,
        generation: -1,
        release: -1,
        spawn: 'stranger',
        temper: { boot: 'silent', manner: 'ignores', bootMs: 0, drainMs: 0 },
        bootKey: null,
        acceptAtOnce: false,
      },
      this.#ticks,
    );
    this.processes.push(process);
  }
}
