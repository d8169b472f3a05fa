/**
 * The app's own metrics of one worker in the terms of OpenTelemetry: what its prom-client and `drover/app` have counted, under
 * the names and labels that the app gave them, as the specification has it for what comes from Prometheus ("Prometheus and
 * OpenMetrics Compatibility"). Summaries come as gauges by `quantile` beside the sums of their `_sum` and
 * `_count`: the SDK has no type for them. What Drover pushes itself under OpenTelemetry's names is left out.
 */
import type { Attributes } from '@opentelemetry/api';
import type { MetricData } from '@opentelemetry/sdk-metrics';
import { PROM_CLIENT_NAMES } from '../exposition/catalogue.ts';
import type { Labels } from '../exposition/family.ts';
import { Problems } from '../exposition/problems.ts';
import { readAppMetrics, type AppFamily, type AppPoint } from '../exposition/read-app-metrics.ts';
import type { WorkerReading } from '../exposition/reading.ts';
import { gauge, histogram, sum, timesOf, type Point, type Times } from './metric-data.ts';

/** Series of one worker; as many as its agent takes of the app. */
const MOST_SERIES = 10_000;

/** Empty where the app has none, or its agent has not answered. `wallMs`: when the reading was taken. */
export function appMetrics(reading: WorkerReading, wallMs: number): MetricData[] {
  const time = timesOf(reading, wallMs);
  // What cannot be shown is told by the page that scrapers read, whether or not there is one.
  const families = readAppMetrics(reading.collected?.app, MOST_SERIES, new Problems(''));
  return families
    .filter(({ name }) => !PROM_CLIENT_NAMES.has(name))
    .flatMap((family) => dataOf(family, time))
    .filter(({ dataPoints }) => dataPoints.length > 0);
}

function dataOf({ name, help, type, points }: AppFamily, time: Times): MetricData[] {
  const all = [...points.values()];
  if (type === 'counter') return [sum(time, name, '', help, true, all.map(numberAt(0)))];
  if (type === 'gauge') return [gauge(time, name, '', help, all.map(numberAt(0)))];
  if (type === 'histogram') return [histogram(time, name, '', help, all.map(bucketsOf))];
  return [
    gauge(time, name, '', help, all.flatMap(quantilesOf)),
    sum(time, `${name}_count`, '', help, true, all.map(numberAt(-2))),
    sum(time, `${name}_sum`, '', help, true, all.map(numberAt(-1))),
  ];
}

const attributesOf = (labels: Labels): Attributes => Object.fromEntries(labels);

const numberAt =
  (index: number) =>
  ({ labels, numbers }: AppPoint): Point<number> => ({ attributes: attributesOf(labels), value: numbers.at(index)! });

/** The numbers are the cumulative counts up to each bound, then count and sum. */
function bucketsOf({ labels, shape, numbers }: AppPoint) {
  const cumulative = numbers.slice(0, -1);
  return {
    attributes: attributesOf(labels),
    value: {
      boundaries: shape.map(Number),
      counts: cumulative.map((count, at) => count - (cumulative[at - 1] ?? 0)),
      sum: numbers.at(-1)!,
    },
  };
}

const quantilesOf = ({ labels, shape, numbers }: AppPoint): Point<number>[] =>
  shape.map((quantile, at) => ({ attributes: { ...attributesOf(labels), quantile }, value: numbers[at]! }));
