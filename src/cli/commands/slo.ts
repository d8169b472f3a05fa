import { defineCommand, JSON_OPTION } from '../command.ts';
import { showLive, WATCH_OPTION } from '../live.ts';
import { renderSlo } from '../render/slo.ts';

export const command = defineCommand<{ json?: boolean; watch?: boolean }>({
  args: [{ syntax: '[app]', about: 'one app instead of all', offers: 'apps' }],
  options: [WATCH_OPTION, JSON_OPTION],
  details:
    'Burn is how many times faster the error budget goes than it may; alerts fire where it does so in a long and a short window.',
  run: async (context, { args: [app], options: { json, watch = false } }) => {
    const client = await context.connect();
    return showLive(
      context,
      { read: () => client.slo(app), render: (found) => renderSlo(found, context) },
      { json, watch },
    );
  },
});
