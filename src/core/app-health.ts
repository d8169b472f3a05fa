/**
 * How well an app is, why, and what follows for its workers. What most workers of an app show at once has its cause outside
 * of them: then nobody is taken off rotation for it, and the ladder does nothing.
 */
import type { AppStatus, HealthStatus } from '../protocol/index.ts';
import { CHECK_POLICY, sharedChecks, type SharedCheck } from './checks.ts';
import {
  because,
  type Found,
  HEALTH_POLICY,
  type HealthPolicy,
  holdsAgainstRouting,
  seconds,
  troubleOf,
  WORKER_HEALTH_RULES,
  type WorkerFacts,
  type WorkerHealth,
} from './worker-health.ts';

export interface AppFacts {
  readonly status: AppStatus;
  readonly workers: readonly WorkerFacts[];
  /** How long no worker has been ready that should be; null: one is, or none should. */
  readonly unreadyForMs: number | null;
  /** Why workers whose traffic looks bad are not taken off rotation; null: none looks bad. */
  readonly heldBack: string | null;
}

export interface AppHealth {
  readonly status: HealthStatus;
  readonly reason: string | null;
  readonly workers: readonly WorkerHealth[];
  /** Failing checks over all workers. */
  readonly checks: readonly SharedCheck[];
  /** Critical checks that fail everywhere: what the app is to do without. */
  readonly down: readonly string[];
}

export interface AppRule {
  readonly status: HealthStatus;
  readonly when: string;
  readonly find: (app: AppFacts, workers: readonly WorkerHealth[], down: readonly SharedCheck[]) => string | null;
}

const ids = (workers: readonly WorkerHealth[]): string => workers.map(({ slot }) => slot).join(', ');
const some = (workers: readonly WorkerHealth[], total: number): string =>
  `${workers.length} of ${total} workers (${ids(workers)})${because(workers[0]?.reason ?? null)}`;

/** As long as a start may take by default (`ready.timeout`): until then it is starting, after that it serves nobody. */
const UNREADY_MS = 30_000;

/** The first rule that holds decides. */
export const APP_HEALTH_RULES: readonly AppRule[] = [
  {
    status: 'healthy',
    when: 'it is stopped, or being stopped: as wanted',
    find: ({ status }) => (status === 'stopped' || status === 'stopping' ? `it is ${status}` : null),
  },
  {
    status: 'critical',
    when: 'no worker is left: failed, or in a crash loop',
    find: ({ status, workers }) => {
      if (status === 'failed') return 'every worker ended for good';
      const isServed = workers.some(({ phase }) => phase === 'running');
      return status === 'crash-loop' && !isServed ? 'it is in a crash loop' : null;
    },
  },
  {
    status: 'critical',
    when: 'no worker has been ready for longer than a start takes',
    find: ({ unreadyForMs }) =>
      unreadyForMs !== null && unreadyForMs >= UNREADY_MS
        ? `no worker has been ready for ${seconds(unreadyForMs)}`
        : null,
  },
  {
    status: 'critical',
    when: 'no worker can take new connections, and none is just starting',
    find: ({ status, workers: facts }, workers) =>
      status !== 'starting' &&
      facts.every(({ phase }, index) => phase !== 'running' || workers[index]?.isRoutable === false)
        ? `no worker can take new connections${because(workers[0]?.reason ?? null)}`
        : null,
  },
  {
    status: 'critical',
    when: 'more than half of its workers are critical',
    find: (_app, workers) => {
      const critical = workers.filter(({ status }) => status === 'critical');
      return critical.length * 2 > workers.length ? some(critical, workers.length) : null;
    },
  },
  {
    status: 'degraded',
    when: 'a critical check fails in most workers',
    find: (_app, _workers, down) => {
      const first = down[0];
      if (first === undefined) return null;
      const more = down.length === 1 ? '' : `, and ${down.length - 1} more`;
      return `${first.name} is down for ${first.failing} of ${first.workers} workers${because(first.error)}${more}`;
    },
  },
  {
    status: 'degraded',
    when: 'workers answer badly, and it is no use to take them off rotation',
    find: ({ heldBack }) => heldBack,
  },
  {
    status: 'degraded',
    when: 'a worker is critical',
    find: (_app, workers) => {
      const critical = workers.filter(({ status }) => status === 'critical');
      return critical.length === 0 ? null : some(critical, workers.length);
    },
  },
  {
    status: 'degraded',
    when: 'a worker is degraded',
    find: (_app, workers) => {
      const degraded = workers.filter(({ status }) => status === 'degraded');
      return degraded.length === 0 ? null : some(degraded, workers.length);
    },
  },
];

/** How an app and its workers are. */
export const appHealth = (app: AppFacts, policy: HealthPolicy = HEALTH_POLICY): AppHealth => {
  const checks = sharedChecks(
    app.workers.filter(({ phase }) => phase === 'running').map((worker) => worker.checks),
    { ...CHECK_POLICY, sharedBeyond: policy.sharedBeyond },
  );
  const shared = new Set(checks.filter(({ isShared }) => isShared).map(({ name }) => name));
  const found = app.workers.map((worker) =>
    WORKER_HEALTH_RULES.flatMap((rule): Found[] => {
      const finding = rule.find(worker, policy, shared);
      return finding === null ? [] : [{ rule, finding }];
    }),
  );
  const running = app.workers.filter(({ phase }) => phase === 'running').length;
  const off = offRotation(app, found, running, policy);
  const workers = app.workers.map((worker, index): WorkerHealth => {
    const mine = found[index]!;
    const { slot, generation } = worker;
    const against = mine.find(holdsAgainstRouting)?.finding.reason ?? null;
    return {
      slot,
      generation,
      status: mine[0]?.rule.status ?? 'healthy',
      reason: mine[0]?.finding.reason ?? null,
      isRoutable: !off.has(index),
      routing:
        against === null || off.has(index)
          ? against
          : `it stays on rotation although ${against}: most workers show it, so the cause is outside of them`,
      trouble: worker.phase === 'running' ? troubleOf(worker, mine, policy, shared) : null,
    };
  });
  const down = checks.filter(({ isShared, critical }) => isShared && critical);
  for (const { status, find } of APP_HEALTH_RULES) {
    const reason = find(app, workers, down);
    if (reason !== null) return { status, reason, workers, checks, down: down.map(({ name }) => name) };
  }
  return { status: 'healthy', reason: null, workers, checks, down: [] };
};

/**
 * Whom to take off rotation: those against whom a rule holds that most workers do not show, and never all who run. Who is
 * alone stays: nobody else could answer in its place.
 */
const offRotation = (
  app: AppFacts,
  found: readonly (readonly Found[])[],
  running: number,
  policy: HealthPolicy,
): ReadonlySet<number> => {
  const off = new Set<number>();
  for (const [index, worker] of app.workers.entries()) {
    if (worker.phase === 'running' && found[index]!.some(holdsAgainstRouting)) off.add(index);
  }
  // Whatever they show, alike or not: with most of them off, those that are left would go under next.
  return off.size > running * policy.sharedBeyond ? new Set() : off;
};
