/** Plays one history: a machine, a disk, and one daemon after another, until everything that was wanted has come about. */
import type { AppConfig } from '../../src/protocol/index.ts';
import type { AppState } from '../../src/supervisor/index.ts';
import { appConfig } from '../support/app-config.ts';
import { DaemonDied, type Kernel, SimDaemon, type World } from './daemon.ts';
import { Disk } from './disk.ts';
import { EVENTFUL_MS, type FaultKind, type Happening } from './history.ts';
import {
  drainingIsLeftAlone,
  endsOnce,
  oneOfEach,
  restartsWait,
  settled,
  stoppedStaysStopped,
  successorFirst,
  Violation,
} from './invariants.ts';
import { Machine, type Boot, type Manner, type Temper } from './machine.ts';
import { Random } from './random.ts';
import { VirtualTime } from './virtual-time.ts';

/** Liveness: within this time after the last fault everything is as it is wanted. */
const SETTLE_MS = 10 * 60_000;
/** How long a fault of boots or manners lasts. */
const BAD_MS = 4000;
/** The guard needs a moment to become the next daemon. */
const BACK_AFTER_MS = 40;

const APPS = ['shop', 'mail'] as const;

/** These change something later, or never: they count when they do. */
const COUNTED_LATER: ReadonlySet<FaultKind> = new Set([
  'daemon-dies-at-effect',
  'boots-badly',
  'leaves-badly',
  'messages-doubled',
]);

export interface SimulationReport {
  /** Faults that changed something, by the phase of the operation that ran, and kind: `booting daemon-dies`. */
  readonly faults: ReadonlyMap<string, number>;
  /** Effects that daemons had, by name: at each of them one may die. */
  readonly effects: ReadonlyMap<string, number>;
  readonly violation: string | null;
  readonly log: readonly string[];
}

const configOf = (name: string): AppConfig =>
  appConfig(name, {
    instances: 2,
    ports: [],
    ready: { timeoutMs: 5000, stableForMs: 500, signal: 'auto' },
    restart: {
      policy: 'always',
      backoff: { initialMs: 200, factor: 2, maxMs: 10_000 },
      crashLoop: { restarts: 5, withinMs: 60_000 },
    },
    drain: { timeoutMs: 3000, idleGraceMs: 100, websocket: { code: 1012, spreadMs: 100 } },
    surge: 1,
  });

export class Simulation {
  readonly #time = new VirtualTime();
  readonly #random: Random;
  readonly #machine: Machine;
  readonly #disk = new Disk();
  readonly #kernel: Kernel = { openApps: new Set() };
  readonly #ids = { next: 1 };
  readonly #faults = new Map<string, number>();
  readonly #effects = new Map<string, number>();
  readonly #log: string[] = [];
  readonly #world: World;
  #daemon: SimDaemon | null = null;
  #violation: Error | null = null;
  /** Since then nobody has asked for anything, and the same daemon has been there. */
  #quietSince = 0;
  /** Effects until the daemon dies; null: it does not. */
  #fuse: number | null = null;
  #fuseCell = '';
  #badBoot: { readonly until: number; readonly boot: Boot } | null = null;
  #badManner: { readonly until: number; readonly manner: Manner } | null = null;

  constructor(seed: number) {
    this.#random = new Random(seed ^ 0x5bd1e995);
    this.#machine = new Machine(this.#time, this.#random, () => this.#temper());
    this.#machine.onDoubled = () => this.#count(this.#cell('messages-doubled'));
    this.#world = {
      time: this.#time,
      machine: this.#machine,
      disk: this.#disk,
      diesAt: (effect) => this.#diesAt(effect),
      onStart: (process) => {
        const { app, slot, generation, pid, temper } = process.birth;
        this.#note(`  ${app}/${slot}#${generation} is pid ${pid}, boots ${temper.boot}, ${temper.manner}`);
        this.#check(() => oneOfEach(this.#machine, process));
        this.#check(() => stoppedStaysStopped(this.#disk, process));
        this.#check(() => restartsWait(this.#machine, this.#disk, process, this.#quietSince));
      },
      onDrain: (process) => {
        if (process.birth.temper.manner !== 'drains') this.#count(this.#cell('leaves-badly'));
        this.#check(() => successorFirst(this.#machine, this.#disk, process, this.#isAborting(process.birth.app)));
      },
      onSignal: (process, signal) => this.#check(() => drainingIsLeftAlone(process, signal)),
      onOperationEnd: (id) => {
        this.#quietSince = this.#time.now;
        this.#check(() => endsOnce(this.#disk, id));
      },
      onEvent: ({ app, worker, type, reason }) => {
        this.#note(`  ${worker ?? app ?? ''} ${type}${reason === null || reason === undefined ? '' : `: ${reason}`}`);
        this.#check(() => {
          if (type === 'defect') throw new Violation(`nothing unexpected happens (${reason ?? ''})`);
        });
      },
    };
  }

  async play(history: readonly Happening[]): Promise<SimulationReport> {
    let violation: string | null = null;
    try {
      this.#boot();
      for (const name of APPS) this.#daemon?.addApp(newApp(name));
      for (const happening of history) this.#time.after(happening.at, () => this.#happen(happening));
      await this.#run(EVENTFUL_MS + BAD_MS);
      await this.#run(this.#time.now + SETTLE_MS);
      settled(this.#machine, this.#disk);
    } catch (error) {
      violation = error instanceof Violation ? error.message : String((error as Error).stack ?? error);
    }
    return { faults: this.#faults, effects: this.#effects, violation, log: this.#log };
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

  #boot(): void {
    this.#daemon = new SimDaemon(this.#world, this.#kernel, this.#ids);
    const daemon = this.#daemon;
    this.#note('a daemon takes over');
    this.#quietSince = this.#time.now;
    daemon.act(() => daemon.recover());
    if (daemon.isDead) this.#comeBack();
  }

  #comeBack(): void {
    this.#daemon = null;
    this.#time.after(BACK_AFTER_MS, () => {
      if (this.#daemon === null) this.#boot();
    });
  }

  #kill(): void {
    if (this.#daemon === null || this.#daemon.isDead) return;
    this.#daemon.die();
    this.#comeBack();
  }

  #diesAt(effect: string): boolean {
    this.#effects.set(effect, (this.#effects.get(effect) ?? 0) + 1);
    if (this.#fuse === null) return false;
    this.#fuse -= 1;
    if (this.#fuse > 0) return false;
    this.#fuse = null;
    this.#note(`the daemon dies before "${effect}"`);
    this.#count(this.#fuseCell);
    this.#comeBack();
    return true;
  }

  #happen(happening: Happening): void {
    if (happening.what === 'command') return this.#command(happening);
    const cell = this.#cell(happening.kind);
    const hit = this.#fault(happening);
    if (hit === null) return;
    this.#note(`${happening.kind}: ${hit}`);
    if (!COUNTED_LATER.has(happening.kind)) this.#count(cell);
  }

  /** Null: there was nobody to hit, and nothing changed. */
  #fault({ kind, pick, boot, manner }: Extract<Happening, { what: 'fault' }>): string | null {
    const living = this.#machine.living.filter(({ birth }) => birth.app !== 'stranger');
    const victim = living[pick % Math.max(1, living.length)] ?? null;
    const until = this.#time.now + BAD_MS;
    switch (kind) {
      case 'daemon-dies':
        if (this.#daemon === null || this.#daemon.isDead) return null;
        this.#kill();
        return 'the daemon';
      case 'daemon-dies-at-effect':
        if (this.#daemon === null || this.#fuse !== null) return null;
        this.#fuse = 1 + (pick % 25);
        this.#fuseCell = this.#cell(kind);
        return `in ${this.#fuse} effects`;
      case 'machine-reboots':
        this.#kill();
        this.#machine.reboot();
        this.#disk.crash((pick % 1000) / 1000);
        this.#kernel.openApps.clear();
        return 'all of it';
      case 'worker-killed':
        victim?.end(null, 'SIGKILL');
        return victim === null ? null : `pid ${victim.birth.pid}`;
      case 'worker-exits':
        victim?.end(pick % 2, null);
        return victim === null ? null : `pid ${victim.birth.pid}`;
      case 'boots-badly':
        this.#badBoot = { until, boot };
        return boot;
      case 'leaves-badly':
        this.#badManner = { until, manner };
        return manner;
      case 'messages-doubled':
        this.#machine.doubled += 1 + (pick % 5);
        return 'some';
      case 'pid-reused':
        if (victim === null) return null;
        this.#kill();
        victim.end(null, 'SIGKILL');
        this.#machine.reusePid(victim.birth.pid);
        return `pid ${victim.birth.pid}`;
      default:
        return kind satisfies never;
    }
  }

  #command({ kind, app: index, size }: Extract<Happening, { what: 'command' }>): void {
    const daemon = this.#daemon;
    const name = APPS[index] ?? 'shop';
    if (daemon === null) return;
    const { supervisor } = daemon;
    const app = supervisor.find(name);
    if (app === null) return kind === 'start' ? daemon.act(() => daemon.addApp(newApp(name))) : undefined;
    const isBusy = app.operation !== null;
    this.#note(`${kind} ${name} ${size}${isBusy ? ' (busy)' : ''}`);
    this.#quietSince = this.#time.now;
    daemon.act(() => {
      if (kind === 'stop' || kind === 'delete') return void supervisor.stop(app, kind).catch(ignoreRefusal);
      if (kind === 'abort') return app.operation?.abort('the user asked');
      if (isBusy) return;
      if (kind === 'start') return void supervisor.start(app);
      if (app.state.wanted !== 'up') return;
      if (kind === 'reload') return void supervisor.reload(app);
      if (kind === 'release') return void supervisor.reload(app, { release: app.state.release + 1 });
      if (kind === 'restart') return void supervisor.restart(app);
      return void supervisor.scale(app, size);
    });
  }

  #cell(kind: FaultKind): string {
    const phases = APPS.flatMap((name) => this.#disk.running(name).map(({ phase }) => phase));
    return `${phases[0] ?? (this.#daemon === null ? 'no daemon' : 'idle')} × ${kind}`;
  }

  /** Whoever is asked to go then has been given up on, or goes because everything does. */
  #isAborting(name: string): boolean {
    const [row] = this.#disk.running(name);
    return row?.phase === 'reverting' || this.#disk.apps().find(({ config }) => config.name === name)?.wanted !== 'up';
  }

  /** Of a process that is started now. */
  #temper(): Temper {
    const boot = this.#now(this.#badBoot)?.boot ?? 'well';
    const manner = this.#now(this.#badManner)?.manner ?? 'drains';
    if (boot !== 'well') this.#count(this.#cell('boots-badly'));
    return { boot, manner, bootMs: this.#random.between(20, 400), drainMs: this.#random.between(0, 1500) };
  }

  #now<Bad extends { readonly until: number }>(bad: Bad | null): Bad | null {
    return bad !== null && bad.until > this.#time.now ? bad : null;
  }

  #count(cell: string): void {
    this.#faults.set(cell, (this.#faults.get(cell) ?? 0) + 1);
  }

  #note(line: string): void {
    this.#log.push(`${(this.#time.now / 1000).toFixed(3)} ${line}`);
  }
}

const newApp = (name: string): AppState => ({
  config: configOf(name),
  release: 1,
  instances: 2,
  wanted: 'stopped',
  readySignalSeen: false,
});

/** A stop while another one runs is refused. */
const ignoreRefusal = (error: unknown): void => {
  if (error instanceof DaemonDied) return;
  if ((error as { code?: string }).code !== 'DROVER_BUSY') throw error;
};

/** The longest chain of promises between two waits of the supervisor is shorter. */
const MICROTASKS = 12;

/** Lets what awaits go on, before time does. */
const settleMicrotasks = async (): Promise<void> => {
  for (let turn = 0; turn < MICROTASKS; turn++) await Promise.resolve();
};
