/** The processes of the simulated machine as one daemon's supervisor sees them. */
import type { AgentMessage, ListenAddress, WorkerRecord } from '../../src/protocol/index.ts';
import type { SupervisorEdges } from '../../src/supervisor/index.ts';
import type { TakenListener } from '../../src/supervisor/processes.ts';
import type { WorkerHandle } from '../../src/supervisor/worker-handle.ts';
import type { SimDaemon, World } from './daemon.ts';
import type { Listener } from './kernel.ts';
import { addressOf } from './net-kernel.ts';
import type { SimProcess } from './process.ts';

type Processes = SupervisorEdges['processes'];

export const PORTS: Readonly<Record<string, number>> = { shop: 8000, mail: 8001 };

export const simProcesses = (daemon: SimDaemon, world: World): Processes => {
  const { machine } = world;
  const { kernel } = machine;
  const endings = new Map<SimProcess, () => void>();

  const linkOf = (process: SimProcess, listen: (message: AgentMessage) => void) => {
    let isKnownToLeave = false;
    const ear = {
      onMessage: (message: AgentMessage) =>
        daemon.act(() => {
          if (message.type === 'hello') isKnownToLeave = message.phase === 'draining';
          if (message.type === 'draining') isKnownToLeave = true;
          listen(message);
        }),
    };
    process.listenTo(ear);
    return {
      keptDescriptor: process.birth.pid,
      ended: new Promise<void>((resolve) => {
        if (!process.isAlive) resolve();
        else endings.set(process, resolve);
      }),
      send: (message: Parameters<SimProcess['hear']>[0], fd?: number) => {
        if (daemon.isDead || !process.isAlive) return;
        if (message.type === 'drain' && !process.wasAsked) {
          process.askedAt = machine.time.now;
          process.wasAskedOffRecord = daemon.store.condition.trouble !== null;
          world.onDrain(process);
        }
        const isTraffic = message.type === 'accept' || (message.type === 'descriptor' && message.role === 'cover');
        if (isTraffic && isKnownToLeave) world.onGivenToLeaver(process);
        const listener = fd === undefined ? null : kernel.listenerOf(fd, daemon);
        // On its way it belongs to whom it is sent.
        if (listener !== null) kernel.hold(listener, process);
        const lose = (): void => {
          if (listener !== null && process.isAlive) kernel.drop(listener, process);
        };
        machine.deliver(process, () => process.hear(message, listener), lose);
      },
      close: () => {
        if (!daemon.isDead && process.ear === ear) process.deafen();
      },
    };
  };

  const told = (
    process: SimProcess,
    tell: (code: number | null, signal: string | null) => void,
    isChild: boolean,
  ): void => {
    process.onEnd = (code, signal) =>
      daemon.act(() => {
        endings.get(process)?.();
        tell(isChild ? code : null, isChild ? signal : null);
      });
  };

  /** The sockets that a worker holds, its own first. */
  const heldBy = ({ pid }: WorkerHandle): readonly Listener[] => {
    const process = pid === null ? null : machine.find(pid);
    if (process === null || !process.isAlive) return [];
    return kernel
      .listeners(process.birth.port)
      .filter(({ holders }) => holders.has(process))
      .toSorted((a, b) => Number(b === process.own) - Number(a === process.own));
  };

  const takeFrom = (handle: WorkerHandle, address: ListenAddress): readonly TakenListener[] =>
    heldBy(handle)
      .filter(({ port }) => JSON.stringify(addressOf(port)) === JSON.stringify(address))
      .map((listener) => {
        const fd = kernel.duplicate(listener, daemon);
        return { fd, inode: listener.inode, close: () => kernel.closeDescriptor(fd, daemon) };
      });
  return {
    start: (request, listener) =>
      daemon.effect('start process', () => {
        const [app = '', slot = ''] = request.worker.split('/');
        const [shard] = request.shards;
        const process = machine.start({
          app,
          port: PORTS[app] ?? 0,
          slot: Number(slot),
          generation: request.generation,
          release: Number(request.env['DROVER_RELEASE']),
          spawn: request.spawnId,
          boots: shard === undefined ? null : { key: shard.key, listener: kernel.listenerOf(shard.fd, daemon) },
          acceptAtOnce: request.acceptAtOnce,
        });
        world.onStart(process);
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
    findStrays: ({ known, bootId, wallMs }) =>
      machine.living
        .filter(({ birth }) => birth.app !== 'stranger' && !known.has(birth.spawn))
        .map((process) => {
          world.onStray(process);
          const record = strayRecord(process, bootId, wallMs - (machine.time.now - process.startedAt));
          return { record, uid: globalThis.process.geteuid?.() ?? 0 };
        }),
    observe: (record, { bootId }) => {
      const process = record.bootId === bootId ? machine.find(record.pid) : null;
      const isAlive = process?.isAlive === true;
      return {
        isAlive,
        isZombie: false,
        startTimeTicks: isAlive ? process.startTicks : null,
        bootId,
        hasSpawnMark: isAlive ? process.birth.spawn === record.spawn : null,
        isElsewhere: false,
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
      daemon.effect(`signal ${signal}`, () => {
        const process = handle.pid === null ? null : machine.find(handle.pid);
        if (process === null || process.birth.spawn !== handle.spawnId) return false;
        process.signal(signal);
        return true;
      }),
    signalTree: (handle, signal) =>
      daemon.effect(`signal ${signal}`, () => {
        const process = handle.pid === null ? null : machine.find(handle.pid);
        if (process?.birth.spawn !== handle.spawnId) return;
        world.onSignal(process, signal);
        process.wasSignalled = true;
        process.signal(signal);
      }),
    sweep: () => null,
    listeners: (handle) => heldBy(handle).map(({ inode, port }) => ({ inode, address: addressOf(port) })),
    bootAddresses: (handle) => {
      const process = handle.pid === null ? null : machine.find(handle.pid);
      return process === null || process.birth.boots === null ? [] : [addressOf(process.birth.port)];
    },
    takeListeners: (handles, address) => new Map(handles.map((handle) => [handle, takeFrom(handle, address)])),
    oomKills: () => null,
  };
};

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
  return { ...named, phase: 'starting', restarts: 0, role: 'holder', order: null, exit: null };
};
