// Compiles, and runs: what is exported, as an app in TypeScript uses it.
import { createServer } from 'node:http';
import {
  boundedCache,
  breaker,
  budget,
  degrade,
  drover,
  GracefulServer,
  health,
  healthHandler,
  metrics,
  MetricsCollector,
  SelfHealing,
  type Breaker,
  type HealthStatus,
  type MetricsSnapshot,
} from 'drover/app';

const off: () => void = health.register('database', async (signal) => !signal.aborted, {
  critical: true,
  interval: 1000,
});
const cache = boundedCache<string, { readonly id: number }>({ max: 10, weak: true, onEvict: (key) => key.length });
const known: { readonly id: number } | undefined = cache.get('a');
const call: Breaker<[id: number], string> = breaker(async (id: number) => String(id), {
  fallback: (id, error) => `${id} ${error.message}`,
});
const answer: Promise<string> = call(3);
const limits = budget({ rssMB: 100_000 }, { critical: true, onExceeded: ({ name, value }) => value > name.length });
const undo: () => void = degrade.when('cache-only', () => () => undefined);
const counter = metrics.counter('orders_total', { labels: ['kind'] });
counter.inc({ kind: 'new' });
const handler = healthHandler({ token: 'x' });
const server = createServer((request, response) => {
  if (!handler(request, response)) response.end();
});
const graceful = new GracefulServer(server, { exit: false, signals: ['SIGTERM'] });
const healing = new SelfHealing({ thresholds: { rssMB: 1000 }, recover: (reason) => reason.length });
const collector = new MetricsCollector({ server });
const snapshot: MetricsSnapshot = collector.snapshot();
const status: HealthStatus = drover.health.status();
/** Never called. */
export function wrong(): void {
  // @ts-expect-error -- a label value is no object
  counter.inc({ kind: {} });
  // @ts-expect-error -- there is no such level
  degrade.set('panic');
  // @ts-expect-error -- it takes a number
  call('3').catch(() => undefined);
}

const said: unknown[] = [
  known,
  await answer,
  limits.exceeded().length,
  healing.status().phase,
  snapshot.requests.answered,
  status.status,
];
undo();
limits.stop();
off();
call.shutdown();
await graceful.close();
console.log(JSON.stringify(said));
