/**
 * Everything that is made of the health of apps, put together: metrics, objectives, anomalies, alerts, the health port, the
 * push to a collector. What watches and heals (`health.ts`) is open before, because the supervisor needs it.
 */
import { openAlerts, type Alerts } from '../alerts/index.ts';
import type { Clock, DaemonConfig } from '../protocol/index.ts';
import type { Store } from '../store/index.ts';
import type { App, Schedule, Supervisor } from '../supervisor/index.ts';
import { judgeHealthAlerts } from './alert-feed.ts';
import { anomalyKey, openAnomalies } from './anomalies.ts';
import { startKey } from './app-watch.ts';
import { openHealthPort } from './health-port.ts';
import { healingKey } from './healing-memory.ts';
import type { Health } from './health.ts';
import { openMetrics, type Metrics } from './metrics.ts';
import { objectiveKey, openObjectives, type Objectives } from './objectives.ts';
import { familiesOf } from './own-families.ts';
import { openPush } from './push.ts';

export interface CareOptions {
  /** Where time series are kept; null: nowhere. */
  readonly folder: string | null;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly supervisor: Supervisor;
  readonly store: Store;
  /** What is configured for the daemon itself, as it holds now. */
  readonly settings: { readonly get: () => DaemonConfig };
  readonly health: Health;
  readonly newId: () => string;
  readonly version: string;
  readonly log: (line: string) => void;
}

export interface Care {
  readonly metrics: Pick<Metrics, 'page'>;
  readonly objectives: Pick<Objectives, 'describe'>;
  readonly alerts: Alerts;
  /** Every few seconds. */
  look(): void;
  /** What holds for the daemon has changed. */
  reconfigure(): void;
  /** The app is no more. */
  forget(app: App): void;
  close(): Promise<void>;
}

export const openCare = (options: CareOptions): Care => {
  const { folder, clock, schedule, supervisor, store, settings, health, newId, version, log } = options;
  const apps = (): readonly App[] => supervisor.apps;
  const alerts = openAlerts({
    store,
    clock,
    schedule,
    random: Math.random,
    newId: () => newId().replaceAll('_', '-'),
    receivers: () => settings.get().alerts,
    onEvent: (event) => void store.events.append(event),
    env: process.env,
    version,
  });
  const judge = (judgements: Parameters<Alerts['judge']>[0]): void => alerts.judge(judgements);
  const metrics = openMetrics({
    folder,
    clock,
    schedule,
    version,
    apps,
    config: () => settings.get().metrics,
    healthOf: (app) => health.describe([app]).apps[0],
    onCollected: (handle, { detail }) => health.noteHeapLimit(handle, oldSpaceOf(detail.heapLimitBytes)),
    events: store.events,
    extra: () => familiesOf(objectives.describe(apps()), alerts.document()),
    log,
  });
  const objectives = openObjectives({
    clock,
    schedule,
    apps,
    named: (handle, names) => metrics.named(handle, names),
    judge,
    memory: store.meta,
  });
  const anomalies = openAnomalies({ clock, schedule, apps, judge, memory: store.meta });
  const port = openHealthPort({
    config: () => settings.get().health,
    source: {
      health: () => health.describe(apps()),
      metrics: async (question) =>
        question.app !== null && !apps().some(({ app }) => app === question.app) ? null : metrics.page(question),
    },
    log,
  });
  const push = openPush({
    clock,
    schedule,
    version,
    versionOf: (app) => supervisor.find(app)?.state.release.toString() ?? null,
    config: () => settings.get().otlp,
    readings: () => metrics.readings(),
    subscribe: (listener) => store.events.subscribe(listener),
    log,
  });
  return {
    metrics,
    objectives,
    alerts,
    look() {
      judge(judgeHealthAlerts(health.describe(apps()).apps));
      port.look();
    },
    reconfigure() {
      alerts.reconfigure();
      port.look();
      push.reconfigure();
    },
    forget(app) {
      alerts.forget(app.app);
      for (const key of keysOf(app)) store.meta.remove(key);
    },
    async close() {
      objectives.close();
      anomalies.close();
      alerts.close();
      await Promise.all([push.close(), metrics.close(), port.close()]);
    },
  };
};

/** What V8's limit has for the young generation beside the old one: with `--max-old-space-size=256` it is 448 MB on Node 24. */
const YOUNG_BYTES = 192 * 1024 * 1024;

const oldSpaceOf = (heapLimitBytes: number): number => Math.max(heapLimitBytes / 2, heapLimitBytes - YOUNG_BYTES);

/** What is remembered of its health. */
const keysOf = (app: App): readonly string[] => [
  healingKey(app),
  anomalyKey(app.app),
  startKey(app.app),
  ...app.state.config.slo.map(({ name }) => objectiveKey(app.app, name)),
];
