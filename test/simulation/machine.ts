/**
 * The machine: its processes, the channels between them and the daemon, and the kernel. It outlives every daemon. A
 * channel keeps what nobody reads for the next daemon; what a daemon had read, or not yet written, dies with it.
 */
import { Kernel, type KernelHooks } from './kernel.ts';
import { type Birth, SimProcess, type Temper } from './process.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export type MessageFault = 'messages-doubled' | 'messages-late' | 'messages-reordered' | 'messages-lost';

export interface MachineHooks {
  /** How a process that is started now will behave. */
  readonly temper: () => Temper;
  /** It changed something: a message was doubled, was late, overtook another one, or is lost. */
  readonly onMessageFault: (fault: MessageFault) => void;
  /** A stalled process would have done something, and does it later. */
  readonly onStall: () => void;
}

export class Machine {
  readonly time: VirtualTime;
  readonly kernel: Kernel;
  readonly processes: SimProcess[] = [];
  bootId = 'boot-1';
  /** The next so many messages are hit. */
  readonly hits = { 'messages-doubled': 0, 'messages-late': 0, 'messages-reordered': 0 };
  readonly #random: Random;
  readonly #hooks: MachineHooks;
  #living: SimProcess[] = [];
  #pids = 100;
  #ticks = 0;
  /** A channel is in order: nothing arrives before what was said earlier. */
  readonly #lastArrival = new WeakMap<SimProcess, number>();
  readonly #arrivals = new WeakMap<SimProcess, number>();
  readonly #notedStalls = new WeakMap<SimProcess, number>();
  /** What was under way before is lost. */
  #lossesBefore = -1;
  #isLossNoted = true;
  #sent = 0;

  constructor(time: VirtualTime, random: Random, hooks: MachineHooks & KernelHooks) {
    this.time = time;
    this.#random = random;
    this.#hooks = hooks;
    this.kernel = new Kernel(random, () => time.now, hooks);
  }

  start(birth: Omit<Birth, 'pid' | 'temper' | 'bootId'>): SimProcess {
    this.#pids += 1;
    return this.#add({ ...birth, pid: this.#pids, bootId: this.bootId, temper: this.#hooks.temper() });
  }

  find(pid: number): SimProcess | null {
    return this.processes.findLast((process) => process.birth.pid === pid) ?? null;
  }

  get living(): readonly SimProcess[] {
    if (this.#living.some(({ isAlive }) => !isAlive)) this.#living = this.#living.filter(({ isAlive }) => isAlive);
    return this.#living;
  }

  lateness(): number {
    return this.#random.next() < 0.1 ? this.#random.between(10, 200) : this.#random.between(0, 3);
  }

  /** How long it takes to accept a connection and answer it. */
  serviceMs(): number {
    return this.#random.between(1, 4);
  }

  /** `lose` is called instead of `arrive` where the message is lost on its way. */
  deliver(process: SimProcess, arrive: () => void, lose: () => void = () => {}): void {
    const sent = this.#sent++;
    const once = (): void => {
      if (sent <= this.#lossesBefore) {
        this.#noteLoss();
        return lose();
      }
      this.#arrivals.set(process, (this.#arrivals.get(process) ?? 0) + 1);
      arrive();
    };
    if (this.#isHit('messages-reordered')) return this.#holdBack(process, once);
    const last = this.#lastArrival.get(process) ?? 0;
    let lateness = this.lateness();
    if (this.#isHit('messages-late')) {
      lateness += this.#random.between(300, 1500);
      process.wasHeardLate = true;
      this.#hooks.onMessageFault('messages-late');
    }
    const at = Math.max(this.time.now + lateness, last);
    this.#lastArrival.set(process, at);
    this.time.after(at - this.time.now, once);
    if (!this.#isHit('messages-doubled')) return;
    this.#hooks.onMessageFault('messages-doubled');
    this.time.after(at - this.time.now, once);
  }

  /** What is under way, or waits to be read, is lost with the daemon. */
  loseMessages(): void {
    this.#lossesBefore = this.#sent - 1;
    this.#isLossNoted = false;
    for (const process of this.living) if (process.loseUnread() > 0) this.#noteLoss();
  }

  noteStall(process: SimProcess): void {
    if (this.#notedStalls.get(process) === process.stalledUntil) return;
    this.#notedStalls.set(process, process.stalledUntil);
    this.#hooks.onStall();
  }

  #noteLoss(): void {
    if (!this.#isLossNoted) this.#hooks.onMessageFault('messages-lost');
    this.#isLossNoted = true;
  }

  /** Everything ends, and nothing of it is left but what is on disk. */
  reboot(): void {
    for (const process of this.living) {
      process.deafen();
      process.onEnd = null;
      process.end(null, 'SIGKILL');
    }
    this.kernel.clear();
    this.bootId = `boot-${this.#random.between(2, 1e9)}`;
  }

  /** Another program gets the pid of one that is gone. */
  reusePid(pid: number): void {
    this.#add({
      pid,
      app: 'stranger',
      port: 1,
      slot: -1,
      generation: -1,
      release: -1,
      spawn: 'stranger',
      bootId: this.bootId,
      temper: { boot: 'silent', manner: 'ignores', bootMs: 0, drainMs: 0 },
      boots: null,
      acceptAtOnce: false,
    });
  }

  #add(birth: Birth): SimProcess {
    this.#ticks += 1;
    const process = new SimProcess(this, birth, this.#ticks);
    this.processes.push(process);
    this.#living.push(process);
    return process;
  }

  #isHit(fault: keyof Machine['hits']): boolean {
    if (this.hits[fault] === 0) return false;
    this.hits[fault] -= 1;
    return true;
  }

  /** Others that are said later arrive before it. */
  #holdBack(process: SimProcess, arrive: () => void): void {
    const before = this.#arrivals.get(process) ?? 0;
    this.time.after(this.#random.between(5, 100), () => {
      if ((this.#arrivals.get(process) ?? 0) !== before) {
        process.disorderedAt = this.time.now;
        this.#hooks.onMessageFault('messages-reordered');
      }
      arrive();
    });
  }
}
