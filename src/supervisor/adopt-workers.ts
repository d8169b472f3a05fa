/**
 * After a daemon restart: finds the workers that are still there, takes their channels back, and gives them to their
 * slots. A worker is known by pid, start time and boot id; a pid alone may belong to anybody.
 */
import { isAlive, readVariable, takeDescriptor, watchExit } from '../os/index.ts';
import { SPAWN_VARIABLE } from '../protocol/index.ts';
import { reportGarbage } from './agent-messages.ts';
import { openChannelLink } from './agent-link.ts';
import { watchFromOutside } from './agentless.ts';
import type { App } from './app.ts';
import type { WorkerRecord } from './edges.ts';
import { Tenant } from './tenant.ts';
import { WorkerHandle } from './worker-handle.ts';
import { sweepTree } from './worker-signals.ts';

/** The worker's copy of our end of the channel, by its number in every worker (`launch.ts`). */
const PEER_FD_IN_WORKER = 4;

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
    if (isStillThere(record, sources.bootId)) adoptWorker(app, record, sources);
    else buryWorker(app, record);
  }
};

const isStillThere = (record: WorkerRecord, bootId: string): boolean =>
  record.bootId === bootId &&
  isAlive(record.pid, record.startTicks) &&
  // Where the environment cannot be read (another user's process), pid and start time must do.
  [record.spawn, null].includes(readVariable(record.pid, SPAWN_VARIABLE));

const adoptWorker = (app: App, record: WorkerRecord, sources: AdoptionSources): void => {
  const { edges } = app;
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
  handle.isAdopted = true;
  handle.pid = record.pid;
  handle.firstPid = record.pid;
  handle.startTicks = record.startTicks;
  const tenant = new Tenant(app, {
    slot: record.slot,
    config: app.state.config,
    release: record.release,
    isChanged: false,
    isReplacement: false,
  });
  tenant.handle = handle;
  // A program has none: its agent, if one has come to it, connects again.
  const fd = app.state.config.command.kind === 'node' ? channelOf(record, sources) : null;
  if (fd !== null) {
    handle.link = openChannelLink(fd, {
      onMessage: (message) => tenant.receive(handle, message),
      onGarbage: (detail) => reportGarbage(tenant, handle, detail),
      onClose: () => {},
    });
    handle.link.send({ type: 'welcome', daemon: sources.daemonId, reportEveryMs: sources.reportEveryMs });
  }
  app.settle(tenant, record);
  watchFromOutside(tenant, handle);
  try {
    watchExit(record.pid, (status) => tenant.onExit(handle, status?.code ?? null, status?.signal ?? null));
  } catch {
    // It went away between the look and now.
    setImmediate(() => tenant.onExit(handle, null, null));
  }
};

/** From the guard, else from the worker itself, which holds a copy of our end. */
const channelOf = (record: WorkerRecord, { channels }: AdoptionSources): number | null => {
  const kept = channels.get(`${record.app}/${record.slot}#${record.generation}`);
  if (kept !== undefined) return kept;
  try {
    return takeDescriptor(record.pid, PEER_FD_IN_WORKER);
  } catch {
    // Refused here: the worker serves on, but cannot be talked to; it is replaced by the next reload.
    return null;
  }
};

/** It died while nobody looked: its tree may have survived it. */
const buryWorker = (app: App, record: WorkerRecord): void => {
  const { records } = app.edges;
  const handle = new WorkerHandle({
    app: record.app,
    slot: record.slot,
    generation: record.generation,
    release: record.release,
    spawnId: record.spawn,
    nodeVersion: null,
    spawnedAt: 0,
    startedAt: record.startedAtMs,
  });
  handle.firstPid = record.pid;
  void sweepTree(handle, false);
  records.workers.remove(record);
  records.events.append({
    app: record.app,
    worker: handle.id,
    type: 'worker-exited',
    reason: 'ended while the daemon was away, for an unknown reason',
    data: { pid: record.pid, generation: record.generation },
  });
};
