/**
 * Pushes metrics and events over OTLP/HTTP as protobuf, through OpenTelemetry's own exporters, which retry and give up by
 * themselves. Each worker is a resource of its own (`service.instance.id`), as if it pushed by itself; events are logs of
 * the service that they are about. Loaded only where a collector is configured.
 */
import { ROOT_CONTEXT, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { SeverityNumber, type Logger } from '@opentelemetry/api-logs';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { AggregationTemporality, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { EventDocument } from '../../protocol/index.ts';
import type { WorkerReading } from '../exposition/reading.ts';
import { appMetrics } from './app-metrics.ts';
import type { OtlpOptions, OtlpPush } from './options.ts';
import { workerMetrics } from './worker-metrics.ts';

const TIMEOUT_MS = 10_000;
const SCOPE = 'drover';
/** Of what the app itself counts. */
const APP_SCOPE = 'drover.app';

export function createOtlpPush(options: OtlpOptions): OtlpPush {
  const { headers, timeoutMs = TIMEOUT_MS, version, onTrouble } = options;
  const base = options.endpoint.replace(/\/+$/, '');
  const common = { headers: { ...headers }, timeoutMillis: timeoutMs, userAgent: `drover/${version}` };
  const metricExporter = new OTLPMetricExporter({
    ...common,
    url: `${base}/v1/metrics`,
    temporalityPreference: AggregationTemporality.CUMULATIVE,
  });
  const logExporter = new OTLPLogExporter({ ...common, url: `${base}/v1/logs` });
  const loggers = new Map<string, { readonly provider: LoggerProvider; readonly logger: Logger }>();
  const condition = { trouble: null as string | null, pushed: 0, failed: 0 };
  let pushing: Promise<void> | null = null;
  let isClosed = false;

  const resourceOf = (app: string | null, worker: WorkerReading | null): Resource =>
    resourceFromAttributes({
      'service.name': app ?? 'drover',
      'service.instance.id': worker?.worker ?? options.hostName,
      'host.name': options.hostName,
      ...(app === null ? { 'service.version': version } : attribute('service.version', options.versionOf?.(app))),
      ...attribute('process.pid', worker?.pid),
      ...(worker === null
        ? {}
        : {
            'process.runtime.name': 'nodejs',
            ...attribute('process.runtime.version', worker.node?.replace(/^v/, '')),
          }),
    });

  const send = async (metrics: ResourceMetrics): Promise<void> =>
    new Promise((resolve) => {
      metricExporter.export(metrics, ({ code, error }) => {
        if (code === ExportResultCode.SUCCESS) {
          condition.pushed += 1;
          say(null);
        } else {
          condition.failed += 1;
          say(error?.message ?? 'the collector did not take it');
        }
        resolve();
      });
    });

  const say = (reason: string | null): void => {
    if ((reason === null) !== (condition.trouble === null)) onTrouble?.(reason);
    condition.trouble = reason;
  };

  const loggerOf = (app: string | null): Logger => {
    const name = app ?? '';
    let entry = loggers.get(name);
    if (entry === undefined) {
      const processors = [
        new BatchLogRecordProcessor({ exporter: logExporter, maxQueueSize: 2_048, exportTimeoutMillis: timeoutMs }),
      ];
      const provider = new LoggerProvider({ resource: resourceOf(app, null), processors });
      loggers.set(name, (entry = { provider, logger: provider.getLogger(SCOPE, version) }));
    }
    return entry.logger;
  };

  return {
    condition,

    async push(apps, wallMs) {
      if (isClosed || pushing !== null) return;
      pushing = (async () => {
        // One after the other: a collector that hangs costs one time-out, not one for each worker.
        for (const { app, workers } of apps) {
          for (const worker of workers) {
            const before = condition.failed;
            const own = appMetrics(worker, wallMs);
            await send({
              resource: resourceOf(app, worker),
              scopeMetrics: [
                { scope: { name: SCOPE, version }, metrics: workerMetrics(worker, wallMs) },
                ...(own.length === 0 ? [] : [{ scope: { name: APP_SCOPE }, metrics: own }]),
              ],
            });
            if (condition.failed > before || isClosed) return;
          }
        }
      })();
      await pushing;
      pushing = null;
    },

    event(event) {
      if (!isClosed) loggerOf(event.app).emit(recordOf(event));
    },

    async close() {
      if (isClosed) return;
      isClosed = true;
      const providers = [...loggers.values()].map(async ({ provider }) => provider.shutdown());
      await Promise.allSettled([...providers, pushing ?? Promise.resolve()]);
      await Promise.allSettled([metricExporter.shutdown(), logExporter.shutdown()]);
    },
  };
}

const attribute = <Value extends string | number>(
  name: string,
  value: Value | null | undefined,
): Readonly<Record<string, Value>> => (value === null || value === undefined ? {} : { [name]: value });

/** Types of events that tell of a fault. */
const WARNINGS =
  /^(crash-loop|worker-(hung|killed|stray|blocked|ejected|quarantined|start-timeout|backoff)|port-taken|log-dropped|state-(damaged|unwritable)|output-lost|probe-failed|check-failed|budget-exceeded|alert-(firing|undelivered)|daemon-upgrade-failed)$/;

function recordOf({ at, app, worker, type, reason, data, seq }: EventDocument) {
  const [severityNumber, severityText] =
    type === 'defect'
      ? ([SeverityNumber.ERROR, 'ERROR'] as const)
      : WARNINGS.test(type)
        ? ([SeverityNumber.WARN, 'WARN'] as const)
        : ([SeverityNumber.INFO, 'INFO'] as const);
  return {
    eventName: `drover.${type}`,
    timestamp: new Date(at),
    severityNumber,
    severityText,
    body: reason ?? type,
    ...contextOf(data['correlation']),
    attributes: {
      'drover.event.seq': seq,
      'drover.event.type': type,
      ...attribute('drover.app', app),
      ...attribute('service.instance.id', worker),
      'drover.event.data': JSON.stringify(data),
    },
  };
}

/**
 * What belongs together is told as one trace. A record has both ids or none, and there is no span here: the second half of the
 * id stands for it.
 */
function contextOf(correlation: unknown): { readonly context?: Context } {
  if (typeof correlation !== 'string') return {};
  const spanContext = { traceId: correlation, spanId: correlation.slice(16), traceFlags: TraceFlags.SAMPLED };
  return { context: trace.setSpanContext(ROOT_CONTEXT, spanContext) };
}
