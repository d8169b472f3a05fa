/** What the next daemon has to know of a worker, as it is written down. */
import { restAfter, type Exit } from '../core/index.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Of one that is being started (pid 0), or runs. */
export const recordWorker = (
  tenant: Tenant,
  handle: WorkerHandle,
  named: { readonly pid: number; readonly startTicks: number },
): void => write(tenant, handle, { ...named, phase: tenant.state.phase, exit: null });

/** Of one that ended for good: nobody is started in its place, not by the next daemon either. */
export const recordEnd = (tenant: Tenant, handle: WorkerHandle, exit: Exit): void => {
  const { firstPid: pid, startTicks } = handle;
  const phase = restAfter(exit, tenant.config.restart) ?? tenant.state.phase;
  write(tenant, handle, { pid, startTicks, phase, exit });
};

const write = (
  tenant: Tenant,
  handle: WorkerHandle,
  now: { readonly pid: number; readonly startTicks: number; readonly phase: string; readonly exit: Exit | null },
): void => {
  const { edges } = tenant.host;
  edges.records.workers.put({
    app: handle.app,
    slot: handle.slot,
    generation: handle.generation,
    lane: handle.lane,
    release: handle.release,
    ...now,
    bootId: edges.bootId,
    spawn: handle.spawnId,
    startedAtMs: handle.startedAt,
    restarts: tenant.state.restarts,
    role: tenant.role,
    order: tenant.order,
  });
};
