/** The part of the error catalogue (`errors.ts`) that is about the delivery of alerts. */
import { entry } from './catalogue.ts';

const MATCHER_ADVICE = 'Matchers look like `app=shop`, `severity!=page` or `name=error-*`.';

/** What of a silence may be wrong, and what to do about it. */
const SILENCE_ADVICE = {
  matcher: MATCHER_ADVICE,
  matchers: 'One `*` stands for many names: `worker=shop/*`.',
  comment: 'A comment says why in a few words; the rest can stand where it points to.',
  span: 'Say when it ends with `--for`, such as `--for 2h`; `--from` moves its begin.',
  turn: 'What comes again lasts no longer than the time between two begins: `--for 2h --every 1d`.',
  time: 'Times are ISO 8601, such as `2026-11-25T14:30:00Z`.',
  count: '`drover alerts` lists the silences; `drover alerts silence --end <id>` ends one.',
} as const;
export type SilencePart = keyof typeof SILENCE_ADVICE;
const isSilencePart = (about: unknown): about is SilencePart =>
  typeof about === 'string' && Object.hasOwn(SILENCE_ADVICE, about);

export const ALERT_ERRORS = {
  DROVER_RECEIVER_UNKNOWN: entry(
    404,
    3,
    'A receiver of alerts that is not configured.',
    (d) => `There is no receiver ${JSON.stringify(d['receiver'])}.`,
    (d) =>
      Number(d['configured']) === 0
        ? 'None is configured: see `daemon.alerts` in docs/alerts.md.'
        : '`drover alerts` lists the receivers.',
  ),
  DROVER_DELIVERY_UNKNOWN: entry(
    404,
    3,
    'A message of alerts that is not among those that were given up.',
    (d) => `There is no undelivered message ${JSON.stringify(d['delivery'])}.`,
    () => 'It may have been tried again, or dropped. `drover alerts` lists those that there are.',
  ),
  DROVER_SILENCE_UNKNOWN: entry(
    404,
    3,
    'A silence that is not there.',
    (d) => `There is no silence ${JSON.stringify(d['silence'])}.`,
    () => '`drover alerts` lists the silences.',
  ),
  DROVER_SILENCE_INVALID: entry(
    400,
    2,
    'A silence that matches nothing, has ended before it begins, or is one too many.',
    (d) => `The silence is not valid: ${String(d['message'])}.`,
    ({ about }) => (isSilencePart(about) ? SILENCE_ADVICE[about] : MATCHER_ADVICE),
  ),
};
