import { finishOnTarget, type ChangeOptions } from '../await-operations.ts';
import { defineCommand, JSON_OPTION, NO_WAIT_OPTION, TARGET_ARGUMENT } from '../command.ts';
import { callerEnv } from '../target.ts';

export const command = defineCommand<ChangeOptions>({
  args: [TARGET_ARGUMENT],
  options: [NO_WAIT_OPTION, JSON_OPTION],
  run: async (context, { args: [target = ''], options }) => {
    const client = await context.ensure();
    const started = await client.restart(target, callerEnv(context));
    return finishOnTarget(client, target, started, options, context);
  },
});
