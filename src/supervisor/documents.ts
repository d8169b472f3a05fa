/** Turns what the supervisor knows into the documents that people and programs read (CONTRACT.md). */
import { appStatus, WORKER_STATUS, type WorkerPhase } from '../core/index.ts';
import { readUsage } from '../os/index.ts';
import type {
  AppDocument,
  AppStatus,
  LogDropDocument,
  LogDrops,
  PortDocument,
  ShardView,
  WorkerDocument,
} from '../protocol/index.ts';
import { percentile, subtractHistogram } from '../runtime/index.ts';
import type { App } from './app.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

export const describeApp = (app: App): AppDocument => {
  const views = shardViews(app);
  const { status, reason } = statusOf(app);
  return {
    name: app.app,
    status,
    reason,
    release: app.state.release,
    instances: app.state.instances,
    ports: describePorts(app),
    workers: app.slots.all
      .toSorted((a, b) => a.index - b.index)
      .flatMap((slot) =>
        slot.tenants.map((tenant) => describeWorker(tenant, views.get(slot.index) ?? null, tenant === slot.holder)),
      ),
  };
};

/** The word for what an app as a whole does. */
export const appStatusOf = (app: App): AppStatus => {
  const kind = app.operation?.kind ?? null;
  return appStatus({
    wanted: app.state.wanted === 'up' ? 'up' : 'down',
    slots: Array.from({ length: app.state.instances }, (_, index) => {
      const slot = app.slots.find(index);
      return {
        phase: slot?.holder ? visiblePhase(slot.holder) : 'stopped',
        replacementPhase: slot?.replacement ? visiblePhase(slot.replacement) : null,
        isLooping: slot?.holder?.isLooping ?? false,
      };
    }),
    operation: kind === 'apply' ? 'reload' : kind,
  });
};

const statusOf = (app: App): Pick<AppDocument, 'status' | 'reason'> => {
  const status = appStatusOf(app);
  const troubled = app.holders.find((tenant) => tenant.explanation() !== null);
  const isFine = status === 'online' || status === 'stopped';
  return { status, reason: isFine || troubled === undefined ? null : `${troubled.id} ${troubled.explanation()}` };
};

/** A worker whose process has just ended, and whose last words are still being read, is about to be started again. */
const visiblePhase = ({ state, handle }: Tenant): WorkerPhase =>
  state.phase === 'running' && handle?.pid === null ? 'backoff' : state.phase;

const describePorts = (app: App): readonly PortDocument[] => {
  const protocols = new Map(
    app.liveHandles().flatMap((handle) => handle.listening.map((server) => [server.key, server.protocol] as const)),
  );
  const learned = new Map(app.edges.records.ports.list(app.app).map((record) => [record.key, record]));
  const own = app
    .liveHandles()
    .flatMap((handle) => handle.listening)
    .filter((server) => server.key.startsWith('own:') && server.address.kind === 'tcp')
    .map(({ address, protocol }): PortDocument => {
      const port = address.kind === 'tcp' ? address.port : null;
      const host = address.kind === 'tcp' ? address.host : address.path;
      return { host, port, protocol, declared: port !== null && app.state.config.ports.includes(port) };
    });
  const kept = app.edges.traffic.ports(app.app).map((port): PortDocument => {
    if (port.address.kind === 'unix') {
      return { host: port.address.path, port: null, protocol: 'unix', declared: port.declared };
    }
    const protocol = protocols.get(port.key) ?? learned.get(port.key)?.protocol ?? 'tcp';
    return { host: port.address.host, port: port.address.port, protocol, declared: port.declared };
  });
  return [...kept, ...own];
};

/** The shard of each slot, on the app's first port. */
export const shardViews = (app: App): ReadonlyMap<number, ShardView> => {
  const bySlot = new Map<number, ShardView>();
  const [main] = app.edges.traffic.view(app.app);
  // The first port is the one whose shares are shown; the queues of all count.
  for (const shard of main?.shards ?? []) bySlot.set(shard.slot, shard);
  return bySlot;
};

const describeWorker = (tenant: Tenant, shard: ShardView | null, isHolder: boolean): WorkerDocument => {
  const { handle, state } = tenant;
  const phase = visiblePhase(tenant);
  const isAlive = handle !== null && handle.pid !== null;
  const runtime = isAlive ? (handle.lastReport?.runtime ?? null) : null;
  return {
    id: tenant.id,
    slot: tenant.slot,
    pid: isAlive ? handle.pid : null,
    status: WORKER_STATUS[phase],
    ready: phase === 'running',
    lane: 'stable',
    weight: isHolder ? (shard?.weight ?? 0) : 0,
    release: tenant.handle?.release ?? tenant.release,
    startedAt: isAlive ? new Date(handle.startedAt).toISOString() : null,
    restarts: state.restarts,
    cpuPercent: isAlive ? cpuPercent(handle) : null,
    rssBytes: runtime?.rssBytes ?? (isAlive ? rssOf(handle) : null),
    heapUsedBytes: runtime?.heapUsedBytes ?? null,
    eventLoopUtilization: runtime?.eventLoopUtilization ?? null,
    connections: runtime?.openConnections ?? null,
    inFlight: runtime?.inFlight ?? null,
    acceptQueue: isHolder ? (shard?.acceptQueue ?? null) : null,
    ...describeTraffic(isAlive ? handle : null),
    reason: tenant.explanation(),
    node: handle?.nodeVersion ?? null,
    logDropped: describeDrops(handle?.lastReport?.log),
  };
};

type TrafficFigures = Pick<WorkerDocument, 'requestsPerSecond' | 'latencyMs' | 'errorShare'>;

const NO_TRAFFIC: TrafficFigures = { requestsPerSecond: null, latencyMs: { p50: null, p99: null }, errorShare: null };

const describeTraffic = (handle: WorkerHandle | null): TrafficFigures => {
  const span = handle?.reportSpan ?? null;
  if (span === null) return NO_TRAFFIC;
  const { first, last } = span;
  // By the worker's own clock, as its share of the processor.
  const spanMs = last.runtime.uptimeMs - first.runtime.uptimeMs;
  if (spanMs <= 0) return NO_TRAFFIC;
  const served = last.counters.served - first.counters.served;
  const failed = last.counters.failed - first.counters.failed;
  const latency = subtractHistogram(last.counters.latency, first.counters.latency);
  return {
    requestsPerSecond: Math.round(((served + failed) / spanMs) * 10_000) / 10,
    latencyMs: { p50: percentile(latency, 0.5), p99: percentile(latency, 0.99) },
    errorShare: served + failed === 0 ? null : failed / (served + failed),
  };
};

const describeDrops = (log: LogDrops | undefined): LogDropDocument | null =>
  log === undefined ? null : { lines: log.lines, bytes: log.bytes, dropping: log.isDropping, code: log.code };

const cpuPercent = (handle: WorkerHandle): number | null => {
  const percent = cpuPercentOf(handle);
  return percent === null ? null : Math.round(percent * 10) / 10;
};

/** Processor time of about the last ten seconds, in percent of a core; null where nothing is known. */
export const cpuPercentOf = (handle: WorkerHandle): number | null => {
  const span = handle.reportSpan;
  if (span === null) return null;
  // By the worker's own clock: what it said while no daemon listened is all read in one moment.
  const [first, last] = [span.first.runtime, span.last.runtime];
  const spanMs = last.uptimeMs - first.uptimeMs;
  if (spanMs <= 0) return null;
  const usedUs = last.cpuUserUs + last.cpuSystemUs - first.cpuUserUs - first.cpuSystemUs;
  return usedUs / spanMs / 10;
};

const rssOf = (handle: WorkerHandle): number | null =>
  handle.pid === null ? null : (readUsage(handle.pid)?.rssBytes ?? null);
