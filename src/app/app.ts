/**
 * `drover/app` put together: one of everything for this process, tied to the agent where there is one. Importing it
 * registers with the agent and does nothing else: no timer, no signal, no listener, no package before the first use.
 */
import type { IncomingMessage, RequestListener, Server as HttpServer, ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { TraceContext } from '../protocol/index.ts';
import { BoundedCache, CacheMetrics, type CacheOptions, type Present } from './bounded-cache.ts';
import { createBreaker, type Breaker, type BreakerOptions } from './breaker.ts';
import { openBudget, type Budget, type BudgetLimits, type BudgetOptions } from './budget.ts';
import type { CheckFunction, CheckOptions } from './check.ts';
import { Degradation, DEGRADE_LEVELS } from './degrade.ts';
import { GracefulServerCore, type GracefulServerOptions } from './graceful-server.ts';
import type { HealthFacts } from './health-document.ts';
import { createHealthHandler, type HealthHandler, type HealthHandlerOptions } from './health-handler.ts';
import { Health, type HealthStatus } from './health.ts';
import { Lifecycle, type ExitHook, type HookOptions } from './lifecycle.ts';
import { createLog, parseLevel, type Log } from './log.ts';
import { joinMeeting } from './meeting.ts';
import { MetricRegistry } from './metrics.ts';
import { CLOCK, HOST, warn } from './process-host.ts';
import { RecoverHooks, SelfHealingLoop, type SelfHealingOptions } from './self-healing.ts';
import type { HealthServer, ServeHealthOptions } from './serve-health.ts';
import { readTrace } from './trace.ts';
import { Vitals } from './vitals.ts';

const checks = new Health(CLOCK);
const lifecycle = new Lifecycle(HOST);
const degradation = new Degradation();
const recoverHooks = new RecoverHooks();
const registry = new MetricRegistry((metric, trouble) => warn(`metric ${metric}: ${trouble}`));
const cacheMetrics = new CacheMetrics(registry);
let hopeless: string | null = null;

const agent = joinMeeting({
  checks: () => checks.status().checks,
  metrics: async () => registry.list(),
  onDrain: async () => void (await lifecycle.drain('drain', true)),
  recover: async (reason) => recoverHooks.run(reason),
  hasRecoverHook: () => !recoverHooks.isEmpty,
  onDegrade: (level, reason) => degradation.demand('daemon', level, reason),
});

if (agent === null) checks.onChange(followChecks);
else {
  degradation.demand('daemon', agent.degradeLevel(), null);
  checks.onChange((isNews) => {
    if (isNews) agent.hurry?.();
  });
}

/** Alone, the app degrades as far as its failing checks say. */
function followChecks(): void {
  const demands = checks.failing().flatMap(({ degradeTo, name }) => (degradeTo === null ? [] : [{ degradeTo, name }]));
  const levels = demands.map(({ degradeTo }) => DEGRADE_LEVELS.indexOf(degradeTo));
  const highest = DEGRADE_LEVELS[Math.max(0, ...levels)] ?? 'normal';
  const names = demands.filter(({ degradeTo }) => degradeTo === highest).map(({ name }) => name);
  degradation.demand('checks', highest, names.length === 0 ? null : `${names.join(', ')} fails`);
}

/** Calls `run` at each interval; keeps no process alive. */
function every(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs).unref();
  return () => clearInterval(timer);
}

const facts = (): HealthFacts => ({ readings: checks.readings(), phase: lifecycle.phase, hopeless });
const settled = async (): Promise<void> => checks.settled();

function setHopeless(reason: string | null): void {
  hopeless = reason;
  checks.changed();
}

/** Says that this process can serve: under the daemon traffic begins; alone `/health/ready` passes from then on. */
export function ready(): void {
  lifecycle.ready();
  agent?.ready();
}

/** Said early: {@link ready} will be called, and before that the process is not ready, whatever it listens on. */
export function expectReady(): void {
  lifecycle.expectReady();
  agent?.expectReady();
}

/**
 * Runs `hook` when this process begins to drain, beside the drain, which waits for it. The returned function takes it
 * away. Once there is a hook, SIGTERM and SIGINT end the process after the hooks and not at once.
 */
export function onDrain(hook: ExitHook, options?: HookOptions): () => void {
  return lifecycle.onDrain(hook, options);
}

/** Runs `hook` after the drain, the newest first: closes what the requests have needed. The returned function takes it away. */
export function onShutdown(hook: ExitHook, options?: HookOptions): () => void {
  return lifecycle.onShutdown(hook, options);
}

export const health = {
  /** Runs `check` now and at its interval; passes unless it throws or returns `false`. The returned function ends it. */
  register: (name: string, check: CheckFunction, options?: CheckOptions): (() => void) =>
    checks.register(name, check, options),
  /** How it stands, from the last run of each check. */
  status: (): HealthStatus => checks.status(),
  /** Runs all checks now, and says how it stands then. */
  check: async (): Promise<HealthStatus> => checks.check(),
};

/** Answers `/health`, `/health/live` and `/health/ready` in the app's own server, in whatever framework. */
export function healthHandler(options?: HealthHandlerOptions): HealthHandler {
  return createHealthHandler({ facts, settled }, options);
}

/** The same on a port of its own; with `thread: true` from a thread that answers while the event loop is blocked. */
export async function serveHealth(options: ServeHealthOptions): Promise<HealthServer> {
  const { openHealthServer } = await import('./serve-health.ts');
  const onChange = (listener: () => void): (() => void) => {
    const offs = [checks.onChange(listener), lifecycle.onChange(listener)];
    return () => offs.forEach((off) => off());
  };
  return openHealthServer({ facts, settled, onChange }, options);
}

/** The registry of the app's own metrics. */
export const metrics: MetricRegistry = registry;

/** A function that calls `call` as long as that mostly succeeds, and refuses or falls back while it does not. */
export function breaker<Args extends unknown[], Result>(
  call: (...args: Args) => Promise<Result> | Result,
  options: BreakerOptions<Args, Result> = {},
): Breaker<Args, Result> {
  return createBreaker(call, options, { health: checks, metrics: registry, wallMs: CLOCK.wallMs });
}

/** How far to degrade, and who wants to know. */
export const degrade: Omit<Degradation, 'demand'> = degradation;

/** Watches memory, event-loop lag and processor time of this process. */
export function budget(limits: BudgetLimits, options: BudgetOptions = {}): Budget {
  const site = { health: checks, metrics: registry, vitals: new Vitals(), wallMs: CLOCK.wallMs, every };
  return openBudget(limits, options, site);
}

/** A cache with a bound, and its hit rate as a metric. */
export function boundedCache<Key extends Present, Value extends Present>(
  options: CacheOptions<Key, Value>,
): BoundedCache<Key, Value> {
  const cache = new BoundedCache<Key, Value>(options, cacheMetrics.nextName());
  cacheMetrics.add(cache as unknown as BoundedCache<never, never>);
  return cache;
}

/** The trace of the request that this code runs for; null outside one. */
export function trace(): TraceContext | null {
  return readTrace(agent, globalThis);
}

/** JSON lines with the trace and the worker. `LOG_LEVEL` says from which level on; default `info`. */
export const log: Log = createLog({
  write: (line) => void process.stdout.write(line),
  wallMs: CLOCK.wallMs,
  trace,
  fields: agent === null ? {} : { app: agent.app, worker: agent.worker },
  level: parseLevel(process.env['LOG_LEVEL']),
});

/** Wraps a server so that it leaves without losing a request. */
export class GracefulServer<Kind extends Server = HttpServer> extends GracefulServerCore<Kind> {
  constructor(
    server: Kind | RequestListener | ((request: IncomingMessage, response: ServerResponse) => unknown),
    options: GracefulServerOptions = {},
  ) {
    super(server, options, { lifecycle, hasAgent: agent !== null });
  }
}

/** Runs recover hooks in measured steps, or offers them to the daemon. */
export class SelfHealing extends SelfHealingLoop {
  constructor(options: SelfHealingOptions = {}) {
    const vitals = new Vitals();
    super(
      options,
      { clock: CLOCK, health: checks, vitals, hasAgent: agent !== null, every, warn, setHopeless },
      recoverHooks,
    );
  }
}

export { MetricsCollector } from './metrics-collector.ts';
