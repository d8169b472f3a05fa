import { APP_ARGUMENT, defineCommand, JSON_OPTION } from '../command.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [APP_ARGUMENT],
  options: [JSON_OPTION],
  run: async (context, { args: [app = ''], options }) => {
    const document = await (await context.connect()).show(app);
    if (options.json) context.print(JSON.stringify(document));
    else {
      const { renderDetail } = await import('../render/apps.ts');
      context.print(renderDetail(document, context));
    }
    return 0;
  },
});
