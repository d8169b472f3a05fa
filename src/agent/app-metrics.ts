/**
 * The metrics of the app's own: the default registry of every prom-client that the app has loaded, and what the library
 * that apps import counts. prom-client is looked for among the modules that Node has loaded, and never loaded from
 * here. A registry that throws has nothing to tell; one that does not answer in time is left alone until it does. What
 * the daemon would refuse is left out here, and counted.
 */
import type { AppMetric } from '../protocol/agent.ts';

const TIMEOUT_MS = 1000;
/** As many as a daemon takes of one worker (`supervisor/agent-schema.ts`). */
const MAX_SERIES = 10_000;
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_WORD_LENGTH = 1000;
const TYPES: ReadonlySet<unknown> = new Set(['counter', 'gauge', 'histogram', 'summary']);
const PROM_CLIENT = '/node_modules/prom-client/index.js';

interface Registry {
  readonly getMetricsAsJSON: () => unknown;
}

export interface CollectedMetrics {
  readonly metrics: readonly AppMetric[];
  readonly dropped: number;
}

export const NO_METRICS: CollectedMetrics = { metrics: [], dropped: 0 };

export class AppMetrics {
  readonly #waiting = new Set<Registry>();

  /** `more`: of the libraries that have joined the agent. */
  async collect(more: () => Promise<readonly AppMetric[]>): Promise<CollectedMetrics> {
    const sources = [...findRegistries().map((registry) => this.#ask(registry)), within(more(), TIMEOUT_MS)];
    const answers = await Promise.all(sources);
    return sift(answers.flat());
  }

  async #ask(registry: Registry): Promise<readonly unknown[]> {
    if (this.#waiting.has(registry)) return [];
    this.#waiting.add(registry);
    const answer = Promise.resolve()
      .then(() => registry.getMetricsAsJSON())
      .finally(() => this.#waiting.delete(registry));
    return within(answer, TIMEOUT_MS);
  }
}

/** The cache of CommonJS modules, in which those that were imported are as well. */
function findRegistries(): Registry[] {
  const found: Registry[] = [];
  for (const file in require.cache) {
    if (!file.endsWith(PROM_CLIENT)) continue;
    const { register } = (require.cache[file]?.exports ?? {}) as { readonly register?: Partial<Registry> };
    if (typeof register?.getMetricsAsJSON === 'function') found.push(register as Registry);
  }
  return found;
}

/** Empty where there is no answer in time, or none that is a list. */
async function within(answer: Promise<unknown>, ms: number): Promise<readonly unknown[]> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<null>((resolve) => (timer = setTimeout(resolve, ms, null).unref()));
  try {
    const list = await Promise.race([answer, deadline]);
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}

const wordOf = (value: unknown): string => String(value).slice(0, MAX_WORD_LENGTH);

/** Keeps what a daemon takes. */
function sift(all: readonly unknown[]): CollectedMetrics {
  const metrics: AppMetric[] = [];
  let dropped = 0;
  let series = 0;
  let bytes = 0;
  for (const one of all) {
    const metric = one as Partial<AppMetric> | null;
    if (typeof metric?.name !== 'string' || !TYPES.has(metric.type) || !Array.isArray(metric.values)) {
      dropped += 1;
      continue;
    }
    const values: AppMetric['values'][number][] = [];
    for (const raw of metric.values as readonly unknown[]) {
      const value = series < MAX_SERIES && bytes < MAX_BYTES ? siftValue(raw) : null;
      if (value === null) {
        dropped += 1;
        continue;
      }
      series += 1;
      bytes += sizeOf(value);
      values.push(value);
    }
    bytes += metric.name.length + 200;
    metrics.push({
      name: metric.name.slice(0, MAX_WORD_LENGTH),
      help: wordOf(metric.help ?? ''),
      type: metric.type as AppMetric['type'],
      aggregator: typeof metric.aggregator === 'string' ? metric.aggregator.slice(0, MAX_WORD_LENGTH) : 'sum',
      values,
    });
  }
  const kept = metrics.slice(0, MAX_SERIES);
  return { metrics: kept, dropped: dropped + metrics.length - kept.length };
}

function siftValue(raw: unknown): AppMetric['values'][number] | null {
  const { value, labels, metricName } = (raw ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof value !== 'number') return null;
  const own: Record<string, string | number> = {};
  for (const [name, label] of Object.entries(labels ?? {})) {
    if (name.length > MAX_WORD_LENGTH) return null;
    own[name] = typeof label === 'number' && Number.isFinite(label) ? label : wordOf(label);
  }
  if (typeof metricName !== 'string') return { value, labels: own };
  return { value, labels: own, metricName: metricName.slice(0, MAX_WORD_LENGTH) };
}

function sizeOf({ labels, metricName }: AppMetric['values'][number]): number {
  let bytes = 60 + (metricName?.length ?? 0);
  for (const name in labels) bytes += name.length + String(labels[name]).length + 8;
  return bytes;
}
