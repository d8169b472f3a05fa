/** The `spawn` effect: everything between "this slot needs a process" and "it exists", or why it does not. */
import { watchFromOutside } from './agentless.ts';
import { channelListener } from './agent-messages.ts';
import { workerEnvironment } from './environment.ts';
import { identityOf } from './identity.ts';
import type { WorkerOutput } from './edges.ts';
import type { ResolvedCommand } from './launch.ts';
import type { StartedProcess } from './processes.ts';
import type { Schedule } from './schedule.ts';
import type { Tenant } from './tenant.ts';
import { WorkerHandle } from './worker-handle.ts';
import { recordWorker } from './worker-record.ts';

export const REPORT_EVERY_MS = 1000;

export const spawnWorker = async (tenant: Tenant, generation: number): Promise<void> => {
  const { host, config, slot } = tenant;
  const { edges } = host;
  try {
    const command = await edges.resolveCommand(config);
    await nextTurn(edges.schedule);
    if (tenant.state.wanted !== 'up' || !host.wants(slot))
      throw new Error('it was to be stopped before it was started');
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
    // Before there is a process: a daemon that dies at the next line leaves one that is known by its mark.
    recordWorker(tenant, handle, { pid: 0, startTicks: 0 });
    try {
      const started = startProcess(tenant, handle, command, output);
      handle.link = started.link;
      settleSpawn(tenant, handle, started);
    } catch (error) {
      edges.records.workers.remove(handle);
      throw error;
    } finally {
      output.close();
    }
  } catch (error) {
    tenant.step({ type: 'spawn-failed', at: tenant.at, generation, reason: reasonOf(error) });
  }
};

/** The end of the queue of spawns of each daemon; simulations have many in one process. */
const lastTurns = new WeakMap<Schedule, Promise<void>>();

/**
 * One spawn a turn of the event loop: a fork takes milliseconds, and fifty in a row would leave the workers that are up
 * already waiting for an answer.
 */
const nextTurn = (schedule: Schedule): Promise<void> => {
  const before = lastTurns.get(schedule) ?? Promise.resolve();
  const turn = before.then(() => new Promise<void>((resolve) => schedule.soon(resolve)));
  lastTurns.set(schedule, turn);
  return turn;
};

const startProcess = (
  tenant: Tenant,
  handle: WorkerHandle,
  command: ResolvedCommand,
  { stdoutFd, stderrFd }: WorkerOutput,
): StartedProcess => {
  const { host, config, slot, release } = tenant;
  const { edges } = host;
  const identity = identityOf(config);
  return edges.processes.start(
    {
      config,
      command,
      worker: tenant.id,
      spawnId: handle.spawnId,
      generation: handle.generation,
      // The environment is read, and the link followed, now: a reload must see what changed meanwhile.
      env: workerEnvironment(config, { app: host.app, slot, release }),
      stdoutFd,
      stderrFd,
      shards: host.desk.bootShards(tenant, handle),
      agentPath: identity === null ? edges.agentPath : edges.othersAgentPath,
      keepsPeer: edges.keepsWorkers,
      socketPath: edges.socketPath,
      acceptAtOnce: host.mayAcceptAtOnce(tenant),
      reportEveryMs: REPORT_EVERY_MS,
      identity,
    },
    channelListener(tenant, handle),
  );
};

const settleSpawn = (tenant: Tenant, handle: WorkerHandle, started: StartedProcess): void => {
  const { edges } = tenant.host;
  const { pid, startTicks } = started;
  if (pid === null) {
    started.onFailure((reason) => {
      handle.link?.close();
      edges.records.workers.remove(handle);
      tenant.step({ type: 'spawn-failed', at: tenant.at, generation: handle.generation, reason });
    });
    return;
  }
  handle.pid = pid;
  handle.firstPid = pid;
  handle.startTicks = startTicks;
  recordWorker(tenant, handle, { pid, startTicks });
  tenant.attach(handle, started);
  edges.onDescriptorsChanged();
  edges.schedule.soon(() => {
    tenant.step({ type: 'spawned', at: tenant.at, generation: handle.generation, pid });
    watchFromOutside(tenant, handle);
    tenant.checkReadiness();
  });
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
