import { NO_APPS } from '../await-operations.ts';
import { defineCommand, JSON_OPTION, TARGET_ARGUMENT } from '../command.ts';
import { formatBytes } from '../render/values.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [TARGET_ARGUMENT],
  options: [JSON_OPTION],
  run: async (context, { args: [target = ''], options }) => {
    const document = await (await context.ensure()).flushLogs(target);
    if (options.json) context.print(JSON.stringify(document));
    else if (document.apps.length === 0) context.print(NO_APPS);
    else {
      const what = target === 'all' ? document.apps.join(', ') : target;
      context.print(`Flushed ${what}: ${formatBytes(document.freedBytes)} freed.`);
    }
    return 0;
  },
});
