/**
 * Which alerts are not told, although they fire: those that a silence or a maintenance window matches, and those that a page of
 * the same objective says already. Pure. What is muted is still seen; it is told when the reason ends and it still fires.
 */
import type { AlertDocument, AlertMatcher, SilenceDocument } from '../protocol/index.ts';

const MATCHED_FIELDS = ['app', 'worker', 'name', 'severity'] as const;

const valueOf = (alert: AlertDocument, label: string): string => {
  const field = MATCHED_FIELDS.find((name) => name === label);
  return (field === undefined ? alert.labels[label] : alert[field]) ?? '';
};

/** A label that is not there has the value ''. */
export const matches = ({ label, kind, value }: AlertMatcher, alert: AlertDocument): boolean => {
  const found = valueOf(alert, label);
  if (kind === 'glob') return isLike(found, value);
  return (found === value) === (kind === 'is');
};

/** In time that is linear in both: `*` is found where it first fits, and nothing has to be tried again. */
const isLike = (text: string, glob: string): boolean => {
  const parts = glob.split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  if (parts.length === 1) return text === glob;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, from);
    if (found === -1 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
};

/** Of one that comes again: how far `at` is into its present turn. */
const inTurn = ({ startsAt, endsAt, everyMs }: SilenceDocument, at: number): { atMs: number; lengthMs: number } => {
  const [start, end] = [Date.parse(startsAt), Date.parse(endsAt)];
  const sinceMs = at - start;
  return { atMs: everyMs === null || sinceMs < 0 ? sinceMs : sinceMs % everyMs, lengthMs: end - start };
};

/** From its start to before its end. Its hours are those of UTC: a summer time moves it by an hour. */
export const isSilenceActive = (silence: SilenceDocument, at: number): boolean => {
  const { atMs, lengthMs } = inTurn(silence, at);
  return atMs >= 0 && atMs < lengthMs;
};

/** When it next begins or ends; null: never again. */
export const silenceChangesAt = (silence: SilenceDocument, at: number): number | null => {
  const { atMs, lengthMs } = inTurn(silence, at);
  if (atMs < 0) return at - atMs;
  if (atMs < lengthMs) return at - atMs + lengthMs;
  return silence.everyMs === null ? null : at - atMs + silence.everyMs;
};

/** It is over, and comes never again. */
export const isSilenceOver = (silence: SilenceDocument, at: number): boolean => silenceChangesAt(silence, at) === null;

/** The same alerts, each with what mutes it at `at`: ids of silences, and of a page of its objective. */
export const muteAlerts = (
  alerts: readonly AlertDocument[],
  silences: readonly SilenceDocument[],
  at: number,
): readonly AlertDocument[] => {
  const active = silences.filter((silence) => isSilenceActive(silence, at));
  const pages = alerts.filter(({ status, severity }) => status === 'firing' && severity === 'page');
  return alerts.map((alert) => {
    const silencedBy = active
      // A silence that asks for nothing would silence everything.
      .filter(({ matchers }) => matchers.length > 0 && matchers.every((matcher) => matches(matcher, alert)))
      .map(({ id }) => id);
    const page = alert.severity === 'page' ? undefined : pages.find((one) => isSameObjective(one, alert));
    return { ...alert, mutedBy: page === undefined ? silencedBy : [...silencedBy, page.id] };
  });
};

const isSameObjective = (a: AlertDocument, b: AlertDocument): boolean =>
  a.labels['objective'] !== undefined && a.labels['objective'] === b.labels['objective'] && a.app === b.app;
