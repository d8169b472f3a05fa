/** Times as people type them for `--since` and `--until`. */
import { DroverError } from '../protocol/index.ts';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** What the daemon takes as a time: milliseconds since 1970. */
const isTime = (atMs: number): boolean => Number.isSafeInteger(atMs) && atMs >= 0;

/**
 * `10m` and `1h30m` ago, `now`, `today`, `yesterday`, `14:30` today, `2026-11-25`, or an ISO time; what names no zone
 * is local. Whole milliseconds since 1970. Throws DROVER_USAGE.
 */
export const parseTime = (text: string, nowMs: number): number => {
  const atMs = Math.round(readTime(text, nowMs) ?? Number.NaN);
  if (isTime(atMs)) return atMs;
  throw new DroverError('DROVER_USAGE', {
    message: `${JSON.stringify(text)} is not a time: use \`10m\`, \`2h\`, \`yesterday\`, \`14:30\` or \`2026-11-25T14:30\`.`,
  });
};

const readTime = (text: string, nowMs: number): number | null => {
  const word = text
    .trim()
    .toLowerCase()
    .replace(/\s*ago$/, '');
  if (word === 'now') return nowMs;
  const midnight = new Date(nowMs);
  midnight.setHours(0, 0, 0, 0);
  if (word === 'today') return midnight.getTime();
  // By the calendar, not by 24 hours: days of a clock change are shorter or longer.
  if (word === 'yesterday') return midnight.setDate(midnight.getDate() - 1);
  if (/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(word)) {
    const parts = [...word.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)];
    return nowMs - parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[String(unit)] ?? 0), 0);
  }
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(word);
  if (clock !== null) return midnight.setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0));
  const iso = /^\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:z|[+-]\d\d:?\d\d)?)?$/.test(word);
  if (iso && !isDay(word.slice(0, 10))) return null;
  // A date alone would be read as UTC; with a time it is local.
  const at = iso ? Date.parse(word.length === 10 ? `${word}T00:00` : word.replace(' ', 'T').toUpperCase()) : Number.NaN;
  return Number.isNaN(at) ? null : at;
};

/** The 30th of February would be read as the 2nd of March. */
const isDay = (date: string): boolean => {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
};
