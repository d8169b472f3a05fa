/**
 * What requests may contain. The same schemas validate and describe: `/v1/openapi.json` is made from them. An app's
 * configuration is checked again, although the CLI has completed it: the daemon trusts no client.
 */
import * as v from 'valibot';
import { constants } from 'node:os';
import { levelOf, LOG_LEVELS, SEVERITIES, type AppConfig, type DaemonConfig } from '../protocol/index.ts';
import { findNameProblem } from '../config/index.ts';
import { METRICS_SCOPES } from './service.ts';

const isPlain = (text: string): boolean => !text.includes('\0');
const word = () => v.pipe(v.string(), v.check(isPlain, 'a NUL byte is not allowed'));
const words = () => v.array(word());
const path = () => v.pipe(word(), v.startsWith('/', 'must be an absolute path'));
const count = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const milliseconds = () => count(0, 2 ** 31 - 1);
const bytes = () => count(0, Number.MAX_SAFE_INTEGER);
const variables = () => v.record(v.pipe(v.string(), v.regex(/^[^=\0]+$/)), word());
const appName = () =>
  v.pipe(
    v.string(),
    v.check((name) => findNameProblem(name) === null, 'is not a name for an app'),
  );

const AppCommandSchema = v.variant('kind', [
  v.strictObject({
    kind: v.literal('node'),
    script: path(),
    node: v.nullable(v.pipe(v.string(), v.regex(/^\d+(\.\d+){0,2}$/))),
    nodeArgs: words(),
    args: words(),
  }),
  v.strictObject({ kind: v.literal('program'), argv: v.tupleWithRest([v.pipe(word(), v.minLength(1))], word()) }),
]);

const number = (min: number) => v.pipe(v.number(), v.finite(), v.minValue(min));
const share = () =>
  v.union([
    v.strictObject({ workers: count(0, 256) }),
    v.strictObject({ share: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
  ]);
const headers = () =>
  v.record(v.pipe(v.string(), v.regex(/^[!#$%&'*+.^_`|~\w-]+$/)), v.pipe(v.string(), v.regex(/^[^\r\n\0]*$/)));
const program = () => v.tupleWithRest([v.pipe(word(), v.minLength(1))], word());
const address = () =>
  v.pipe(
    word(),
    v.regex(/^https?:\/\/[^\s/]+/),
    v.check((value) => URL.canParse(value)),
  );
const host = () => v.nullable(v.pipe(word(), v.minLength(1)));
const port = () => count(1, 65_535);

const ProbeSchema = v.strictObject({
  target: v.variant('kind', [
    v.strictObject({
      kind: v.literal('http'),
      path: v.pipe(v.string(), v.regex(/^\/[\x21-\x7e]*$/)),
      port: v.nullable(port()),
      host: host(),
      headers: headers(),
      scheme: v.picklist(['http', 'https']),
    }),
    v.strictObject({ kind: v.literal('tcp'), port: v.nullable(port()), host: host() }),
    v.strictObject({ kind: v.literal('exec'), argv: program() }),
    v.strictObject({ kind: v.literal('in-process') }),
  ]),
  initialDelayMs: milliseconds(),
  periodMs: count(100, 2 ** 31 - 1),
  timeoutMs: count(1, 2 ** 31 - 1),
  successThreshold: count(1, 1_000),
  failureThreshold: count(1, 1_000),
});

const BudgetSchema = v.strictObject({ max: number(0), critical: v.boolean() });
const metricName = () => v.pipe(v.string(), v.regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/));

const HealthEntries = {
  probes: v.strictObject({
    startup: v.exactOptional(ProbeSchema),
    liveness: v.exactOptional(ProbeSchema),
    readiness: v.exactOptional(ProbeSchema),
  }),
  health: v.strictObject({
    blockedAfterMs: count(200, 2 ** 31 - 1),
    profile: v.boolean(),
    watchdog: v.boolean(),
    outliers: v.strictObject({
      enabled: v.boolean(),
      consecutiveErrors: count(1, 1_000_000),
      intervalMs: count(100, 2 ** 31 - 1),
      baseEjectionMs: milliseconds(),
      maxEjectionMs: milliseconds(),
      maxEjected: share(),
    }),
  }),
  heal: v.strictObject({
    enabled: v.boolean(),
    recoverTimeoutMs: milliseconds(),
    maxUnavailable: share(),
    perHour: count(1, 10_000),
    quarantineAfter: count(1, 1_000),
  }),
  budgets: v.strictObject({
    limits: v.strictObject({
      heapUsedMB: v.exactOptional(BudgetSchema),
      rssMB: v.exactOptional(BudgetSchema),
      eventLoopLagMs: v.exactOptional(BudgetSchema),
      cpuPercent: v.exactOptional(BudgetSchema),
    }),
    autoRestart: v.boolean(),
    intervalMs: count(1_000, 2 ** 31 - 1),
  }),
  slo: v.array(
    v.strictObject({
      name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/)),
      target: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
      windowMs: count(600_000, Number.MAX_SAFE_INTEGER),
      indicator: v.variant('kind', [
        v.strictObject({ kind: v.literal('availability') }),
        v.strictObject({ kind: v.literal('latency'), thresholdMs: number(0) }),
        v.strictObject({ kind: v.literal('ratio'), good: metricName(), total: metricName() }),
      ]),
      minimumEvents: count(1, 1_000_000),
    }),
  ),
  metrics: v.strictObject({ routes: count(0, 10_000), app: v.boolean() }),
  trace: v.strictObject({ enabled: v.boolean(), logs: v.boolean() }),
};

export const AppConfigSchema = v.strictObject({
  name: appName(),
  command: AppCommandSchema,
  cwd: path(),
  instances: v.union([v.literal('max'), count(1, 256)]),
  ports: v.array(count(1, 65_535)),
  env: variables(),
  binPaths: v.array(path()),
  envFile: v.nullable(path()),
  inheritEnv: v.union([v.boolean(), words()]),
  callerEnv: variables(),
  dependsOn: v.array(appName()),
  ready: v.strictObject({
    timeoutMs: milliseconds(),
    stableForMs: milliseconds(),
    signal: v.union([v.boolean(), v.literal('auto')]),
  }),
  restart: v.strictObject({
    policy: v.picklist(['always', 'on-failure', 'never']),
    backoff: v.strictObject({
      initialMs: milliseconds(),
      factor: v.pipe(v.number(), v.minValue(1), v.maxValue(100)),
      maxMs: milliseconds(),
    }),
    crashLoop: v.strictObject({ restarts: count(0, 1_000), withinMs: milliseconds() }),
  }),
  drain: v.strictObject({
    timeoutMs: milliseconds(),
    idleGraceMs: milliseconds(),
    websocket: v.strictObject({ code: count(1000, 4999), spreadMs: milliseconds() }),
  }),
  logs: v.strictObject({
    maxSizeBytes: bytes(),
    keep: count(1, 1_000),
    maxAgeMs: v.nullable(count(60_000, Number.MAX_SAFE_INTEGER)),
    rotate: v.picklist(['in-place', 'rename']),
  }),
  ...HealthEntries,
  surge: v.union([v.literal('auto'), count(1, 256)]),
  sticky: v.boolean(),
  user: v.nullable(v.pipe(word(), v.minLength(1))),
}) satisfies v.GenericSchema<AppConfig>;

export const DaemonConfigSchema = v.strictObject({
  logs: v.strictObject({ quotaBytes: bytes(), minFreeBytes: v.union([v.literal('auto'), bytes()]) }),
  health: v.nullable(v.strictObject({ host: v.pipe(word(), v.minLength(1)), port: port() })),
  alerts: v.array(
    v.strictObject({
      target: v.variant('kind', [
        v.strictObject({ kind: v.literal('webhook'), url: address() }),
        v.strictObject({ kind: v.literal('alertmanager'), url: address() }),
        v.strictObject({ kind: v.literal('command'), argv: program() }),
      ]),
      headers: headers(),
      severities: v.array(v.picklist(SEVERITIES)),
      apps: v.nullable(words()),
      groupWaitMs: milliseconds(),
      repeatMs: milliseconds(),
    }),
  ),
  otlp: v.nullable(v.strictObject({ endpoint: address(), headers: headers(), intervalMs: milliseconds() })),
  metrics: v.strictObject({ quotaBytes: bytes(), keepMs: bytes() }),
}) satisfies v.GenericSchema<DaemonConfig>;

const apps = v.pipe(
  v.array(AppConfigSchema),
  v.check((list) => new Set(list.map(({ name }) => name)).size === list.length, 'each app has a name of its own'),
);
const file = v.nullable(path());

export const StartBody = v.strictObject({ file, apps });
export const ApplyBody = v.strictObject({ file, apps, prune: v.boolean() });
export const RenewBody = v.strictObject({ callerEnv: v.nullable(variables()) });
export const ScaleBody = v.union(
  [v.strictObject({ to: v.union([v.literal('max'), count(1, 256)]) }), v.strictObject({ by: count(-255, 255) })],
  'must be { "to": number of workers or "max" } or { "by": difference }',
);
const SIGNALS = Object.keys(constants.signals) as NodeJS.Signals[];
export const SignalBody = v.strictObject({ signal: v.picklist(SIGNALS, 'is not a signal of this system') });
export const ShutdownBody = v.strictObject({ keepWorkers: v.boolean() });
export const UpgradeBody = v.strictObject({ program: path() });

const isExpression = (source: string): boolean => {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
};

/** Query values arrive as text. */
const whole = (max = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.string(), v.regex(/^\d{1,16}$/, 'must be a whole number'), v.transform(Number), v.maxValue(max));
const flag = () =>
  v.pipe(
    v.picklist(['true', 'false'], 'must be true or false'),
    v.transform((text) => text === 'true'),
  );

/** By name; passed on as a number. */
const level = () =>
  v.pipe(
    v.picklist(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`),
    v.transform((name) => levelOf(name) ?? 0),
  );

export const MetricsQuery = v.strictObject({
  app: v.optional(v.string()),
  scope: v.optional(v.picklist(METRICS_SCOPES, "must be 'mixed', 'app' or 'worker'"), 'mixed'),
});
const instant = () =>
  v.pipe(
    v.string(),
    v.check((text) => !Number.isNaN(Date.parse(text)), 'must be a time (ISO 8601)'),
  );
export const SilenceBody = v.strictObject({
  matchers: v.pipe(v.array(v.pipe(v.string(), v.maxLength(1_000))), v.minLength(1), v.maxLength(20)),
  startsAt: v.nullable(instant()),
  endsAt: instant(),
  everyMs: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(60_000))),
  comment: v.pipe(v.string(), v.maxLength(1_000)),
});
export const AlertTestBody = v.strictObject({ receiver: v.nullable(v.pipe(v.string(), v.maxLength(200))) });
export const AppQuery = v.strictObject({ app: v.optional(v.string()) });
/** `waitMs`: answer when the operation has ended, at the latest after this time. */
export const OperationQuery = v.strictObject({ waitMs: v.optional(whole(60_000), '0') });
export const LogsQuery = v.strictObject({
  target: v.optional(v.string()),
  sinceMs: v.optional(whole()),
  untilMs: v.optional(whole()),
  grep: v.optional(v.pipe(v.string(), v.maxLength(1_000), v.check(isExpression, 'is not a regular expression'))),
  level: v.optional(level()),
  lines: v.optional(whole(1_000_000)),
  follow: v.optional(flag(), 'false'),
});
export const EventsQuery = v.strictObject({
  app: v.optional(v.string()),
  afterSeq: v.optional(whole()),
  limit: v.optional(whole(100_000), '100'),
  follow: v.optional(flag(), 'false'),
});
export const NoQuery = v.strictObject({});

/** The first few things that are wrong, with their places. */
export const describeIssues = (issues: readonly v.BaseIssue<unknown>[]): string =>
  issues
    .slice(0, 5)
    .map((issue) => `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}`)
    .join('; ');
