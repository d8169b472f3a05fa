/** The level of a line of output: as pino, bunyan and winston write it in JSON, or as a word near the line's start. */
import { DroverError, type LogLineDocument } from '../protocol/index.ts';

/** A map, because to an object `constructor` is a name as well. */
const LEVELS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    trace: 10,
    silly: 10,
    verbose: 20,
    debug: 20,
    http: 30,
    info: 30,
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
  }),
);

/** Throws DROVER_USAGE. */
export const parseLevel = (text: string): number => {
  const level = LEVELS.get(text.toLowerCase());
  if (level !== undefined) return level;
  throw new DroverError('DROVER_USAGE', {
    message: `--level ${JSON.stringify(text)}: use trace, debug, info, warn, error or fatal.`,
  });
};

/** Whether a line is of this level or above. A line without one counts as `info`, on stderr as `error`. */
export const passesLevel = ({ line, stream }: LogLineDocument, wanted: number): boolean =>
  (findLevel(line) ?? (stream === 'stderr' ? 50 : 30)) >= wanted;

/** How far into a line its level may stand, after times and names. */
const HEAD_LENGTH = 80;

const findLevel = (line: string): number | undefined => {
  if (line.startsWith('{')) {
    try {
      const { level, severity } = JSON.parse(line) as { level?: unknown; severity?: unknown };
      const value = level ?? severity;
      return typeof value === 'number' ? value : LEVELS.get(String(value).toLowerCase());
    } catch {
      return undefined; // It only looked like JSON.
    }
  }
  const word = /\b(trace|debug|info|warn(?:ing)?|error|fatal|critical)\b/i.exec(line.slice(0, HEAD_LENGTH))?.[1];
  return word === undefined ? undefined : LEVELS.get(word.toLowerCase());
};
