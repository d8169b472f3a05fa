/** Carries out what a worker machine decided: one dull function per effect; errors come back as events. */
import type { WorkerEffect } from '../core/index.ts';
import { spawnWorker } from './spawn-worker.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

type Runners = {
  readonly [Type in WorkerEffect['type']]: (tenant: Tenant, effect: Extract<WorkerEffect, { type: Type }>) => void;
};

const RUNNERS: Runners = {
  spawn(tenant, { generation }) {
    tenant.backoffUntil = null;
    void spawnWorker(tenant, generation);
  },

  drain(tenant, { generation }) {
    const handle = tenant.handle;
    if (handle === null || handle.generation !== generation || handle.pid === null) return;
    tenant.timers.disarm('settle');
    // One that was taken over may be in the middle of its work, and is asked when its agent speaks.
    const isExpected = handle.adoption !== null && !tenant.isAgentless;
    if (handle.link !== null && (handle.isAgentHere || isExpected)) return askToDrain(tenant, handle);
    // Nobody to ask politely: a program without an agent, or one that has not come up yet.
    if (!isExpected) tenant.host.edges.processes.signalTree(handle, 'SIGTERM');
  },

  signal(tenant, { generation }) {
    const handle = tenant.handle;
    if (handle === null || handle.generation !== generation) return;
    // What it started is swept once it is gone.
    tenant.host.edges.processes.signal(handle, 'SIGKILL');
  },

  arm(tenant, { timer, afterMs, generation }) {
    if (timer === 'backoff') tenant.backoffUntil = tenant.at + afterMs;
    tenant.timers.arm(timer, afterMs, () => tenant.step({ type: 'timer', at: tenant.at, timer, generation }));
  },

  disarm(tenant, { timer }) {
    if (timer === 'backoff') tenant.backoffUntil = null;
    tenant.timers.disarm(timer);
  },

  report(tenant, { event, reason }) {
    const handle = tenant.handle;
    tenant.host.edges.records.events.append({
      app: tenant.host.app,
      worker: tenant.id,
      type: event,
      reason: event === 'worker-start-timeout' ? `${reason}${tenant.waiting}` : reason,
      // Of the process that it is about: after a crash the machine's own generation is that of the next one already.
      data: {
        generation: handle?.generation ?? tenant.state.generation,
        pid: handle?.pid ?? handle?.firstPid ?? null,
        release: handle?.release ?? tenant.release,
        ...(event === 'worker-exited' && handle !== null && handle.lastWords.length > 0
          ? { lastLines: handle.lastWords }
          : {}),
      },
    });
  },
};

export const askToDrain = (tenant: Tenant, handle: WorkerHandle): void => {
  const { drain } = tenant.config;
  handle.link?.send({
    type: 'drain',
    timeoutMs: drain.timeoutMs,
    idleGraceMs: drain.idleGraceMs,
    websocketCode: drain.websocket.code,
    websocketSpreadMs: drain.websocket.spreadMs,
    thenExit: true,
  });
};

export const runEffect = (tenant: Tenant, effect: WorkerEffect): void => {
  const run = RUNNERS[effect.type] as (tenant: Tenant, effect: WorkerEffect) => void;
  run(tenant, effect);
};
