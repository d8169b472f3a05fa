/**
 * Where the daemon's questions about the worker's health are answered (messages of version 2): a `ping` from the event
 * loop itself, blocks of it, metrics, degrading, recovering. Nothing here runs before a daemon has sent its `settings`, so
 * that under one that knows none of this the agent is what it was.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { AgentMessage, AgentReport, AgentSettings, DaemonMessage } from '../protocol/agent.ts';
import {
  HeapAfterGc,
  readDetail,
  ROUTE,
  Routes,
  type NetServer,
  type RequestMeter,
  type RuntimeMeter,
} from '../runtime/index.ts';
import { AppMetrics, NO_METRICS } from './app-metrics.ts';
import { BlockWatch } from './block-watch.ts';
import type { MeetingPoint } from './meeting-point.ts';
import type { OutputGuard } from './output-guard.ts';
import { OwnCost } from './own-cost.ts';
import { SharedBeat } from './shared-beat.ts';
import { Tracing } from './tracing.ts';
import { Watchdog } from './watchdog.ts';

export type HealthMessage = Extract<
  DaemonMessage,
  { readonly type: 'settings' | 'ping' | 'collect' | 'ask-routes' | 'degrade' | 'recover' }
>;

/** What a report says about health. */
export type HealthNews = Pick<AgentReport, 'checks' | 'block' | 'canRecover' | 'heapAfterGcBytes' | 'expectsReady'>;

export interface HealthDeskOptions {
  readonly meeting: MeetingPoint;
  readonly send: (message: AgentMessage) => boolean;
  /** There is news that the daemon should not wait for. */
  readonly onNews: () => void;
  readonly agentFile: string;
  /** Null where a thread cannot reach the daemon: in forks of the app's own cluster. */
  readonly share: ((beat: SharedBeat) => void) | null;
  /** Null where it is no file: then lines have no trace. */
  readonly output: OutputGuard | null;
  readonly servers: ReadonlySet<NetServer>;
  readonly requests: RequestMeter;
  readonly runtime: RuntimeMeter;
}

/** Fastify tells of each request that it hands on, since its version 5. */
const FASTIFY_CHANNEL = 'tracing:fastify.request.handler:start';

/**
 * Of an answer to `collect`, without what is always in it. A daemon drops what is longer than 1 MiB (`supervisor/agent-link.ts`), and
 * while a long line waits in the channel no `pong` gets past it.
 */
const MOST_BYTES = 960 * 1024;
const MOST_ROUTE_BYTES = 384 * 1024;

interface FastifyMessage {
  readonly request?: { readonly raw?: object };
  readonly route?: { readonly url?: unknown };
}

export class HealthDesk {
  readonly #options: HealthDeskOptions;
  readonly #blocks: BlockWatch;
  readonly #appMetrics = new AppMetrics();
  readonly #cost: OwnCost;
  /** A daemon has sent settings. */
  #isAsked = false;
  #heap: HeapAfterGc | null = null;
  #asksApp = true;
  #watchdog: Watchdog | null = null;
  #tracing: Tracing | null = null;
  #watchedAfterMs: number | null = null;

  constructor(options: HealthDeskOptions) {
    this.#options = options;
    const { agentFile, onNews, requests, runtime } = options;
    this.#blocks = new BlockWatch({
      agentFile,
      onBlock: onNews,
      onLateness: (ms) => {
        runtime.lag.record(ms);
        runtime.loop.noteLate(ms);
      },
      onProfile: (isOn) => (runtime.loop.isInterrupted = isOn),
    });
    const luxuries = [
      { name: 'profile', isOn: () => this.#blocks.hasProfile, giveUp: () => this.#blocks.stopProfile() },
      { name: 'routes', isOn: () => requests.countsRoutes, giveUp: () => (requests.countsRoutes = false) },
      { name: 'app-metrics', isOn: () => this.#asksApp, giveUp: () => (this.#asksApp = false) },
    ];
    this.#cost = new OwnCost(luxuries, () => process.uptime() * 1000);
  }

  receive(message: HealthMessage): void {
    const { meeting, send } = this.#options;
    switch (message.type) {
      case 'settings':
        return this.#apply(message.settings);
      case 'ping':
        send({ type: 'pong', id: message.id });
        return;
      case 'collect':
        void this.#collect(message.id);
        return;
      case 'ask-routes':
        return this.#tellRoutes(message.id);
      case 'degrade':
        return meeting.degrade(message.level, message.reason);
      case 'recover':
        void meeting
          .recover(message.reason)
          .then((recovery) => send({ type: 'recovered', id: message.id, ...recovery }));
    }
  }

  news(): HealthNews {
    const { checks, canRecover, expectsReady } = this.#options.meeting;
    const { block } = this.#blocks;
    const heapAfterGcBytes = this.#heap?.bytes ?? null;
    return {
      ...(checks !== undefined && { checks }),
      ...(canRecover !== undefined && { canRecover }),
      ...(expectsReady && { expectsReady }),
      ...(block !== undefined && { block }),
      ...(heapAfterGcBytes !== null && { heapAfterGcBytes }),
    };
  }

  /** The app has registered checks. */
  get hasChecks(): boolean {
    return (this.#options.meeting.checks?.length ?? 0) > 0;
  }

  /** The app has another server. */
  watch(server: NetServer): void {
    this.#tracing?.watch(server);
  }

  /** Called with the reports, which are most of what the agent does without requests: `report` is measured. */
  tick(report: () => void): void {
    this.#cost.measure(report);
    if (this.#isAsked) this.#cost.check(this.#othersUs);
  }

  /** Counted where it is spent. */
  get #othersUs(): number {
    return this.#blocks.costUs + this.#options.requests.costUs;
  }

  #apply(settings: AgentSettings): void {
    this.#isAsked = true;
    this.#cost.forgive();
    this.#asksApp = settings.appMetrics;
    this.#heap ??= new HeapAfterGc();
    this.#blocks.start(settings.blockedAfterMs, settings.profile);
    this.#countRoutes(settings.routes);
    this.#startWatchdog(settings);
    this.#trace(settings.trace);
  }

  #trace({ enabled, logs }: AgentSettings['trace']): void {
    const { meeting, output, servers } = this.#options;
    if (!enabled && this.#tracing === null) return;
    const tracing = (this.#tracing ??= new Tracing());
    if (enabled) tracing.start(servers);
    else tracing.stop();
    meeting.trace = () => tracing.current();
    if (output !== null) output.traceId = enabled && logs ? () => tracing.current()?.traceId ?? null : null;
  }

  #startWatchdog({ watchdog, blockedAfterMs }: AgentSettings): void {
    const { share, agentFile } = this.#options;
    const wish = watchdog && share !== null ? blockedAfterMs : null;
    if (wish === this.#watchedAfterMs) return;
    this.#watchedAfterMs = wish;
    this.#watchdog ??= new Watchdog();
    if (wish === null || share === null) return this.#watchdog.stop();
    const beat = new SharedBeat();
    share(beat);
    this.#blocks.beat = beat;
    this.#watchdog.start(agentFile, beat, wish);
  }

  /** Counters stay when the bound changes: they are counters. */
  #countRoutes(most: number): void {
    const { requests } = this.#options;
    if (requests.routes === null && most > 0) {
      subscribe(FASTIFY_CHANNEL, (message) => {
        const { request, route } = message as FastifyMessage;
        if (request?.raw !== undefined && typeof route?.url === 'string')
          Object.assign(request.raw, { [ROUTE]: route.url });
      });
    }
    requests.countsRoutes = most > 0;
    if (most > 0) requests.routes ??= new Routes(most);
    if (requests.routes !== null) requests.routes.most = most;
  }

  /** Without anything else: a worker is compared with others every second while it seems slow. */
  #tellRoutes(id: number): void {
    const { requests } = this.#options;
    this.#cost.measure(() => {
      const routes = requests.countsRoutes ? (requests.routes?.read(MOST_ROUTE_BYTES).list ?? []) : null;
      this.#options.send({ type: 'routes', id, routes });
    });
  }

  async #collect(id: number): Promise<void> {
    const { meeting, requests, runtime, send } = this.#options;
    const routes = requests.routes?.read(MOST_ROUTE_BYTES) ?? { list: [], bytes: 0, dropped: 0 };
    const { metrics, dropped, trouble } = this.#asksApp
      ? await this.#appMetrics.collect(async () => meeting.metrics(), MOST_BYTES - routes.bytes)
      : NO_METRICS;
    this.#cost.measure(() => {
      const { givenUp } = this.#cost;
      send({
        type: 'metrics',
        id,
        detail: {
          ...readDetail(runtime.loop.read()),
          lag: runtime.lag.read(),
          gc: runtime.readGcByKind(),
          agentCpuUs: Math.round(this.#cost.us + this.#othersUs),
          ...(givenUp.length > 0 && { agentGaveUp: [...givenUp] }),
        },
        routes: routes.list,
        app: metrics,
        dropped: dropped + routes.dropped,
        ...(trouble.length > 0 && { trouble }),
      });
    });
  }
}
