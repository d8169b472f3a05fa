/** The part of the error catalogue (`errors.ts`) that is about the delivery of alerts. */
import { entry } from './catalogue.ts';

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
    () => 'Matchers look like `app=shop`, `severity!=page` or `name=error-*`.',
  ),
};
