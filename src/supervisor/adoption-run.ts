/**
 * After a daemon restart: carries out what `core/adoption.ts` decides about each worker that the records name. Looks
 * whether it is still there, takes its channel back, gives it to its slot, and replaces one whose agent stays silent.
 */
import {
  classifyExit,
  isCrash,
  newAdoption,
  stepAdoption,
  type AdoptionEffect,
  type AdoptionEvent,
  type AdoptionPolicy,
  type AdoptionState,
  type Exit,
  type ObservedProcess,
} from '../core/index.ts';
import { exitOf, readStat, readVariable, takeDescriptor, watchExit } from '../os/index.ts';
import { SPAWN_VARIABLE, type WorkerRecord } from '../protocol/index.ts';
import { watchFromOutside } from './agentless.ts';
import { reportGarbage } from './agent-messages.ts';
import { openChannelLink } from './agent-link.ts';
import type { App } from './app.ts';
import { Tenant } from './tenant.ts';
import { WorkerHandle } from './worker-handle.ts';
import { sweepTree } from './worker-signals.ts';

/** The worker's copy of our end of the channel, by its number in every worker (`launch.ts`). */
const PEER_FD_IN_WORKER = 4;

const POLICY: AdoptionPolicy = { helloTimeoutMs: 5000 };

export interface AdoptionSources {
  /** Channels that the guard (or systemd) kept, by `app/slot#generation`. */
  readonly channels: ReadonlyMap<string, number>;
  readonly bootId: string;
  /** Names this daemon to the agents. */
  readonly daemonId: string;
  readonly reportEveryMs: number;
}

export const adoptWorkers = (app: App, records: readonly WorkerRecord[], sources: AdoptionSources): void => {
  for (const record of records.toSorted((a, b) => a.generation - b.generation)) {
    new AdoptionRun(app, record, sources).probe();
  }
};

/** What the world knows of the process that the record names. */
const observe = (record: WorkerRecord, bootId: string): ObservedProcess => {
  const stat = record.bootId === bootId ? readStat(record.pid) : null;
  const isZombie = stat?.state === 'Z';
  const mark = stat === null ? null : readVariable(record.pid, SPAWN_VARIABLE);
  const status = isZombie && stat.startTicks === record.startTicks ? exitOf(record.pid, null) : null;
  return {
    isAlive: stat !== null,
    isZombie,
    startTimeTicks: stat?.startTicks ?? null,
    bootId,
    hasSpawnMark: mark === null ? null : mark === record.spawn,
    exit: status === null ? null : classifyExit({ ...status, wasOomKilled: false, detail: null }),
  };
};

class AdoptionRun {
  readonly #app: App;
  readonly #record: WorkerRecord;
  readonly #sources: AdoptionSources;
  readonly #handle: WorkerHandle;
  #state: AdoptionState;
  #tenant: Tenant | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(app: App, record: WorkerRecord, sources: AdoptionSources) {
    this.#app = app;
    this.#record = record;
    this.#sources = sources;
    this.#handle = handleOf(record, app);
    this.#handle.adoption = this;
    this.#state = newAdoption({
      app: record.app,
      slot: record.slot,
      generation: record.generation,
      pid: record.pid,
      startTimeTicks: record.startTicks,
      bootId: record.bootId,
      wasReady: record.phase === 'running',
      hasAgent: app.state.config.command.kind === 'node',
    });
  }

  probe(): void {
    const { generation } = this.#record;
    this.#step({ type: 'probed', generation, observed: observe(this.#record, this.#sources.bootId) });
  }

  /** Its agent spoke. */
  hear(): void {
    this.#step({ type: 'hello', generation: this.#record.generation });
  }

  /** Its process ended. */
  end(exit: Exit): void {
    this.#step({ type: 'exited', generation: this.#record.generation, exit });
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #step(event: AdoptionEvent): void {
    const { state, effects } = stepAdoption(this.#state, event, POLICY);
    this.#state = state;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: AdoptionEffect): void {
    switch (effect.type) {
      case 'adopt':
        return this.#adopt();
      case 'lost':
        return this.#bury(effect.exit, effect.reason);
      case 'replace':
        if (this.#tenant !== null) void this.#app.replaceSilent(this.#tenant, effect.reason);
        return;
      case 'arm': {
        const { generation } = effect;
        this.#timer = setTimeout(() => this.#step({ type: 'timer', generation }), effect.afterMs).unref();
        return;
      }
      case 'disarm':
        return this.close();
      case 'report':
        this.#app.edges.records.events.append({ app: this.#app.app, type: effect.event, reason: effect.reason });
    }
  }

  #adopt(): void {
    const [app, handle, record] = [this.#app, this.#handle, this.#record];
    handle.pid = record.pid;
    const tenant = new Tenant(app, {
      slot: record.slot,
      config: app.state.config,
      release: record.release,
      isChanged: false,
      isReplacement: false,
    });
    this.#tenant = tenant;
    tenant.handle = handle;
    const fd = this.#takeChannel();
    if (fd !== null) {
      handle.link = openChannelLink(fd, {
        onMessage: (message) => tenant.receive(handle, message),
        onGarbage: (detail) => reportGarbage(tenant, handle, detail),
        onClose: () => {},
      });
      const { daemonId, reportEveryMs } = this.#sources;
      handle.link.send({ type: 'welcome', daemon: daemonId, reportEveryMs });
    }
    app.settle(tenant, record);
    watchFromOutside(tenant, handle);
    try {
      watchExit(record.pid, (status) => tenant.onExit(handle, status?.code ?? null, status?.signal ?? null));
    } catch {
      // It went away between the look and now.
      setImmediate(() => tenant.onExit(handle, null, null));
    }
  }

  /** From the guard, else from the worker itself, which holds a copy of our end. */
  #takeChannel(): number | null {
    // A program has none: its agent, if one has come to it, connects again.
    if (this.#app.state.config.command.kind === 'program') return null;
    const kept = this.#sources.channels.get(this.#handle.holderId);
    if (kept !== undefined) return kept;
    try {
      return takeDescriptor(this.#record.pid, PEER_FD_IN_WORKER);
    } catch {
      // Refused here: the agent may come by the socket; one that stays silent is replaced.
      return null;
    }
  }

  /** It died while nobody looked: its tree may have survived it. */
  #bury(exit: Exit, reason: string): void {
    const { records, output } = this.#app.edges;
    const { pid, slot, generation, bootId, phase } = this.#record;
    const lastLines = isCrash(exit, null, phase === 'running') ? output.lastWords(this.#app.app, slot, generation) : [];
    if (bootId === this.#sources.bootId) void sweepTree(this.#handle, false);
    records.workers.remove(this.#record);
    records.events.append({
      app: this.#app.app,
      worker: this.#handle.id,
      type: 'worker-exited',
      reason,
      data: {
        pid,
        generation,
        code: exit.code,
        signal: exit.signal,
        ...(lastLines.length === 0 ? {} : { lastLines }),
      },
    });
  }
}

const handleOf = (record: WorkerRecord, { edges }: App): WorkerHandle => {
  const handle = new WorkerHandle({
    app: record.app,
    slot: record.slot,
    generation: record.generation,
    release: record.release,
    spawnId: record.spawn,
    nodeVersion: null,
    spawnedAt: edges.clock.monotonicMs() - Math.max(0, edges.clock.wallMs() - record.startedAtMs),
    startedAt: record.startedAtMs,
  });
  handle.firstPid = record.pid;
  handle.startTicks = record.startTicks;
  return handle;
};
