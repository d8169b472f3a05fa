import { defineCommand, JSON_OPTION } from '../command.ts';
import { renderSlo } from '../render/slo.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [{ syntax: '[app]', about: 'one app instead of all', offers: 'apps' }],
  options: [JSON_OPTION],
  details:
    'Burn is how many times faster the error budget goes than it may; alerts fire where it does so in a long and a short window.',
  run: async (context, { args: [app], options }) => {
    const document = await (await context.connect()).slo(app);
    context.print(options.json ? JSON.stringify(document) : renderSlo(document, context));
    return 0;
  },
});
