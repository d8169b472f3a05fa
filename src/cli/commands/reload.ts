import { finishOnTarget, type ChangeOptions } from '../await-operations.ts';
import { defineCommand, JSON_OPTION, NO_WAIT_OPTION, TARGET_ARGUMENT } from '../command.ts';
import { callerEnv } from '../target.ts';

export const command = defineCommand<ChangeOptions>({
  args: [TARGET_ARGUMENT],
  options: [NO_WAIT_OPTION, JSON_OPTION],
  details:
    'Boots replacements, waits until they are ready, hands the listening sockets over and drains the old workers. When a replacement does not become ready the old workers go on serving (exit 1), or serve again (exit 7).',
  run: async (context, { args: [target = ''], options }) => {
    const client = await context.ensure();
    const started = await client.reload(target, callerEnv(context));
    return finishOnTarget(client, target, started, options, context);
  },
});
