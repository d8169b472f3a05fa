/**
 * After a daemon restart: carries out what `core/adoption.ts` decides about each worker that the records name. Looks
 * whether it is still there, takes its channel back, gives it to its slot, and replaces one whose agent stays silent.
 */
import {
  endedWorker,
  isCrash,
  newAdoption,
  restAfter,
  stepAdoption,
  type AdoptionEffect,
  type AdoptionEvent,
  type AdoptionPolicy,
  type AdoptionState,
  type Exit,
} from '../core/index.ts';
import { AGENT_PROTOCOL, type WorkerRecord } from '../protocol/index.ts';
import { watchFromOutside } from './agentless.ts';
import { channelListener } from './agent-messages.ts';
import type { AgentLink } from './agent-link.ts';
import type { App } from './app.ts';
import { replaceSilent } from './replacements.ts';
import type { CallOff } from './schedule.ts';
import { Tenant } from './tenant.ts';
import { WorkerHandle } from './worker-handle.ts';

const POLICY: AdoptionPolicy = { helloTimeoutMs: 5000 };
/** An agent whose channel is lost notices at its second report, ten seconds apart where nothing happens, and connects. */
const RECONNECTING: AdoptionPolicy = { helloTimeoutMs: 20_000 };

export interface AdoptionSources {
  /** Channels that the guard (or systemd) kept, by the spawn's mark: slot and generation come again once a slot was empty. */
  readonly channels: ReadonlyMap<string, number>;
  readonly bootId: string;
  /** Names this daemon to the agents. */
  readonly daemonId: string;
  readonly reportEveryMs: number;
}

export const adoptWorkers = (app: App, records: readonly WorkerRecord[], sources: AdoptionSources): void => {
  for (const record of records.toSorted((a, b) => a.generation - b.generation)) {
    if (record.exit !== null) {
      const isLast = !records.some(({ slot, generation }) => slot === record.slot && generation > record.generation);
      if (isLast) restoreEnded(app, record, record.exit);
      else app.edges.records.workers.remove(record);
      continue;
    }
    const named = record.pid === 0 ? findStarted(app, record, sources) : record;
    if (named !== null) new AdoptionRun(app, named, sources).probe();
  }
};

/** It ended for good, and holds its slot as it did: nobody is started in it. */
const restoreEnded = (app: App, record: WorkerRecord, exit: Exit): void => {
  const isOurs = app.operation !== null || record.slot < app.state.instances;
  if (!isOurs || !app.wants(record.slot)) return;
  const tenant = tenantOf(app, record);
  tenant.state = endedWorker(record.generation, exit, tenant.config);
  app.slots.restore(tenant);
};

const tenantOf = (app: App, record: WorkerRecord): Tenant =>
  new Tenant(app, {
    slot: record.slot,
    ...app.sourceOf(record.release),
    isChanged: false,
    role: record.role,
    order: record.order,
  });

/** The daemon died while it started the process: it may have come to be, and nobody wrote its pid down. */
const findStarted = (app: App, record: WorkerRecord, { bootId }: AdoptionSources): WorkerRecord | null => {
  const { processes, records } = app.edges;
  const found = record.bootId === bootId ? processes.find(record.spawn) : null;
  if (found === null) {
    records.workers.remove(record);
    return null;
  }
  const named = { ...record, ...found };
  records.workers.put(named);
  return named;
};

class AdoptionRun {
  readonly #app: App;
  readonly #record: WorkerRecord;
  readonly #sources: AdoptionSources;
  readonly #handle: WorkerHandle;
  #state: AdoptionState;
  #tenant: Tenant | null = null;
  #callOff: CallOff | null = null;
  /** Processes of its tree, of which somebody has to make an end. */
  #mayHaveLeft = false;

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
    const { processes, socketPath } = this.#app.edges;
    const observed = processes.observe(this.#record, { bootId: this.#sources.bootId, socketPath });
    this.#mayHaveLeft = this.#record.bootId === this.#sources.bootId && !observed.isElsewhere;
    this.#step({ type: 'probed', generation, observed });
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
    this.#callOff?.();
    this.#callOff = null;
  }

  get #policy(): AdoptionPolicy {
    return this.#tenant !== null && this.#handle.link === null ? RECONNECTING : POLICY;
  }

  #step(event: AdoptionEvent): void {
    const { state, effects } = stepAdoption(this.#state, event, this.#policy);
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
        if (this.#tenant !== null) void replaceSilent(this.#app, this.#tenant, effect.reason);
        return;
      case 'arm': {
        const { generation } = effect;
        const { schedule } = this.#app.edges;
        // Whether its channel is back is known only now that it was adopted.
        this.#callOff = schedule.patient(this.#policy.helloTimeoutMs, () => this.#step({ type: 'timer', generation }));
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
    const tenant = tenantOf(app, record);
    this.#tenant = tenant;
    tenant.handle = handle;
    handle.link = this.#regainLink(tenant);
    const { daemonId, reportEveryMs } = this.#sources;
    handle.link?.send({ type: 'welcome', v: AGENT_PROTOCOL, daemon: daemonId, reportEveryMs });
    app.slots.settle(tenant, record, app.operation !== null);
    watchFromOutside(tenant, handle);
    try {
      app.edges.processes.watchEnd(record.pid, (code, signal) => tenant.onExit(handle, code, signal));
    } catch {
      // It went away between the look and now.
      app.edges.schedule.soon(() => tenant.onExit(handle, null, null));
    }
  }

  /** From the guard, else from the worker itself, which holds a copy of our end. */
  #regainLink(tenant: Tenant): AgentLink | null {
    // A program has none: its agent, if one has come to it, connects again.
    if (this.#app.state.config.command.kind === 'program') return null;
    const handle = this.#handle;
    const kept = this.#sources.channels.get(this.#record.spawn) ?? null;
    const link = this.#app.edges.processes.regainLink(this.#record.pid, kept, channelListener(tenant, handle));
    this.#app.regained.channels[kept !== null ? 'kept' : link !== null ? 'workers' : 'nowhere'] += 1;
    return link;
  }

  /** Not with its machine: what is wanted starts again with that. Nor if it was to leave. */
  #hasEndedForGood(exit: Exit): boolean {
    const { role, phase, bootId, release } = this.#record;
    const hasServed = role === 'holder' && (phase === 'running' || phase === 'starting');
    const { restart } = this.#app.sourceOf(release).config;
    return hasServed && bootId === this.#sources.bootId && restAfter(exit, restart) !== null;
  }

  /** It died while nobody looked: its tree may have survived it. */
  #bury(exit: Exit, reason: string): void {
    const { records, processes, output } = this.#app.edges;
    const { pid, slot, generation, phase } = this.#record;
    const lastLines = isCrash(exit, null, phase === 'running') ? output.lastWords(this.#app.app, slot, generation) : [];
    if (this.#mayHaveLeft) void processes.sweep(this.#handle, false);
    if (this.#hasEndedForGood(exit)) {
      const ended = { ...this.#record, exit };
      records.workers.put(ended);
      restoreEnded(this.#app, ended, exit);
    } else records.workers.remove(this.#record);
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
