import { absentDaemon, ownHome } from '../../client/index.ts';
import { type DaemonDocument, DroverError, type StateDocument } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { formatBytes, formatNumber, formatTime } from '../render/values.ts';

/** What brings it back. */
const describeGuard = ({ unit, guardPid }: DaemonDocument): string =>
  unit === null ? `guard ${formatNumber(guardPid)}` : `kept by systemd (${unit})`;

type Facts = readonly (readonly [string, string])[];

/** The files that it runs from, and how it came to them. */
const programFacts = ({ program, upgrade }: DaemonDocument): Facts => {
  if (program === null) return [];
  const { directory, isCopy, reason } = program;
  const place = isCopy ? directory : `${directory}, where it is installed${reason === null ? '' : ` (${reason})`}`;
  const facts: [string, string][] = [['program', place]];
  if (upgrade !== null) {
    const { from, to, outcome, at } = upgrade;
    const end =
      outcome === 'completed' ? `from ${from} to ${to}` : `to ${to} failed, ${from} serves again: ${upgrade.reason}`;
    facts.push(['upgrade', `${formatTime(at)} ${end}`]);
  }
  return facts;
};

/** Whether what the daemon knows is on the disk, and what became of it when it began. */
const stateFacts = (state: StateDocument | null): Facts => {
  if (state === null) return [];
  const { status, reason, keptRecords, droppedEvents, fallBack, backupFailure } = state;
  const dropped = droppedEvents === 0 ? '' : `, ${droppedEvents} events lost`;
  const facts: [string, string][] = [
    [
      'state',
      status === 'written'
        ? 'on the disk'
        : `cannot be written since ${formatTime(state.since)} (${reason ?? 'unknown'}): changes are refused, ${keptRecords} records wait in memory${dropped}`,
    ],
    ['backup', `${formatTime(state.lastBackupAt)}${backupFailure === null ? '' : `, then failed: ${backupFailure}`}`],
  ];
  if (fallBack !== null) {
    const aside = fallBack.setAside === null ? '' : `; the file is kept as ${fallBack.setAside}`;
    facts.push(['fell back', `to the backup of ${formatTime(fallBack.backupAt)}, because ${fallBack.reason}${aside}`]);
  }
  return facts;
};

export const command = defineCommand<{ json?: boolean }>({
  args: [],
  options: [JSON_OPTION],
  details: 'Exit 4 when it is not running.',
  run: async (context, { options }) => {
    const { home } = ownHome();
    const client = await context.connect();
    let document = absentDaemon(home);
    try {
      document = await client.daemonStatus();
    } catch (error) {
      if (!(error instanceof DroverError) || error.code !== 'DROVER_DAEMON_UNREACHABLE' || !options.json) throw error;
    }
    if (options.json) context.print(JSON.stringify(document));
    else {
      const facts: Facts = [
        ['running', `pid ${formatNumber(document.pid)}, ${describeGuard(document)}`],
        ['version', document.version ?? '–'],
        ['since', formatTime(document.startedAt)],
        ['home', document.home],
        ['memory', formatBytes(document.rssBytes)],
        ['apps', formatNumber(document.apps)],
        ['workers', formatNumber(document.workers)],
        ['dispatch', document.dispatch ?? '–'],
      ];
      for (const [name, value] of [...facts, ...programFacts(document), ...stateFacts(document.state)])
        context.print(`${name.padEnd(9)} ${value}`);
    }
    return document.running ? 0 : 4;
  },
});
