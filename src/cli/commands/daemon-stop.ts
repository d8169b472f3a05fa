import { absentDaemon, isAnswering, ownHome } from '../../client/index.ts';
import { awaitDaemonEnd } from '../await-daemon-end.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';

export const command = defineCommand<{ keepWorkers?: boolean; json?: boolean }>({
  args: [],
  options: [{ flags: '--keep-workers', about: 'leave apps running; the next daemon adopts them' }, JSON_OPTION],
  run: async (context, { options }) => {
    const client = await context.connect();
    const wasRunning = await isAnswering(client);
    if (wasRunning) {
      const { pid } = await client.daemonStatus();
      await client.shutdown(options.keepWorkers ?? false);
      await awaitDaemonEnd(client, pid);
    }
    if (options.json) context.print(JSON.stringify(absentDaemon(ownHome().home)));
    else context.print(wasRunning ? 'Stopped.' : 'It was not running.');
    return 0;
  },
});
