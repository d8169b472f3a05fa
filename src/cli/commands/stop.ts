import { finishOnTarget, type ChangeOptions } from '../await-operations.ts';
import { defineCommand, JSON_OPTION, NO_WAIT_OPTION, TARGET_ARGUMENT } from '../command.ts';

export const command = defineCommand<ChangeOptions>({
  args: [TARGET_ARGUMENT],
  options: [NO_WAIT_OPTION, JSON_OPTION],
  details:
    'Drains, then ends the workers with all that they started, but for what has left their session with an environment of its own. `drover start <app>` starts them again.',
  run: async (context, { args: [target = ''], options }) => {
    const client = await context.ensure();
    return finishOnTarget(client, target, await client.stop(target), options, context);
  },
});
