/** What commands and the API say of health and objectives; the same rules as of the other documents (`documents.ts`). */
import type { DegradeLevel } from './agent.ts';
import type { Severity } from './app-config.ts';

export type HealthStatus = 'healthy' | 'degraded' | 'critical';

export interface CheckDocument {
  /** `liveness`, `readiness`, `startup`, the name of a budget, or the app's own name for it. */
  readonly name: string;
  readonly status: 'pass' | 'fail' | 'unknown';
  readonly critical: boolean;
  readonly durationMs: number;
  readonly error?: string;
  /** It counts as good, and something about it is not as it should be: a redirect to another host. */
  readonly warning?: string;
}

export interface WorkerHealthDocument {
  readonly id: string;
  readonly status: HealthStatus;
  readonly reason: string | null;
  readonly checks: readonly CheckDocument[];
  readonly eventLoop: {
    readonly delayMs: number | null;
    readonly utilization: number | null;
    /** How long it has been blocked where it is now, else how long the last block lasted; null: never. */
    readonly blockedMs: number | null;
    /** `function file:line` of the last block, where it is known. */
    readonly blockedAt?: string;
    readonly isBlocked: boolean;
  };
  /** There is a process that has started. */
  readonly isRunning: boolean;
  /** Its slot is in a crash loop, which is not over before a worker has held out. */
  readonly isLooping: boolean;
  /** Taken off rotation by its own traffic, until then. */
  readonly ejectedUntil: string | null;
  /** Share of new connections, 0–100. */
  readonly weight: number;
}

export interface AppHealthDocument {
  readonly name: string;
  readonly status: HealthStatus;
  readonly reason: string | null;
  /** What the app was asked to do without. */
  readonly level: DegradeLevel;
  readonly workers: readonly WorkerHealthDocument[];
}

export interface HealthDocument {
  /** Of the worst app. */
  readonly status: HealthStatus;
  readonly apps: readonly AppHealthDocument[];
}

export interface SloDocument {
  readonly apps: readonly {
    readonly name: string;
    readonly objectives: readonly {
      readonly name: string;
      readonly indicator: 'availability' | 'latency' | 'ratio';
      /** Percent of events that must be good. */
      readonly objective: number;
      readonly windowMs: number;
      /** In the window, as far as it was observed. */
      readonly events: number;
      readonly bad: number;
      /** Percent that was good; null where nothing happened. */
      readonly attained: number | null;
      readonly budget: {
        /** Shares of the whole error budget: above 1, or below 0, it is overspent. */
        readonly consumed: number;
        readonly remaining: number;
        /** How many times faster than it may, now; null where too little happens to tell. */
        readonly burn: number | null;
        readonly exhaustedInMs: number | null;
        /** How much of the window is known, 0–1. */
        readonly observedShare: number;
      };
      readonly alerts: readonly {
        readonly severity: Severity;
        /** The rule fires where both windows burn faster than this. */
        readonly burn: number;
        readonly longMs: number;
        readonly shortMs: number;
        readonly longBurn: number | null;
        readonly shortBurn: number | null;
        readonly verdict: 'burning' | 'calm' | 'unknown';
      }[];
    }[];
  }[];
}
