/**
 * What an agent may say, as a schema: a worker runs code that is not ours, so everything that it sends is checked
 * before it is believed. Anything else is reported once and dropped. Fields that are not known here are left out: an
 * agent may be of a later version than the daemon.
 */
import * as v from 'valibot';
import type { AgentMessage, AppMetric } from '../protocol/index.ts';

const count = v.pipe(v.number(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const whole = v.pipe(count, v.integer());
const short = v.pipe(v.string(), v.maxLength(4096));
const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const positivePort = v.pipe(port, v.minValue(1));
const protocol = v.picklist(['http', 'https', 'http2', 'tls', 'tcp']);

/** Absolute, or in Linux's abstract space: a relative one would be looked for where the daemon stands. */
const socketPath = v.pipe(v.string(), v.regex(/^[/\0]/), v.minLength(2), v.maxLength(107));

const address = v.variant('kind', [
  v.object({
    kind: v.literal('tcp'),
    host: v.pipe(v.string(), v.maxLength(64)),
    port: positivePort,
    v6only: v.boolean(),
  }),
  v.object({ kind: v.literal('unix'), path: socketPath }),
]);

/** Pairs of bucket and count. */
const MAX_HISTOGRAM_LENGTH = 8192;

const LONGEST_WORD = 1000;
const words = v.pipe(v.string(), v.maxLength(LONGEST_WORD));
const place = v.object({ function: words, file: short, line: whole, column: whole });
const block = v.object({
  number: whole,
  durationMs: count,
  endedMsAgo: count,
  isOver: v.boolean(),
  place: v.nullable(place),
  within: v.nullable(words),
  share: v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  stack: v.pipe(v.array(place), v.maxLength(32)),
});

const report = v.object({
  seq: whole,
  counters: v.object({
    begun: whole,
    served: whole,
    failed: whole,
    lost: whole,
    aborted: whole,
    refused: whole,
    byClass: v.pipe(v.array(whole), v.maxLength(6)),
    connections: whole,
    upgrades: whole,
    latency: v.pipe(v.array(whole), v.maxLength(MAX_HISTOGRAM_LENGTH)),
  }),
  runtime: v.object({
    uptimeMs: count,
    rssBytes: count,
    heapUsedBytes: count,
    heapTotalBytes: count,
    externalBytes: count,
    cpuUserUs: count,
    cpuSystemUs: count,
    eventLoopUtilization: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
    delayMs: v.object({ mean: count, p99: count, max: count }),
    gc: v.object({ count: whole, pauseMs: count }),
    openConnections: whole,
    inFlight: whole,
  }),
  log: v.exactOptional(
    v.object({
      lines: whole,
      bytes: whole,
      isDropping: v.boolean(),
      code: v.pipe(v.string(), v.regex(/^E[A-Z]{1,15}$/)),
    }),
  ),
  checks: v.exactOptional(
    v.pipe(
      v.array(
        v.object({
          name: short,
          status: v.picklist(['pass', 'fail', 'unknown']),
          critical: v.boolean(),
          durationMs: count,
          ageMs: count,
          intervalMs: v.exactOptional(count),
          error: v.exactOptional(short),
        }),
      ),
      v.maxLength(256),
    ),
  ),
  block: v.exactOptional(block),
  canRecover: v.exactOptional(v.boolean()),
  expectsReady: v.exactOptional(v.boolean()),
  heapAfterGcBytes: v.exactOptional(count),
});

const histogram = v.pipe(v.array(whole), v.maxLength(MAX_HISTOGRAM_LENGTH));
const byClass = v.pipe(v.array(whole), v.maxLength(6));
const pauses = v.object({ count: whole, seconds: count, buckets: v.pipe(v.array(whole), v.maxLength(16)) });
const MAX_SERIES = 10_000;
const isWord = (value: unknown): boolean => typeof value === 'string' && value.length <= LONGEST_WORD;
/**
 * What an app puts into its own metrics may be anything: `metrics/` refuses what cannot be shown. By hand, because there are
 * ten thousand of them in a message, which the daemon reads between two of its users' questions.
 */
const isFigure = (one: unknown): boolean => {
  if (typeof one !== 'object' || one === null) return false;
  const { value, labels, metricName } = one as Readonly<Record<string, unknown>>;
  if (typeof value !== 'number' && value !== null) return false;
  if (metricName !== undefined && !isWord(metricName)) return false;
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return false;
  return Object.entries(labels).every(([name, label]) => isWord(name) && (isWord(label) || typeof label === 'number'));
};
const isListOfFigures = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= MAX_SERIES && value.every(isFigure);

const routes = v.pipe(
  v.array(v.object({ method: words, route: words, byClass, latency: histogram })),
  v.maxLength(MAX_SERIES + 1),
);

const metrics = v.object({
  type: v.literal('metrics'),
  id: whole,
  detail: v.object({
    startedAtSeconds: count,
    virtualBytes: v.nullable(count),
    openDescriptors: v.nullable(whole),
    maxDescriptors: v.nullable(count),
    heapSpaces: v.pipe(
      v.array(
        v.object({
          name: words,
          sizeBytes: count,
          usedBytes: count,
          availableBytes: count,
          physicalBytes: count,
        }),
      ),
      v.maxLength(64),
    ),
    heapLimitBytes: count,
    lag: v.nullable(
      v.object({ min: count, max: count, mean: count, stddev: count, p50: count, p90: count, p99: count }),
    ),
    loopActiveSeconds: count,
    loopIdleSeconds: count,
    resources: v.record(words, whole),
    gc: v.object({ major: pauses, minor: pauses, incremental: pauses, weakcb: pauses }),
    agentCpuUs: count,
    agentGaveUp: v.exactOptional(v.pipe(v.array(words), v.maxLength(16))),
  }),
  routes,
  app: v.pipe(
    v.array(
      v.object({
        name: words,
        help: short,
        type: v.picklist(['counter', 'gauge', 'histogram', 'summary']),
        aggregator: words,
        values: v.custom<AppMetric['values']>(isListOfFigures, 'must be figures with labels'),
      }),
    ),
    v.maxLength(MAX_SERIES),
  ),
  dropped: whole,
  trouble: v.exactOptional(v.pipe(v.array(words), v.maxLength(16))),
});

const server = v.object({
  id: whole,
  key: v.nullable(short),
  address: v.nullable(address),
  accepting: v.boolean(),
  covers: v.optional(v.pipe(v.array(whole), v.maxLength(1024))),
  listeningMs: v.exactOptional(whole),
  protocol,
});

const schema = v.variant('type', [
  v.object({
    type: v.literal('hello'),
    v: v.pipe(whole, v.minValue(1)),
    spawn: short,
    pid: v.pipe(whole, v.minValue(1)),
    node: short,
    phase: v.picklist(['booting', 'serving', 'draining']),
    signalledReady: v.boolean(),
    signalledReadyMs: v.exactOptional(whole),
    servers: v.pipe(v.array(server), v.maxLength(256)),
    report,
  }),
  v.object({
    type: v.literal('listen'),
    id: whole,
    request: v.object({
      host: v.nullable(v.pipe(v.string(), v.maxLength(64))),
      port,
      v6only: v.boolean(),
      path: v.nullable(socketPath),
      randomIndex: v.nullable(whole),
      reservedPort: v.nullable(positivePort),
    }),
    protocol,
  }),
  v.object({ type: v.literal('listening'), id: whole, key: v.nullable(short), protocol: v.exactOptional(protocol) }),
  v.object({ type: v.literal('bound'), id: whole, fd: whole, inode: whole, address }),
  v.object({ type: v.literal('closed'), id: whole }),
  v.object({ type: v.literal('ready') }),
  v.object({ type: v.literal('report'), report, replyTo: v.nullable(whole) }),
  v.object({ type: v.literal('draining'), report }),
  v.object({
    type: v.literal('drained'),
    summary: v.object({ cutRequests: whole, cutUpgrades: whole, cutConnections: whole, closedUpgrades: whole }),
    report,
  }),
  v.object({ type: v.literal('message'), payload: v.unknown() }),
  v.object({ type: v.literal('pong'), id: whole }),
  v.object({ type: v.literal('blocked'), block }),
  metrics,
  v.object({ type: v.literal('routes'), id: whole, routes: v.nullable(routes) }),
  v.object({
    type: v.literal('recovered'),
    id: whole,
    outcome: v.picklist(['recovered', 'failed', 'no-hook']),
    detail: v.nullable(short),
  }),
  v.object({ type: v.literal('exit'), code: v.number(), reason: v.nullable(short), report }),
]);

const TYPES: ReadonlySet<unknown> = new Set(schema.options.map(({ entries }) => entries.type.literal));

/** The message, or null and why it is none; `isUnknown`: it is of a type that does not exist here. */
export const parseAgentMessage = (
  value: unknown,
):
  | { readonly message: AgentMessage }
  | { readonly message: null; readonly problem: string; readonly isUnknown: boolean } => {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return { message: result.output as AgentMessage };
  const { type } = (typeof value === 'object' && value !== null ? value : {}) as { readonly type?: unknown };
  const isUnknown = typeof type === 'string' && !TYPES.has(type);
  return { message: null, problem: result.issues[0].message, isUnknown };
};
