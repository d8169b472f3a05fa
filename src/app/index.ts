/**
 * The door of `app/`, which is `drover/app`: what an app takes from Drover into its own code. Works under the daemon, alone
 * and in Kubernetes; where there is no daemon every call is safe.
 */
export * from './app.ts';
/** The same as one object: `drover.ready()`. */
export * as drover from './app.ts';
export type { BoundedCache, CacheOptions, CacheStats } from './bounded-cache.ts';
export type { Breaker, BreakerOptions, BreakerState } from './breaker.ts';
export type { Budget, BudgetExcess, BudgetLimits, BudgetOptions } from './budget.ts';
export type { CheckAnswer, CheckFunction, CheckOptions } from './check.ts';
export type { Degradation, DegradeEffect, DegradeListener } from './degrade.ts';
export type { GracefulServerOptions } from './graceful-server.ts';
export type { HealthAnswer, HealthBody, HealthEntry } from './health-document.ts';
export type { HealthHandler, HealthHandlerOptions } from './health-handler.ts';
export type { HealthStatus } from './health.ts';
export type { ExitHook, HookOptions, HookTrouble, Signal } from './lifecycle.ts';
export type { Log, LogFields, LogLevel } from './log.ts';
export type { Counter, Gauge, Histogram, HistogramOptions, LabelValues, MetricOptions } from './metric.ts';
export type { MetricsCollectorOptions, MetricsSnapshot } from './metrics-collector.ts';
export type { MetricRegistry } from './metrics.ts';
export type { RecoverHook, SelfHealingOptions, SelfHealingStatus } from './self-healing.ts';
export type { HealthServer, ServeHealthOptions } from './serve-health.ts';
export type { AppCheck, AppMetric, DegradeLevel, TraceContext } from '../protocol/index.ts';
