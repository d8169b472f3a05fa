/**
 * One daemon of the simulated machine: the real supervisor, store and data path, with the real operations, tenants and
 * adoption, at edges of this world. It can die at any moment, also between two of its effects; from then on nothing that
 * it still does has any effect, and a new one takes over from the disk, the guard and the machine.
 */
import type { Inherited } from '../../src/daemon/inheritance.ts';
import { adopt, recover } from '../../src/daemon/recover.ts';
import type { Logs } from '../../src/logs/index.ts';
import { openDataPath, type DataPath, type KeptDescriptor } from '../../src/net/index.ts';
import type { EventInput, ReceiptDocument } from '../../src/protocol/index.ts';
import { openStoreOn, type FallBack, type Store } from '../../src/store/index.ts';
import { type App, type AppState, OomKills, type Stray, Supervisor } from '../../src/supervisor/index.ts';
import { waitPatiently } from '../../src/supervisor/patient-wait.ts';
import { simProcesses } from './daemon-processes.ts';
import { simRecords } from './daemon-records.ts';
import type { Disk } from './disk.ts';
import type { Guard } from './guard.ts';
import type { Listener } from './kernel.ts';
import type { Machine } from './machine.ts';
import { netKernel, SimDispatch, type NetDoors } from './net-kernel.ts';
import type { SimProcess } from './process.ts';
import type { Random } from './random.ts';
import { type VirtualTime, wallMsAt } from './virtual-time.ts';

/** Thrown out of the edge at which a daemon died. */
export class DaemonDied extends Error {}

export interface World {
  readonly time: VirtualTime;
  readonly machine: Machine;
  readonly disk: Disk;
  readonly guard: Guard;
  readonly random: Random;
  /** Called before each effect; true: the daemon dies here instead. */
  readonly diesAt: (effect: string) => boolean;
  readonly onStart: (process: SimProcess) => void;
  /** A worker that runs and is in no record. */
  readonly onStray: (process: SimProcess) => void;
  /** It is asked to leave for the first time. */
  readonly onDrain: (process: SimProcess) => void;
  /** Its whole tree is signalled, because it cannot be asked. */
  readonly onSignal: (process: SimProcess, signal: string) => void;
  /** Connections to accept, for one that has said to this daemon that it drains. */
  readonly onGivenToLeaver: (process: SimProcess) => void;
  /** An operation has come to this phase. */
  readonly onPhase: (phase: string, id: string) => void;
  /** It is about to end. */
  readonly onOperationEnd: (id: string, receipt: ReceiptDocument) => void;
  readonly onEvent: (event: EventInput) => void;
  /** A frozen daemon would have done something, and does it later. */
  readonly onFrozen: () => void;
  /** No connection is to come any more: looking at the queues now and then would see nothing. */
  readonly isQuiet: () => boolean;
  readonly onWeights: (weights: ReadonlyMap<Listener, number>) => void;
}

const SOCKET_PATH = 'agents.sock';
/** Polls of ports without traffic are as far apart. */
const IDLE_POLL_MS = 400;

export class SimDaemon {
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly since: number;
  isDead = false;
  /** Stopped, or without a core: what it should do until then it does late. */
  frozenUntil = 0;
  readonly #world: World;
  readonly #inherited: Inherited;
  readonly #dataPath: DataPath;
  readonly #ids: { next: number };
  readonly #parked = new Set<() => void>();
  #strays: readonly Stray[] = [];

  constructor(world: World, ids: { next: number }, fallBack: FallBack | null) {
    this.#world = world;
    this.#ids = ids;
    this.since = world.time.now;
    this.store = this.#openStore(fallBack);
    const { machine, guard } = world;
    const channels = new Map(machine.living.map(({ birth }) => [birth.spawn, birth.pid]));
    this.#inherited = {
      all: [],
      sockets: guard.handOver(this),
      channels,
      handed: new Map(),
      deaths: 0,
      isRecovery: true,
    };
    this.#dataPath = this.#openDataPath(this.#inherited.sockets);
    this.supervisor = new Supervisor(this.#edges(), {
      onWanted: (app, wish) => void this.effect('save app', () => this.store.apps.change(app.app, wish)),
      onState: (app) => this.effect('save app', () => saveApp(this.store, app)),
      onOperation: () => {},
      onDeleted: ({ app }) => this.#removeApp(app),
    });
  }

  /** Takes over what the last one left. */
  recover(): void {
    const logs = { watch: () => {} } as unknown as Logs;
    const { supervisor, store } = this;
    this.#strays = recover({
      supervisor,
      store,
      logs,
      inherited: this.#inherited,
      broughtBackBy: 'the guard',
      socketPaths: [SOCKET_PATH],
    });
  }

  /** The worker of this spawn has said what it listens on. */
  hasHeard(spawn: string): boolean {
    return this.supervisor.findSpawn(spawn)?.handle?.isHeard === true;
  }

  /** Workers of this app that are not up, in words. */
  notUp(name: string): readonly string[] {
    const app = this.supervisor.find(name);
    const tenants = app?.tenants.filter(({ slot }) => !app.state.stoppedSlots.includes(slot)) ?? [];
    return tenants.filter(({ state }) => state.phase !== 'running').map(({ id, state }) => `${id} is ${state.phase}`);
  }

  /** Who waits for a hand-over, by id. */
  replacementsOf(name: string): readonly string[] {
    return this.supervisor.find(name)?.slots.all.flatMap(({ replacement }) => replacement?.id ?? []) ?? [];
  }

  /** It spreads the app's connections over this socket too. */
  isShard(name: string, { inode }: Listener): boolean {
    return this.#dataPath.ports(name).some((port) => port.hasSocket(inode));
  }

  /** From now on it does nothing any more. */
  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    const { machine, disk } = this.#world;
    for (const process of machine.living) {
      process.deafen();
      process.onEnd = null;
    }
    disk.abandon();
    machine.kernel.closeAll(this);
  }

  /** Throws where the state cannot be written. */
  addApp(state: AppState): void {
    const createdAtMs = wallMsAt(this.#world.time.now);
    this.store.apps.put({ ...state, name: state.config.name, file: null, createdAtMs });
    const app = this.supervisor.add(state);
    const own = this.#strays.filter(({ record }) => record.app === app.app);
    adopt(app, [], own, this.#inherited);
    this.#strays = this.#strays.filter((stray) => !own.includes(stray));
  }

  /** Runs something of this daemon; it may die of it. */
  act(work: () => void): void {
    if (this.isDead) return;
    const { time } = this.#world;
    if (time.now < this.frozenUntil) {
      this.#world.onFrozen();
      time.after(this.frozenUntil - time.now, () => this.act(work));
      return;
    }
    try {
      work();
    } catch (error) {
      if (!(error instanceof DaemonDied)) throw error;
    }
  }

  /** Does nothing for so long. */
  freeze(ms: number): void {
    this.frozenUntil = Math.max(this.frozenUntil, this.#world.time.now + ms);
  }

  /** Something that others can see; the daemon may die instead of it. */
  effect<Result>(name: string, work: () => Result): Result {
    if (this.isDead || this.#world.diesAt(name)) {
      this.die();
      throw new DaemonDied(name);
    }
    return work();
  }

  #openStore(fallBack: FallBack | null): Store {
    const { time, disk, random } = this.#world;
    const open = () => {
      const { session, onlyInMemory } = disk.open({
        onCommitted: () => this.effect('committed', () => {}),
        rollsBackByItself: () => random.next() < 0.5,
        death: () => new DaemonDied('it is dead'),
      });
      return { connection: session.asConnection, onlyInMemory };
    };
    const clock = { monotonicMs: () => time.now, wallMs: () => wallMsAt(time.now) };
    const every = (ms: number, call: () => void): (() => void) => {
      let isOver = false;
      const again = (): void => {
        if (isOver || this.isDead) return;
        this.act(call);
        time.after(ms, again);
      };
      time.after(ms, again);
      return () => {
        isOver = true;
      };
    };
    return openStoreOn({ file: 'state.db', clock, open, every }, { random: () => random.next(), fallBack });
  }

  #openDataPath(adopted: readonly KeptDescriptor[]): DataPath {
    const { time, machine } = this.#world;
    const doors: NetDoors = {
      owner: this,
      assertAlive: () => {
        if (this.isDead) throw new DaemonDied('it is dead');
      },
      effect: (name, work) => this.effect(name, work),
      after: (ms, call) =>
        ms >= IDLE_POLL_MS && this.#world.isQuiet() ? this.#park(call) : time.after(ms, () => this.act(call)),
      onWeights: this.#world.onWeights,
    };
    return openDataPath({
      level: 'exact',
      clock: { monotonicMs: () => time.now, wallMs: () => wallMsAt(time.now) },
      socketFolder: null,
      adopt: adopted,
      onEvent: ({ type }) => {
        if (type === 'descriptors-changed') this.renewGuard();
      },
      world: {
        kernel: netKernel(machine.kernel, doors),
        newDispatch: ({ address }) => new SimDispatch(machine.kernel, doors, address),
      },
    });
  }

  /** A look at the queues that would see nothing, until somebody connects. */
  #park(call: () => void): () => void {
    this.#parked.add(call);
    return () => void this.#parked.delete(call);
  }

  /** Clients are about to connect: what was parked is due at some moment of its interval. */
  lookAgain(): void {
    const { time, random } = this.#world;
    for (const call of this.#parked) {
      this.#parked.delete(call);
      time.after(random.between(0, IDLE_POLL_MS), () => this.act(call));
    }
  }

  /** Its guard has died. */
  renewGuard(): void {
    this.#world.guard.renew(this, () => this.#inventory());
  }

  #inventory(): readonly KeptDescriptor[] | null {
    return this.isDead ? null : this.#dataPath.inventory();
  }

  #removeApp(name: string): void {
    this.effect('remove app', () => {
      const app = this.supervisor.find(name);
      if (app !== null) this.supervisor.remove(app);
      this.store.apps.remove(name);
    });
  }

  #edges(): ConstructorParameters<typeof Supervisor>[0] {
    const { time, machine } = this.#world;
    const later = (ms: number, call: () => void) => time.after(ms, () => this.act(call));
    const clock = { monotonicMs: () => time.now, wallMs: () => wallMsAt(time.now) };
    const processes = simProcesses(this, this.#world);
    return {
      clock,
      schedule: {
        after: later,
        background: later,
        patient: (ms, call) => waitPatiently(ms, call, { after: later, monotonicMs: () => time.now }),
        soon: (call) => void later(0, call),
      },
      processes,
      oomKills: new OomKills(processes, clock),
      traffic: this.#dataPath,
      records: simRecords(this, this.store, this.#world),
      output: {
        open: () => ({ stdoutFd: -1, stderrFd: -1, close: () => {} }),
        lastLines: async () => [],
        lastWords: () => [],
      },
      resolveCommand: async () => ({ argv: ['node'], agentAt: 1, nodeVersion: '24.0.0' }),
      newId: () => `spawn-${this.#ids.next++}`,
      agentPath: 'agent.cjs',
      othersAgentPath: 'agent.cjs',
      keepsWorkers: true,
      socketPath: SOCKET_PATH,
      bootId: machine.bootId,
      onDescriptorsChanged: () => this.renewGuard(),
    };
  }
}

/** As `daemon/compose.ts` does it. */
const saveApp = (store: Store, app: App): void => {
  store.apps.note(app.app, app.lasting);
};
