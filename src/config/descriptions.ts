/** What each key of the configuration means: for the JSON Schema (editors show it) and `docs/configuration.md`. */
import { BUDGET_NAMES } from '../protocol/index.ts';

/** The fields of a probe, the same for each kind. */
const PROBE_FIELDS: Readonly<Record<string, string>> = {
  http: 'Path that is asked; an answer from 200 to 399 passes.',
  tcp: 'Port to connect to; true: the first one that the worker listens on.',
  exec: 'Command that is run as the worker is; exit code 0 passes.',
  inProcess: 'The critical checks that the app registers with `drover/app`.',
  port: 'Port of `http`; without it the first one that the app listens on.',
  host: 'Another host than the worker itself.',
  headers: 'Header fields of `http`.',
  scheme: 'Of `http`. Certificates are not checked.',
  initialDelay: 'Time after the start of the worker before it is asked.',
  period: 'Time between two questions.',
  timeout: 'An answer that takes longer is a failure.',
  successThreshold: 'So many in a row pass after a failure.',
  failureThreshold: 'So many failures in a row count.',
};

const describeProbes = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ['startup', 'liveness', 'readiness'].flatMap((kind) =>
      Object.entries(PROBE_FIELDS).map(([field, text]) => [`probes.${kind}.${field}`, text]),
    ),
  );

const describeLimits = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    BUDGET_NAMES.flatMap((name) => [
      [`budgets.${name}.max`, 'The most that it may take.'],
      [`budgets.${name}.critical`, 'Beyond it the worker is critical, and may be replaced.'],
    ]),
  );

/** What each key means, by its path within an app: for the JSON Schema (editors show it) and `docs/configuration.md`. */
export const DESCRIPTIONS: Readonly<Record<string, string>> = {
  script: 'The file that Node runs, relative to the configuration file.',
  args: 'Arguments of the script or program.',
  cwd: 'Working directory, relative to the configuration file. A symbolic link is followed anew at each spawn.',
  node: "Version of Node, such as '24' or '22.11': looked for in PATH, nvm, fnm, volta, mise and node_modules, never downloaded.",
  nodeArgs: 'Options of Node itself, before the script.',
  command: 'Any other program with its arguments, instead of `script`.',
  instances: "Number of workers, or 'max': one for each usable CPU.",
  port: 'Port, or list of ports, that must listen before a worker is ready. `PORT` is set to the first.',
  env: 'Environment of the workers.',
  envFile: 'File of variables, read again whenever a worker is spawned; `env` wins over it.',
  inheritEnv:
    "Which of the caller's variables workers get beyond PATH HOME USER LANG LC_* TZ TMPDIR: all, none, or these.",
  dependsOn: 'Apps of the same file that must be ready before this one starts.',
  ready: 'When a worker counts as ready.',
  'ready.timeout':
    'A worker that is not ready within this time has failed to start. Where only `ready.stableFor` is written, that comes on top of the default.',
  'ready.stableFor':
    'How long it must have listened without a fault. One that listens on nothing must have run so long, and its event loop must answer: before that it is taken to be loading, for up to half of `ready.timeout`.',
  'ready.signal': "Wait for `process.send('ready')`; 'auto': if the app has sent it before.",
  restart: 'What happens when a worker exits.',
  'restart.policy': 'Restart it always, only after a failure, or never.',
  'restart.backoff': 'The wait before a start after one that never got ready, and in a crash loop.',
  'restart.backoff.initial': 'The first wait.',
  'restart.backoff.factor': 'By how much each wait is longer than the one before.',
  'restart.backoff.max': 'The longest wait.',
  'restart.crashLoop':
    'More crashes of one slot than this are a crash loop: retried at the longest wait, never given up.',
  'restart.crashLoop.restarts': 'How many crashes within that time are still no crash loop.',
  'restart.crashLoop.within': 'The time within which crashes are counted.',
  drain: 'How a worker that is replaced or stopped finishes.',
  'drain.timeout': 'How long requests in flight may take; what remains is cut.',
  'drain.idleGrace': 'How long an idle kept-alive connection stays open.',
  'drain.websocket': 'How WebSockets are closed.',
  'drain.websocket.code': 'Close code that clients see.',
  'drain.websocket.spread': 'Over how long the closes are spread, so that clients do not all come back at once.',
  logs: 'Output of the workers.',
  'logs.maxSize':
    'A log file with more than this is rotated: compressed into an archive, which `drover logs` reads like the rest.',
  'logs.keep': 'How many archives of each worker and stream stay, and how many of its earlier generations.',
  'logs.maxAge': 'Output that is older goes; without it age does not matter.',
  'logs.rotate':
    "'in-place': what is finished is freed inside the file. 'rename': files are never changed under a log shipper; each worker generation begins a new one, and `current/` has names that stay.",
  ...describeProbes(),
  probes: 'Checks of each worker alone, with the fields and defaults of Kubernetes.',
  'probes.startup': 'Until it has passed, the worker is not ready and the other two are not asked.',
  'probes.liveness': 'A worker that fails it is replaced. It must not depend on anything but the worker.',
  'probes.readiness': 'A worker that fails it gets no new connections until it passes again.',
  health: 'How it is noticed that a worker is unwell.',
  'health.blockedAfter': 'A worker whose event loop answers nothing for so long is blocked: it is taken off rotation.',
  'health.profile': 'A rolling profile at a low rate names the function and line that blocked.',
  'health.watchdog':
    'A second thread in each worker (about 18 MB) names what blocks while it still does. For blocks that never end.',
  'health.outliers': 'Workers that fail or are slow beside their peers are taken off rotation, by the traffic alone.',
  'health.outliers.enabled': 'Whether that is done.',
  'health.outliers.consecutiveErrors': 'So many failed answers in a row take a worker off.',
  'health.outliers.interval': 'How often workers are compared with their peers.',
  'health.outliers.baseEjection': 'How long a worker is off the first time; n times as long the n-th time.',
  'health.outliers.maxEjection': 'The longest time off.',
  'health.outliers.maxEjected': 'How many may be off at the same time, a number or a share.',
  heal: 'What is done about workers that are unwell, step by step: ask the app, replace, wait, quarantine.',
  'heal.enabled': 'Whether anything is done.',
  'heal.recoverTimeout': "How long the app's own recover hook may take.",
  'heal.maxUnavailable': 'How many workers may be out at the same time because of it, a number or a share.',
  'heal.perHour': 'How many workers of the app are replaced within an hour, at most.',
  'heal.quarantineAfter':
    'After so many replacements of one slot that did not help, it is left as it is, with the evidence.',
  budgets: 'What each worker may take. Beyond it, it is degraded, or critical, and may be replaced.',
  'budgets.heapUsedMB': 'Megabytes (of 1024 KB) of the JavaScript heap. Not known of programs without an agent.',
  'budgets.rssMB': 'Megabytes of resident memory.',
  'budgets.eventLoopLagMs':
    '99th percentile of the event-loop delay, in milliseconds. Not known of programs without an agent.',
  'budgets.cpuPercent': 'Percent of one core.',
  ...describeLimits(),
  'budgets.autoRestart': 'Replace a worker that stays beyond a critical budget, without losing requests.',
  'budgets.interval': 'How often budgets are compared.',
  slo: 'Objectives: `{ name, objective: 99.9, window, thresholdMs?, ratio?, minimumEvents }`.',
  metrics: 'What is measured.',
  'metrics.routes': 'How many routes are told apart; further ones are counted as `other`. 0: none.',
  'metrics.app': "Whether metrics of the app's own prom-client registries are shown as well.",
  trace: 'W3C trace context.',
  'trace.enabled': 'Every request has a trace id, continued from `traceparent` or new.',
  'trace.logs': 'Lines that a request prints carry its trace id. Without `trace.enabled` it has no effect.',
  surge: "How many replacements start at a time; 'auto': as many as memory and cores allow.",
  sticky: 'Keep each client address on one worker.',
  user: 'User (name or id) that the workers run as; needs root. They get its HOME, USER, LOGNAME and SHELL, and its main group alone: neither the other groups that it is in, nor any that the daemon is in.',
};

/** The same for what concerns the daemon. */
export const DAEMON_DESCRIPTIONS: Readonly<Record<string, string>> = {
  logs: 'Output of all apps together. The file that was applied last counts.',
  'logs.quota':
    'What logs may take on the disk; beyond it the oldest archives go, then files of workers that have ended.',
  health: 'Bare health and metrics for load balancers, Kubernetes and Prometheus: plain HTTP, read-only.',
  'health.host': 'Address to listen on.',
  'health.port': 'Port to listen on.',
  alerts:
    'Whom alerts are delivered to: a list of { webhook | alertmanager | command, headers, severities, apps, groupWait, repeat }.',
  otlp: 'Where metrics and events are pushed, as OTLP over HTTP.',
  'otlp.endpoint': 'Base address of the collector.',
  'otlp.headers': 'Header fields of each push.',
  'otlp.interval': 'How often metrics are pushed.',
  metrics: 'Time series on the disk.',
  'metrics.quota': 'What they may take; beyond it the oldest go.',
  'metrics.keep': 'How long they are kept.',
  'logs.minFree': "Space that is left on the disk, by the same means; 'auto': 1 GB, or a twentieth of a smaller disk.",
};
