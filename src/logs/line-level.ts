/**
 * The level of a log line: as pino, bunyan, winston, Google and others write it in JSON, or as a word where loggers put
 * it in text. A line that has none counts as `info`, and on stderr as `error`: that is where programs complain.
 */
import { levelOf } from '../protocol/index.ts';
import type { LogStream } from './log-file.ts';

const WITHOUT: Readonly<Record<LogStream, number>> = { stdout: 30, stderr: 50 };

/** 10 (trace) to 60 (fatal), or a number between or beyond that the logger has chosen. */
export function lineLevel(text: string, stream: LogStream): number {
  const plain = text.includes('\u001b') ? text.replaceAll(COLOUR, '') : text;
  return (plain.startsWith('{') ? jsonLevel(plain) : wordLevel(plain)) ?? WITHOUT[stream];
}

// oxlint-disable-next-line no-control-regex -- the escape is what it looks for
const COLOUR = /\u001b\[[\d;]*m/g;

/** Keys in the order in which they are believed: `level` is said by nearly everybody. */
const KEYS = ['level', 'severity', 'log.level', 'lvl', 'levelname'] as const;
/** GELF and syslog count from 0 (emergency) to 7 (debug); pino and bunyan begin at 10. */
const SYSLOG = [60, 60, 60, 50, 40, 30, 30, 20] as const;

function jsonLevel(text: string): number | undefined {
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined; // It only began like JSON.
  }
  for (const key of KEYS) {
    const level = value[key];
    if (typeof level === 'number') return SYSLOG[level] ?? level;
    if (typeof level !== 'string') continue;
    const known = levelOf(level.replaceAll(COLOUR, ''));
    if (known !== undefined) return known;
  }
  return undefined;
}

/** How far into a line its level may stand, after times and names. */
const HEAD_LENGTH = 100;
const NAMES = 'trace|silly|debug|verbose|http|info|notice|warn(?:ing)?|error|crit(?:ical)?|fatal|alert|emerg(?:ency)?';
/** The first word after times, process ids and brackets: `error: …`, `[2026-05-01 10:00:00] [warn] …`. */
const FIRST_WORD = new RegExp(`^[^A-Za-z]*(?:T[^A-Za-z]*)?(?:Z[^A-Za-z]*)?(${NAMES})\\b`, 'i');
/** In capitals or brackets also after a name: `shop ERROR …`, `(shop) [debug] …`; and `level=warn`. */
const MARKED = new RegExp(`\\b(${NAMES.toUpperCase()})\\b|\\[(${NAMES})\\]|\\blevel="?(\\w+)`);
/** The beginning of a printed error: `TypeError: …`, `Uncaught Error …`. */
const PRINTED_ERROR = /^(?:Uncaught )?[A-Za-z.]*(?:Error|Exception)\b/;

function wordLevel(text: string): number | undefined {
  const head = text.slice(0, HEAD_LENGTH);
  const word = FIRST_WORD.exec(head)?.[1] ?? MARKED.exec(head)?.slice(1).find(Boolean);
  const level = word === undefined ? undefined : levelOf(word);
  return level ?? (PRINTED_ERROR.test(head) ? 50 : undefined);
}
