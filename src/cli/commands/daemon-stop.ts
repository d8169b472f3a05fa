import { absentDaemon, findToStop, ownHome } from '../../client/index.ts';
import { awaitDaemonEnd } from '../await-daemon-end.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';

const SAID = {
  answers: 'Stopped.',
  ended: 'Stopped, while it tried to start; the end of its log says why it could not.',
  absent: 'It was not running.',
};

export const command = defineCommand<{ keepWorkers?: boolean; json?: boolean }>({
  args: [],
  options: [{ flags: '--keep-workers', about: 'leave apps running; the next daemon adopts them' }, JSON_OPTION],
  run: async (context, { options }) => {
    const { home } = ownHome();
    const client = await context.connect();
    const keepsWorkers = options.keepWorkers ?? false;
    const found = await findToStop(client, home, keepsWorkers);
    if (found === 'answers') {
      const { pid } = await client.daemonStatus();
      await client.shutdown(keepsWorkers);
      await awaitDaemonEnd(client, pid);
    }
    context.print(options.json ? JSON.stringify(absentDaemon(home)) : SAID[found]);
    return 0;
  },
});
