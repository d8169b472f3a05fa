import { defineCommand, JSON_OPTION } from '../command.ts';
import { showLive, WATCH_OPTION } from '../live.ts';
import { renderHealth } from '../render/health.ts';

export const command = defineCommand<{ json?: boolean; watch?: boolean }>({
  args: [{ syntax: '[app]', about: 'one app instead of all', offers: 'apps' }],
  options: [WATCH_OPTION, JSON_OPTION],
  run: async (context, { args: [app], options: { json, watch = false } }) => {
    const client = await context.connect();
    return showLive(
      context,
      { read: () => client.health(app), render: (found) => renderHealth(found, context) },
      { json, watch },
    );
  },
});
