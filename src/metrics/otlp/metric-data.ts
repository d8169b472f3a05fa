/**
 * What is pushed, in the terms of OpenTelemetry's SDK: sums, gauges and histograms, cumulative from the start of the worker that
 * they are of.
 */
import { ValueType, type Attributes, type HrTime } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import type { WorkerReading } from '../exposition/reading.ts';

export interface Point<Value> {
  readonly attributes: Attributes;
  readonly value: Value;
}

export interface Buckets {
  readonly boundaries: readonly number[];
  /** One more than there are boundaries; not cumulative. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface Times {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];

/** From the start of the worker to `wallMs`, when the reading was taken. */
export function timesOf({ report, collected }: WorkerReading, wallMs: number): Times {
  const startedAtMs = collected === null ? wallMs - report.runtime.uptimeMs : collected.detail.startedAtSeconds * 1000;
  return { startTime: hrTime(startedAtMs), endTime: hrTime(wallMs) };
}

const head = (name: string, unit: string, description: string) => ({
  descriptor: { name, unit, description, valueType: ValueType.DOUBLE },
  aggregationTemporality: AggregationTemporality.CUMULATIVE,
});

export function sum(
  time: Times,
  name: string,
  unit: string,
  description: string,
  isMonotonic: boolean,
  points: readonly Point<number>[],
): MetricData {
  return {
    ...head(name, unit, description),
    dataPointType: DataPointType.SUM,
    isMonotonic,
    dataPoints: points.map((point) => ({ ...time, ...point })),
  };
}

export function gauge(
  time: Times,
  name: string,
  unit: string,
  description: string,
  points: readonly Point<number>[],
): MetricData {
  return {
    ...head(name, unit, description),
    dataPointType: DataPointType.GAUGE,
    dataPoints: points.map((point) => ({ ...time, ...point })),
  };
}

export function histogram(
  time: Times,
  name: string,
  unit: string,
  description: string,
  points: readonly Point<Buckets>[],
): MetricData {
  return {
    ...head(name, unit, description),
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: points.map(({ attributes, value: { boundaries, counts, sum: total } }) => ({
      ...time,
      attributes,
      value: {
        buckets: { boundaries: [...boundaries], counts: [...counts] },
        sum: total,
        count: counts.reduce((all, count) => all + count, 0),
      },
    })),
  };
}
