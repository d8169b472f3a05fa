/**
 * Levels of log lines by name, on pino's scale, which bunyan shares: what `--level` takes and what loggers write. The
 * names of winston (npm's and syslog's) and of Google's `severity` stand where they belong on it.
 */
const LEVELS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    trace: 10,
    silly: 10,
    finest: 10,
    debug: 20,
    verbose: 20,
    default: 30,
    http: 30,
    info: 30,
    information: 30,
    notice: 30,
    warn: 40,
    warning: 40,
    error: 50,
    err: 50,
    critical: 60,
    crit: 60,
    fatal: 60,
    alert: 60,
    emerg: 60,
    emergency: 60,
    panic: 60,
  }),
);

/** The names that are offered; the others are understood as well. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** 10 (trace) to 60 (fatal), whatever the case; undefined for what is no level. */
export const levelOf = (name: string): number | undefined => LEVELS.get(name.toLowerCase());
