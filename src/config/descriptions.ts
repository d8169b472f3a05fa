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
  'ready.stableFor': 'How long it must have listened without a fault.',
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
