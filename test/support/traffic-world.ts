/**
 * Traffic over the workers of an app, second by second: requests that come at random, take as long as their route and their
 * worker take, fail or not, and are still open when the worker reports. What the reports say goes to the outlier ejection,
 * and what that says decides who gets new requests. Counts what users suffered.
 */
import type { OutlierConfig, RequestCounters, RouteCounters } from '../../src/protocol/index.ts';
import { newOutliers, stepOutliers } from '../../src/core/index.ts';
import type { OutlierEffect, OutlierSample, OutlierState } from '../../src/core/index.ts';
import { bucketOf } from '../../src/runtime/index.ts';
import { seeded } from './random.ts';

export interface RouteLoad {
  readonly route: string;
  /** Share of the requests, together 1. */
  readonly share: number;
  /** How long a request takes in a healthy worker, milliseconds. */
  readonly tookMs: (random: () => number) => number;
}

export interface WorkerBehaviour {
  readonly slowFactor?: number;
  /** Share of the answers that are failures. */
  readonly failing?: number;
  readonly isStarved?: boolean;
  readonly utilization?: number;
  /** Seconds that it had been ready when the traffic began. */
  readonly readyFor?: number;
  /** Its share of the requests beside the others', 1 is even. */
  readonly pull?: number;
  /** Nothing it begins ever ends. */
  readonly isStuck?: boolean;
  /** Routes in another mix than the others': a client that keeps its connection. */
  readonly onlyRoute?: string;
}

export interface Traffic {
  readonly workers: readonly WorkerBehaviour[];
  readonly perSecond: number;
  readonly routes?: readonly RouteLoad[];
  /** `asked`: only where the last sweep wanted them. */
  readonly reportsRoutes?: boolean | 'asked';
  readonly seed?: number;
  readonly config?: Partial<OutlierConfig>;
}

export const OUTLIERS: OutlierConfig = {
  enabled: true,
  consecutiveErrors: 5,
  intervalMs: 2000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjected: { share: 0.5 },
};

/** About lognormal around `medianMs`. */
export const around =
  (medianMs: number, spread = 0.5) =>
  (random: () => number): number => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return medianMs * Math.exp(spread * normal);
  };

interface Request {
  readonly worker: number;
  readonly route: string;
  readonly endsAt: number;
  readonly tookMs: number;
  readonly isFailed: boolean;
}

class Counters {
  begun = 0;
  served = 0;
  failed = 0;
  readonly latency = new Map<number, number>();
  readonly routes = new Map<string, { ok: number; failed: number; latency: Map<number, number> }>();

  end({ route, tookMs, isFailed }: Request): void {
    if (isFailed) this.failed += 1;
    else this.served += 1;
    const bucket = bucketOf(tookMs);
    this.latency.set(bucket, (this.latency.get(bucket) ?? 0) + 1);
    const known = this.routes.get(route) ?? { ok: 0, failed: 0, latency: new Map<number, number>() };
    this.routes.set(route, known);
    if (isFailed) known.failed += 1;
    else known.ok += 1;
    known.latency.set(bucket, (known.latency.get(bucket) ?? 0) + 1);
  }

  report(): RequestCounters {
    return {
      begun: this.begun,
      served: this.served,
      failed: this.failed,
      lost: 0,
      aborted: 0,
      refused: 0,
      byClass: [0, 0, this.served, 0, 0, this.failed],
      connections: 0,
      upgrades: 0,
      latency: sparse(this.latency),
    };
  }

  reportRoutes(): RouteCounters[] {
    return [...this.routes].map(([route, { ok, failed, latency }]) => ({
      method: 'GET',
      route,
      byClass: [0, 0, ok, 0, 0, failed],
      latency: sparse(latency),
    }));
  }
}

const sparse = (counts: ReadonlyMap<number, number>): number[] => [...counts].sort(([a], [b]) => a - b).flat();

export interface Told {
  /** Seconds since the traffic began. */
  readonly second: number;
  readonly effect: OutlierEffect;
}

export class TrafficWorld {
  readonly told: Told[] = [];
  userErrors = 0;
  state: OutlierState = newOutliers();
  second = 0;
  private traffic: Traffic;
  private readonly random: () => number;
  private readonly counters: Counters[];
  private open: Request[] = [];
  private readonly out = new Set<number>();
  private readonly routesBefore = new Map<number, RouteCounters[]>();

  constructor(traffic: Traffic) {
    this.traffic = traffic;
    this.random = seeded(traffic.seed ?? 1);
    this.counters = traffic.workers.map(() => new Counters());
    // The workers have been watched since before there was any traffic.
    this.sweep(0);
  }

  /** The same workers, behaving otherwise from now on. */
  change(traffic: Partial<Traffic>): this {
    this.traffic = { ...this.traffic, ...traffic };
    return this;
  }

  run(seconds: number): this {
    for (let index = 0; index < seconds; index++) this.runSecond();
    return this;
  }

  ejected(): number[] {
    return [...new Set(this.told.flatMap(({ effect }) => (effect.type === 'eject' ? [effect.slot] : [])))].sort(
      (a, b) => a - b,
    );
  }

  /** When a worker was first ejected, in seconds since the traffic began. */
  ejectedAfter(slot: number): number | undefined {
    return this.told.find(({ effect }) => effect.type === 'eject' && effect.slot === slot)?.second;
  }

  private runSecond(): void {
    const from = this.second * 1000;
    this.second += 1;
    const until = from + 1000;
    const { perSecond } = this.traffic;
    const expected = perSecond + (this.random() - 0.5) * Math.min(perSecond, 4);
    const requests = Math.floor(expected) + (this.random() < expected % 1 ? 1 : 0);
    for (let index = 0; index < requests; index++) this.begin(from + this.random() * 1000);
    const ended = this.open.filter(({ endsAt }) => endsAt <= until).sort((a, b) => a.endsAt - b.endsAt);
    this.open = this.open.filter(({ endsAt }) => endsAt > until);
    for (const request of ended) {
      this.counters[request.worker]!.end(request);
      if (request.isFailed) this.userErrors += 1;
    }
    if (this.second % 2 === 0) this.sweep(until);
  }

  private sweep(until: number): void {
    const samples = this.traffic.workers.map((behaviour, slot): OutlierSample => {
      const counters = this.counters[slot]!;
      return {
        slot,
        generation: 1,
        isServing: true,
        readyForMs: ((behaviour.readyFor ?? 600) + this.second) * 1000,
        isStarved: behaviour.isStarved ?? false,
        utilization: behaviour.utilization ?? 0.2,
        reportedAt: until,
        counters: counters.report(),
        tellsRoutes: (this.traffic.reportsRoutes ?? false) !== false,
        routes: this.routesOf(slot),
      };
    });
    const config = { ...OUTLIERS, ...this.traffic.config };
    const { state, effects } = stepOutliers(this.state, samples, until, config);
    this.state = state;
    for (const effect of effects) {
      this.told.push({ second: this.second, effect });
      if (effect.type === 'eject') this.out.add(effect.slot);
      if (effect.type === 'return') this.out.delete(effect.slot);
    }
  }

  /** When it is asked only where that is wanted, it is asked with the sweep and a second later. */
  private routesOf(slot: number): OutlierSample['routes'] {
    const { reportsRoutes = false } = this.traffic;
    const now = this.counters[slot]!.reportRoutes();
    const before = this.routesBefore.get(slot);
    this.routesBefore.set(slot, now);
    const isTold = reportsRoutes === true || (reportsRoutes === 'asked' && this.state.wantsRoutes);
    return isTold && before !== undefined ? { before, now } : null;
  }

  private begin(at: number): void {
    const { workers, routes = [{ route: '/', share: 1, tookMs: around(10) }] } = this.traffic;
    const pulls = workers.map(({ pull = 1 }, slot) => (this.out.has(slot) ? 0 : pull));
    let point = this.random() * pulls.reduce((sum, pull) => sum + pull, 0);
    const worker = pulls.findIndex((pull) => (point -= pull) < 0);
    const behaviour = workers[worker]!;
    let share = this.random();
    const drawn = routes.find((one) => (share -= one.share) < 0) ?? routes.at(-1)!;
    const load = routes.find(({ route }) => route === behaviour.onlyRoute) ?? drawn;
    const tookMs = load.tookMs(this.random) * (behaviour.slowFactor ?? 1);
    const isFailed = this.random() < (behaviour.failing ?? 0);
    this.counters[worker]!.begun += 1;
    const endsAt = behaviour.isStuck === true ? Number.POSITIVE_INFINITY : at + tookMs;
    this.open.push({ worker, route: load.route, endsAt, tookMs, isFailed });
  }
}
