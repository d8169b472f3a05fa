/**
 * Watches the health of all apps: pings every worker's event loop, hears what agents report, asks the probes, and lets each
 * app's watch decide. One timer for all of it.
 */
import { hostHealth, LOOP_POLICY, stepLoopWatch, type LoopEffect, type LoopEvent } from '../core/index.ts';
import { openProbes } from '../probes/index.ts';
import type { AgentSettings, Clock, EventInput, HealthDocument, LoopBlock } from '../protocol/index.ts';
import type { App, HealthHook, Schedule, WorkerHandle } from '../supervisor/index.ts';
import { AppWatch } from './app-watch.ts';
import { CoreTime } from './core-time.ts';
import { CoreWaits } from './core-waits.ts';
import { describeHealth } from './describe.ts';
import type { HealthEdges } from './edges.ts';
import { watchedWorker } from './probed-worker.ts';
import type { WorkerWatch } from './worker-watch.ts';

export interface HealthOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly apps: () => readonly App[];
  /** Small texts that outlive the daemon. */
  readonly memory: HealthEdges['memory'];
  readonly events: { append(event: EventInput): number };
  /** What may still be taken under the limits of the control group that this process and its workers are in; null: no limit. */
  readonly memoryLeft: () => number | null;
}

export interface Health {
  readonly hook: HealthHook;
  describe(apps: readonly App[]): HealthDocument;
  /** The limit of the heap of a worker, as it told itself. */
  noteHeapLimit(handle: WorkerHandle, bytes: number): void;
  close(): void;
}

/** Apps are looked at every so many pings. */
const LOOK_EVERY = 2;
/** And the control group, whose limits and figures stand in files. */
const MEMORY_EVERY = 8;
/** The timer of the daemon's own loop this late is a stall of its own. */
const STALL_MS = 1000;
/** How long the agent may take to say what blocked it, once it answers again. */
const NAMING_MS = 2000;
const NAMING_TRIES = 8;
const NAMING_PAUSE_MS = 250;

export const openHealth = ({ clock, schedule, apps, memory, events, memoryLeft }: HealthOptions): Health => {
  const startedAt = clock.monotonicMs();
  const probes = openProbes({
    clock,
    schedule,
    onDefect: (reason) => void events.append({ app: null, type: 'defect', reason }),
  });
  const cores = new CoreTime(2 * LOOP_POLICY.everyMs);
  const coresOfSweeps = new CoreWaits();
  const watches = new Map<App, AppWatch>();
  let stalledAt: number | null = null;
  let groupMemory: ReturnType<HealthEdges['groupMemory']> = null;
  const edges: HealthEdges = {
    clock,
    memory,
    upMs: () => clock.monotonicMs() - startedAt,
    groupMemory: () => groupMemory,
    isRecyclingBeside: (app) => [...watches].some(([other, watch]) => other !== app && watch.isRecycling),
    sinceStallMs: () => (stalledAt === null ? null : clock.monotonicMs() - stalledAt),
    watchProbes: (app, watch, onChange) =>
      probes.watch(watchedWorker(app, watch), {
        onResult: (kind, { warning }) => {
          if (watch.isNewWarning(kind, warning)) {
            const reason = `${kind}: ${warning}`;
            events.append({
              app: app.app,
              worker: watch.tenant.id,
              type: 'probe-warned',
              reason,
              data: { probe: kind },
            });
          }
          // What a start waits for is told in the words of the last answer.
          watch.tenant.checkReadiness();
        },
        onChange: (kind, verdict, detail) => {
          const type = verdict === 'passed' ? 'probe-passed' : 'probe-failed';
          // That a new worker passes is what is expected of it.
          const isNews = verdict === 'failed' || watch.hasFailed(kind);
          watch.noteProbe(kind, verdict);
          const reason = `${kind}${detail === null ? '' : `: ${detail}`}`;
          if (isNews) events.append({ app: app.app, worker: watch.tenant.id, type, reason, data: { probe: kind } });
          onChange();
        },
      }),
  };
  const watchOf = (app: App): AppWatch => {
    const known = watches.get(app);
    if (known !== undefined) return known;
    const watch = new AppWatch(app, edges, coresOfSweeps);
    watches.set(app, watch);
    return watch;
  };

  const nameBlock = async (app: App, watch: WorkerWatch, durationMs: number): Promise<void> => {
    const isOfThis = (): boolean => watch.block !== null && watch.block.number > watch.blocksBefore;
    // It may be told before it is named: what was sampled has to be read first.
    for (let tries = 0; tries < NAMING_TRIES && !(isOfThis() && watch.block?.place !== null); tries += 1) {
      if (tries > 0) await new Promise<void>((resolve) => schedule.background(NAMING_PAUSE_MS, resolve));
      await watch.handle.freshReport(schedule, NAMING_MS);
    }
    const named = isOfThis() ? watch.block : null;
    const lastedMs = Math.max(durationMs, named?.durationMs ?? 0);
    watch.lastBlockMs = lastedMs;
    events.append({
      app: app.app,
      worker: watch.tenant.id,
      type: 'worker-unblocked',
      reason: `after ${(lastedMs / 1000).toFixed(1)} s${named === null ? '' : `, in ${placeOf(named)}`}`,
      data: { durationMs: Math.round(lastedMs), block: named },
    });
  };

  const carryOut = (app: App, watch: WorkerWatch, effect: LoopEffect, at: number): void => {
    switch (effect.type) {
      case 'ping':
        watch.handle.link?.send({ type: 'ping', id: effect.id });
        return;
      case 'blocked':
        watch.blocksBefore = watch.block?.number ?? 0;
        events.append({
          app: app.app,
          worker: watch.tenant.id,
          type: 'worker-blocked',
          reason: `its event loop has answered nothing for ${Math.round(effect.sinceMs)} ms`,
        });
        return watchOf(app).look(at);
      case 'unblocked':
        watch.lastBlockMs = effect.durationMs;
        watchOf(app).look(at);
        return void nameBlock(app, watch, effect.durationMs);
      case 'hung':
        events.append({ app: app.app, worker: watch.tenant.id, type: 'worker-hung', reason: effect.reason });
        return watchOf(app).look(at);
    }
  };
  const stepLoop = (app: App, watch: WorkerWatch, event: LoopEvent): void => {
    const { blockedAfterMs } = app.state.config.health;
    const step = stepLoopWatch(watch.loop, event, { ...LOOP_POLICY, blockedAfterMs });
    watch.loop = step.state;
    for (const effect of step.effects) carryOut(app, watch, effect, event.at);
  };

  const readGroupMemory = (): typeof groupMemory => {
    const leftBytes = memoryLeft();
    return leftBytes === null ? null : { leftBytes, workers: apps().flatMap((app) => app.liveHandles()).length };
  };

  const tick = (at: number, lateMs: number, isLook: boolean): void => {
    const living = new Set<number>();
    if (ticks % MEMORY_EVERY === 0) groupMemory = readGroupMemory();
    for (const app of apps()) {
      const watch = watchOf(app);
      for (const worker of watch.workers) {
        const { pid } = worker.handle;
        if (pid === null) continue;
        living.add(pid);
        if (worker.handle.agentProtocol < 2 || !worker.handle.isAgentHere) continue;
        // Asked of the kernel only where an answer is missing.
        const isWaiting = worker.loop.asked !== null;
        const isExcused = isWaiting && cores.isStarved(pid, at);
        stepLoop(app, worker, { type: 'tick', at, lateMs, isExcused, isReady: worker.isServing });
      }
      if (settled.get(app) !== app.state.config) {
        settled.set(app, app.state.config);
        for (const handle of app.liveHandles()) if (handle.isAgentHere) sendSettings(app, handle);
      }
      if (isLook) watch.look(at);
    }
    cores.keep(living);
    coresOfSweeps.keep(living);
    for (const [app, watch] of watches)
      if (!apps().includes(app)) {
        watch.close();
        watches.delete(app);
      }
  };

  let dueAt = startedAt + LOOP_POLICY.everyMs;
  let ticks = 0;
  let judging: NodeJS.Immediate | null = null;
  let callOff = schedule.background(LOOP_POLICY.everyMs, () => beat());
  const beat = (): void => {
    const at = clock.monotonicMs();
    const lateMs = at - dueAt;
    if (lateMs > STALL_MS) stalledAt = at;
    dueAt = at + LOOP_POLICY.everyMs;
    callOff = schedule.background(LOOP_POLICY.everyMs, () => beat());
    ticks += 1;
    const isLook = ticks % LOOK_EVERY === 0;
    // What workers have answered while this process was a little late lies in their sockets: it is read before they are judged.
    judging = setImmediate(() => tick(clock.monotonicMs(), lateMs > STALL_MS ? lateMs : 0, isLook));
  };

  const settingsOf = (app: App): AgentSettings => {
    const { health, metrics, trace } = app.state.config;
    const { profile, watchdog, blockedAfterMs } = health;
    return { profile, watchdog, blockedAfterMs, routes: metrics.routes, appMetrics: metrics.app, trace };
  };

  /** The configuration that the agents of each app were told of last. */
  const settled = new WeakMap<App, App['state']['config']>();
  const sendSettings = (app: App, handle: WorkerHandle): void => {
    if (handle.agentProtocol >= 2) handle.link?.send({ type: 'settings', settings: settingsOf(app) });
  };

  const hook: HealthHook = {
    changed: (app, tenant) => watchOf(app).note(tenant, clock.monotonicMs()),
    greeted(app, tenant, handle) {
      const watch = watchOf(app);
      watch.note(tenant, clock.monotonicMs());
      sendSettings(app, handle);
      if (handle.agentProtocol < 2) return;
      const { level, reason } = watch.degradeLevel;
      if (level !== 'normal') handle.link?.send({ type: 'degrade', level, reason });
    },
    reported(app, tenant, handle) {
      const at = clock.monotonicMs();
      const watch = watchOf(app);
      watch.takeReport(tenant, handle, at);
      const worker = watch.find(handle);
      if (worker !== null) stepLoop(app, worker, { type: 'heard', at });
    },
    answered(app, _tenant, handle, id) {
      const worker = watchOf(app).find(handle);
      if (worker !== null) stepLoop(app, worker, { type: 'pong', at: clock.monotonicMs(), id });
    },
    blocked(app, tenant, handle, block) {
      const worker = watchOf(app).find(handle);
      if (worker === null) return;
      worker.block = block;
      events.append({
        app: app.app,
        worker: tenant.id,
        type: 'worker-blocked',
        reason: `for ${(block.durationMs / 1000).toFixed(1)} s by now, in ${placeOf(block)}`,
        data: { block },
      });
    },
    missing: (app, tenant) => watchOf(app).missing(tenant),
  };
  return {
    hook,
    describe: (chosen) =>
      describeHealth(
        chosen.map((app) => watchOf(app)),
        clock,
        (all) => hostHealth({ apps: all, isStateUnwritable: false, isOutputDropped: false }),
      ),
    noteHeapLimit(handle, bytes) {
      for (const watch of watches.values()) {
        const worker = watch.find(handle);
        if (worker !== null) worker.heapLimitBytes = bytes;
      }
    },
    close() {
      callOff();
      if (judging !== null) clearImmediate(judging);
      for (const watch of watches.values()) watch.close();
      probes.close();
    },
  };
};

/** `spin (app.js:12)`, or what is known of it. */
export const placeOf = ({ place, within }: LoopBlock): string => {
  if (place === null) return within ?? 'a place that is not known';
  const name = place.function === '' ? 'an anonymous function' : place.function;
  return `${name} ${place.file}:${place.line}${within === null ? '' : ` (${within})`}`;
};
