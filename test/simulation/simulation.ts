/** Plays one history: a machine, a disk, and one daemon after another, until everything that was wanted has come about. */
import type { FallBack } from '../../src/store/index.ts';
import { APPS, newApp } from './apps.ts';
import { Clients, HEARD_MS } from './clients.ts';
import { DaemonDied, SimDaemon, type World } from './daemon.ts';
import { PORTS } from './daemon-processes.ts';
import { Disk } from './disk.ts';
import { BAD_MS, COUNTED_LATER, Faults } from './faults.ts';
import { Guard } from './guard.ts';
import { EVENTFUL_MS, type Command, type Fault, type FaultKind, type Happening, type Moment } from './history.ts';
import {
  completedIsTrue,
  completedStays,
  drainingIsLeftAlone,
  leaverGetsNoTraffic,
  endsOnce,
  must,
  nobodyWaits,
  resetIsRight,
  nothingUnexpected,
  overIsOver,
  receiptIsSound,
  settled,
  startIsRight,
  successorFirst,
  Violation,
} from './invariants.ts';
import type { Connection } from './kernel.ts';
import { Machine } from './machine.ts';
import { giveOrder, ignoreRefusal } from './orders.ts';
import type { SimProcess, Temper } from './process.ts';
import { Random } from './random.ts';
import { settleMicrotasks, VirtualTime } from './virtual-time.ts';
import { Wishes } from './wishes.ts';

/** Liveness: within this time after the last fault everything is as it is wanted. */
const SETTLE_MS = 10 * 60_000;
/** Of all daemons in one moment of virtual time: some hundreds are usual, where much waited for a frozen one. */
const MOST_EFFECTS = 20_000;
/** The guard needs a moment to become the next daemon. */
const BACK_AFTER_MS = 40;

export interface SimulationReport {
  /** Faults that changed something, by the phase of the operation that ran, and kind: `booting × daemon-dies`. */
  readonly faults: ReadonlyMap<string, number>;
  /** Effects that daemons had, by name: at each of them one may die. */
  readonly effects: ReadonlyMap<string, number>;
  readonly connections: number;
  readonly violation: string | null;
  readonly log: readonly string[];
}

export class Simulation {
  readonly #time = new VirtualTime();
  readonly #random: Random;
  readonly #machine: Machine;
  readonly #disk: Disk;
  readonly #guard: Guard;
  readonly #clients: Clients;
  readonly #wishes: Wishes;
  readonly #strikes: Faults;
  readonly #ids = { next: 1 };
  readonly #faults = new Map<string, number>();
  readonly #effects = new Map<string, number>();
  readonly #log: string[] = [];
  readonly #world: World;
  #daemon: SimDaemon | null = null;
  #bootedAt = 0;
  readonly #isBroken: boolean;
  #violation: Error | null = null;
  /** When somebody last asked for something, or an operation ended, by app. */
  readonly #askedAt = new Map<string, number>();
  /** When somebody last started an app that was not wanted. */
  readonly #startedAt = new Map<string, number>();
  /** How many effects there were in this moment. */
  #effectsNow = 0;
  #effectsAt = -1;
  /** Effects until the daemon dies; null: it does not. */
  #fuse: number | null = null;
  #fuseCell = '';
  /** Faults and commands that lie in wait. */
  #ambushes: (Fault | Command)[] = [];
  #fallBack: FallBack | null = null;
  #fellBackAt: number | null = null;
  /** The last time at which sockets may have gone with those who kept them. */
  #socketsLostAt = -1;
  #isDiskTold = true;
  /** Where the last ones were that are noticed only once there is another daemon. */
  #diskCell = '';
  #lossCell = '';

  /** `isBroken`: any start of a worker counts as a violation. */
  constructor(seed: number, isBroken = false) {
    this.#isBroken = isBroken;
    this.#random = new Random(seed ^ 0x5bd1e995);
    this.#disk = new Disk(
      () => this.#time.now,
      () => this.#noteDisk(),
    );
    this.#machine = new Machine(this.#time, this.#random, {
      temper: () => this.#temper(),
      onMessageFault: (fault) => this.#count(fault === 'messages-lost' ? this.#lossCell : this.#cell(fault)),
      onStall: () => this.#count(this.#cell('worker-stalls')),
      onQueued: ({ holders }) => {
        for (const holder of holders.keys())
          if (holder instanceof Object && 'wake' in holder) (holder as SimProcess).wake();
      },
      onReset: (connection) => this.#check(() => this.#mayReset(connection)),
    });
    this.#guard = new Guard(this.#machine.kernel, this.#time, this.#random);
    this.#wishes = new Wishes(this.#disk);
    this.#clients = new Clients({
      machine: this.#machine,
      random: this.#random,
      isKnown: (port) => APPS.some((name) => PORTS[name] === port && this.#disk.wantedOf(name) !== null),
      isHeard: ({ birth }) => this.#daemon?.hasHeard(birth.spawn) === true,
      daemonSince: () => Math.max(this.#daemon?.since ?? this.#time.now, this.#daemon?.frozenUntil ?? 0),
      check: (look) => this.#check(look),
    });
    this.#strikes = new Faults({
      time: this.#time,
      random: this.#random,
      machine: this.#machine,
      disk: this.#disk,
      guard: this.#guard,
      daemon: () => (this.#daemon?.isDead === false ? this.#daemon : null),
      kill: () => this.#kill(),
      light: (effects) => this.#light(effects),
      onFallBack: () => this.#noteFallBack(),
    });
    this.#world = this.#newWorld();
  }

  #newWorld(): World {
    return {
      time: this.#time,
      machine: this.#machine,
      disk: this.#disk,
      guard: this.#guard,
      random: this.#random,
      isQuiet: () => this.#clients.isQuiet,
      diesAt: (effect) => this.#diesAt(effect),
      onFrozen: () => this.#noteFrozen(),
      onStart: (process) => this.#noteStart(process),
      onStray: (process) => {
        const { pid, app, slot, generation } = process.birth;
        process.wasStray = true;
        this.#note(`  pid ${pid} is a stray: ${app}/${slot}#${generation}`);
      },
      onDrain: (process) => {
        if (process.birth.temper.manner !== 'drains') this.#count(this.#cell('leaves-badly'));
        this.#check(() =>
          successorFirst({
            machine: this.#machine,
            disk: this.#disk,
            asked: process,
            isCrowded: this.#isAborting(process.birth.app),
            isHeard: this.#daemon?.hasHeard(process.birth.spawn) === true,
            awakeSince: this.#daemon?.frozenUntil ?? 0,
            fellBackAt: this.#fellBackAt,
          }),
        );
      },
      onSignal: (process, signal) => this.#check(() => drainingIsLeftAlone(process, signal)),
      onGivenToLeaver: (process) => this.#check(() => leaverGetsNoTraffic(process)),
      onPhase: (phase, id) => {
        this.#check(() => overIsOver(this.#disk, id));
        this.#spring(phase as Moment);
      },
      onOperationEnd: (id, receipt) => {
        this.#askedAt.set(receipt.app, this.#time.now);
        this.#check(() => endsOnce(this.#disk, id));
        this.#check(() => receiptIsSound(this.#machine, receipt));
        this.#check(() => completedIsTrue(this.#machine, this.#disk, receipt));
        this.#check(() => nobodyWaits(receipt, this.#daemon?.replacementsOf(receipt.app) ?? []));
      },
      onEvent: (event) => {
        const { app, worker, type, reason } = event;
        this.#note(`  ${worker ?? app ?? ''} ${type}${reason === null || reason === undefined ? '' : `: ${reason}`}`);
        this.#check(() => nothingUnexpected(this.#machine, event));
      },
      onWeights: (weights) =>
        this.#check(() => {
          const all = [...weights.values()];
          const sum = all.reduce((total, weight) => total + weight, 0);
          const isServed = this.#machine.living.some(({ isAble, own }) => isAble && own !== null && weights.has(own));
          must(
            all.every((weight) => weight >= 0) && Number.isFinite(sum) && (sum > 0 || !isServed),
            'weights add up to something while somebody serves',
            () => all.join(', '),
          );
        }),
    };
  }

  async play(history: readonly Happening[]): Promise<SimulationReport> {
    let violation: string | null = null;
    try {
      this.#boot();
      for (const name of APPS) this.#daemon?.addApp(newApp(name));
      for (const happening of history) this.#time.after(happening.at, () => this.#happen(happening));
      await this.#run(EVENTFUL_MS + BAD_MS);
      this.#ambushes = [];
      await this.#run(this.#time.now + SETTLE_MS);
      this.#wishes.check();
      settled({
        machine: this.#machine,
        disk: this.#disk,
        fellBackAt: this.#fellBackAt,
        isStarting: (name) => this.#daemon?.notUp(name) ?? [],
        isShard: (name, listener) => this.#daemon?.isShard(name, listener) === true,
      });
    } catch (error) {
      violation = error instanceof Violation ? error.message : String((error as Error).stack ?? error);
    } finally {
      this.#daemon?.die();
      this.#disk.close();
    }
    const { connections } = this.#clients;
    return { faults: this.#faults, effects: this.#effects, connections, violation, log: this.#log };
  }

  async #run(until: number): Promise<void> {
    while (this.#time.step(until)) {
      await settleMicrotasks();
      if (this.#violation !== null) throw this.#violation;
    }
  }

  /** The daemon must not catch what it did wrong. */
  #check(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#violation ??= error as Error;
    }
  }

  // ── daemons ────────────────────────────────────────────────────────────────────────────────────────────────────

  #boot(): void {
    this.#note('a daemon takes over');
    this.#bootedAt = this.#time.now;
    const fallBack = this.#fallBack;
    this.#fallBack = null;
    try {
      this.#daemon = new SimDaemon(this.#world, this.#ids, fallBack);
    } catch (error) {
      if (!(error instanceof DaemonDied)) throw error;
      this.#fallBack = fallBack;
      return;
    }
    const daemon = this.#daemon;
    this.#check(() => this.#wishes.check());
    this.#check(() => completedStays(this.#disk));
    daemon.act(() => daemon.recover());
  }

  #comeBack(): void {
    this.#daemon = null;
    if (!this.#guard.hasAll) this.#socketsLostAt = this.#time.now;
    this.#time.after(BACK_AFTER_MS, () => {
      if (this.#daemon === null) this.#boot();
    });
    this.#spring('no daemon');
  }

  #kill(): void {
    const daemon = this.#daemon;
    if (daemon === null || daemon.isDead) return;
    this.#comeBack();
    daemon.die();
  }

  #light(effects: number): boolean {
    if (this.#fuse !== null) return false;
    this.#fuse = effects;
    this.#fuseCell = this.#cell('daemon-dies-at-effect');
    return true;
  }

  #diesAt(effect: string): boolean {
    this.#effects.set(effect, (this.#effects.get(effect) ?? 0) + 1);
    if (this.#goesRound()) return true;
    if (this.#fuse === null) return false;
    this.#fuse -= 1;
    if (this.#fuse > 0) return false;
    this.#fuse = null;
    this.#note(`the daemon dies before "${effect}"`);
    this.#count(this.#fuseCell);
    this.#comeBack();
    return true;
  }

  /** So many effects in one moment have no end; the daemon is stopped, or this would never return. */
  #goesRound(): boolean {
    const { now } = this.#time;
    if (now !== this.#effectsAt) this.#effectsNow = 0;
    this.#effectsAt = now;
    this.#effectsNow += 1;
    this.#check(() => must(this.#effectsNow <= MOST_EFFECTS, 'nothing goes round in circles', () => `at ${now} ms`));
    return this.#effectsNow > MOST_EFFECTS;
  }

  // ── faults ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #happen(happening: Happening): void {
    if (happening.what === 'command') {
      if (happening.after !== undefined) this.#ambushes.push(happening);
      else this.#command(happening);
      return;
    }
    if (happening.what === 'clients') {
      const { app, ms, everyMs } = happening;
      this.#note(`clients connect to ${APPS[app]} every ${everyMs} ms for ${ms} ms`);
      this.#daemon?.lookAgain();
      return this.#clients.connect(PORTS[APPS[app] ?? 'shop'] ?? 0, ms, everyMs);
    }
    if (happening.on === null) this.#strike(happening);
    else this.#ambushes.push(happening);
  }

  /** Faults that waited for this moment happen now. */
  #spring(moment: Moment): void {
    const due = this.#ambushes.filter((each) => momentOf(each) === moment);
    if (due.length === 0) return;
    this.#ambushes = this.#ambushes.filter((each) => momentOf(each) !== moment);
    for (const fault of due) {
      if (fault.what === 'command') {
        this.#time.after(fault.after?.ms ?? 0, () => this.#command(fault));
        continue;
      }
      // Which effect it dies at counts from here.
      if (fault.kind === 'daemon-dies-at-effect') this.#strike(fault);
      else this.#time.after(0, () => this.#strike(fault));
    }
  }

  #strike(fault: Fault): void {
    const cell = this.#cell(fault.kind);
    if (fault.kind === 'machine-reboots' || fault.kind === 'guard-dies') this.#socketsLostAt = this.#time.now;
    if (fault.kind === 'messages-lost') this.#lossCell = cell;
    const hit = this.#strikes.strike(fault);
    if (hit === null) return;
    this.#note(`${fault.kind}: ${hit}`);
    if (fault.kind === 'disk-full' || fault.kind === 'disk-read-only') {
      this.#isDiskTold = false;
      this.#diskCell = cell;
    }
    if (!COUNTED_LATER.has(fault.kind)) this.#count(cell);
  }

  #noteDisk(): void {
    if (this.#isDiskTold) return;
    this.#isDiskTold = true;
    this.#count(this.#disk.condition === 'full' ? this.#cell('disk-full') : this.#diskCell);
  }

  #frozenCounted = 0;

  #noteFrozen(): void {
    const until = this.#daemon?.frozenUntil ?? 0;
    if (this.#frozenCounted === until) return;
    this.#frozenCounted = until;
    this.#count(this.#cell('daemon-freezes'));
  }

  #noteFallBack(): void {
    this.#fellBackAt = this.#time.now;
    this.#fallBack = { atMs: 0, reason: 'it is damaged', backupAtMs: 0, setAside: null };
    this.#wishes.forgetAll();
  }

  /** A connection that waited was reset. */
  #mayReset({ port, at }: Connection): void {
    const app = APPS.find((each) => PORTS[each] === port) ?? '';
    // It was made while the app was stopped, to a worker that would not go.
    if (at <= (this.#startedAt.get(app) ?? -1)) return;
    const since = this.#daemon?.since ?? 0;
    // Until a new daemon has taken them from the workers, nobody else has them: from those of a port that is on no record
    // (the disk took none) once their agents have spoken.
    if (this.#socketsLostAt >= since) return;
    const isNew = this.#time.now - since < HEARD_MS && since - this.#socketsLostAt <= BACK_AFTER_MS;
    if (isNew && !this.#disk.hasPort(app)) return;
    resetIsRight(this.#machine, this.#disk, app);
  }

  // ── commands ───────────────────────────────────────────────────────────────────────────────────────────────────

  #command({ kind, app: index, size }: Command): void {
    const daemon = this.#daemon;
    const name = APPS[index] ?? 'shop';
    if (daemon === null) return;
    this.#askedAt.set(name, this.#time.now);
    if (kind === 'start' && this.#disk.wantedOf(name) !== 'up') this.#startedAt.set(name, this.#time.now);
    daemon.act(() => {
      try {
        giveOrder({ daemon, wishes: this.#wishes, kind, name, size, note: (line) => this.#note(line) });
      } catch (error) {
        if (error instanceof DaemonDied) this.#wishes.forget(name);
        ignoreRefusal(error);
        this.#note(`  refused: ${(error as Error).message}`);
      }
    });
  }

  // ── looks ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #noteStart(process: SimProcess): void {
    const { app, slot, generation, pid, temper } = process.birth;
    this.#note(`  ${app}/${slot}#${generation} is pid ${pid}, boots ${temper.boot}, ${temper.manner}`);
    this.#check(() => must(!this.#isBroken, 'nobody ever starts a worker', () => `pid ${pid}`));
    this.#check(() => startIsRight(this.#machine, this.#disk, process, this.#quietSince(app)));
  }

  /** Since then nobody has asked for anything of this app, and the same daemon has been there. */
  #quietSince(app: string): number {
    return Math.max(this.#bootedAt, this.#askedAt.get(app) ?? 0);
  }

  #cell(kind: FaultKind): string {
    const phases = this.#disk.operations(null, 'running').map(({ phase }) => phase);
    return `${this.#daemon === null ? 'no daemon' : (phases[0] ?? 'idle')} × ${kind}`;
  }

  /** Whoever is asked to go then has been given up on, or goes because everything does. */
  #isAborting(name: string): boolean {
    const [row] = this.#disk.running(name);
    return row?.phase === 'reverting' || this.#disk.wantedOf(name) !== 'up';
  }

  /** Of a process that is started now. */
  #temper(): Temper {
    const temper = this.#strikes.temper();
    if (temper.boot !== 'well') this.#count(this.#cell('boots-badly'));
    return temper;
  }

  #count(cell: string): void {
    this.#faults.set(cell, (this.#faults.get(cell) ?? 0) + 1);
  }

  #note(line: string): void {
    this.#log.push(`${(this.#time.now / 1000).toFixed(3)} ${line}`);
  }
}

const momentOf = (waiting: Fault | Command): Moment | null =>
  waiting.what === 'command' ? (waiting.after?.moment ?? null) : waiting.on;
