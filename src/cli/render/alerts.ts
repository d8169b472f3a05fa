/** Alerts, silences, receivers, and what could not be delivered. */
import type { AlertDocument, AlertsDocument, AlertTestsDocument, SilenceDocument } from '../../protocol/index.ts';
import type { CliContext, Style } from '../context.ts';
import { toPlain, toPlainLines } from './plain.ts';
import { formatSpan } from './slo.ts';
import { renderTable } from './table.ts';
import { formatMs, formatTime } from './values.ts';

const STYLES: Readonly<Record<AlertDocument['status'], Style>> = {
  pending: 'yellow',
  firing: 'red',
  resolved: 'green',
};

const matchersOf = ({ matchers }: SilenceDocument): string =>
  matchers.map(({ label, kind, value }) => toPlain(`${label}${kind === 'is-not' ? '!=' : '='}${value}`)).join(' ');

export const renderSilence = (silence: SilenceDocument): string =>
  `${silence.id}: ${matchersOf(silence)}, until ${formatTime(silence.endsAt)}`;

export const renderAlerts = (
  { alerts, receivers, silences, undelivered }: AlertsDocument,
  context: CliContext,
): string => {
  const { paint } = context;
  const parts = [
    alerts.length === 0
      ? 'No alerts.'
      : renderTable(
          ['alert', 'status', 'severity', 'app', 'since', 'what'],
          alerts.map(({ name, status, severity, app, worker, startedAt, summary, mutedBy }) => [
            name,
            paint(STYLES[status], status),
            severity,
            worker ?? app ?? 'daemon',
            formatTime(startedAt),
            mutedBy.length === 0
              ? toPlain(summary)
              : paint('dim', `${toPlain(summary)} (muted by ${mutedBy.join(', ')})`),
          ]),
        ),
    receivers.length === 0
      ? 'Nobody is told: there are no receivers in the configuration (daemon.alerts).'
      : renderTable(
          ['receiver', 'address', 'waiting', 'last taken', 'last problem'],
          receivers.map(({ id, address, waiting, lastTakenAt, lastProblem }) => [
            id,
            address,
            String(waiting),
            formatTime(lastTakenAt),
            lastProblem === null ? '' : paint('red', toPlainLines(lastProblem)),
          ]),
        ),
  ];
  if (silences.length > 0)
    parts.push(
      renderTable(
        ['silence', 'of', 'from', 'until', 'again', 'why'],
        silences.map((silence) => [
          silence.id,
          matchersOf(silence),
          formatTime(silence.startsAt),
          formatTime(silence.endsAt),
          silence.everyMs === null ? '' : `every ${formatSpan(silence.everyMs)}`,
          toPlain(silence.comment),
        ]),
      ),
    );
  if (undelivered.length > 0)
    parts.push(
      renderTable(
        ['undelivered', 'receiver', 'alerts', 'given up', 'attempts', 'error'],
        undelivered.map(({ id, receiver, names, givenUpAt, attempts, error }) => [
          id,
          receiver,
          names.join(' '),
          formatTime(givenUpAt),
          String(attempts),
          paint('red', toPlainLines(error ?? '')),
        ]),
      ),
    );
  return parts.join('\n\n');
};

export const renderTests = ({ receivers }: AlertTestsDocument, { paint }: CliContext): string =>
  receivers.length === 0
    ? 'There are no receivers in the configuration (daemon.alerts).'
    : renderTable(
        ['receiver', 'address', 'taken', 'time', 'said'],
        receivers.map(({ receiver, address, isTaken, durationMs, said }) => [
          receiver,
          address,
          isTaken ? paint('green', 'yes') : paint('red', 'no'),
          formatMs(durationMs),
          toPlainLines(said),
        ]),
      );
