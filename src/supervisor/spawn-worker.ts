/** The `spawn` effect: everything between "this slot needs a process" and "it exists", or why it does not. */
import { closeSync } from 'node:fs';
import { openChannelPair, startTicks } from '../os/index.ts';
import { openChannelLink } from './agent-link.ts';
import { watchFromOutside } from './agentless.ts';
import { reportGarbage } from './agent-messages.ts';
import { workerEnvironment } from './environment.ts';
import { identityOf } from './identity.ts';
import { launch } from './launch.ts';
import type { Tenant } from './tenant.ts';
import { WorkerHandle } from './worker-handle.ts';

export const REPORT_EVERY_MS = 1000;

export const spawnWorker = async (tenant: Tenant, generation: number): Promise<void> => {
  const { host, config, slot } = tenant;
  const { edges } = host;
  try {
    const command = await edges.resolveCommand(config);
    await nextTurn();
    const handle = new WorkerHandle({
      app: host.app,
      slot,
      generation,
      release: tenant.release,
      spawnId: edges.newId(),
      nodeVersion: command.nodeVersion,
      spawnedAt: tenant.at,
      startedAt: edges.clock.wallMs(),
    });
    const output = edges.output.open(host.app, slot, generation);
    const channel = command.agentAt === null ? null : openChannelPair();
    const shards = host.desk.bootShards(tenant, handle);
    try {
      // The environment is read, and the link followed, now: a reload must see what changed meanwhile.
      const child = launch({
        config,
        command,
        worker: tenant.id,
        spawnId: handle.spawnId,
        generation,
        env: workerEnvironment(config, { app: host.app, slot, release: tenant.release }),
        stdoutFd: output.stdoutFd,
        stderrFd: output.stderrFd,
        channel,
        shards,
        agentPath: edges.agentPath,
        keepsPeer: edges.keepsWorkers,
        socketPath: edges.socketPath,
        acceptAtOnce: host.mayAcceptAtOnce(tenant),
        reportEveryMs: REPORT_EVERY_MS,
        identity: identityOf(config),
      });
      if (channel !== null) linkChannel(tenant, handle, channel.daemonFd);
      settleSpawn(tenant, handle, child);
    } catch (error) {
      if (channel !== null) closeSync(channel.daemonFd);
      throw error;
    } finally {
      output.close();
      if (channel !== null) closeSync(channel.workerFd);
    }
  } catch (error) {
    tenant.step({ type: 'spawn-failed', at: tenant.at, generation, reason: reasonOf(error) });
  }
};

/** The end of the queue of spawns. */
let lastTurn: Promise<void> = Promise.resolve();

/**
 * One spawn a turn of the event loop: a fork takes milliseconds, and fifty in a row would leave the workers that are up
 * already waiting for an answer.
 */
const nextTurn = (): Promise<void> => {
  lastTurn = lastTurn.then(() => new Promise((resolve) => setImmediate(resolve)));
  return lastTurn;
};

const linkChannel = (tenant: Tenant, handle: WorkerHandle, fd: number): void => {
  handle.link = openChannelLink(fd, {
    onMessage: (message) => tenant.receive(handle, message),
    onGarbage: (detail) => reportGarbage(tenant, handle, detail),
    onClose: () => {},
  });
};

const settleSpawn = (tenant: Tenant, handle: WorkerHandle, child: ReturnType<typeof launch>): void => {
  const { edges } = tenant.host;
  const { pid } = child;
  if (pid === undefined) {
    // No process: the reason comes as an event of the child.
    child.once('error', (error) => {
      handle.link?.close();
      tenant.step({ type: 'spawn-failed', at: tenant.at, generation: handle.generation, reason: error.message });
    });
    return;
  }
  handle.pid = pid;
  handle.firstPid = pid;
  handle.startTicks = startTicks(pid) ?? 0;
  edges.records.workers.put({
    app: handle.app,
    slot: handle.slot,
    generation: handle.generation,
    lane: handle.lane,
    release: handle.release,
    pid,
    startTicks: handle.startTicks,
    bootId: edges.bootId,
    spawn: handle.spawnId,
    startedAtMs: handle.startedAt,
    phase: tenant.state.phase,
    restarts: tenant.state.restarts,
  });
  tenant.attach(handle, child);
  edges.onDescriptorsChanged();
  setImmediate(() => {
    tenant.step({ type: 'spawned', at: tenant.at, generation: handle.generation, pid });
    watchFromOutside(tenant, handle);
    tenant.checkReadiness();
  });
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
