import { APP_ARGUMENT, defineCommand, JSON_OPTION } from '../command.ts';
import { formatTime } from '../render/values.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [APP_ARGUMENT],
  options: [JSON_OPTION],
  run: async (context, { args: [app = ''], options }) => {
    const document = await (await context.connect()).why(app);
    if (options.json) context.print(JSON.stringify(document));
    else {
      context.print(document.summary);
      for (const { at, event, because, lastLines = [] } of document.chain) {
        context.print(`  ${formatTime(at, true)}  ${event}${because === '' ? '' : `, because ${because}`}`);
        for (const line of lastLines) context.print(context.paint('dim', `      | ${line}`));
      }
    }
    return 0;
  },
});
