/** Silences and maintenance windows, as operators make and end them. What they keep quiet is decided in `core/silence.ts`. */
import { isSilenceOver } from '../core/index.ts';
import {
  DroverError,
  SEVERITIES,
  type AlertMatcher,
  type SilenceDocument,
  type SilencePart,
} from '../protocol/index.ts';
import type { DeliveryStore } from './edges.ts';

/** What an operator asks for. Times are ISO 8601. */
export interface NewSilence {
  /** Such as `app=shop`, `severity!=page`, `name=error-*`; all of them must match. */
  readonly matchers: readonly string[];
  /** Null: now. */
  readonly startsAt: string | null;
  readonly endsAt: string;
  /** It comes again so often after its start; null: once. */
  readonly everyMs: number | null;
  readonly comment: string;
  readonly createdBy: string | null;
}

/** Of those that are not over. */
const MOST_SILENCES = 500;
const MOST_MATCHERS = 20;
const MOST_CHARACTERS = 1_000;
/** Whoever wants to be left alone for longer takes the receiver away. */
const LONGEST_MS = 10 * 366 * 86_400_000;
/** Those that are over are listed for so long. */
const KEPT_MS = 7 * 86_400_000;

export interface Silences {
  /** Throws DROVER_SILENCE_INVALID, and DROVER_STATE_UNWRITABLE on a full disk. `nowMs`: wall clock. */
  add(silence: NewSilence, id: string, nowMs: number): SilenceDocument;
  /** Ends it now; nothing where it is over. Throws DROVER_SILENCE_UNKNOWN, and DROVER_STATE_UNWRITABLE on a full disk. */
  expire(id: string, nowMs: number): SilenceDocument;
  /** All, also those that begin later, and those that ended in the last seven days. */
  list(): readonly SilenceDocument[];
}

export const openSilences = ({ alerts: { silences: records } }: DeliveryStore): Silences => {
  let all = [...records.list()];
  const put = (silence: SilenceDocument, nowMs: number): SilenceDocument => {
    records.put(silence, nowMs - KEPT_MS);
    const isForgotten = ({ everyMs, endsAt }: SilenceDocument): boolean =>
      everyMs === null && Date.parse(endsAt) < nowMs - KEPT_MS;
    all = [...all.filter((each) => each.id !== silence.id && !isForgotten(each)), silence];
    return silence;
  };
  return {
    add(asked, id, nowMs) {
      const silence = complete(asked, id, nowMs);
      if (all.filter((each) => !isSilenceOver(each, nowMs)).length >= MOST_SILENCES)
        throw invalid('count', `there are ${MOST_SILENCES} already; end some of them`);
      return put(silence, nowMs);
    },
    expire(id, nowMs) {
      const silence = all.find((each) => each.id === id);
      if (silence === undefined) throw new DroverError('DROVER_SILENCE_UNKNOWN', { silence: id });
      if (isSilenceOver(silence, nowMs)) return silence;
      const now = new Date(nowMs).toISOString();
      const startsAt = Date.parse(silence.startsAt) > nowMs ? now : silence.startsAt;
      return put({ ...silence, startsAt, endsAt: now, everyMs: null }, nowMs);
    },
    list: () => all,
  };
};

const complete = (asked: NewSilence, id: string, nowMs: number): SilenceDocument => {
  const { matchers, comment, createdBy, everyMs } = asked;
  const startsAtMs = asked.startsAt === null ? nowMs : parseTime(asked.startsAt);
  const endsAtMs = parseTime(asked.endsAt);
  if (matchers.length === 0)
    throw invalid('matcher', 'it has no matcher, and would keep everything quiet; `app=*` says that');
  if (comment.length > MOST_CHARACTERS)
    throw invalid('comment', `its comment has more than ${MOST_CHARACTERS} characters`);
  if (endsAtMs - startsAtMs > LONGEST_MS) throw invalid('span', 'it lasts for more than ten years');
  if (matchers.length > MOST_MATCHERS) throw invalid('matchers', `it has more than ${MOST_MATCHERS} matchers`);
  if (endsAtMs <= startsAtMs) throw invalid('span', 'it ends before it begins');
  if (everyMs === null && endsAtMs <= nowMs) throw invalid('span', 'it is over already');
  if (everyMs !== null && everyMs < endsAtMs - startsAtMs) throw invalid('turn', 'it comes again before it ends');
  return {
    id,
    matchers: matchers.map(parseMatcher),
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: new Date(endsAtMs).toISOString(),
    everyMs,
    comment,
    createdBy: createdBy?.slice(0, MOST_CHARACTERS) ?? null,
  };
};

/** Throws DROVER_SILENCE_INVALID. */
export const parseMatcher = (text: string): AlertMatcher => {
  if (text.length > MOST_CHARACTERS) throw invalid('matcher', `a matcher of ${text.length} characters is too long`);
  const [, label, sign, value] = /^\s*([a-z_]\w*)\s*(!?=)\s*(.*?)\s*$/is.exec(text) ?? [];
  if (label === undefined || value === undefined) throw invalid('matcher', `${JSON.stringify(text)} is no matcher`);
  // One that is misspelt would keep nobody quiet, or everybody.
  if (label === 'severity' && !value.includes('*') && !SEVERITIES.some((known) => known === value))
    throw invalid('matcher', `there is no severity ${JSON.stringify(value)}, but ${SEVERITIES.join(', ')}`);
  if (!value.includes('*')) return { label, kind: sign === '=' ? 'is' : 'is-not', value };
  if (sign === '=') return { label, kind: 'glob', value };
  throw invalid('matcher', `${JSON.stringify(text)}: \`!=\` takes no \`*\``);
};

const parseTime = (text: string): number => {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw invalid('time', `${JSON.stringify(text)} is no time`);
  return ms;
};

/** `about` chooses the advice. */
const invalid = (about: SilencePart, message: string): DroverError =>
  new DroverError('DROVER_SILENCE_INVALID', { message, about });
