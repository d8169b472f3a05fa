import { defineCommand, JSON_OPTION } from '../command.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [],
  options: [JSON_OPTION],
  run: async (context, { options }) => {
    const client = await context.connect();
    const document = await client.list();
    if (options.json) context.print(JSON.stringify(document));
    else {
      const { renderApps } = await import('../render/apps.ts');
      context.print(renderApps(document.apps, context));
    }
    return 0;
  },
});
