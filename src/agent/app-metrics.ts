/**
 * The metrics of the app's own: the default registry of every prom-client that the app has loaded, and what the library
 * that apps import counts. prom-client is looked for among the modules that Node has loaded, and never loaded from
 * here. What is asked is code of the app's: it may throw, hang, or hold the event loop, and none of that ends the app or
 * takes more than itself from the rest. What was not had is told in words.
 */
import type { AppMetric } from '../protocol/agent.ts';
import { Sieve } from './metric-sieve.ts';

const TIMEOUT_MS = 1000;
/** Of one metric alone, after the registry as a whole has failed: a daemon waits for 1.5 s in all. */
const SINGLE_TIMEOUT_MS = 300;
/** Who holds the event loop for less is asked whenever the daemon asks. */
const SLOW_MS = 50;
/** Of the time, at most: who holds the event loop for 200 ms is asked every 10 s. */
const MOST_SHARE = 0.02;
const MOST_TROUBLES = 16;
const TROUBLE_LENGTH = 300;
const PROM_CLIENT = '/node_modules/prom-client/index.js';

interface Registry {
  readonly getMetricsAsJSON: () => unknown;
  readonly getMetricsAsArray?: () => unknown;
  /** prom-client's; it has no public way to them. */
  readonly _defaultLabels?: unknown;
}

interface SingleMetric {
  readonly name?: unknown;
  readonly get: () => unknown;
}

/** How a registry has fared. */
interface Standing {
  /**
   * How it has failed as a whole: since then its metrics are asked one by one. Told again with what any of them lacks, because an
   * answer may come too late for the daemon.
   */
  failure: string | null;
  /** A question that it has not answered. */
  isHanging: boolean;
  /** It holds the event loop: until then it is not asked, and what it said last stands. */
  restsUntilMs: number;
  heldMs: number;
  last: readonly AppMetric[];
  readonly hanging: Set<unknown>;
}

export interface CollectedMetrics {
  readonly metrics: readonly AppMetric[];
  readonly dropped: number;
  /** What could not be had, and why. */
  readonly trouble: readonly string[];
}

export const NO_METRICS: CollectedMetrics = { metrics: [], dropped: 0, trouble: [] };

export class AppMetrics {
  readonly #standings = new WeakMap<Registry, Standing>();

  /** `more`: of the libraries that have joined the agent. At most `mostBytes` on the wire. Never rejects. */
  async collect(more: () => Promise<readonly AppMetric[]>, mostBytes: number): Promise<CollectedMetrics> {
    const trouble: string[] = [];
    const tell = (line: string): void => {
      if (trouble.length < MOST_TROUBLES) trouble.push(line.slice(0, TROUBLE_LENGTH));
    };
    const registries = findRegistries(tell);
    const answers = await Promise.all([
      ...registries.map((registry) => this.#ask(registry, tell)),
      within(attempt(more), TIMEOUT_MS).catch((error: unknown) => {
        tell(`the metrics of drover/app: ${wordsOf(error)}`);
        return [];
      }),
    ]);
    const sieve = new Sieve(mostBytes);
    const kept = sieve.take(answers.map((answer) => (Array.isArray(answer) ? (answer as unknown[]) : [])));
    for (const [index, registry] of registries.entries()) {
      const standing = this.#standings.get(registry);
      // Only of one that rests: nobody else is answered for.
      if (standing !== undefined) standing.last = standing.restsUntilMs > 0 ? (kept[index] ?? []) : [];
    }
    return { metrics: sieve.metrics, dropped: sieve.dropped, trouble };
  }

  async #ask(registry: Registry, tell: (line: string) => void): Promise<unknown> {
    const standing = this.#standingOf(registry);
    const now = performance.now();
    if (now < standing.restsUntilMs) {
      tell(
        `prom-client's registry holds the event loop for about ${roughly(standing.heldMs)} ms: it is asked less often`,
      );
      return standing.last;
    }
    standing.restsUntilMs = 0;
    if (standing.failure !== null) {
      const lacks: string[] = [];
      const list = await askEach(registry, standing, (line) => void lacks.push(line));
      if (lacks.length > 0) for (const line of [standing.failure, ...lacks]) tell(line);
      return list;
    }
    if (standing.isHanging) {
      tell("prom-client's registry has not answered yet");
      return [];
    }
    standing.isHanging = true;
    const answer = attempt(() => registry.getMetricsAsJSON()).finally(() => (standing.isHanging = false));
    this.#rest(standing, performance.now() - now);
    try {
      const list = await within(answer, TIMEOUT_MS);
      if (!Array.isArray(list)) tell("prom-client's registry has answered with something that is no list");
      return list;
    } catch (error) {
      const failure = `prom-client's registry: ${wordsOf(error)}`;
      tell(failure);
      if (typeof registry.getMetricsAsArray !== 'function') return [];
      standing.failure = failure;
      return askEach(registry, standing, tell);
    }
  }

  #rest(standing: Standing, heldMs: number): void {
    standing.heldMs = heldMs;
    if (heldMs >= SLOW_MS) standing.restsUntilMs = performance.now() + heldMs / MOST_SHARE;
  }

  #standingOf(registry: Registry): Standing {
    let standing = this.#standings.get(registry);
    if (standing === undefined) {
      standing = { failure: null, isHanging: false, restsUntilMs: 0, heldMs: 0, last: [], hanging: new Set() };
      this.#standings.set(registry, standing);
    }
    return standing;
  }
}

/** Each metric by itself, so that one whose `collect` fails takes no other with it; default labels as prom-client adds them. */
async function askEach(registry: Registry, standing: Standing, tell: (line: string) => void): Promise<unknown[]> {
  const defaults = registry._defaultLabels;
  const labelled = (item: unknown): unknown => {
    // Without any, which is what nearly all have, values are left as they are: to copy labels that throw would lose the metric.
    if (!isRecord(item) || !Array.isArray(item['values']) || !isRecord(defaults)) return item;
    if (Object.keys(defaults).length === 0) return item;
    const values = (item['values'] as unknown[]).map((value) =>
      isRecord(value) ? { ...value, labels: { ...defaults, ...(value['labels'] as object) } } : value,
    );
    return { ...item, values };
  };
  const askOne = async (metric: SingleMetric): Promise<unknown[]> => {
    try {
      if (standing.hanging.has(metric)) throw new Error('it has not answered yet');
      standing.hanging.add(metric);
      const answer = attempt(() => metric.get()).finally(() => standing.hanging.delete(metric));
      return [labelled(await within(answer, SINGLE_TIMEOUT_MS))];
    } catch (error) {
      tell(`the metric ${nameOf(metric)}: ${wordsOf(error)}`);
      return [];
    }
  };
  try {
    const all = registry.getMetricsAsArray?.();
    const metrics = (Array.isArray(all) ? (all as SingleMetric[]) : []).filter(
      (metric) => typeof metric?.get === 'function',
    );
    return (await Promise.all(metrics.map(askOne))).flat();
  } catch (error) {
    tell(`prom-client's registry: ${wordsOf(error)}`);
    return [];
  }
}

/** The cache of CommonJS modules, in which those that were imported are as well. */
function findRegistries(tell: (line: string) => void): Registry[] {
  const found: Registry[] = [];
  for (const file in require.cache) {
    if (!file.endsWith(PROM_CLIENT)) continue;
    try {
      const { register } = (require.cache[file]?.exports ?? {}) as { readonly register?: Partial<Registry> };
      if (typeof register?.getMetricsAsJSON === 'function') found.push(register as Registry);
    } catch (error) {
      tell(`prom-client's registry: ${wordsOf(error)}`);
    }
  }
  return found;
}

/** What throws at once rejects. */
const attempt = async (call: () => unknown): Promise<unknown> => call();

/** Rejects where there is no answer in time. */
async function within(answer: Promise<unknown>, ms: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not answered within ${ms} ms`)), ms).unref();
  });
  try {
    return await Promise.race([answer, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** One digit, so that it is said once and not each time. */
const roughly = (ms: number): number => Number(ms.toPrecision(1));

function wordsOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'an error without words';
  }
}

function nameOf(metric: SingleMetric): string {
  try {
    return String(metric.name).slice(0, 100);
  } catch {
    return 'without a name';
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
