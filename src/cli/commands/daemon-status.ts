import { absentDaemon, ownHome } from '../../client/index.ts';
import { type DaemonDocument, DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { formatBytes, formatNumber, formatTime } from '../render/values.ts';

/** What brings it back. */
const describeGuard = ({ unit, guardPid }: DaemonDocument): string =>
  unit === null ? `guard ${formatNumber(guardPid)}` : `kept by systemd (${unit})`;

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
      const facts: readonly (readonly [string, string])[] = [
        ['running', `pid ${formatNumber(document.pid)}, ${describeGuard(document)}`],
        ['version', document.version ?? '–'],
        ['since', formatTime(document.startedAt)],
        ['home', document.home],
        ['memory', formatBytes(document.rssBytes)],
        ['apps', formatNumber(document.apps)],
        ['workers', formatNumber(document.workers)],
        ['dispatch', document.dispatch ?? '–'],
      ];
      for (const [name, value] of facts) context.print(`${name.padEnd(9)} ${value}`);
    }
    return document.running ? 0 : 4;
  },
});
