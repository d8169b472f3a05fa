import { defineCommand, JSON_OPTION } from '../command.ts';
import { showLive, WATCH_OPTION } from '../live.ts';
import { renderHealth } from '../render/health.ts';

export const command = defineCommand<{ json?: boolean; watch?: boolean }>({
  args: [{ syntax: '[target]', about: 'an app or a worker (`shop/2`) instead of all apps', offers: 'apps' }],
  options: [WATCH_OPTION, JSON_OPTION],
  run: async (context, { args: [target], options: { json, watch = false } }) => {
    const client = await context.connect();
    return showLive(
      context,
      { read: () => client.health(target), render: (found) => renderHealth(found, context) },
      { json, watch },
    );
  },
});
