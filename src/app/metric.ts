/**
 * Counters, gauges and histograms of the app's own, with the calls and the defaults of prom-client. What is written in the
 * source (names, labels, buckets) is checked and throws when a metric is made; recording never throws, because a figure
 * that cannot be recorded is no reason for a request to fail: such values are left out, counted, and told once.
 *
 * Memory is bounded: beyond `maxSeries` label sets a metric counts all further ones as one, with `other` for every label.
 */
import type { AppMetric } from '../protocol/index.ts';
import { describe } from './check.ts';

export type LabelValues = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** How the daemon adds up workers. */
export type Aggregator = 'sum' | 'first' | 'min' | 'max' | 'average' | 'omit';

export interface MetricOptions {
  /** One line on what is counted, and in which unit. */
  readonly help?: string;
  readonly labels?: readonly string[];
  /** Default 1,000. Label sets beyond it are counted as `other`. */
  readonly maxSeries?: number;
  readonly aggregator?: Aggregator;
  /** Called before the metric is read: sets what is measured only then. */
  readonly collect?: () => void | Promise<void>;
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds in rising order, without infinity. Default: prom-client's, for seconds. */
  readonly buckets?: readonly number[];
}

/** What recording could not take; told once for each metric. */
export type TellTrouble = (metric: string, trouble: string) => void;

/** prom-client's, meant for requests in seconds. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const DEFAULT_MAX_SERIES = 1000;
/** A daemon waits for a second for all of them. */
const COLLECT_TIMEOUT_MS = 500;
/** A label value is a name, not a document. */
const MAX_VALUE_LENGTH = 256;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SEPARATOR = '\u0000';
export const OTHER = 'other';

type Labels = Readonly<Record<string, string>>;
type Value = AppMetric['values'][number];

interface Series<State> {
  readonly labels: Labels;
  readonly state: State;
}

/** The label sets of one metric, at most `maxSeries` and one. */
class SeriesTable<State> {
  readonly #names: readonly string[];
  readonly #maxSeries: number;
  readonly #begin: () => State;
  readonly #tell: (trouble: string) => void;
  readonly #series = new Map<string, Series<State>>();
  #other: Series<State> | null = null;

  constructor(names: readonly string[], maxSeries: number, begin: () => State, tell: (trouble: string) => void) {
    this.#names = names;
    this.#maxSeries = maxSeries;
    this.#begin = begin;
    this.#tell = tell;
    // A metric without labels is there from the beginning, as 0.
    if (names.length === 0) this.#series.set('', { labels: {}, state: begin() });
  }

  get(values: LabelValues): State {
    for (const name in values) if (!this.#names.includes(name)) this.#tell(`it has no label \`${name.slice(0, 80)}\``);
    const texts = this.#names.map((name) => textOf(values[name]));
    const key = texts.join(SEPARATOR);
    const known = this.#series.get(key);
    if (known !== undefined) return known.state;
    if (this.#series.size >= this.#maxSeries) return this.#getOther();
    const series = { labels: this.#labelsOf(texts), state: this.#begin() };
    this.#series.set(key, series);
    return series.state;
  }

  remove(values: LabelValues): boolean {
    return this.#series.delete(this.#names.map((name) => textOf(values[name])).join(SEPARATOR));
  }

  clear(): void {
    this.#series.clear();
    this.#other = null;
    if (this.#names.length === 0) this.#series.set('', { labels: {}, state: this.#begin() });
  }

  *list(): Generator<Series<State>> {
    yield* this.#series.values();
    if (this.#other !== null) yield this.#other;
  }

  #getOther(): State {
    this.#tell(`it has more than ${this.#maxSeries} label sets; further ones are counted as \`${OTHER}\``);
    this.#other ??= { labels: this.#labelsOf(this.#names.map(() => OTHER)), state: this.#begin() };
    return this.#other.state;
  }

  #labelsOf(texts: readonly string[]): Labels {
    return Object.fromEntries(this.#names.map((name, index) => [name, texts[index] ?? '']));
  }
}

function textOf(value: LabelValues[string]): string {
  if (value === undefined || value === null) return '';
  // Whatever a caller without types gives: an object is no label.
  if (typeof value === 'object' || typeof value === 'function') return OTHER;
  const text = String(value);
  // The separator would let two label sets become one.
  return (text.length > MAX_VALUE_LENGTH ? text.slice(0, MAX_VALUE_LENGTH) : text).replaceAll(SEPARATOR, '');
}

/** What all three kinds have in common. */
abstract class Metric<State> {
  readonly name: string;
  readonly help: string;
  abstract readonly type: AppMetric['type'];
  readonly #aggregator: Aggregator;
  readonly #collect: (() => void | Promise<void>) | null;
  readonly #tell: TellTrouble;
  readonly #told = new Set<string>();
  #collecting: Promise<void> | null = null;
  #isCollectLate = false;
  protected readonly series: SeriesTable<State>;

  constructor(
    name: string,
    options: MetricOptions,
    reserved: readonly string[],
    tell: TellTrouble,
    begin: () => State,
  ) {
    const { help = name, labels = [], maxSeries = DEFAULT_MAX_SERIES, aggregator = 'sum', collect } = options;
    if (!NAME.test(name)) throw new TypeError(`Metric name ${JSON.stringify(name)} does not match ${NAME.source}`);
    for (const label of labels) {
      if (!LABEL.test(label) || label.startsWith('__') || reserved.includes(label)) {
        throw new TypeError(`Label ${JSON.stringify(label)} of metric ${name} is not allowed`);
      }
    }
    if (typeof help !== 'string') throw new TypeError(`The help of metric ${name} must be a text`);
    if (collect !== undefined && typeof collect !== 'function')
      throw new TypeError(`collect of metric ${name} is no function`);
    if (new Set(labels).size !== labels.length) throw new TypeError(`Metric ${name} has a label twice`);
    if (!Number.isSafeInteger(maxSeries) || maxSeries < 1) {
      throw new TypeError(`maxSeries of metric ${name} must be a positive integer, not ${String(maxSeries)}`);
    }
    this.name = name;
    this.help = help;
    this.#aggregator = aggregator;
    this.#collect = collect ?? null;
    this.#tell = tell;
    this.series = new SeriesTable(labels, maxSeries, begin, (trouble) => this.trouble(trouble));
  }

  /** Forgets one label set. */
  remove(labels: LabelValues = {}): boolean {
    return this.series.remove(labels);
  }

  /** Forgets all label sets; a metric without labels is 0 again. */
  reset(): void {
    this.series.clear();
  }

  /** As prom-client's `getMetricsAsJSON` has it. Rejects where its `collect` throws, or does not end in time. */
  async read(): Promise<AppMetric> {
    if (this.#collect !== null) await this.#runCollect(this.#collect);
    const { name, help, type } = this;
    return { name, help, type, aggregator: this.#aggregator, values: [...this.values()] };
  }

  /** One run at a time, joined by whoever asks meanwhile; one that hangs is not joined by another with each question. */
  async #runCollect(collect: () => void | Promise<void>): Promise<void> {
    if (this.#isCollectLate) throw new Error(`the collect of ${this.name} has not ended yet`);
    this.#collecting ??= this.#startCollect(collect).finally(() => (this.#collecting = null));
    return this.#collecting;
  }

  async #startCollect(collect: () => void | Promise<void>): Promise<void> {
    const run = (async () => collect())();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#isCollectLate = true;
        reject(new Error(`it has not ended within ${COLLECT_TIMEOUT_MS} ms`));
      }, COLLECT_TIMEOUT_MS).unref();
    });
    const end = (): void => void (this.#isCollectLate = false);
    run.then(end, end);
    try {
      await Promise.race([run, deadline]);
    } catch (error) {
      this.trouble(`its collect has failed: ${describe(error)}`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  protected abstract values(): Iterable<Value>;

  /** Tells each kind of trouble once: what troubles one request troubles thousands. */
  protected trouble(trouble: string): void {
    const kind = trouble.slice(0, 24);
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#tell(this.name, trouble);
  }

  /** The value to record, or null where it is none. */
  protected valueOf(value: unknown): number | null {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.trouble(`${wordsOf(value)} is not a finite number; it was left out`);
    return null;
  }
}

/** Objects may have no words, and recording never throws. */
const wordsOf = (value: unknown): string => {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? value.slice(0, 40) : `a value of type ${typeof value}`;
};

interface Cell {
  value: number;
}

const newCell = (): Cell => ({ value: 0 });

/** `(value)` or `(labels, value)`. */
function split(first: LabelValues | number | undefined, second: number | undefined, fallback: number | undefined) {
  if (typeof first === 'object' && first !== null) return { labels: first, value: second ?? fallback };
  return { labels: {}, value: first ?? fallback };
}

/** Only ever grows. */
export class Counter extends Metric<Cell> {
  readonly type = 'counter';

  constructor(name: string, options: MetricOptions, tell: TellTrouble) {
    super(name, options, [], tell, newCell);
  }

  /** Adds 1, or what is given: `inc()`, `inc(3)`, `inc({ method: 'GET' })`, `inc({ method: 'GET' }, 3)`. */
  inc(labels?: LabelValues | number, value?: number): void {
    const given = split(labels, value, 1);
    const amount = this.valueOf(given.value);
    if (amount === null) return;
    if (amount < 0) return this.trouble('a counter cannot be decreased; a negative value was left out');
    this.series.get(given.labels).value += amount;
  }

  protected override *values(): Generator<Value> {
    for (const { labels, state } of this.series.list()) yield { value: state.value, labels };
  }
}

/** Goes up and down. */
export class Gauge extends Metric<Cell> {
  readonly type = 'gauge';

  constructor(name: string, options: MetricOptions, tell: TellTrouble) {
    super(name, options, [], tell, newCell);
  }

  /** `set(3)` or `set({ queue: 'mail' }, 3)`. */
  set(labels: LabelValues | number, value?: number): void {
    const given = split(labels, value, undefined);
    const number = this.valueOf(given.value);
    if (number !== null) this.series.get(given.labels).value = number;
  }

  inc(labels?: LabelValues | number, value?: number): void {
    const given = split(labels, value, 1);
    const amount = this.valueOf(given.value);
    if (amount !== null) this.series.get(given.labels).value += amount;
  }

  dec(labels?: LabelValues | number, value?: number): void {
    const given = split(labels, value, 1);
    const amount = this.valueOf(given.value);
    if (amount !== null) this.series.get(given.labels).value -= amount;
  }

  protected override *values(): Generator<Value> {
    for (const { labels, state } of this.series.list()) yield { value: state.value, labels };
  }
}

interface Distribution {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** Counts values by buckets, so that the workers' percentiles can be told together. */
export class Histogram extends Metric<Distribution> {
  readonly type = 'histogram';
  readonly #bounds: readonly number[];

  constructor(name: string, options: HistogramOptions, tell: TellTrouble) {
    const bounds = [...(options.buckets ?? DEFAULT_BUCKETS)];
    super(name, options, ['le'], tell, () => ({ counts: bounds.map(() => 0), sum: 0, count: 0 }));
    const isRising = bounds.every((bound, index) => Number.isFinite(bound) && bound > (bounds[index - 1] ?? -Infinity));
    if (!isRising || bounds.length === 0 || bounds.length > 100) {
      throw new TypeError(`The buckets of metric ${name} must be 1 to 100 finite numbers in rising order`);
    }
    this.#bounds = bounds;
  }

  /** `observe(0.2)` or `observe({ route: '/' }, 0.2)`. */
  observe(labels: LabelValues | number, value?: number): void {
    const given = split(labels, value, undefined);
    const number = this.valueOf(given.value);
    if (number === null) return;
    const state = this.series.get(given.labels);
    const bucket = this.#bounds.findIndex((bound) => number <= bound);
    if (bucket >= 0) state.counts[bucket] = (state.counts[bucket] ?? 0) + 1;
    state.sum += number;
    state.count += 1;
  }

  /** The returned function observes the seconds since, and returns them. */
  startTimer(labels: LabelValues = {}): (more?: LabelValues) => number {
    const startedAt = performance.now();
    return (more = {}) => {
      const seconds = (performance.now() - startedAt) / 1000;
      this.observe({ ...labels, ...more }, seconds);
      return seconds;
    };
  }

  protected override *values(): Generator<Value> {
    for (const { labels, state } of this.series.list()) {
      let upTo = 0;
      for (const [index, bound] of this.#bounds.entries()) {
        upTo += state.counts[index] ?? 0;
        yield { value: upTo, labels: { le: bound, ...labels }, metricName: `${this.name}_bucket` };
      }
      yield { value: state.count, labels: { le: '+Inf', ...labels }, metricName: `${this.name}_bucket` };
      yield { value: state.sum, labels, metricName: `${this.name}_sum` };
      yield { value: state.count, labels, metricName: `${this.name}_count` };
    }
  }
}
