/**
 * The configuration file as users write it: one schema that validates it, gives `defineConfig` its types and makes the
 * JSON Schema. Each message says what is allowed; `problems.ts` adds the path, the value and the nearest right name.
 * Nothing here looks outside the value: files, other apps and ports are checked in `check.ts`.
 */
import * as v from 'valibot';
import { findDurationMs, findSizeBytes, formatDuration, LONGEST_MS } from './quantity.ts';

const text = (allowed: string) => v.pipe(v.string(allowed), v.check(isPlain, allowed), v.minLength(1, allowed));
const isPlain = (value: string): boolean => !value.includes('\0');

const integer = (min: number, max: number, allowed = `must be a whole number from ${min} to ${max}`) =>
  v.pipe(v.number(allowed), v.integer(allowed), v.minValue(min, allowed), v.maxValue(max, allowed));

const boolean = () => v.boolean('must be true or false');

const duration = (min: number, max = LONGEST_MS) => {
  const range = min > 0 ? ` of at least ${formatDuration(min)}` : '';
  const limit = max === LONGEST_MS ? 'less than 25 days' : `at most ${formatDuration(max)}`;
  const allowed = `must be a duration${range} such as '500ms', '30s' or '2m', or milliseconds; ${limit}`;
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, allowed))], allowed),
    v.transform((value) => (typeof value === 'number' ? value : (findDurationMs(value) ?? Number.NaN))),
    v.check((value) => Number.isInteger(value) && value >= min && value <= max, allowed),
  );
};

const size = (min: number, least: string) => {
  const allowed = `must be a size of at least ${least} such as '10MB' or '2GB', or a number of bytes`;
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?(B|KB|MB|GB|TB)$/i, allowed))], allowed),
    v.transform((value) => (typeof value === 'number' ? value : (findSizeBytes(value) ?? Number.NaN))),
    v.check((value) => Number.isSafeInteger(value) && value >= min, allowed),
  );
};

const words = (allowed: string) =>
  v.array(v.pipe(v.string(allowed), v.check(isPlain, 'must not have a zero byte in it: no command line can')), allowed);

/** Set by Drover for each worker; a configured value would be overwritten. */
const RESERVED = /^DROVER_(APP|WORKER|SLOT|RELEASE|AGENT|SPAWN)$/;
const VARIABLES = 'must be an object of variable names and strings, numbers or booleans';
const VARIABLE = 'must be a string, a number or a boolean';
const variables = v.record(
  v.pipe(
    v.string(VARIABLES),
    v.regex(/^[^=\0]+$/, 'a variable name is not empty and has no `=`'),
    v.check((name) => !RESERVED.test(name), 'is set by Drover itself'),
  ),
  v.pipe(v.union([v.string(), v.number(), v.boolean()], VARIABLE), v.transform(String), v.check(isPlain, VARIABLE)),
  VARIABLES,
);

const PORT = 'must be a port number from 1 to 65535, or a list of them';
const port = integer(1, 65_535, PORT);

/** Close codes that an endpoint may send (RFC 6455, 7.4). */
const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
const CLOSE_CODE = 'must be a WebSocket close code: 1000–1003, 1007–1014 or 3000–4999';

const MAX = "must be a whole number from 1 to 256, or 'max'";
const AUTO = "must be a whole number from 1 to 256, or 'auto'";
const INHERIT = 'must be true, false or a list of variable names';
const FREE = "must be a size such as '1GB', a number of bytes, or 'auto'";
const KB = 1024;
const DAY_MS = 86_400_000;
const USER = 'must be the name or number of a user';

const group = <const Entries extends v.ObjectEntries>(entries: Entries) =>
  v.strictObject(entries, 'must be an object of settings');

const SECONDS_OR_MORE = 1_000;
const HTTP_PATH = "must be a path such as '/health/ready'";
/** RFC 9110, 5.1 and 5.5: what Node would throw at when the request is made, long after. */
const FIELD_NAME = 'must be the name of a header field: letters, digits and hyphens';
const FIELD_VALUE =
  'must be a string on one line, without control characters and beyond them nothing that is not Latin-1';
const headerFields = v.record(
  v.pipe(v.string(), v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, FIELD_NAME)),
  v.pipe(v.string('must be a string'), v.regex(/^[\t\x20-\x7e\x80-\xff]*$/, FIELD_VALUE)),
  'must be an object of header fields',
);
const TCP = 'must be a port number from 1 to 65535, or true: the port that the worker listens on';
const httpPath = v.pipe(v.string(HTTP_PATH), v.regex(/^\/[\x21-\x7e]*$/, HTTP_PATH));

/** Fields and defaults are those of Kubernetes, without `Seconds`. Exactly one of the first four says what is asked. */
const probe = () =>
  group({
    http: v.optional(httpPath),
    tcp: v.optional(v.union([v.literal(true, TCP), integer(1, 65_535, TCP)], TCP)),
    exec: v.optional(v.pipe(words('must be a list of words'), v.minLength(1, 'must name a program'))),
    inProcess: v.optional(v.literal(true, 'must be true: the checks that the app registers with `drover/app`')),
    port: v.optional(integer(1, 65_535, 'must be a port number from 1 to 65535')),
    host: v.optional(text('must be a host name or address')),
    headers: v.optional(headerFields, {}),
    scheme: v.optional(v.picklist(['http', 'https'], "must be 'http' or 'https'"), 'http'),
    initialDelay: v.optional(duration(0), 0),
    period: v.optional(duration(100), '10s'),
    timeout: v.optional(duration(1), '1s'),
    successThreshold: v.optional(integer(1, 1_000), 1),
    failureThreshold: v.optional(integer(1, 1_000), 3),
  });

const amount = (allowed: string) => v.pipe(v.number(allowed), v.minValue(0, allowed), v.finite(allowed));
const budget = () =>
  group({
    max: v.pipe(amount('must be a number above 0'), v.gtValue(0, 'must be a number above 0')),
    critical: v.optional(boolean(), false),
  });

const PERCENT = "must be a share such as '50%', or a whole number of workers";
const share = v.union(
  [integer(1, 256, PERCENT), v.pipe(v.string(PERCENT), v.regex(/^(100|[1-9]?\d)%$/, PERCENT))],
  PERCENT,
);

const OBJECTIVE = 'must be a percentage above 0 and below 100, such as 99.9';
const METRIC = 'must be the name of a metric';
const metricName = v.pipe(v.string(METRIC), v.regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, METRIC));
const objective = group({
  name: v.pipe(
    v.string('must be a name of letters, digits, `.`, `_` and `-`'),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be a name of letters, digits, `.`, `_` and `-`'),
  ),
  objective: v.pipe(v.number(OBJECTIVE), v.gtValue(0, OBJECTIVE), v.ltValue(100, OBJECTIVE)),
  window: v.optional(duration(10 * 60_000, 90 * DAY_MS), '30d'),
  /** A request counts as good when it was answered within this time; without it, when it did not fail. */
  thresholdMs: v.optional(
    v.pipe(
      amount('must be a number of milliseconds above 0'),
      v.gtValue(0, 'must be a number of milliseconds above 0'),
    ),
  ),
  /** Two counters of the app instead of its requests. */
  ratio: v.optional(group({ good: metricName, total: metricName })),
  minimumEvents: v.optional(integer(1, 1_000_000), 100),
});

/** One app. Defaults stand in the JSON Schema and in `docs/configuration.md`, what each key means in `descriptions.ts`. */
export const AppSchema = group({
  script: v.optional(text('must be the path of a file')),
  args: v.optional(words('must be a list of strings'), []),
  cwd: v.optional(text('must be the path of a directory'), '.'),
  node: v.optional(
    v.pipe(
      v.string("must be a version of Node as a string, such as '24'"),
      v.regex(/^v?\d+(\.\d+){0,2}$/, "must be a version of Node such as '24' or '22.11'"),
    ),
  ),
  nodeArgs: v.optional(words('must be a list of strings'), []),
  command: v.optional(v.pipe(words('must be a list of words'), v.minLength(1, 'must name a program'))),
  instances: v.optional(v.union([v.literal('max'), integer(1, 256, MAX)], MAX), 1),
  port: v.optional(v.union([port, v.pipe(v.array(port, PORT), v.minLength(1, PORT))], PORT)),
  env: v.optional(variables, {}),
  envFile: v.optional(text('must be the path of a file')),
  inheritEnv: v.optional(
    v.union([v.boolean(), v.array(v.pipe(v.string(INHERIT), v.minLength(1, INHERIT)), INHERIT)], INHERIT),
    false,
  ),
  dependsOn: v.optional(words('must be a list of names of apps'), []),
  ready: v.optional(
    group({
      timeout: v.optional(duration(1), '30s'),
      stableFor: v.optional(duration(0), '2s'),
      signal: v.optional(v.union([v.literal('auto'), v.boolean()], "must be true, false or 'auto'"), 'auto'),
    }),
    {},
  ),
  restart: v.optional(
    group({
      policy: v.optional(
        v.picklist(['always', 'on-failure', 'never'], "must be 'always', 'on-failure' or 'never'"),
        'always',
      ),
      backoff: v.optional(
        group({
          initial: v.optional(duration(1), '200ms'),
          factor: v.optional(
            v.pipe(
              v.number('must be a number from 1 to 100'),
              v.minValue(1, 'must be a number from 1 to 100'),
              v.maxValue(100, 'must be a number from 1 to 100'),
            ),
            2,
          ),
          max: v.optional(duration(1), '30s'),
        }),
        {},
      ),
      crashLoop: v.optional(
        group({
          restarts: v.optional(integer(0, 1_000), 5),
          within: v.optional(duration(1), '60s'),
        }),
        {},
      ),
    }),
    {},
  ),
  drain: v.optional(
    group({
      timeout: v.optional(duration(0), '30s'),
      idleGrace: v.optional(duration(0), '3s'),
      websocket: v.optional(
        group({
          code: v.optional(v.pipe(v.number(CLOSE_CODE), v.integer(CLOSE_CODE), v.check(isCloseCode, CLOSE_CODE)), 1012),
          spread: v.optional(duration(0), '10s'),
        }),
        {},
      ),
    }),
    {},
  ),
  logs: v.optional(
    group({
      maxSize: v.optional(size(64 * KB, '64KB'), '100MB'),
      keep: v.optional(integer(1, 1_000), 10),
      maxAge: v.optional(duration(60_000, 3650 * DAY_MS)),
      rotate: v.optional(v.picklist(['in-place', 'rename'], "must be 'in-place' or 'rename'"), 'in-place'),
    }),
    {},
  ),
  probes: v.optional(
    group({ startup: v.optional(probe()), liveness: v.optional(probe()), readiness: v.optional(probe()) }),
    {},
  ),
  health: v.optional(
    group({
      blockedAfter: v.optional(duration(200), '500ms'),
      profile: v.optional(boolean(), true),
      watchdog: v.optional(boolean(), false),
      outliers: v.optional(
        group({
          enabled: v.optional(boolean(), true),
          consecutiveErrors: v.optional(integer(1, 1_000_000), 5),
          interval: v.optional(duration(100), '2s'),
          baseEjection: v.optional(duration(SECONDS_OR_MORE), '30s'),
          maxEjection: v.optional(duration(SECONDS_OR_MORE), '5m'),
          maxEjected: v.optional(share, '50%'),
        }),
        {},
      ),
    }),
    {},
  ),
  heal: v.optional(
    group({
      enabled: v.optional(boolean(), true),
      recoverTimeout: v.optional(duration(100), '5s'),
      maxUnavailable: v.optional(share, '25%'),
      perHour: v.optional(integer(1, 10_000), 10),
      quarantineAfter: v.optional(integer(1, 1_000), 3),
    }),
    {},
  ),
  budgets: v.optional(
    group({
      heapUsedMB: v.optional(budget()),
      rssMB: v.optional(budget()),
      eventLoopLagMs: v.optional(budget()),
      cpuPercent: v.optional(budget()),
      autoRestart: v.optional(boolean(), true),
      interval: v.optional(duration(SECONDS_OR_MORE), '10s'),
    }),
    {},
  ),
  slo: v.optional(v.array(objective, 'must be a list of objectives'), []),
  metrics: v.optional(group({ routes: v.optional(integer(0, 10_000), 100), app: v.optional(boolean(), true) }), {}),
  trace: v.optional(group({ enabled: v.optional(boolean(), false), logs: v.optional(boolean(), false) }), {}),
  surge: v.optional(v.union([v.literal('auto'), integer(1, 256, AUTO)], AUTO), 'auto'),
  sticky: v.optional(boolean(), false),
  user: v.optional(
    v.union(
      [v.pipe(v.string(), v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?$/, USER)), integer(0, 2 ** 32 - 2, USER)],
      USER,
    ),
  ),
});

const URL_TEXT = "must be an address such as 'http://127.0.0.1:9093'";
const webAddress = v.pipe(
  v.string(URL_TEXT),
  v.regex(/^https?:\/\/[^\s/]+/, URL_TEXT),
  v.check((value) => URL.canParse(value), URL_TEXT),
);
const receiver = group({
  /** Exactly one of these three. */
  webhook: v.optional(webAddress),
  alertmanager: v.optional(webAddress),
  command: v.optional(
    v.pipe(
      words('must be a list of words'),
      v.minLength(1, 'must name a program'),
      v.check(([program]) => program !== '', 'must name a program'),
    ),
  ),
  headers: v.optional(headerFields, {}),
  severities: v.optional(
    v.pipe(
      v.array(v.picklist(['page', 'ticket', 'notice'], "must be 'page', 'ticket' or 'notice'"), 'must be a list'),
      v.minLength(1, 'must name one at least: a receiver of none is told nothing'),
    ),
    ['page', 'ticket'],
  ),
  apps: v.optional(
    v.pipe(
      words('must be a list of names of apps'),
      v.minLength(1, 'must name an app: a receiver of none is told nothing'),
    ),
  ),
  groupWait: v.optional(duration(0), '10s'),
  repeat: v.optional(duration(60_000), '4h'),
});

/** What concerns the daemon itself, not one app. */
export const DaemonSchema = group({
  logs: v.optional(
    group({
      quota: v.optional(size(1024 * KB, '1MB'), '10GB'),
      minFree: v.optional(v.union([v.literal('auto'), size(0, '0')], FREE), 'auto'),
    }),
    {},
  ),
  health: v.optional(group({ host: v.optional(text('must be a host name or address'), '127.0.0.1'), port })),
  alerts: v.optional(v.array(receiver, 'must be a list of receivers'), []),
  otlp: v.optional(
    group({
      endpoint: webAddress,
      headers: v.optional(headerFields, {}),
      interval: v.optional(duration(SECONDS_OR_MORE), '60s'),
    }),
  ),
  metrics: v.optional(
    group({
      quota: v.optional(size(1024 * KB, '1MB'), '256MB'),
      keep: v.optional(duration(3_600_000, 365 * DAY_MS), '30d'),
    }),
    {},
  ),
});

export const APPS = 'must be an object: a name for each app, and its settings';

export const ConfigSchema = group({
  $schema: v.optional(v.string('must be the address of a JSON Schema')),
  daemon: v.optional(DaemonSchema),
  /** May be left out where there is something about the daemon. */
  apps: v.optional(v.record(v.string(), AppSchema, APPS)),
});

/** What `drover.config.ts` exports. */
export type DroverConfig = v.InferInput<typeof ConfigSchema>;
/** The settings of one app in it. */
export type AppSettings = v.InferInput<typeof AppSchema>;
/** The settings of the daemon, with defaults filled in. */
export type CompleteDaemonSettings = v.InferOutput<typeof DaemonSchema>;
/** The same of an app, with defaults filled in and durations in milliseconds. */
export type CompleteSettings = v.InferOutput<typeof AppSchema>;
