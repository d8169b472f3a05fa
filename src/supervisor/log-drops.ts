/**
 * Output that a worker had to drop because its disk was full, told as events: one when it begins, one with the count
 * when it is over. What lies between is in the reports, and in `show`.
 */
import type { LogDrops } from '../protocol/index.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** An honest agent takes longer from one to the next: one that lies must not fill the events. */
const NEXT_AFTER_MS = 4_000;

/** After each report. */
export const noteLogDrops = (tenant: Tenant, handle: WorkerHandle): void => {
  const log = handle.lastReport?.log;
  if (log === undefined || log.isDropping === handle.isDroppingLog) return;
  if (log.isDropping && tenant.at - handle.dropsToldAt < NEXT_AFTER_MS) return;
  handle.isDroppingLog = log.isDropping;
  handle.dropsToldAt = tenant.at;
  if (!log.isDropping) return tellEnd(tenant, handle, log, 'its log file takes output again');
  append(tenant, handle, 'log-dropped', `its log file takes no more output (${log.code}): lines are dropped`, {
    ...sinceTold(handle, log),
    code: log.code,
  });
};

/** The worker is gone, and its last report still told of a full disk. */
export const endLogDrops = (tenant: Tenant, handle: WorkerHandle): void => {
  const log = handle.lastReport?.log;
  if (log === undefined || !handle.isDroppingLog) return;
  handle.isDroppingLog = false;
  tellEnd(tenant, handle, log, 'it ended');
};

const tellEnd = (tenant: Tenant, handle: WorkerHandle, log: LogDrops, why: string): void => {
  const counts = sinceTold(handle, log);
  handle.toldDrops = log;
  append(tenant, handle, 'log-drop-ended', `${why}; ${counts.lines} lines (${counts.bytes} bytes) were dropped`, {
    ...counts,
    code: log.code,
  });
};

const sinceTold = ({ toldDrops }: WorkerHandle, { lines, bytes }: LogDrops): { lines: number; bytes: number } => ({
  lines: lines - (toldDrops?.lines ?? 0),
  bytes: bytes - (toldDrops?.bytes ?? 0),
});

const append = (
  tenant: Tenant,
  handle: WorkerHandle,
  type: 'log-dropped' | 'log-drop-ended',
  reason: string,
  counts: Readonly<Record<string, unknown>>,
): void => {
  tenant.host.edges.records.events.append({
    app: tenant.host.app,
    worker: tenant.id,
    type,
    reason,
    data: { generation: handle.generation, pid: handle.firstPid, ...counts },
  });
};
