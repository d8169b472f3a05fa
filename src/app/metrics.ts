/**
 * The app's own metrics, in one registry a process. Under the daemon the agent picks them up and adds up the workers; alone
 * `text()` is what a `/metrics` route answers. It has no default metrics of Node: those come from the daemon, or alone from
 * prom-client, whose registry the agent picks up as well, unchanged (`docs/decisions/own-metrics.md`).
 */
import type { AppMetric } from '../protocol/index.ts';
import { Counter, Gauge, Histogram, type HistogramOptions, type MetricOptions, type TellTrouble } from './metric.ts';
import { toPrometheusText } from './exposition.ts';

/** More names than a program has are made from data, and would grow for ever. */
const MAX_METRICS = 2000;

type AnyMetric = Counter | Gauge | Histogram;

export class MetricRegistry {
  /** Of what {@link text} returns. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #metrics = new Map<string, AnyMetric>();
  readonly #tell: TellTrouble;

  constructor(tell: TellTrouble) {
    this.#tell = tell;
  }

  /** The counter of this name; made where there is none yet. By convention the name ends in `_total`. */
  counter(name: string, options: MetricOptions | string = {}, labels?: readonly string[]): Counter {
    return this.#find(name, Counter) ?? this.#add(new Counter(name, complete(options, labels), this.#tell));
  }

  /** The gauge of this name; made where there is none yet. */
  gauge(name: string, options: MetricOptions | string = {}, labels?: readonly string[]): Gauge {
    return this.#find(name, Gauge) ?? this.#add(new Gauge(name, complete(options, labels), this.#tell));
  }

  /** The histogram of this name; made where there is none yet. By convention the name ends in its unit, such as `_seconds`. */
  histogram(name: string, options: HistogramOptions | string = {}, labels?: readonly string[]): Histogram {
    return this.#find(name, Histogram) ?? this.#add(new Histogram(name, complete(options, labels), this.#tell));
  }

  remove(name: string): boolean {
    return this.#metrics.delete(name);
  }

  /** All metrics, as prom-client's `getMetricsAsJSON` has them. One whose `collect` fails is left out. */
  async list(): Promise<AppMetric[]> {
    const settled = await Promise.allSettled([...this.#metrics.values()].map(async (metric) => metric.read()));
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /** All metrics in Prometheus' text format. */
  async text(): Promise<string> {
    return toPrometheusText(await this.list());
  }

  #find<Kind extends AnyMetric>(name: string, Kind: new (...args: never[]) => Kind): Kind | undefined {
    const metric = this.#metrics.get(name);
    if (metric === undefined) return undefined;
    if (metric instanceof Kind) return metric;
    throw new TypeError(`There is a ${metric.type} called ${name} already`);
  }

  #add<Kind extends AnyMetric>(metric: Kind): Kind {
    if (this.#metrics.size >= MAX_METRICS) throw new RangeError(`There are ${MAX_METRICS} metrics already`);
    this.#metrics.set(metric.name, metric);
    return metric;
  }
}

function complete<Options extends MetricOptions>(options: Options | string, labels?: readonly string[]): Options {
  const own = (typeof options === 'string' ? { help: options } : options) as Options;
  return labels === undefined ? own : { ...own, labels };
}
