/**
 * A collector's place in tests: a server that decodes what is pushed to it with the official definitions (of an older
 * release of OpenTelemetry, made with another protobuf library than what sends). The package is in `test/metrics/proto`,
 * which the suite has to name.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

interface Decoder {
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: object): Record<string, unknown>;
}

type Service = Readonly<Record<string, Decoder>>;

interface Definitions {
  readonly opentelemetry: { readonly proto: { readonly collector: Record<Signal, { readonly v1: Service }> } };
}

type Signal = 'metrics' | 'logs' | 'trace';

export interface Value {
  readonly stringValue?: string;
  readonly intValue?: number;
  readonly doubleValue?: number;
}

export interface KeyValue {
  readonly key: string;
  readonly value: Value;
}

export interface Resource {
  readonly attributes: readonly KeyValue[];
}

export interface DataPoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly asDouble?: number;
  readonly count?: number;
  readonly sum?: number;
  readonly bucketCounts?: readonly number[];
  readonly explicitBounds?: readonly number[];
}

export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: {
    readonly dataPoints: readonly DataPoint[];
    readonly isMonotonic: boolean;
    readonly aggregationTemporality: string;
  };
  readonly gauge?: { readonly dataPoints: readonly DataPoint[] };
  readonly histogram?: { readonly dataPoints: readonly DataPoint[] };
}

export interface MetricsRequest {
  readonly resourceMetrics: readonly {
    readonly resource: Resource;
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string };
      readonly metrics: readonly Metric[];
    }[];
  }[];
}

export interface LogRecord {
  readonly body: Value;
  readonly severityText: string;
  readonly timeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly eventName: string;
  /** Hexadecimal; empty where there is none. */
  readonly traceId: string;
  readonly spanId: string;
}

export interface LogsRequest {
  readonly resourceLogs: readonly {
    readonly resource: Resource;
    readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[];
  }[];
}

/** One span, with the name of the service and of the instrumentation that it is of; ids are hexadecimal. */
export interface Span {
  readonly service: string;
  readonly instance: string | null;
  readonly scope: string;
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty at the root. */
  readonly parentSpanId: string;
}

export interface PushedMetric {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: string;
  readonly metric: Metric;
}

interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: Resource;
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly Omit<Span, 'service' | 'instance' | 'scope'>[];
    }[];
  }[];
}

export interface OtlpRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly message: unknown;
}

export interface OtlpReceiver extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  /** What was pushed, oldest first. */
  readonly requests: OtlpRequest[];
  /** Status codes of the next answers; 200 once there are none. */
  readonly answers: number[];
  /** Of all that were pushed so far. */
  spans(): Span[];
  metrics(): PushedMetric[];
  logRecords(): LogRecord[];
}

export const attributesOf = (list: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.doubleValue]));

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
};

const namesOf = ({ attributes }: Resource): Pick<Span, 'service' | 'instance'> => {
  const { 'service.name': service, 'service.instance.id': instance = null } = attributesOf(attributes);
  return { service: String(service), instance: instance as string | null };
};

const hex = (id: Uint8Array | undefined): string => Buffer.from(id ?? []).toString('hex');

const loadDecoders = (): Readonly<Record<string, Decoder | undefined>> => {
  const load = createRequire(join(import.meta.dirname, '../metrics/proto/package.json'));
  const { collector } = (load('@opentelemetry/otlp-transformer/build/src/generated/root') as Definitions).opentelemetry
    .proto;
  return {
    '/v1/metrics': collector.metrics.v1['ExportMetricsServiceRequest'],
    '/v1/logs': collector.logs.v1['ExportLogsServiceRequest'],
    '/v1/traces': collector.trace.v1['ExportTraceServiceRequest'],
  };
};

/** Ids are bytes on the wire. */
const withHexIds = <Item extends object>(item: Item): Item => {
  const given = item as Record<string, unknown>;
  const ids = ['traceId', 'spanId', 'parentSpanId'].map((name) => [name, hex(given[name] as Uint8Array | undefined)]);
  return { ...item, ...(Object.fromEntries(ids) as object) };
};

export async function openOtlpReceiver(): Promise<OtlpReceiver> {
  const decoders = loadDecoders();
  const requests: OtlpRequest[] = [];
  const answers: number[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((bytes) => {
      const path = request.url ?? '';
      const decoder = decoders[path];
      if (decoder === undefined) return response.writeHead(404).end();
      const message = decoder.toObject(decoder.decode(bytes), { longs: Number, enums: String, arrays: true });
      requests.push({ path, headers: request.headers, message });
      return response.writeHead(answers.shift() ?? 200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    requests,
    answers,
    spans: () =>
      requests
        .filter(({ path }) => path === '/v1/traces')
        .flatMap(({ message }) => (message as TraceRequest).resourceSpans)
        .flatMap(({ resource, scopeSpans }) =>
          scopeSpans.flatMap(({ scope, spans }) =>
            spans.map((span) => ({
              ...withHexIds(span),
              ...namesOf(resource),
              scope: scope.name,
            })),
          ),
        ),
    metrics: () =>
      requests
        .filter(({ path }) => path === '/v1/metrics')
        .flatMap(({ message }) => (message as MetricsRequest).resourceMetrics)
        .flatMap(({ resource, scopeMetrics }) =>
          scopeMetrics.flatMap(({ scope, metrics }) =>
            metrics.map((metric) => ({ resource: attributesOf(resource.attributes), scope: scope.name, metric })),
          ),
        ),
    logRecords: () =>
      requests
        .filter(({ path }) => path === '/v1/logs')
        .flatMap(({ message }) => (message as LogsRequest).resourceLogs)
        .flatMap(({ scopeLogs }) => scopeLogs)
        .flatMap(({ logRecords }) => logRecords.map(withHexIds)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
