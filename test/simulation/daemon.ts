/**
 * One daemon of the simulated machine: the real supervisor, with its real operations, tenants and adoption, at edges of
 * this world. It can die at any moment, also between two of its effects; from then on nothing that it still does has
 * any effect, and a new one takes over from the disk and the machine.
 */
import { recover } from '../../src/daemon/recover.ts';
import type { Inherited } from '../../src/daemon/inheritance.ts';
import type { Logs } from '../../src/logs/index.ts';
import type { AgentMessage, EventInput, PortRecord, ShardHolder, WorkerRecord } from '../../src/protocol/index.ts';
import type { Store } from '../../src/store/index.ts';
import { type AppState, Supervisor, type SupervisorEdges, type TrafficPort } from '../../src/supervisor/index.ts';
import { type Disk, type OperationRow, workerKey } from './disk.ts';
import { ADDRESS, type Machine, type SimProcess } from './machine.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Thrown out of the edge at which a daemon died. */
export class DaemonDied extends Error {}

export interface World {
  readonly time: VirtualTime;
  readonly machine: Machine;
  readonly disk: Disk;
  /** Called before each effect; true: the daemon dies here instead. */
  readonly diesAt: (effect: string) => boolean;
  readonly onStart: (process: SimProcess, daemon: SimDaemon) => void;
  /** It is asked to leave for the first time. */
  readonly onDrain: (process: SimProcess) => void;
  /** Its whole tree is signalled, because it cannot be asked. */
  readonly onSignal: (process: SimProcess, signal: string) => void;
  readonly onOperationEnd: (id: string) => void;
  readonly onEvent: (event: EventInput) => void;
}

/** The kernel's part of the data path: ports that are open, whoever asks. */
export interface Kernel {
  readonly openApps: Set<string>;
}

type Operations = SupervisorEdges['records']['operations'];

const wallMsAt = (now: number): number => 1_700_000_000_000 + now;
const SOCKET_PATH = 'agents.sock';

const keyOf = (app: string): string => `${app} tcp:8000`;

export class SimDaemon {
  readonly supervisor: Supervisor;
  isDead = false;
  #isAtOnce = false;
  readonly #world: World;
  readonly #kernel: Kernel;
  readonly #ids: { next: number };

  constructor(world: World, kernel: Kernel, ids: { next: number }) {
    this.#world = world;
    this.#kernel = kernel;
    this.#ids = ids;
    this.supervisor = new Supervisor(this.#edges(), {
      onWanted: ({ state }, wanted) => this.#effect('save app', () => this.#saveApp({ ...state, wanted })),
      onState: (app) => this.#effect('save app', () => this.#saveApp(app.lasting)),
      onOperation: () => {},
      onDeleted: ({ app }) => this.#effect('remove app', () => this.#removeApp(app)),
    });
  }

  /** Takes over what the last one left. */
  recover(): void {
    const { disk, machine } = this.#world;
    const store = {
      condition: { fallBack: null },
      apps: { list: () => disk.apps().map((state) => ({ ...state, name: state.config.name })) },
      workers: { list: (app?: string) => workersOf(disk, app) },
      operations: {
        list: ({ app }: { app: string }) =>
          disk.running(app).map((row) => ({ ...row, state: JSON.parse(row.state) as unknown })),
        end: (id: string, phase: string, receipt: never) => this.#endOperation(id, phase, receipt),
      },
      events: { append: (event: EventInput) => (this.#world.onEvent(event), 0) },
    } as unknown as Store;
    const channels = new Map(
      machine.living.map(({ birth }) => [`${birth.app}/${birth.slot}#${birth.generation}`, birth.pid]),
    );
    const inherited: Inherited = { all: [], sockets: [], channels, handed: new Map(), deaths: 0, isRecovery: true };
    const logs = { watch: () => {} } as unknown as Logs;
    recover({
      supervisor: this.supervisor,
      store,
      logs,
      inherited,
      broughtBackBy: 'the guard',
      socketPaths: [SOCKET_PATH],
    });
  }

  /** From now on it does nothing any more. */
  die(): void {
    this.isDead = true;
    for (const process of this.#world.machine.living) {
      process.ear = null;
      process.onEnd = null;
    }
  }

  addApp(state: AppState): void {
    this.#saveApp(state);
    this.supervisor.add(state);
  }

  /** Runs something of this daemon; it may die of it. */
  act(work: () => void): void {
    if (this.isDead) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof DaemonDied)) throw error;
    }
  }

  #effect<Result>(name: string, work: () => Result): Result {
    if (this.isDead || (!this.#isAtOnce && this.#world.diesAt(name))) {
      this.die();
      throw new DaemonDied(name);
    }
    return work();
  }

  /** What is written together is there or not, together: nobody dies in between. */
  #atOnce<Result>(work: () => Result): Result {
    const isInside = this.#isAtOnce;
    this.#isAtOnce = true;
    try {
      return work();
    } finally {
      this.#isAtOnce = isInside;
    }
  }

  #saveApp(state: AppState): void {
    this.#world.disk.saveApp(state);
  }

  #removeApp(name: string): void {
    const { disk } = this.#world;
    disk.write((tables) => {
      tables.apps.delete(name);
      for (const [key, { app }] of tables.workers) if (app === name) tables.workers.delete(key);
      for (const [key, { app }] of tables.ports) if (app === name) tables.ports.delete(key);
    });
    disk.sync();
    this.#kernel.openApps.delete(name);
    this.supervisor.find(name)?.close();
  }

  #beginOperation({ kind, app, phase, state }: Parameters<Operations['begin']>[0]): { readonly id: string } {
    return this.#effect('begin operation', () => {
      const { disk, time } = this.#world;
      const id = disk.nextOperationId();
      const startedAtMs = wallMsAt(time.now);
      const row = { id, app, kind, startedAtMs, phase, state: JSON.stringify(state), receipt: null };
      disk.write((tables) => void tables.operations.set(id, row));
      disk.sync();
      return { id };
    });
  }

  #endOperation(id: string, phase: string, receipt: OperationRow['receipt']): boolean {
    const { disk } = this.#world;
    const row = disk.tables.operations.get(id);
    if (row === undefined || row.receipt !== null) return false;
    disk.write((tables) => void tables.operations.set(id, { ...row, phase, receipt }));
    disk.sync();
    this.#world.onOperationEnd(id);
    return true;
  }

  #edges(): SupervisorEdges {
    const { time, machine, disk } = this.#world;
    const clock = { monotonicMs: () => time.now, wallMs: () => wallMsAt(time.now) };
    const later = (ms: number, call: () => void) => time.after(ms, () => this.act(call));
    return {
      clock,
      schedule: { after: later, background: later, patient: later, soon: (call) => void later(0, call) },
      processes: this.#processes(),
      traffic: this.#traffic(),
      records: {
        transaction: (work) => this.#effect('commit', () => this.#atOnce(work)),
        keepTogether: (work) => this.#effect('commit', () => this.#atOnce(work)),
        workers: {
          put: (record) =>
            this.#effect('put worker', () =>
              disk.write((tables) => void tables.workers.set(workerKey(record), record)),
            ),
          setPhase: (key, phase) => this.#effect('set phase', () => this.#change(key, { phase })),
          setRole: (key, role) => this.#effect('set role', () => this.#change(key, { role })),
          remove: (key) =>
            this.#effect('remove worker', () => disk.write((tables) => void tables.workers.delete(workerKey(key)))),
        },
        ports: {
          put: (record) =>
            this.#effect('put port', () => disk.write((tables) => void tables.ports.set(record.key, record))),
          remove: (_app, key) =>
            this.#effect('remove port', () => disk.write((tables) => void tables.ports.delete(key))),
          list: (app) => [...disk.tables.ports.values()].filter((record: PortRecord) => record.app === app),
        },
        operations: {
          begin: (operation) => this.#beginOperation(operation),
          beginUnasked: (operation) => this.#beginOperation(operation),
          advance: (id, phase, state) =>
            this.#effect('advance operation', () => {
              const row = disk.tables.operations.get(id);
              if (row === undefined || row.receipt !== null) return false;
              const next = { ...row, phase, state: JSON.stringify(state) };
              disk.write((tables) => void tables.operations.set(id, next));
              return true;
            }),
          end: (id, phase, receipt) => this.#effect('end operation', () => this.#endOperation(id, phase, receipt)),
        },
        events: {
          append: (event) => {
            if (!this.isDead) this.#world.onEvent(event);
            return 0;
          },
        },
      },
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
      onDescriptorsChanged: () => {},
    };
  }

  #change(key: Parameters<typeof workerKey>[0], change: Partial<WorkerRecord>): void {
    this.#world.disk.write(({ workers }) => {
      const record = workers.get(workerKey(key));
      if (record !== undefined) workers.set(workerKey(key), { ...record, ...change });
    });
  }

  #processes(): SupervisorEdges['processes'] {
    const { machine } = this.#world;
    const linkOf = (process: SimProcess, listen: (message: AgentMessage) => void) => {
      process.ear = { onMessage: (message) => this.act(() => listen(message)) };
      return {
        keptDescriptor: process.birth.pid,
        ended: new Promise<void>((resolve) => {
          if (!process.isAlive) resolve();
          else endings.set(process, resolve);
        }),
        send: (message: Parameters<SimProcess['hear']>[0]) => {
          if (this.isDead) return;
          if (message.type === 'drain' && !process.wasAsked) {
            process.wasAsked = true;
            this.#world.onDrain(process);
          }
          machine.deliver(process, () => process.hear(message));
        },
        close: () => {
          if (!this.isDead) process.ear = null;
        },
      };
    };
    const endings = new Map<SimProcess, () => void>();
    const told = (
      process: SimProcess,
      tell: (code: number | null, signal: string | null) => void,
      isChild: boolean,
    ) => {
      process.onEnd = (code, signal) =>
        this.act(() => {
          endings.get(process)?.();
          tell(isChild ? code : null, isChild ? signal : null);
        });
    };
    return {
      start: (request, listener) =>
        this.#effect('start process', () => {
          const [app = '', slot = ''] = request.worker.split('/');
          const process = machine.start({
            app,
            slot: Number(slot),
            // Written before it is acted on: the record is there.
            generation: recordOf(this.#world.disk, request.spawnId).generation,
            release: Number(request.env['DROVER_RELEASE']),
            spawn: request.spawnId,
            bootKey: request.shards[0]?.key ?? null,
            acceptAtOnce: request.acceptAtOnce,
          });
          this.#world.onStart(process, this);
          return {
            pid: process.birth.pid,
            startTicks: process.startTicks,
            link: linkOf(process, listener.onMessage),
            onEnd: (tell) => told(process, tell, true),
            onFailure: () => {},
          };
        }),
      find: (spawn) => {
        const process = machine.living.find(({ birth }) => birth.spawn === spawn);
        return process === undefined ? null : { pid: process.birth.pid, startTicks: process.startTicks };
      },
      findStrays: ({ known, bootId, wallMs }) => {
        const strays = machine.living.filter(({ birth }) => !known.has(birth.spawn));
        return strays.map((process) => strayRecord(process, bootId, wallMs));
      },
      observe: (record, bootId) => {
        const process = record.bootId === bootId ? machine.find(record.pid) : null;
        const isAlive = process?.isAlive === true;
        return {
          isAlive,
          isZombie: false,
          startTimeTicks: isAlive ? process.startTicks : null,
          bootId,
          hasSpawnMark: isAlive ? process.birth.spawn === record.spawn : null,
          exit: null,
        };
      },
      regainLink: (pid, _kept, listener) => {
        const process = machine.find(pid);
        return process === null ? null : linkOf(process, listener.onMessage);
      },
      watchEnd: (pid, tell) => {
        const process = machine.find(pid);
        if (process === null || !process.isAlive) throw new Error('it has ended');
        told(process, tell, false);
      },
      signal: (handle, signal) =>
        this.#effect(`signal ${signal}`, () => {
          const process = handle.pid === null ? null : machine.find(handle.pid);
          if (process === null || process.birth.spawn !== handle.spawnId) return false;
          process.signal(signal);
          return true;
        }),
      signalTree: (handle, signal) =>
        this.#effect(`signal ${signal}`, () => {
          const process = handle.pid === null ? null : machine.find(handle.pid);
          if (process?.birth.spawn !== handle.spawnId) return;
          this.#world.onSignal(process, signal);
          process.signal(signal);
        }),
      sweep: () => null,
      listeners: () => [],
      oomKills: () => null,
    };
  }

  #traffic(): SupervisorEdges['traffic'] {
    const { openApps } = this.#kernel;
    const portOf = (app: string): TrafficPort => ({
      key: keyOf(app),
      address: ADDRESS,
      declared: false,
      shard: (slot) => ({ fd: slot }),
      hasShard: () => true,
      hasSocket: () => true,
      privateSocket: () => null,
      giveUp: async () => {},
    });
    const ports = (app: string): TrafficPort[] => (openApps.has(app) ? [portOf(app)] : []);
    return {
      level: 'exact',
      openPort: ({ app }) =>
        this.#effect('open port', () => {
          openApps.add(app);
          return portOf(app);
        }),
      adoptPort: ({ app }) => portOf(app),
      findPort: (app) => ports(app)[0] ?? null,
      ports,
      attach: (_holder: ShardHolder) => {},
      detach: () => {},
      reportLoad: () => {},
      view: () => [],
      closePort: (app) => this.#effect('close port', () => void openApps.delete(app)),
      closeApp: (app) => this.#effect('close app', () => void openApps.delete(app)),
    };
  }
}

const strayRecord = ({ birth, startTicks }: SimProcess, bootId: string, startedAtMs: number): WorkerRecord => {
  const { app, slot, generation, release, spawn, pid } = birth;
  const named = {
    app,
    slot,
    generation,
    lane: 'stable',
    release,
    pid,
    startTicks,
    bootId,
    spawn,
    startedAtMs,
  } as const;
  return { ...named, phase: 'starting', restarts: 0, role: 'holder', order: null };
};

const recordOf = (disk: Disk, spawn: string): WorkerRecord => {
  const record = [...disk.tables.workers.values()].find((each) => each.spawn === spawn);
  if (record === undefined) throw new Error('a process is started that is not on record');
  return record;
};

const workersOf = (disk: Disk, app?: string): WorkerRecord[] =>
  [...disk.tables.workers.values()].filter((record) => app === undefined || record.app === app);
