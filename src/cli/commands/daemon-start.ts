import { isAnswering } from '../../client/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [],
  options: [JSON_OPTION],
  details: 'Commands that change something start it by themselves.',
  run: async (context, { options }) => {
    const wasRunning = await isAnswering(await context.connect());
    const client = await context.ensure();
    const document = await client.daemonStatus();
    if (options.json) context.print(JSON.stringify(document));
    else context.print(wasRunning ? `Running already (pid ${document.pid}).` : `Started (pid ${document.pid}).`);
    return 0;
  },
});
