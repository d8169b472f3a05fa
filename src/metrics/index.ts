/** The door of `metrics/`: from what agents report to what machines read, and what is kept of it. */
export { EXTRA_METRICS } from './exposition/catalogue.ts';
export {
  DEFAULT_EXPOSITION_LIMITS,
  Exposition,
  METRICS_SCOPES,
  type ExpositionLimits,
  type MetricsScope,
  type Page,
  type PageInput,
  type PageRequest,
} from './exposition/exposition.ts';
export { countWithin } from './exposition/latency-buckets.ts';
export type { Family, HistogramPoint, Labels, NumberPoint, SummaryPoint } from './exposition/family.ts';
export type { Problem, ProblemKind } from './exposition/problems.ts';
export type { AppReading, Collected, DaemonReading, WorkerReading } from './exposition/reading.ts';
export type { RouteRow } from './exposition/route-table.ts';
export type { Tick, WorkerState } from './series/recorder.ts';
export type { FigureName, ObjectivePoint, ObjectiveQuery, RangePoint, RangeQuery } from './series/query.ts';
export { TimeSeries, type SeriesCondition, type SeriesTrouble, type TimeSeriesOptions } from './series/time-series.ts';
export { openOtlpPush, type OtlpOptions, type OtlpPush } from './otlp/options.ts';
