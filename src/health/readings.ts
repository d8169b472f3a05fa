/**
 * What the daemon knows of its workers, in the form that `metrics/` reads: their last reports, and what their agents answer
 * when they are asked for everything.
 */
import type { AppReading, Collected, DaemonReading, WorkerReading } from '../metrics/index.ts';
import type { AppHealthDocument } from '../protocol/index.ts';
import { shardViews, type App, type Schedule, type WorkerHandle } from '../supervisor/index.ts';

/** A scraper's patience is ten seconds; a worker that is blocked must not take all of it. */
const COLLECT_WITHIN_MS = 1500;

/** Asks every worker for everything, all at once; null where one does not answer. */
export const collect = async (
  apps: readonly App[],
  schedule: Schedule,
): Promise<ReadonlyMap<WorkerHandle, Collected | null>> => {
  const handles = apps.flatMap((app) => app.liveHandles());
  const answers = await Promise.all(
    handles.map((handle) => handle.ask(schedule, COLLECT_WITHIN_MS, (id) => ({ type: 'collect', id }), 'metrics')),
  );
  return new Map(handles.map((handle, index) => [handle, answers[index] ?? null]));
};

export const readApps = (
  apps: readonly App[],
  collected: ReadonlyMap<WorkerHandle, Collected | null>,
  healthOf: (app: App) => AppHealthDocument | undefined,
): readonly AppReading[] =>
  apps.map((app): AppReading => {
    const views = shardViews(app);
    const health = healthOf(app);
    const workers = app.tenants
      .toSorted((a, b) => a.slot - b.slot || (a.handle?.generation ?? 0) - (b.handle?.generation ?? 0))
      .flatMap(({ handle, slot, state }): readonly WorkerReading[] => {
        const report = handle?.lastReport ?? null;
        if (handle === null || handle.pid === null || report === null) return [];
        return [
          {
            worker: handle.id,
            spawn: handle.spawnId,
            pid: handle.pid,
            node: handle.nodeVersion === null ? null : `v${handle.nodeVersion}`,
            isReady: state.phase === 'running',
            report,
            collected: collected.get(handle) ?? null,
            acceptQueue: views.get(slot)?.acceptQueue ?? null,
          },
        ];
      });
    return {
      app: app.app,
      instances: app.state.instances,
      workers,
      readyWorkers: app.holders.filter((tenant) => tenant.state.phase === 'running').length,
      ...(health === undefined ? {} : { health }),
      routes: app.state.config.metrics.routes,
    };
  });

export const readDaemon = (version: string, startedAtMs: number): DaemonReading => {
  const { user, system } = process.cpuUsage();
  return {
    version,
    startedAtSeconds: startedAtMs / 1000,
    rssBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
  };
};
