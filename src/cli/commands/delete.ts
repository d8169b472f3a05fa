import { finishOnTarget, type ChangeOptions } from '../await-operations.ts';
import { defineCommand, JSON_OPTION, NO_WAIT_OPTION, TARGET_ARGUMENT } from '../command.ts';

export const command = defineCommand<ChangeOptions>({
  args: [TARGET_ARGUMENT],
  options: [NO_WAIT_OPTION, JSON_OPTION],
  details: 'Drains and ends the workers, and removes the app from what the daemon knows.',
  run: async (context, { args: [target = ''], options }) => {
    const client = await context.ensure();
    return finishOnTarget(client, target, await client.delete(target), options, context);
  },
});
