/**
 * What is known of the health of one worker process: its event loop, its probes, its checks, its budgets, its memory. Facts
 * and their machines; what follows from them is decided for the whole app (`app-watch.ts`).
 */
import {
  blockedForMs,
  budgetVerdicts,
  checkVerdicts,
  forecastMemory,
  MEMORY_POLICY,
  sharedLimit,
  heapLimitOf,
  newBudgets,
  newChecks,
  newLoopWatch,
  newMemory,
  noteMemory,
  type BudgetEffect,
  type BudgetState,
  type BudgetValues,
  type CheckEffect,
  type CheckState,
  type LoopState,
  type MemoryForecast,
  type MemoryLimit,
  type MemoryState,
  type OutlierSample,
  type ProbeFact,
  stepBudgets,
  stepChecks,
  type WorkerFacts,
} from '../core/index.ts';
import type { ProbeHandle } from '../probes/index.ts';
import type { AgentReport, AppConfig, LoopBlock, ProbeKind } from '../protocol/index.ts';
import { cpuPercentOf, type Tenant, type WorkerHandle } from '../supervisor/index.ts';
import { UsageMeter } from './process-usage.ts';
import { RoutesWatch } from './routes-watch.ts';

const MB = 1024 * 1024;
const KINDS: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

/** What the ladder and the ejection know of it, which are the app's. */
export interface Standing {
  readonly ejection: WorkerFacts['ejection'];
  readonly recycle: string | null;
  readonly isQuarantined: boolean;
}

/** Under the memory limit of the control group. */
export interface GroupShare {
  /** What each worker may still take. */
  readonly shareBytes: number;
  /** Resident, when one of the app has started. */
  readonly startBytes: number;
}

export class WorkerWatch {
  readonly tenant: Tenant;
  readonly handle: WorkerHandle;
  loop: LoopState;
  probes: ProbeHandle | null = null;
  /** The configuration that `probes` ask by. */
  probedBy: AppConfig['probes'] | null = null;
  checks: CheckState = newChecks();
  budgets: BudgetState = newBudgets();
  memory: MemoryState = newMemory();
  budgetsAt: number;
  lastReport: { readonly report: AgentReport; readonly at: number } | null = null;
  /** The last block that its agent named, and the one that its watchdog tells of while it lasts. */
  block: LoopBlock | null = null;
  /** The number of the last one before it was found to be blocked now. */
  blocksBefore = 0;
  lastBlockMs: number | null = null;
  heapLimitBytes: number | null = null;
  /** It has told what it takes once it was ready. */
  hasToldStart = false;
  readyAt: number | null = null;
  /** What it tells of its routes when it is asked. */
  readonly routes: RoutesWatch;
  /** Its kept-alive clients are being sent to others. */
  isRenewing = false;

  constructor(tenant: Tenant, handle: WorkerHandle, at: number) {
    this.tenant = tenant;
    this.handle = handle;
    this.loop = newLoopWatch(handle.generation);
    this.routes = new RoutesWatch(handle);
    this.budgetsAt = at;
  }

  /** Serves: there is a process, it is ready, and nobody asked it to go. */
  get isServing(): boolean {
    const { handle, tenant } = this;
    return handle.pid !== null && tenant.state.phase === 'running' && !handle.isLeaving && !tenant.isReplacement;
  }

  /** How busy its event loop is, 0–1, where it has said so within `ms`; else null. */
  utilizationWithin(ms: number, at: number): number | null {
    const { lastReport } = this;
    return lastReport === null || at - lastReport.at > ms ? null : lastReport.report.runtime.eventLoopUtilization;
  }

  /** As its agent said last. */
  get rssBytes(): number | null {
    return this.lastReport?.report.runtime.rssBytes ?? null;
  }

  noteReport(report: AgentReport, at: number): readonly CheckEffect[] {
    this.lastReport = { report, at };
    const { runtime } = report;
    const step = stepChecks(this.checks, { uptimeMs: runtime.uptimeMs, checks: report.checks ?? [] }, at);
    this.checks = step.state;
    if (report.block !== undefined) this.block = report.block;
    this.memory = this.#noteMemory(report, at);
    return step.effects;
  }

  #noteMemory({ runtime, counters, heapAfterGcBytes }: AgentReport, at: number): MemoryState {
    return noteMemory(
      this.memory,
      {
        uptimeMs: runtime.uptimeMs,
        heapAfterGcBytes: heapAfterGcBytes ?? null,
        rssBytes: runtime.rssBytes,
        requests: counters.served + counters.failed,
      },
      at,
    );
  }

  #comparedReport: AgentReport | null = null;
  readonly #usage = new UsageMeter();

  /** Once an interval. */
  compareBudgets(at: number, { budgets }: AppConfig): readonly BudgetEffect[] {
    if (at - this.budgetsAt < budgets.intervalMs) return [];
    this.budgetsAt = at;
    const values = this.#budgetValues(at, budgets);
    if (values === null) return [];
    const step = stepBudgets(this.budgets, values, at, budgets);
    this.budgets = step.state;
    return step.effects;
  }

  #budgetValues(at: number, { limits }: AppConfig['budgets']): BudgetValues | null {
    const report = this.lastReport?.report;
    if (report === undefined) {
      const { pid } = this.handle;
      const isAsked = limits.rssMB !== undefined || limits.cpuPercent !== undefined;
      return pid !== null && isAsked ? this.#usage.values(pid, at) : null;
    }
    const { runtime } = report;
    // A worker without requests reports every ten seconds only: what a report says of the time before it is one measurement,
    // however often it is looked at. Memory is as it was said last until something else is said.
    const isNew = report !== this.#comparedReport;
    this.#comparedReport = report;
    return {
      heapUsedMB: runtime.heapUsedBytes / MB,
      rssMB: runtime.rssBytes / MB,
      eventLoopLagMs: isNew ? runtime.delayMs.p99 : null,
      cpuPercent: isNew ? cpuPercentOf(this.handle) : null,
    };
  }

  /** Whatever ends it when it is reached. */
  #limits(config: AppConfig, group: GroupShare | null): readonly MemoryLimit[] {
    const limits: MemoryLimit[] = [];
    const nodeArgs = config.command.kind === 'node' ? config.command.nodeArgs : [];
    const options = (config.env['NODE_OPTIONS'] ?? config.callerEnv['NODE_OPTIONS'] ?? '').split(' ');
    const heapBytes = heapLimitOf(nodeArgs) ?? heapLimitOf(options) ?? this.heapLimitBytes;
    if (heapBytes !== null)
      limits.push({ source: 'heap-after-gc', limitBytes: heapBytes, words: 'the limit of its heap' });
    const { rssBytes } = this;
    const shared =
      group === null || rssBytes === null ? null : sharedLimit(rssBytes, group.startBytes, group.shareBytes);
    if (shared !== null) limits.push(shared);
    const { heapUsedMB, rssMB } = config.budgets.limits;
    // Whoever is not to be replaced beyond a budget is not to be replaced before it either.
    if (!config.budgets.autoRestart) return limits;
    if (heapUsedMB?.critical === true)
      limits.push({ source: 'heap-after-gc', limitBytes: heapUsedMB.max * MB, words: 'the budget heapUsedMB' });
    if (rssMB?.critical === true) limits.push({ source: 'rss', limitBytes: rssMB.max * MB, words: 'the budget rssMB' });
    return limits;
  }

  #forecast: {
    readonly at: number;
    readonly config: AppConfig;
    readonly isInGroup: boolean;
    readonly found: MemoryForecast | null;
  } | null = null;

  /** Made anew as often as points may come: it takes a third of a millisecond, and fifty workers are looked at every second. */
  forecast(config: AppConfig, group: GroupShare | null, at: number): MemoryForecast | null {
    const known = this.#forecast;
    const isOf = known?.config === config && known.isInGroup === (group !== null);
    if (known !== null && isOf && at - known.at < MEMORY_POLICY.spacingMs) return known.found;
    const found = forecastMemory(this.memory, this.#limits(config, group));
    this.#forecast = { at, config, isInGroup: group !== null, found };
    return found;
  }

  probeFacts(): readonly ProbeFact[] {
    const { probes } = this;
    if (probes === null || this.probedBy === null) return [];
    return KINDS.filter((kind) => this.probedBy?.[kind] !== undefined).map((kind): ProbeFact => {
      const verdict = probes.verdict(kind);
      const last = probes.last(kind);
      return {
        kind,
        status: verdict === 'passed' ? 'pass' : verdict === 'failed' ? 'fail' : 'unknown',
        isMissingData: last?.outcome === 'missing',
        error: last?.error ?? null,
      };
    });
  }

  /** Probes that have failed since it started: that they pass again is news. */
  readonly #failed = new Set<ProbeKind>();

  hasFailed(kind: ProbeKind): boolean {
    return this.#failed.has(kind);
  }

  readonly #warned = new Map<ProbeKind, string>();

  /** Not the one that was told last: a probe that redirects does so every time. */
  isNewWarning(kind: ProbeKind, warning: string | null): warning is string {
    if (warning === null || this.#warned.get(kind) === warning) return false;
    this.#warned.set(kind, warning);
    return true;
  }

  noteProbe(kind: ProbeKind, verdict: 'passed' | 'failed'): void {
    if (verdict === 'failed') this.#failed.add(kind);
  }

  facts(at: number, config: AppConfig, group: GroupShare | null, standing: Standing): WorkerFacts {
    const { tenant, handle } = this;
    return {
      slot: tenant.slot,
      generation: handle.generation,
      phase: tenant.state.phase,
      isWanted: tenant.state.wanted === 'up',
      isLooping: tenant.isLooping,
      probes: this.probeFacts(),
      checks: checkVerdicts(this.checks, at),
      blockedMs: blockedForMs(this.loop, at),
      isHung: this.loop.phase === 'hung',
      budgets: budgetVerdicts(this.budgets, at, config.budgets),
      forecast: this.forecast(config, group, at),
      ...standing,
    };
  }

  /** `countsRoutes`: by the app's configuration. */
  sample(at: number, isStarved: boolean, countsRoutes: boolean): OutlierSample {
    const { lastReport, handle, tenant } = this;
    return {
      slot: tenant.slot,
      generation: handle.generation,
      isServing: this.isServing,
      readyForMs: this.readyAt === null ? 0 : at - this.readyAt,
      isStarved,
      utilization: lastReport?.report.runtime.eventLoopUtilization ?? null,
      reportedAt: lastReport?.at ?? null,
      counters: handle.counters,
      tellsRoutes: countsRoutes && this.routes.tells,
      routes: this.routes.take(),
    };
  }

  close(): void {
    this.probes?.close();
    this.probes = null;
  }
}
